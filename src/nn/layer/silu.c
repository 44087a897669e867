/* nn/layer/silu.c: x / (1 + exp(-x)), also called swish. Elfwing 2017, arXiv 1702.03118. */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(silu, "x * sigmoid(x)")
