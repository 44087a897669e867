/* pool.h: the windows of the kernels of pool.def. */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include <stdint.h>

/* x [samples, height, width, channels] -> y [samples, out_height, out_width, channels]; pairs are [height, width]. The
 * window of output (i, j) starts at (i * stride[0] - padding[0], j * stride[1] - padding[1]) and meets the map. */
struct pool_shape {
    int64_t samples, height, width, channels, out_height, out_width;
    int64_t kernel[2], stride[2], padding[2];
};

#endif
