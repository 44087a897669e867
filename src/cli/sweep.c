/* sweep.c: `retort sweep`: many runs, and what they share trained once. */
#include "cli/cli.h"

#include "cli/progress.h"

static const struct cli_option options[] = {
    {.name = "output",
     .letter = 'o',
     .type = CLI_TEXT,
     .argument = "DIR",
     .help = "folder of the sweep; each run lies in DIR/runs/NAME"},
    {.name = "resume",
     .type = CLI_TEXT,
     .argument = "DIR",
     .help = "go on with the sweep in DIR, with its own recipes"},
    {.name = "force", .type = CLI_FLAG, .help = "replace a sweep that is in DIR"},
    {.name = "set",
     .type = CLI_TEXTS,
     .argument = "a.b.c=V,V",
     .help =
         "values that this value of the recipes takes in turn: YAML, with commas between; every combination is a run"},
    {.name = "jobs",
     .type = CLI_INTEGER,
     .argument = "N",
     .initial = "1",
     .min = 1,
     .max = 1024,
     .help = "runs side by side; each uses the cores as distill does, and needs memory for its own data"},
    {.name = "json",
     .type = CLI_FLAG,
     .help = "print sweep.json with the report's path, and nothing else, to standard output"},
    {.name = "csv", .type = CLI_FLAG, .help = "print a line a run, as CSV"},
};

static int usage_check(const struct cli *cli)
{
    const char *resume = cli_text(cli, "resume"), *output = cli_text(cli, "output");
    bool recipe = cli->operands.count > 0, sets = cli_texts(cli, "set")->count > 0;
    if (resume != NULL && (recipe || output != NULL || cli_flag(cli, "force") || sets))
        return usage_fail(
            cli->command,
            "a sweep is resumed with its own recipes in its own folder; expected --resume DIR alone, found %s",
            recipe           ? cli->operands.items[0]
            : output != NULL ? "-o as well"
            : sets           ? "--set as well"
                             : "--force as well");
    if (resume == NULL && !recipe)
        return usage_fail(cli->command,
                          "expected `retort sweep RECIPE... -o DIR` or `retort sweep --resume DIR`, found no recipe");
    if (resume == NULL && output == NULL)
        return usage_fail(cli->command, "expected -o DIR, the folder of the sweep, found none");
    return EXIT_DONE;
}

/* failures_report: the first run that failed, and how many did. */
static int failures_report(const struct retort_value *root, const char *folder)
{
    const struct retort_value *runs = retort_value_get(root, "runs");
    long long failed = (long long)retort_value_integer(retort_value_get(root, "failed"));
    if (failed == 0)
        return EXIT_DONE;
    fprintf(stderr, "retort: %lld of %zu runs failed:", failed, retort_value_count(runs));
    for (size_t i = 0; i < retort_value_count(runs); i++) {
        const struct retort_value *run = retort_value_child(runs, i);
        const char *error = retort_value_text(retort_value_get(run, "error"));
        if (error != NULL)
            fprintf(stderr, " %s: %s;", retort_value_text(retort_value_get(run, "name")), error);
    }
    fprintf(stderr, " to try again: retort sweep --resume %s\n", folder);
    return EXIT_FAILED;
}

static int run(struct cli *cli)
{
    struct retort_sweep_params params = retort_sweep_defaults();
    struct retort_result *result = NULL;
    const char *resume = cli_text(cli, "resume");
    int usage = usage_check(cli);
    if (usage != EXIT_DONE)
        return usage;
    struct progress *progress = progress_new(cli);
    params.recipes = cli->operands.items;
    params.recipe_count = cli->operands.count;
    params.sets = cli_texts(cli, "set")->items;
    params.set_count = cli_texts(cli, "set")->count;
    params.folder = resume != NULL ? resume : cli_text(cli, "output");
    params.resume = resume != NULL;
    params.force = cli_flag(cli, "force");
    params.jobs = (int)cli_value(cli, "jobs")->integer;
    params.progress = progress != NULL ? progress_show : NULL;
    params.user = progress;
    enum retort_status status = retort_sweep(cli->context, &params, &result);
    progress_free(progress);
    int failures = status == RETORT_OK ? failures_report(retort_result_root(result), params.folder) : EXIT_DONE;
    int written = answer(cli, status, &result);
    return written != EXIT_DONE ? written : failures;
}

const struct command command_sweep = {
    .name = "sweep",
    .operands = "RECIPE… | --resume DIR",
    .summary = "every recipe with every combination of values, a run each; what runs have in common is trained once",
    .details = "The same command again, or --resume after Ctrl-C or a crash, goes on: no finished run is repeated.",
    .operands_max = 1000,
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
