/* nn/layer/softplus.c: log(1 + exp(x)). */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(softplus, "log(1 + exp(x))")
