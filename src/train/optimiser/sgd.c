/* sgd.c: stochastic gradient descent with momentum, as PyTorch has it.
 *
 *     g = gradient + decay * w;  v = momentum * v + g, from v = 0;
 *     w = w - rate * (nesterov ? g + momentum * v : v)
 *
 * Sutskever et al. 2013. */
#include "train/optimiser/optimiser.h"

struct sgd_options {
    double rate, momentum, weight_decay;
    bool nesterov;
};

static void sgd_step(const struct optimiser_step *step, const void *options)
{
    const struct sgd_options *o = options;
    step->table->sgd_step(step->n, step->rate, o->momentum, o->nesterov, step->decay * o->weight_decay,
                          step->gradient_scale, step->values, step->gradients, step->slots[0]);
}

static const struct option_spec sgd_options[] = {
    {.name = "rate",
     .type = OPTION_REAL,
     .offset = offsetof(struct sgd_options, rate),
     .initial = "0.1",
     .help = "learning rate",
     .min = 0,
     .max = 1e6},
    {.name = "momentum",
     .type = OPTION_REAL,
     .offset = offsetof(struct sgd_options, momentum),
     .initial = "0.9",
     .help = "how much of the last step is kept",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX},
    {.name = "nesterov",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct sgd_options, nesterov),
     .initial = "false",
     .help = "look ahead along the momentum"},
    {.name = "weight_decay",
     .type = OPTION_REAL,
     .offset = offsetof(struct sgd_options, weight_decay),
     .initial = "0",
     .help = "added to the gradient of every parameter, times the parameter",
     .min = 0,
     .max = 1e3},
};

extern const struct optimiser optimiser_sgd;
const struct optimiser optimiser_sgd = {
    .name = "sgd",
    .summary = "stochastic gradient descent with momentum, Nesterov, weight decay",
    .paper = "Sutskever, Martens, Dahl, Hinton 2013",
    .options = sgd_options,
    .n_options = sizeof sgd_options / sizeof *sgd_options,
    .options_size = sizeof(struct sgd_options),
    .slots = 1,
    .step = sgd_step,
};
