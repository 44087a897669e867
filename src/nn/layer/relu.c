/* nn/layer/relu.c: max(x, 0). */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(relu, "max(x, 0)")
