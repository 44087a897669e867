/* model_options.h: what eval, predict and record have in common. */
#ifndef CLI_MODEL_OPTIONS_H
#define CLI_MODEL_OPTIONS_H

#include "cli/cli.h"

extern const char *const model_splits[], *const model_combines[];

/* model_params: of the arguments; the list of models is taken from cli->operands, whose commas become ends: the caller frees
 * *models. A split is taken where the params have one. false: out of memory or a wrong list, said. */
bool model_params(struct cli *cli, struct retort_eval_params *params, const char ***models);

#endif
