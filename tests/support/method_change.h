/* method_change.h: changes of a method's arrays [B,...], maps [B,C,H,W], of the form x' = A x + b. */
#ifndef SUPPORT_METHOD_CHANGE_H
#define SUPPORT_METHOD_CHANGE_H

#include "tensor/shape.h"

/* A change, in place, with random numbers of the seed. back: `values` is a gradient with regard to the changed array, and becomes
 * that with regard to the array: A^T times it. */
typedef void method_change(double *values, const struct shape *shape, uint64_t seed, bool back);

method_change change_shift;              /* the same array is added to every sample */
method_change change_sample_shift;       /* to each sample a number of its own */
method_change change_channel_shift;      /* to each channel one, in all samples */
method_change change_each_channel_shift; /* to each channel of each sample one */
method_change change_scale;              /* everything times one factor, above 0 */
method_change change_sample_scale;
method_change change_channel_scale;
method_change change_each_channel_scale; /* factors of either sign */
method_change change_channel_order;      /* the channels move on by one or two */
method_change change_turn;               /* every sample, as a vector, by the same orthogonal matrix */

#endif
