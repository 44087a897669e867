/* peak.h: what this machine can do, measured here and now: the scale on which a profile puts its rates. */
#ifndef KERNEL_PEAK_H
#define KERNEL_PEAK_H

#include "kernel/kernel.h"

struct kernel_peak {
    double flops;        /* a second, of a large matrix product in the given precision; a multiply-accumulate is two */
    double bytes;        /* a second, of a = b + c over arrays larger than the caches, reads and writes counted */
    double cached_bytes; /* a second, of the same over arrays that fit into the second cache */
};

/* kernel_peak_measure: the best of several, with the threads of `kernels`; about half a second and 120 MB. */
enum status kernel_peak_measure(struct kernel_context *kernels, enum element element, struct kernel_peak *peak);

#endif
