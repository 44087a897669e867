/* predict.c: `retort predict`: logits into an NPY file. */
#include "cli/model_options.h"

#include <stdlib.h>

static const struct cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .type = CLI_TEXT,
     .argument = "FILE.npy",
     .required = true,
     .help = "file to write: float32 [N,K]"},
#include "cli/model_options.def"
};

static int run(struct cli *cli)
{
    struct retort_predict_params params = retort_predict_defaults();
    struct retort_result *result = NULL;
    const char **models = NULL;
    int status = EXIT_USAGE;
    params.out = cli_text(cli, "out");
    if (model_params(cli, &params.of, &models))
        status = answer(cli, retort_predict(cli->context, &params, &result), &result);
    free(models);
    return status;
}

const struct command command_predict = {
    .name = "predict",
    .operands = "MODEL[,MODEL…]",
    .summary = "logits of every sample, in the data's order",
    .details = "An ensemble by mean-probability gives log-probabilities; early exit (--threshold) the logits of the "
               "exit at which "
               "each sample left.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
