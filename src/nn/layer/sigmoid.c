/* nn/layer/sigmoid.c: 1 / (1 + exp(-x)). */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(sigmoid, "1 / (1 + exp(-x))")
