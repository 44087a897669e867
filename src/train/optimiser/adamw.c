/* adamw.c: Adam with decoupled weight decay, as PyTorch has it.
 *
 *     m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2, from 0;  t = 1, 2, …
 *     w = (1 - rate * decay) w - rate * m/(1-beta1^t) / (sqrt(v/(1-beta2^t)) + epsilon)
 *
 * Loshchilov, Hutter 2019, arXiv 1711.05101. */
#include "train/optimiser/optimiser.h"

struct adamw_options {
    double rate, beta1, beta2, epsilon, weight_decay;
};

static void adamw_step(const struct optimiser_step *step, const void *options)
{
    const struct adamw_options *o = options;
    step->table->adamw_step(step->n, step->rate, o->beta1, o->beta2, o->epsilon, step->decay * o->weight_decay,
                            step->step + 1, step->gradient_scale, step->values, step->gradients, step->slots[0],
                            step->slots[1]);
}

static const struct option_spec adamw_options[] = {
    {.name = "rate",
     .type = OPTION_REAL,
     .offset = offsetof(struct adamw_options, rate),
     .initial = "0.001",
     .help = "learning rate",
     .min = 0,
     .max = 1e6},
    {.name = "beta1",
     .type = OPTION_REAL,
     .offset = offsetof(struct adamw_options, beta1),
     .initial = "0.9",
     .help = "how much is kept of the mean of gradients",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX},
    {.name = "beta2",
     .type = OPTION_REAL,
     .offset = offsetof(struct adamw_options, beta2),
     .initial = "0.999",
     .help = "how much is kept of the mean of their squares",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX},
    {.name = "epsilon",
     .type = OPTION_REAL,
     .offset = offsetof(struct adamw_options, epsilon),
     .initial = "1e-8",
     .help = "added to the root of the mean square",
     .min = 0,
     .max = 1,
     .flags = OPTION_ABOVE_MIN},
    {.name = "weight_decay",
     .type = OPTION_REAL,
     .offset = offsetof(struct adamw_options, weight_decay),
     .initial = "0.01",
     .help = "times the rate: the part of every parameter that is taken away in a step, apart from its gradient",
     .min = 0,
     .max = 1e3},
};

extern const struct optimiser optimiser_adamw;
const struct optimiser optimiser_adamw = {
    .name = "adamw",
    .summary = "Adam with decoupled weight decay",
    .paper = "Loshchilov, Hutter 2019, arXiv 1711.05101",
    .options = adamw_options,
    .n_options = sizeof adamw_options / sizeof *adamw_options,
    .options_size = sizeof(struct adamw_options),
    .slots = 2,
    .step = adamw_step,
};
