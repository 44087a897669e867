/* rows.h: what some kernels of kernel/rows.def are cut into, and where they begin. */
#ifndef KERNEL_ROWS_H
#define KERNEL_ROWS_H

/* corner_cosines: a squared distance below this is none. Its gradient is summed up in this many parts, one a thread. */
#define CORNER_LEAST 1e-24
enum { CORNER_PARTS = 8 };

#endif
