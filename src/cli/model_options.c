/* model_options.c: "A,B,C" and the options that go with models. */
#include "cli/model_options.h"

#include <stdlib.h>
#include <string.h>

const char *const model_splits[] = {"train", "validation", "test", NULL};
const char *const model_combines[] = {"mean-probability", "mean-logit", NULL};

bool model_params(struct cli *cli, struct retort_eval_params *params, const char ***models)
{
    /* The words of main are ours to write to. */
    char *text = (char *)(uintptr_t)cli->operands.items[0];
    size_t count = 1, at = 0;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == ',';
    *models = calloc(count, sizeof **models);
    if (*models == NULL) {
        fprintf(stderr, "retort: out of memory\n");
        return false;
    }
    for (char *piece = text; piece != NULL;) {
        char *comma = strchr(piece, ',');
        if (comma != NULL)
            *comma++ = '\0';
        (*models)[at++] = piece;
        if (piece[0] == '\0') {
            usage_fail(cli->command, "a model's name between commas is empty");
            return false;
        }
        piece = comma;
    }
    params->models = *models;
    params->model_count = count;
    params->data = cli_text(cli, "data");
    if (params->split != NULL) { /* record has no such options */
        params->split = cli_text(cli, "split");
        params->early_exit = cli_value(cli, "threshold")->given;
        params->threshold = cli_value(cli, "threshold")->number;
    }
    params->combine = cli_value(cli, "combine")->choice == 1 ? RETORT_MEAN_LOGIT : RETORT_MEAN_PROBABILITY;
    return true;
}
