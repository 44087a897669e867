/* list.c: `retort list`: what there is. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document, options included"},
    {.name = "csv", .type = CLI_FLAG, .help = "print a line an entry, as CSV"},
};

static int run(struct cli *cli)
{
    struct retort_list_params params = retort_list_defaults();
    struct retort_result *result = NULL;
    params.kind = cli->operands.count > 0 ? cli->operands.items[0] : NULL;
    return answer(cli, retort_list(cli->context, &params, &result), &result);
}

const struct command command_list = {
    .name = "list",
    .operands = "[KIND]",
    .summary = "every method, scheme, teacher, layer, network, optimiser, schedule or data set",
    .details = "KIND: methods, schemes, teachers, layers, networks, optimisers, schedules, data, augments, sections. "
               "Without: the kinds.",
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
