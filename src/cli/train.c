/* train.c: `retort train`: only the recipe's student, alone, without a teacher. */
#include "cli/run_options.h"

static const struct cli_option options[] = {
#include "cli/run_options.def"
};

static int run(struct cli *cli)
{
    return run_recipe(cli, retort_train_defaults(), retort_train);
}

const struct command command_train = {
    .name = "train",
    .operands = "RECIPE | --resume DIR",
    .summary = "only the recipe's student, alone, without a teacher",
    .details = "After Ctrl-C, or a crash, --resume goes on to the same result as if nothing had happened.",
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
