/* resize.h: what the kernels of resize.def are told: where each row and column of the output comes from. */
#ifndef KERNEL_RESIZE_H
#define KERNEL_RESIZE_H

#include <stdint.h>

/* (1 - weight) times what is at `low` plus weight times what is at `high`. */
struct resize_tap {
    int32_t low, high;
    double weight;
};

/* x [batch, in[0], in[1], channels] -> y [batch, out[0], out[1], channels]; tap[axis]: [out[axis]]. */
struct resize_shape {
    int64_t batch, channels, in[2], out[2];
    const struct resize_tap *tap[2];
};

#endif
