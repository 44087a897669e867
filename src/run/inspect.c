/* inspect.c: `retort inspect`: a network's layers and counts, or the plan of one of its training steps. */
#include "run/run.h"

#include "recipe/recipe.h"
#include "run/data_argument.h"
#include "train/model.h"
#include "train/settings.h"
#include "train/stage_graph.h"

#include <string.h>

enum { PLAN_BATCH = 128 };

/* The network that is looked at, and what a training step of it needs. */
struct inspected {
    struct network *network;
    struct data *data; /* NULL: of a model file */
    int64_t batch;
};

/* section_of: the recipe's section `which`, of a list its first item. */
static enum status section_of(struct context *ctx, const struct value *recipe, const char *which,
                              const struct value **section)
{
    char found[VALUE_FOUND_SIZE];
    if (strcmp(which, "student") != 0 && strcmp(which, "teacher") != 0)
        return fail(ctx, STATUS_BAD_INPUT, "no network \"%s\": expected student or teacher", which);
    *section = recipe->kind == VALUE_MAP ? value_get(recipe, which) : NULL;
    if (*section != NULL && (*section)->kind == VALUE_LIST && (*section)->count > 0)
        *section = (*section)->items[0];
    if (*section == NULL || (*section)->kind != VALUE_MAP)
        return value_fail(ctx, *section != NULL ? *section : recipe, STATUS_BAD_INPUT,
                          "expected a section %s: {network: …}, found %s", which, value_found(*section, found));
    return STATUS_OK;
}

static enum status recipe_open(struct context *ctx, struct arena *arena, const struct run_inspection *inspection,
                               struct value **recipe)
{
    char found[VALUE_FOUND_SIZE];
    RETURN_IF(recipe_read(ctx, arena, inspection->path, recipe));
    if ((*recipe)->kind != VALUE_MAP)
        return value_fail(ctx, *recipe, STATUS_BAD_INPUT, "expected a map of keys, found %s", value_found(*recipe, found));
    for (int i = 0; i < inspection->n_sets; i++)
        RETURN_IF(recipe_set(ctx, arena, *recipe, inspection->sets[i]));
    return STATUS_OK;
}

static enum status inspect_recipe(struct context *ctx, struct arena *arena, const struct run_inspection *inspection,
                                  struct inspected *out)
{
    struct value *recipe = NULL;
    const struct value *section = NULL;
    struct network_input input;
    struct train_settings settings;
    RETURN_IF(recipe_open(ctx, arena, inspection, &recipe));
    RETURN_IF(section_of(ctx, recipe, inspection->which, &section));
    const struct value *network = value_get(section, "network"), *data = value_get(recipe, "data");
    if (network == NULL)
        return value_fail(ctx, section, STATUS_BAD_INPUT, "%s: expected network:, found none", inspection->which);
    if (data == NULL)
        return value_fail(ctx, recipe, STATUS_BAD_INPUT, "expected a section data:, found none");
    RETURN_IF(train_settings_bind(ctx, arena, value_get(section, "train"), &settings));
    RETURN_IF(data_open(ctx, arena, data, inspection->path, &out->data));
    RETURN_IF(data_network_input(ctx, arena, out->data, &input));
    out->batch = inspection->batch > 0 ? inspection->batch : settings.budget.batch;
    return network_build(ctx, network, inspection->which, &input, ELEMENT_F32, 0, &out->network);
}

static enum status inspect_model(struct context *ctx, const struct run_inspection *inspection, struct inspected *out)
{
    if (inspection->n_sets > 0)
        return fail(ctx, STATUS_BAD_INPUT, "%s is a model file: --set is for recipes", inspection->path);
    out->batch = inspection->batch > 0 ? inspection->batch : PLAN_BATCH;
    return model_load(ctx, inspection->path, ELEMENT_F32, &out->network);
}

static struct value *step_value(struct arena *arena, const struct program_step_info *step)
{
    struct value *shape = value_list(arena);
    for (int i = 0; i < step->out.rank; i++)
        shape = value_append(arena, shape, value_integer(arena, step->out.dim[i]));
    struct value *map = value_set(arena, value_map(arena), "phase", value_text(arena, step->phase));
    map = value_set(arena, map, "layer", value_text(arena, step->name));
    map = value_set(arena, map, "op", value_text(arena, step->op));
    map = value_set(arena, map, "kernel", value_text(arena, step->kernel != NULL ? step->kernel : "loop"));
    return value_set(arena, map, "output", shape);
}

static struct value *plan_value(struct arena *arena, const struct program *program, int64_t batch)
{
    struct value *steps = value_list(arena);
    for (int i = 0; i < program_step_count(program); i++) {
        struct program_step_info step = program_step(program, i);
        steps = value_append(arena, steps, step_value(arena, &step));
    }
    struct value *map = value_set(arena, value_map(arena), "batch", value_integer(arena, batch));
    map = value_set(arena, map, "steps", steps);
    map = value_set(arena, map, "arena_bytes", value_integer(arena, (int64_t)program_arena_bytes(program)));
    return value_set(arena, map, "persistent_bytes", value_integer(arena, (int64_t)program_persistent_bytes(program)));
}

/* plan_make: the network learning from labels, as when it is trained alone. */
static enum status plan_make(struct context *ctx, struct arena *arena, const struct inspected *inspected,
                             struct value **result)
{
    enum status status = STATUS_OK;
    const struct network_input *input = &inspected->network->input;
    struct kernel_context *kernels = NULL;
    struct program_memory *memory = NULL;
    struct program *program = NULL;
    struct stage_graph *built = NULL;
    const struct method *labels = method_find(ctx, "labels", NULL);
    struct learner learner = {.name = inspected->network->name, .network = inspected->network, .training = true, .learns = true};
    struct term term = {.name = "labels", .method = labels, .teacher = -1, .weight = real_constant(1)};
    struct stage stage = {.name = "plan", .role = "alone", .n_learners = 1, .learners = &learner, .n_terms = 1, .terms = &term};
    struct split split = {.name = "train", .element = ELEMENT_U8, .count = inspected->batch, .height = input->height,
                          .width = input->width, .channels = input->channels, .labelled = inspected->batch};
    if (labels == NULL)
        return ctx->error.status;
    void *options = arena_take(arena, 1, labels->options_size + 1);
    if (options == NULL)
        return ctx->error.status;
    struct option_set set = {labels->options, labels->n_options};
    RETURN_IF(options_bind(ctx, arena, set, NULL, "method labels", options));
    term.options = options;
    struct stage_graph_spec graph = {.stage = &stage, .split = &split, .images = ELEMENT_U8, .precision = ELEMENT_F32};
    kernels = kernel_context_new(ctx, ctx->threads);
    memory = program_memory_new(ctx);
    built = kernels != NULL && memory != NULL ? stage_graph_new(ctx, &graph) : NULL;
    if (built == NULL)
        TRY(ctx->error.status);
    struct program_spec spec = {.loss = built->loss, .updates = true, .batch = inspected->batch, .precision = ELEMENT_F32};
    TRY(program_compile(built->graph, &spec, kernels, memory, &program));
    *result = plan_value(arena, program, inspected->batch);
    if (*result == NULL)
        status = ctx->error.status;
cleanup:
    program_free(program);
    stage_graph_free(built);
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

/* is_model: a file that is called a model is read as one, so that a broken one is not taken for a recipe. */
static bool is_model(const char *path)
{
    static const char ending[] = ".safetensors";
    size_t length = strlen(path), end = sizeof ending - 1;
    return model_is(path) || (length > end && strcmp(path + length - end, ending) == 0);
}

enum status run_inspect(struct context *ctx, struct arena *arena, const struct run_inspection *inspection,
                        struct value **result)
{
    enum status status = STATUS_OK;
    struct inspected inspected = {0};
    *result = NULL;
    if (is_model(inspection->path))
        TRY(inspect_model(ctx, inspection, &inspected));
    else
        TRY(inspect_recipe(ctx, arena, inspection, &inspected));
    if (inspection->plan) {
        TRY(plan_make(ctx, arena, &inspected, result));
        goto cleanup;
    }
    *result = network_inspect(arena, inspected.network);
    if (*result == NULL)
        status = ctx->error.status;
cleanup:
    network_free(inspected.network);
    data_free(ctx, inspected.data);
    return status;
}
