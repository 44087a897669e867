/* inspect.c: `retort inspect`: a network's layers and counts, or the plan of one of its training steps. */
#include "run/asking.h"
#include "run/run.h"

#include "recipe/recipe.h"
#include "run/outside.h"
#include "train/model.h"
#include "train/stage_graph.h"

#include <string.h>

enum { BATCH_OF_A_MODEL = 128 };

/* The network that is looked at, and what a training step of it needs. */
struct inspected {
    struct context *ctx;
    struct arena *arena;
    const struct run_inspection *asked;
    struct plan plan; /* of a recipe; its arena is NULL where there is none */
    struct network *network;
    struct teaching teaching; /* where the step is one of distillation */
    struct stage_list stages;
    struct networks_made made; /* for them */
    int64_t batch;
};

static enum status recipe_open(struct inspected *inspected, struct value **recipe)
{
    char found[VALUE_FOUND_SIZE];
    const struct run_inspection *asked = inspected->asked;
    RETURN_IF(recipe_read(inspected->ctx, inspected->arena, asked->path, recipe));
    if ((*recipe)->kind != VALUE_MAP)
        return value_fail(inspected->ctx, *recipe, STATUS_BAD_INPUT, "expected a map of keys, found %s",
                          value_found(*recipe, found));
    for (int i = 0; i < asked->n_sets; i++)
        RETURN_IF(recipe_set(inspected->ctx, inspected->arena, *recipe, asked->sets[i]));
    return STATUS_OK;
}

/* inspect_teacher: the first of a recipe's that is a network. */
static enum status inspect_teacher(struct inspected *inspected, const struct value *recipe)
{
    const struct plan *plan = &inspected->plan;
    struct teaching *teaching = &inspected->teaching;
    if (plan->teachers.count == 0)
        return value_fail(inspected->ctx, recipe, STATUS_BAD_INPUT, "expected a section teacher:, found none");
    RETURN_IF(teaching_open(inspected->ctx, inspected->arena, plan, teaching));
    for (int i = 0; i < teaching->count; i++)
        if (teaching->networks[i]) {
            const struct budget *budget = &plan->teachers.items[i].own.train.budget;
            inspected->network = teaching->networks[i];
            teaching->networks[i] = NULL;
            inspected->batch = inspected->asked->batch > 0 ? inspected->asked->batch
                               : budget->batch > 0         ? budget->batch
                                                           : BATCH_OF_A_MODEL;
            return STATUS_OK;
        }
    return value_fail(inspected->ctx, value_get(recipe, "teacher"), STATUS_BAD_INPUT,
                      "expected a teacher that is a network, found none");
}

static enum status inspect_recipe(struct inspected *inspected)
{
    struct context *ctx = inspected->ctx;
    struct plan *plan = &inspected->plan;
    struct value *recipe = NULL;
    const char *which = inspected->asked->which;
    bool teacher = strcmp(which, "teacher") == 0;
    if (!teacher && strcmp(which, "student") != 0)
        return fail(ctx, STATUS_BAD_INPUT, "no network \"%s\": expected student or teacher", which);
    RETURN_IF(recipe_open(inspected, &recipe));
    RETURN_IF(
        plan_make(ctx, inspected->arena, recipe, inspected->asked->path, value_get(recipe, "teacher") == NULL, plan));
    if (teacher)
        return inspect_teacher(inspected, recipe);
    inspected->batch = inspected->asked->batch > 0 ? inspected->asked->batch : plan->student.train.budget.batch;
    return plan_network(ctx, plan, &plan->student, which, 0, &inspected->network);
}

static enum status inspect_model(struct inspected *inspected)
{
    const struct run_inspection *asked = inspected->asked;
    if (asked->n_sets > 0)
        return fail(inspected->ctx, STATUS_BAD_INPUT, "--set is for recipes, and %s is a model file", asked->path);
    inspected->batch = asked->batch > 0 ? asked->batch : BATCH_OF_A_MODEL;
    return model_load(inspected->ctx, asked->path, ELEMENT_F32, &inspected->network);
}

/* --- the plan of a training step --- */

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

static struct value *steps_value(const struct inspected *inspected, const struct program *program)
{
    struct arena *arena = inspected->arena;
    struct value *steps = value_list(arena);
    for (int i = 0; i < program_step_count(program); i++) {
        struct program_step_info step = program_step(program, i);
        steps = value_append(arena, steps, step_value(arena, &step));
    }
    struct value *map = value_set(arena, value_map(arena), "batch", value_integer(arena, inspected->batch));
    map = value_set(arena, map, "steps", steps);
    map = value_set(arena, map, "arena_bytes", value_integer(arena, (int64_t)program_arena_bytes(program)));
    return value_set(arena, map, "persistent_bytes", value_integer(arena, (int64_t)program_persistent_bytes(program)));
}

/* stage_of_labels: the network learns from labels, as a teacher does, and a student alone. */
static enum status stage_of_labels(struct inspected *inspected)
{
    struct context *ctx = inspected->ctx;
    struct stage *stage = stage_add(&inspected->stages);
    struct learner *learner = arena_take(inspected->arena, 1, sizeof *learner);
    struct term *term = arena_take(inspected->arena, 1, sizeof *term);
    const struct method *labels = method_find(ctx, "labels", NULL);
    void *options = labels != NULL ? arena_take(inspected->arena, 1, labels->options_size + 1) : NULL;
    if (stage == NULL || learner == NULL || term == NULL || options == NULL)
        return ctx->error.status;
    struct option_set set = {labels->options, labels->n_options};
    RETURN_IF(options_bind(ctx, inspected->arena, set, NULL, "method labels", options));
    *learner = (struct learner){
        .name = inspected->network->name, .network = inspected->network, .training = true, .learns = true};
    *term = (struct term){
        .name = "labels", .method = labels, .options = options, .teacher = -1, .weight = real_constant(1)};
    *stage = (struct stage){
        .name = "plan", .role = "alone", .n_learners = 1, .learners = learner, .n_terms = 1, .terms = term};
    return STATUS_OK;
}

/* stage_of_recipe: the first stage of the recipe's scheme; teachers that are networks run in it. */
static enum status stage_of_recipe(struct inspected *inspected)
{
    struct plan *plan = &inspected->plan;
    if (plan->scheme->teacher == TEACHER_FROZEN) {
        RETURN_IF(teaching_open(inspected->ctx, inspected->arena, plan, &inspected->teaching));
        RETURN_IF(outside_open(inspected->ctx, inspected->arena, plan, true, &inspected->teaching));
    }
    const struct asking asking = {.plan = plan,
                                  .which = &plan->student,
                                  .staging = &plan->staging,
                                  .budget = plan->student.train.budget,
                                  .student = inspected->network,
                                  .teachers = inspected->teaching.learners,
                                  .n_teachers = inspected->teaching.n_learners};
    RETURN_IF(asking_stages(inspected->ctx, &asking, &inspected->made, &inspected->stages));
    struct stage *stage = &inspected->stages.stages[0];
    stage->budget.batch = inspected->batch; /* halves are of this many */
    return stage_check(inspected->ctx, stage);
}

static enum status plan_value(struct inspected *inspected, struct value **result)
{
    enum status status = STATUS_OK;
    struct context *ctx = inspected->ctx;
    const struct network_input *input = &inspected->network->input;
    bool recipe = inspected->plan.data != NULL,
         taught = recipe && (inspected->plan.teachers.count > 0 || inspected->plan.scheme->teacher != TEACHER_FROZEN) &&
                  strcmp(inspected->asked->which, "student") == 0;
    enum element precision = recipe ? inspected->plan.precision : ELEMENT_F32;
    struct kernel_context *kernels = NULL;
    struct program_memory *memory = NULL;
    struct program *program = NULL;
    struct stage_graph *built = NULL;
    /* Only its shape counts: the step is compiled, not run. */
    struct split split = {.name = "train",
                          .element = ELEMENT_U8,
                          .count = inspected->batch,
                          .labelled = inspected->batch,
                          .height = input->height,
                          .width = input->width,
                          .channels = input->channels};
    inspected->stages.arena = inspected->arena;
    TRY(taught ? stage_of_recipe(inspected) : stage_of_labels(inspected));
    struct stage_graph_spec graph = {.stage = &inspected->stages.stages[0],
                                     .split = &split,
                                     .precision = precision,
                                     .recordings = inspected->teaching.recordings,
                                     .n_recordings = inspected->teaching.n_recordings,
                                     .images = ELEMENT_U8};
    kernels = kernel_context_new(ctx, ctx->threads);
    memory = kernels != NULL ? program_memory_new(ctx) : NULL;
    built = memory != NULL ? stage_graph_new(ctx, &graph) : NULL;
    if (built == NULL)
        TRY(ctx->error.status);
    struct program_spec spec = {
        .loss = built->loss, .updates = true, .batch = inspected->batch, .precision = precision};
    TRY(program_compile(built->graph, &spec, kernels, memory, &program));
    *result = steps_value(inspected, program);
    if (*result == NULL)
        status = ctx->error.status;
cleanup:
    program_free(program);
    stage_graph_free(built);
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

/* A file that is called a model is read as one, so that a broken one is not taken for a recipe. */
bool run_inspects_model(const char *path)
{
    static const char ending[] = ".safetensors";
    size_t length = strlen(path), end = sizeof ending - 1;
    return model_is(path) || (length > end && strcmp(path + length - end, ending) == 0);
}

enum status run_inspect(struct context *ctx, struct arena *arena, const struct run_inspection *inspection,
                        struct value **result)
{
    enum status status = STATUS_OK;
    struct inspected inspected = {.ctx = ctx, .arena = arena, .asked = inspection};
    *result = NULL;
    TRY(run_inspects_model(inspection->path) ? inspect_model(&inspected) : inspect_recipe(&inspected));
    if (inspection->plan) {
        TRY(plan_value(&inspected, result));
        goto cleanup;
    }
    *result = network_inspect(arena, inspected.network);
    if (*result == NULL)
        status = ctx->error.status;
cleanup:
    network_free(inspected.network);
    teaching_close(ctx, &inspected.teaching);
    networks_made_free(&inspected.made);
    plan_free(ctx, &inspected.plan);
    return status;
}
