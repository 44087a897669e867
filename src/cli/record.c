/* record.c: `retort record`: a model's outputs into an NPZ file, to teach from. */
#define MODEL_OPTIONS_NO_SPLIT
#include "cli/model_options.h"

#include <stdlib.h>

static const struct cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .type = CLI_TEXT,
     .argument = "FILE.npz",
     .required = true,
     .help = "file to write: logits float32 [N,K], crc32 uint32 [N]"},
    {.name = "probabilities", .type = CLI_FLAG, .help = "probabilities float32 [N,K] instead of logits"},
    {.name = "top",
     .type = CLI_INTEGER,
     .argument = "K",
     .min = 1,
     .max = 1000000,
     .help = "only the K likeliest classes: top_classes int64 [N,K], top_probabilities float32 [N,K]"},
    {.name = "layers",
     .type = CLI_COMMAS,
     .argument = "A,B",
     .help = "what these layers give as well, by their names: float32 [N,C,H,W] or [N,D]"},
#include "cli/model_options.def"
};

static int run(struct cli *cli)
{
    struct retort_record_params params = retort_record_defaults();
    struct retort_result *result = NULL;
    const struct cli_texts *layers = cli_texts(cli, "layers");
    const char **models = NULL;
    int status = EXIT_USAGE;
    params.out = cli_text(cli, "out");
    params.probabilities = cli_flag(cli, "probabilities");
    params.top = cli_value(cli, "top")->integer;
    params.layers = layers->items;
    params.layer_count = layers->count;
    if (model_params(cli, &params.of, &models))
        status = answer(cli, retort_record(cli->context, &params, &result), &result);
    free(models);
    return status;
}

const struct command command_record = {
    .name = "record",
    .operands = "MODEL[,MODEL…]",
    .summary = "outputs for every training sample, to teach from",
    .details = "One row for each sample of the training files, in their order, before validation is held out.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
