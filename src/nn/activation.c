/* activation.c: the activations' names. */
#include "nn/activation.h"

#include <stddef.h>

const char *const activation_names[] = {
#define ACTIVATION(name) #name,
#include "nn/activations.def"
#undef ACTIVATION
    "none", NULL};
