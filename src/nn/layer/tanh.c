/* nn/layer/tanh.c: hyperbolic tangent. */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(tanh, "hyperbolic tangent")
