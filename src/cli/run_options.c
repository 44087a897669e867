/* run_options.c: from arguments to a run of a recipe. */
#include "cli/run_options.h"

#include "cli/progress.h"

int run_recipe(struct cli *cli, struct retort_distill_params params,
               enum retort_status (*job)(struct retort_context *, const struct retort_distill_params *,
                                         struct retort_result **))
{
    const struct cli_texts *sets = cli_texts(cli, "set");
    const char *resume = cli_text(cli, "resume"), *output = cli_text(cli, "output");
    struct retort_result *result = NULL;
    bool recipe = cli->operands.count > 0;
    if (resume != NULL && (recipe || output != NULL || cli_flag(cli, "force") || sets->count > 0))
        return usage_fail(
            cli->command,
            "a run is resumed with its own recipe in its own folder; expected --resume DIR alone, found %s",
            recipe            ? cli->operands.items[0]
            : output != NULL  ? "-o as well"
            : sets->count > 0 ? "--set as well"
                              : "--force as well");
    if (resume == NULL && !recipe)
        return usage_fail(cli->command, "expected `retort %s RECIPE` or `retort %s --resume DIR`, found neither",
                          cli->command->name, cli->command->name);
    struct progress *progress = progress_new(cli);
    params.recipe = recipe ? cli->operands.items[0] : NULL;
    params.sets = sets->items;
    params.set_count = sets->count;
    params.folder = resume != NULL ? resume : output;
    params.resume = resume != NULL;
    params.force = cli_flag(cli, "force");
    params.profile = cli_flag(cli, "profile");
    params.jobs = (int)cli_value(cli, "jobs")->integer;
    params.progress = progress != NULL ? progress_show : NULL;
    params.user = progress;
    enum retort_status status = job(cli->context, &params, &result);
    progress_free(progress);
    return answer(cli, status, &result);
}
