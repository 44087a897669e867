/* train: one stage: step loop, optimisers, schedules, metrics, checkpoints, model files. Sees base, tensor, format, record, data,
 * graph, nn, knowledge, scheme.
 *
 * settings.h: a recipe's `train:` section. */
#ifndef TRAIN_SETTINGS_H
#define TRAIN_SETTINGS_H

#include "scheme/scheme.h"
#include "train/optimiser/optimiser.h"

struct train_settings {
    struct budget budget;
    struct optimiser_settings optimiser;
    struct value *resolved; /* the section with every value that applied */
};

/* train_settings_bind: `section` NULL: all defaults. Everything lies in the arena. */
enum status train_settings_bind(struct context *ctx, struct arena *arena, const struct value *section,
                                struct train_settings *out);
/* train_settings_options: the section's keys; of its parts `average` and `early_stop`. For `retort help`. */
struct option_set train_settings_options(void);
struct option_set train_average_options(void);
struct option_set train_early_stop_options(void);

#endif
