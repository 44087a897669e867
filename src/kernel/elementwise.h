/* elementwise.h: names for the formulas of elementwise.def. */
#ifndef KERNEL_ELEMENTWISE_H
#define KERNEL_ELEMENTWISE_H

/* y = f(a, b) */
enum binary_kind { BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV };
/* The gradient of an input, from d = d_out, a, b: d, -d, d b, d a, d / b, -d a / b^2. */
enum binary_slope { SLOPE_ONE, SLOPE_MINUS_ONE, SLOPE_B, SLOPE_A, SLOPE_OVER_B, SLOPE_MINUS_A_OVER_B2 };
/* y = f(x). The gradient is made from y for EXP, SQRT, RELU, RELU6 and from x for LOG, SQUARE, ABS. */
enum unary_kind { UNARY_EXP, UNARY_LOG, UNARY_SQRT, UNARY_SQUARE, UNARY_ABS, UNARY_RELU, UNARY_RELU6 };

#endif
