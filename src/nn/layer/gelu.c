/* nn/layer/gelu.c: x times the normal distribution at x, exact (by erf). Hendrycks 2016, arXiv 1606.08415. */
#include "nn/layer/activation.h"

ACTIVATION_LAYER(gelu, "x times the normal distribution at x, exact")
