/* cache.c: `retort cache`: recorded outputs of teachers, listed and removed. */
#include "cli/cli.h"

#include <string.h>

static const struct cli_option options[] = {
    {.name = "unused",
     .type = CLI_INTEGER,
     .argument = "DAYS",
     .initial = "30",
     .max = 100000,
     .help = "prune: what was not used for so many days; 0: everything"},
    {.name = "most",
     .type = CLI_INTEGER,
     .argument = "MB",
     .initial = "-1",
     .min = -1,
     .max = 1000000000,
     .help = "prune: also the longest unused, until at most so many MB are left; -1: no matter how many"},
    {.name = "json", .type = CLI_FLAG, .help = "print one JSON document"},
    {.name = "csv", .type = CLI_FLAG, .help = "print a line an entry, as CSV"},
};

static int run(struct cli *cli)
{
    static const char *const jobs[] = {"list", "prune"};
    const char *job = cli->operands.items[0];
    struct retort_result *result = NULL;
    if (strcmp(job, "list") == 0)
        return answer(cli, retort_cache_list(cli->context, &result), &result);
    if (strcmp(job, "prune") != 0) {
        const char *nearest = usage_nearest(job, jobs, 2);
        return usage_fail(cli->command, "expected list or prune, found \"%s\"%s%s%s", job,
                          nearest != NULL ? "; nearest: \"" : "", nearest != NULL ? nearest : "",
                          nearest != NULL ? "\"" : "");
    }
    struct retort_cache_prune_params params = retort_cache_prune_defaults();
    params.unused_days = (double)cli_value(cli, "unused")->integer;
    if (cli_value(cli, "most")->integer >= 0)
        params.most_bytes = (int64_t)cli_value(cli, "most")->integer * 1000000;
    return answer(cli, retort_cache_prune(cli->context, &params, &result), &result);
}

const struct command command_cache = {
    .name = "cache",
    .operands = "list|prune",
    .summary = "recorded outputs of teachers on this machine: lists them, or removes those that are not used",
    .details =
        "They lie under $XDG_CACHE_HOME/retort, else ~/.cache/retort. What is removed is recorded again when a run "
        "needs it.",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
