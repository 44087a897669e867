/* sum_lanes.h: partial sums of a fixed number of lanes, so that a sum depends neither on the level nor on the compiler. */
#ifndef KERNEL_LEVEL_SUM_LANES_H
#define KERNEL_LEVEL_SUM_LANES_H

#include "kernel/level/level.h"

enum { SUM_LANES = 16 };

/* lanes_sum: the lanes are lost. */
static inline real lanes_sum(real lane[SUM_LANES])
{
    for (int half = SUM_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

#endif
