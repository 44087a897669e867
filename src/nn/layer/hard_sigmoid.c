/* nn/layer/hard_sigmoid.c: min(max(x + 3, 0), 6) / 6. */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(hard_sigmoid, "min(max(x + 3, 0), 6) / 6")
