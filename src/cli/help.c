/* help.c: `retort help`: one entry in full, a command, or an overview. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document"},
};

/* list_kind: `help method` without a name lists the methods. */
static int list_kind(struct cli *cli, const char *kind)
{
    struct retort_list_params params = retort_list_defaults();
    struct retort_result *result = NULL;
    params.kind = kind;
    return answer(cli, retort_list(cli->context, &params, &result), &result);
}

static int run(struct cli *cli)
{
    const struct cli_texts *words = &cli->operands;
    struct retort_help_params params = retort_help_defaults();
    struct retort_result *result = NULL;
    const struct command *command = words->count == 1 ? command_find(words->items[0]) : NULL;
    if (words->count == 0)
        usage_program(stdout);
    else if (command != NULL)
        usage_command(command, stdout);
    else if (words->count == 1)
        return list_kind(cli, words->items[0]);
    if (words->count < 2)
        return EXIT_DONE;
    params.kind = words->items[0];
    params.name = words->items[1];
    return answer(cli, retort_help(cli->context, &params, &result), &result);
}

const struct command command_help = {
    .name = "help",
    .operands = "[KIND NAME | COMMAND]",
    .summary = "one entry in full: what it does, formula, options, paper, when to use it, a recipe that runs",
    .details = "KIND: method, scheme, teacher, layer, network, optimiser, schedule, data, augment, section.",
    .operands_max = 2,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
