/* inspect.c: `retort inspect`: layers, taps, parameters, multiply-accumulates, bytes; or the plan of a training step. */
#include "cli/cli.h"

static const char *const networks[] = {"student", "teacher", NULL};

static const struct cli_option options[] = {
    {.name = "network",
     .type = CLI_CHOICE,
     .argument = "WHICH",
     .initial = "student",
     .choices = networks,
     .help = "which of a recipe's"},
    {.name = "plan", .type = CLI_FLAG, .help = "the steps of a training step, with their kernels, instead"},
    {.name = "batch",
     .type = CLI_INTEGER,
     .argument = "N",
     .initial = "0",
     .max = 65536,
     .help = "samples in the plan's step; 0: the recipe's, of a model 128"},
    {.name = "set",
     .type = CLI_TEXTS,
     .argument = "a.b.c=VALUE",
     .help = "override a value of the recipe; VALUE is YAML"},
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document"},
    {.name = "csv", .type = CLI_FLAG, .help = "print a line a layer (a step), as CSV"},
};

static int run(struct cli *cli)
{
    struct retort_inspect_params params = retort_inspect_defaults();
    struct retort_result *result = NULL;
    const struct cli_texts *sets = cli_texts(cli, "set");
    params.path = cli->operands.items[0];
    params.network = cli_text(cli, "network");
    params.plan = cli_flag(cli, "plan");
    params.batch = cli_value(cli, "batch")->integer;
    params.sets = sets->items;
    params.set_count = sets->count;
    return answer(cli, retort_inspect(cli->context, &params, &result), &result);
}

const struct command command_inspect = {
    .name = "inspect",
    .operands = "MODEL | RECIPE",
    .summary = "layers, taps, parameters, multiply-accumulates and bytes of a network",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
