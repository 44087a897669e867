/* run_options.h: what distill and train have in common: their options, and the run itself. */
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include "cli/cli.h"

/* run_recipe: the command with one of the two jobs. */
int run_recipe(struct cli *cli, struct retort_distill_params params,
               enum retort_status (*job)(struct retort_context *, const struct retort_distill_params *,
                                         struct retort_result **));

#endif
