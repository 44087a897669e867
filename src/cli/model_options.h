/* model_options.h: what eval and predict have in common. */
#ifndef CLI_MODEL_OPTIONS_H
#define CLI_MODEL_OPTIONS_H

#include "cli/cli.h"

extern const char *const model_splits[], *const model_combines[];

#define MODEL_OPTIONS                                                                                                  \
    {.name = "data", .letter = 'd', .type = CLI_TEXT, .argument = "DATA", .required = true,                            \
     .help = "a name of `retort list data`, or a YAML file with a data: section"},                                     \
    {.name = "split", .type = CLI_CHOICE, .argument = "train, validation or test", .initial = "test",                  \
     .choices = model_splits, .help = "which samples"},                                                                \
    {.name = "combine", .type = CLI_CHOICE, .argument = "mean-probability or mean-logit", .initial = "mean-probability", \
     .choices = model_combines, .help = "what of several models is averaged"},                                         \
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document"},                                             \
    {.name = "csv", .type = CLI_FLAG, .help = "print a line of CSV under a header"}

/* model_params: of the arguments; the list of models is taken from cli->operands, whose commas become ends: the caller frees
 * *models. false: out of memory or a wrong list, said. */
bool model_params(struct cli *cli, struct retort_eval_params *params, const char ***models);

#endif
