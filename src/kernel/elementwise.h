/* elementwise.h: names for the formulas of elementwise.def. */
#ifndef KERNEL_ELEMENTWISE_H
#define KERNEL_ELEMENTWISE_H

/* y = f(a, b). Comparisons give 1 where they hold, else 0. SMOOTH_L1, with the parameter beta, of z = a - b: z^2 / (2
 * beta) where |z| < beta, else |z| - beta / 2. */
enum binary_kind {
    BINARY_ADD,
    BINARY_SUB,
    BINARY_MUL,
    BINARY_DIV,
    BINARY_POWER,
    BINARY_MAXIMUM,
    BINARY_MINIMUM,
    BINARY_SMOOTH_L1,
    BINARY_EQUAL,
    BINARY_NOT_EQUAL,
    BINARY_GREATER,
    BINARY_GREATER_EQUAL,
    BINARY_LESS,
    BINARY_LESS_EQUAL,
};
/* The gradient of an input, from d = d_out, a, b. */
enum binary_slope {
    SLOPE_ONE,             /* d */
    SLOPE_MINUS_ONE,       /* -d */
    SLOPE_B,               /* d b */
    SLOPE_A,               /* d a */
    SLOPE_OVER_B,          /* d / b */
    SLOPE_MINUS_A_OVER_B2, /* -d a / b^2 */
    SLOPE_POWER,           /* d b a^(b-1) */
    SLOPE_POWER_EXPONENT,  /* d a^b log a */
    SLOPE_IF_GREATER,      /* d where a > b, d / 2 where a = b */
    SLOPE_IF_LESS,         /* d where a < b, d / 2 where a = b */
    SLOPE_SMOOTH_L1,       /* d z / beta within [-d, d]; the parameter is beta */
    SLOPE_MINUS_SMOOTH_L1,
    SLOPE_WHERE,     /* d where a is not 0 */
    SLOPE_WHERE_NOT, /* d where a is 0 */
};
/* y = f(x), with parameters p and q. The gradient is made from y or from x. */
enum unary_kind {
    UNARY_EXP,          /* y */
    UNARY_LOG,          /* x */
    UNARY_SQRT,         /* y */
    UNARY_SQUARE,       /* x */
    UNARY_ABS,          /* x */
    UNARY_SIGN,         /* no gradient */
    UNARY_CLIP,         /* y; into [p, q] */
    UNARY_RELU,         /* y */
    UNARY_RELU6,        /* y */
    UNARY_LEAKY_RELU,   /* y; p x where x < 0, p >= 0 */
    UNARY_HARD_SIGMOID, /* y */
    UNARY_HARD_SWISH,   /* x */
    UNARY_SIGMOID,      /* y */
    UNARY_LOG_SIGMOID,  /* x */
    UNARY_TANH,         /* y */
    UNARY_GELU,         /* x */
    UNARY_SILU,         /* x */
    UNARY_SOFTPLUS,     /* x */
};

#endif
