/* layer.c: a layer of one's own, used in a recipe like any other, trained, saved and read again.
 *
 *     y = x * s(x),  s(x) = |x| / (e^a + |x|)        a [C]: learnt, one for each channel
 *
 * x, y [B,H,W,C] or [B,D]: small values shrink, large ones pass.
 *
 *     cc layer.c $(pkg-config --cflags --libs retort) -o layer && ./layer recipe.yaml FOLDER */
#include <retort.h>

struct shrink_options {
    double start;
};

static const struct retort_option shrink_options[] = {
    {.name = "start",
     .type = RETORT_OPTION_NUMBER,
     .offset = offsetof(struct shrink_options, start),
     .initial = "-2",
     .min = -20,
     .max = 20,
     .help = "what a is at first; e^a is the size of a value that is halved"},
};

static struct retort_node *shrink_build(const struct retort_layer_site *site)
{
    const struct shrink_options *options = site->options;
    struct retort_node *x = site->inputs[0];
    struct retort_shape shape = retort_node_shape(x);
    int64_t channels = shape.size[shape.rank - 1];
    struct retort_node *a =
        retort_parameter(site->own, "a", (struct retort_shape){1, {channels}}, RETORT_INIT_CONSTANT, options->start);
    struct retort_node *size = retort_op_abs(x);
    return retort_op_mul(x, retort_op_div(size, retort_op_add(size, retort_op_exp(a))));
}

static const struct retort_layer shrink = {
    .name = "shrink",
    .summary = "small values shrink, large ones pass; what is small is learnt for each channel",
    .options = shrink_options,
    .option_count = 1,
    .options_size = sizeof(struct shrink_options),
    .build = shrink_build,
};

/* trained: the recipe's student alone, and then the layers of the model that came out. */
static enum retort_status train_and_inspect(struct retort_context *context, const char *recipe, const char *folder)
{
    struct retort_distill_params train = retort_train_defaults();
    struct retort_inspect_params inspect = retort_inspect_defaults();
    struct retort_result *run = NULL, *model = NULL;
    char path[4096];
    train.recipe = recipe; /* network: {layers: [{conv: {out: 8, kernel: 3}}, shrink, …]} */
    train.folder = folder;
    enum retort_status status = retort_train(context, &train, &run);
    if (status == RETORT_OK) {
        const struct retort_value *file = retort_value_get(retort_result_root(run), "stages.0.model");
        snprintf(path, sizeof path, "%s/%s", folder, retort_value_text(file));
        inspect.path = path;
        status = retort_inspect(context, &inspect, &model);
    }
    if (status == RETORT_OK) {
        retort_result_write(run, RETORT_TEXT_FORMAT, stdout);
        retort_result_write(model, RETORT_TEXT_FORMAT, stdout);
    }
    retort_result_free(run);
    retort_result_free(model);
    return status;
}

int main(int count, char **words)
{
    struct retort_context *context = retort_context_new();
    if (context == NULL || count != 3) {
        fprintf(stderr, "usage: layer RECIPE FOLDER\n");
        retort_context_free(context);
        return 2;
    }
    enum retort_status status = retort_register_layer(context, &shrink);
    if (status == RETORT_OK)
        status = train_and_inspect(context, words[1], words[2]);
    if (status != RETORT_OK)
        fprintf(stderr, "%s\n", retort_error(context));
    retort_context_free(context);
    return status == RETORT_OK ? 0 : 1;
}
