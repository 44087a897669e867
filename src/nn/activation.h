/* activation.h: the activations (activations.def) as choices of an option of blocks and networks. */
#ifndef NN_ACTIVATION_H
#define NN_ACTIVATION_H

enum activation_choice {
#define ACTIVATION(identifier) CHOICE_##identifier,
#include "nn/activations.def"
#undef ACTIVATION
    CHOICE_none
};
/* activation_names: for option_spec.choices, by enum activation_choice: the layer types' names, "none", NULL. */
extern const char *const activation_names[];

#endif
