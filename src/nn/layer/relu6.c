/* nn/layer/relu6.c: min(max(x, 0), 6). */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(relu6, "min(max(x, 0), 6)")
