/* report.c: `retort report`: makes report.html again, from the records alone. */
#include "cli/cli.h"

static const struct cli_option options[] = {
    {.name = "out",
     .letter = 'o',
     .type = CLI_TEXT,
     .argument = "FILE.html",
     .help = "the page to write; left out: DIR/report.html, of several runs comparison.html"},
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document"},
};

static int run(struct cli *cli)
{
    struct retort_report_params params = retort_report_defaults();
    struct retort_result *result = NULL;
    params.folders = cli->operands.items;
    params.folder_count = cli->operands.count;
    params.out = cli_text(cli, "out");
    if (params.out == NULL && params.folder_count > 1)
        params.out = "comparison.html";
    return answer(cli, retort_report(cli->context, &params, &result), &result);
}

const struct command command_report = {
    .name = "report",
    .operands = "DIR…",
    .summary = "makes the report of a run again, from its records; of several runs, a page that compares them",
    .operands_min = 1,
    .operands_max = 1000,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
