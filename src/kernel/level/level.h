/* level.h: how a file of kernel/level/ is compiled several times.
 *
 * The build sets KERNEL_LEVEL (v2, v3, v4 or generic) and, for double, KERNEL_F64. `real` is the precision; KERNEL(name) is the
 * function's name in this build, e.g. relu_forward_v3_f32. Parameters are `void *` so that all tables have one type: the first
 * lines of a kernel turn them into `real *`. table.c collects the functions. */
#ifndef KERNEL_LEVEL_LEVEL_H
#define KERNEL_LEVEL_LEVEL_H

#include "kernel/kernel.h"

#ifdef KERNEL_F64
typedef double real;
#define KERNEL_PRECISION f64
#else
typedef float real;
#define KERNEL_PRECISION f32
#endif

#define KERNEL_JOIN_(name, level, precision) name##_##level##_##precision
#define KERNEL_JOIN(name, level, precision) KERNEL_JOIN_(name, level, precision)
#define KERNEL(name) KERNEL_JOIN(name, KERNEL_LEVEL, KERNEL_PRECISION)

/* Declarations of this build's functions, so that a definition is checked against kernels.def. */
#define LEVEL_KERNEL(type, name, parameters) type KERNEL(name) parameters;
#include "kernel/kernels.def"
#undef LEVEL_KERNEL

#endif
