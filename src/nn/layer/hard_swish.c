/* nn/layer/hard_swish.c: x min(max(x + 3, 0), 6) / 6. Howard 2019, arXiv 1905.02244. */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(hard_swish, "x * hard_sigmoid(x)")
