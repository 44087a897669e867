/* eval.c: `retort eval`: what a model is worth on data. */
#include "cli/model_options.h"

#include <stdlib.h>

static const struct cli_option options[] = {
#include "cli/model_options.def"
};

static int run(struct cli *cli)
{
    struct retort_eval_params params = retort_eval_defaults();
    struct retort_result *result = NULL;
    const char **models = NULL;
    int status = EXIT_USAGE;
    if (model_params(cli, &params, &models))
        status = answer(cli, retort_eval(cli->context, &params, &result), &result);
    free(models);
    return status;
}

const struct command command_eval = {
    .name = "eval",
    .operands = "MODEL[,MODEL…]",
    .summary = "accuracy, top-5, loss and calibration error of a model, or of an ensemble, on data",
    .details =
        "Of a model with exits also what each is worth, and early exit at several thresholds, or at --threshold.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
