/* sections.c: see sections.h. Each section's options are declared where it is bound. */
#include "api/sections.h"

#include "data/data.h"
#include "run/block_section.h"
#include "run/losses.h"
#include "run/plan.h"
#include "train/settings.h"

static const struct {
    const char *name, *summary, *more, *example;
    struct option_set (*options)(void);
} sections[] = {
    {"recipe", "the whole recipe", NULL, "baseline=false", plan_recipe_options},
    {"data", "what is learnt from, and what is done to it",
     "    and the options of one reader under its name: "
     "`retort list data`",
     "data.validation=1000", data_section_options},
    {"student", "the network that learns", NULL, "student.train.batch=64", plan_network_options},
    {"cut", "in student: a network that is what is left of the teacher's", NULL,
     "student={cut: {width: 0.5}, train: {epochs: 1}}", plan_cut_options},
    {"teacher", "who teaches: one such map, or a list of them: an ensemble", NULL, "teacher.seed=1", teachers_options},
    {"train", "how a network is trained", NULL, "student.train.epochs=2", train_settings_options},
    {"average", "in train: a moving average of the weights and running statistics, taken after each step",
     "    The average is validated, saved and evaluated; the optimiser goes on with the weights themselves.",
     "student.train.average={decay: 0.99}", train_average_options},
    {"early_stop", "in train: the end of a training that no longer gets better",
     "    Needs `validation` in data. The schedule's length stays that of all epochs; the best epoch's weights are "
     "saved,\n"
     "    and result.json has that epoch as best_epoch.",
     "student.train.early_stop={patience: 2}", train_early_stop_options},
    {"groups", "in train: a list of layers that learn at a rate or with a weight decay of their own", NULL,
     "student.train.groups=[{layers: [\"conv*\"], rate: 0.5, decay: false}]", layer_groups_options},
    {"distill", "what is taught, and how", "    and the options of the scheme: `retort list schemes`",
     "distill.cache=false", plan_distill_options},
    {"blocks",
     "in distill: where the student is cut into blocks, each taught on the teacher's activation in front of it",
     "    true is the same as {}: layers are chosen. Nothing may lead past a boundary.",
     "distill.blocks={student: [relu2], teacher: [relu1], epochs: 1}", block_section_options},
    {"assistants", "in distill: a list of networks between teacher and student, each distilled from the one before",
     NULL, "distill.assistants=[{network: {name: mlp, widths: [32]}, train: {epochs: 2, batch: 10}}]",
     plan_assistant_options},
    {"losses", "in distill: a list of terms, each a method between two networks",
     "    and the options of the method: `retort list methods`", "distill.losses.0.weight=0.2", losses_options},
};

size_t sections_count(const struct context *ctx)
{
    (void)ctx;
    return sizeof sections / sizeof sections[0];
}

struct kind_entry sections_entry(const struct context *ctx, size_t index)
{
    (void)ctx;
    return (struct kind_entry){.name = sections[index].name,
                               .summary = sections[index].summary,
                               .more = sections[index].more,
                               .example = sections[index].example,
                               .options = sections[index].options()};
}
