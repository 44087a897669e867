/* distill.c: `retort distill`: the whole job: teacher, student alone, student taught, comparison, report. */
#include "cli/run_options.h"

static const struct cli_option options[] = {
#include "cli/run_options.def"
};

static int run(struct cli *cli)
{
    return run_recipe(cli, retort_distill_defaults(), retort_distill);
}

const struct command command_distill = {
    .name = "distill",
    .operands = "RECIPE | --resume DIR",
    .summary = "the whole job: teacher, student alone, student taught, comparison, report",
    .details = "After Ctrl-C, or a crash, --resume goes on to the same result as if nothing had happened.",
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
