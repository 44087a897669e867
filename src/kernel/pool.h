/* pool.h: the windows of the kernels of pool.def. */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* x [samples, height, width, channels] -> y [samples, out_height, out_width, channels]; pairs are [height, width]. The
 * window of output (i, j) starts at (i * stride[0] - padding[0], j * stride[1] - padding[1]) and meets the map. Bins
 * (averages alone) divide the map instead: rows floor(i height / out_height) to ceil((i + 1) height / out_height). */
struct pool_shape {
    int64_t samples, height, width, channels, out_height, out_width;
    int64_t kernel[2], stride[2], padding[2];
    bool bins; /* kernel, stride and padding are not used */
};

#endif
