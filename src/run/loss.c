/* loss.c: `retort loss`: one method on given arrays.
 *
 * The student's arrays are parameters of a scratch set, so that the graph gives their gradients like any others. */
#include "run/loss_arrays.h"

#include "base/file.h"
#include "graph/program.h"
#include "recipe/recipe.h"

#include <math.h>
#include <string.h>

enum { LOSS_TAPS = 64, LOSS_STORES = 8 };

struct loss_job {
    struct context *ctx;
    struct arena *arena;
    const struct run_loss *asked;
    const struct method *method;
    void *options; /* the method's struct */
    uint64_t seed;
    struct loss_arrays arrays;
    struct graph *graph;
    struct parameters *student, *own;
    struct store *stores[LOSS_STORES];
    int n_stores;
    struct node *loss;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct program *program;
    double value;
};

/* options_read: the method's options from "option=value"; `seed` is the command's own. */
static enum status options_read(struct loss_job *job)
{
    struct context *ctx = job->ctx;
    struct value *map = value_map(job->arena), *own = value_map(job->arena);
    if (map == NULL || own == NULL)
        return ctx->error.status;
    for (int i = 0; i < job->asked->n_sets; i++)
        RETURN_IF(recipe_set(ctx, job->arena, map, job->asked->sets[i]));
    for (size_t i = 0; i < map->count; i++) {
        const struct value *value = map->entries[i].value;
        if (strcmp(map->entries[i].key, "seed") != 0) {
            if (value_set(job->arena, own, map->entries[i].key, map->entries[i].value) == NULL)
                return ctx->error.status;
        } else if (value->kind != VALUE_INTEGER || value->integer < 0) {
            char found[VALUE_FOUND_SIZE];
            return value_fail(ctx, value, STATUS_BAD_INPUT, "seed: expected an integer of at least 0, found %s",
                              value_found(value, found));
        } else {
            job->seed = (uint64_t)value->integer;
        }
    }
    const char *what = arena_format(job->arena, "method %s", job->method->name);
    job->options = arena_take(job->arena, 1, job->method->options_size + 1);
    if (what == NULL || job->options == NULL)
        return ctx->error.status;
    struct option_set set = {job->method->options, job->method->n_options};
    return options_bind(ctx, job->arena, set, own, what, job->options);
}

static struct store *job_store(void *user, const char *name, int64_t rows, struct shape row)
{
    struct loss_job *job = user;
    for (int i = 0; i < job->n_stores; i++)
        if (strcmp(job->stores[i]->name, name) == 0)
            return job->stores[i];
    if (job->n_stores == LOSS_STORES) {
        fail(job->ctx, STATUS_UNSUPPORTED, "a term can keep at most %d stores", LOSS_STORES);
        return NULL;
    }
    struct store *store = store_new(job->ctx, name, job->arrays.precision, rows, row);
    if (store != NULL)
        job->stores[job->n_stores++] = store;
    return store;
}

static enum status own_shape_fail(struct loss_job *job, const struct loss_own *given, const struct shape *shape)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    return fail(job->ctx, STATUS_BAD_SHAPE, "%s: own array \"%s\" of method %s: expected %s, found %s", given->path,
                given->name, job->method->name, shape_text(shape, expected), shape_text(&given->array.shape, found));
}

/* integers_given: int32, from int32 or int64 that fit. */
static struct node *integers_given(struct loss_job *job, const struct loss_own *given)
{
    const struct npy *array = &given->array;
    const int64_t count = shape_elements(&array->shape);
    int32_t *values = arena_take(job->arena, (size_t)count + 1, sizeof *values);
    if (array->element != ELEMENT_I64 && array->element != ELEMENT_I32) {
        fail(job->ctx, STATUS_BAD_INPUT, "%s: own array \"%s\" of method %s: expected int64, found %s", given->path,
             given->name, job->method->name, element_text(array->element));
        return NULL;
    }
    for (int64_t i = 0; values != NULL && i < count; i++) {
        const int64_t value =
            array->element == ELEMENT_I64 ? ((const int64_t *)array->data)[i] : ((const int32_t *)array->data)[i];
        values[i] = value >= 0 && value <= INT32_MAX ? (int32_t)value : -1; /* names nothing */
    }
    return values != NULL ? graph_constant_integers(job->graph, array->shape, values) : NULL;
}

static struct node *job_given(void *user, const char *name, enum element element, struct shape shape)
{
    struct loss_job *job = user;
    for (int i = 0; i < job->arrays.n_own; i++) {
        struct loss_own *given = &job->arrays.own[i];
        if (strcmp(given->name, name) != 0)
            continue;
        given->used = true;
        const struct shape inner = array_inner(&given->array);
        if (!shape_equal(&inner, &shape)) {
            const struct shape file =
                shape.rank == 4 ? SHAPE(shape.dim[0], shape.dim[3], shape.dim[1], shape.dim[2]) : shape;
            own_shape_fail(job, given, &file);
            return NULL;
        }
        if (element == ELEMENT_I32)
            return integers_given(job, given);
        double *values = array_values(job->ctx, &given->array);
        struct node *node = values != NULL ? graph_constant(job->graph, inner, values) : NULL;
        memory_free(job->ctx, values);
        return node;
    }
    return NULL;
}

/* samples_of: an own array memory.* has a row for each sample of the training split; without one the batch is all there is. */
static int64_t samples_of(const struct loss_arrays *arrays)
{
    int64_t samples = arrays->batch > 0 ? arrays->batch : 0;
    for (int i = 0; i < arrays->n_own; i++)
        if (strncmp(arrays->own[i].name, "memory.", strlen("memory.")) == 0 && arrays->own[i].array.shape.rank > 0)
            samples = arrays->own[i].array.shape.dim[0];
    return samples;
}

static enum status student_taps(struct loss_job *job, struct tap *taps)
{
    for (int i = 0; i < job->arrays.n_student; i++) {
        const char *name = arena_format(job->arena, "student%d", i);
        struct shape shape = array_inner(&job->arrays.student[i]);
        if (name == NULL)
            return job->ctx->error.status;
        struct node *node = graph_parameter(job->graph, job->student, name, shape, (struct init){INIT_ZERO, 0}, false);
        double *values = array_values(job->ctx, &job->arrays.student[i]);
        int index = parameters_find(job->student, name);
        if (node != NULL && values != NULL && index >= 0)
            parameters_set(job->student, index, values);
        memory_free(job->ctx, values);
        taps[i] = (struct tap){.node = node, .layer = job->asked->student[i]};
    }
    return job->ctx->error.status;
}

static enum status teacher_taps(struct loss_job *job, struct tap *taps)
{
    for (int i = 0; i < job->arrays.n_teacher; i++) {
        double *values = array_values(job->ctx, &job->arrays.teacher[i]);
        struct node *node =
            values != NULL ? graph_constant(job->graph, array_inner(&job->arrays.teacher[i]), values) : NULL;
        memory_free(job->ctx, values);
        taps[i] = (struct tap){.node = node, .layer = job->asked->teacher[i]};
    }
    return job->ctx->error.status;
}

/* integers_node: int32 [B], the labels or, where `labels` is NULL, the samples' numbers. */
static struct node *integers_node(struct loss_job *job, const struct npy *labels)
{
    int64_t batch = labels != NULL ? labels->shape.dim[0] : job->arrays.batch;
    int32_t *values = arena_take(job->arena, (size_t)batch, sizeof *values);
    for (int64_t i = 0; values != NULL && i < batch; i++) {
        if (labels == NULL)
            values[i] = (int32_t)i;
        else
            values[i] = labels->element == ELEMENT_I64 ? (int32_t)((const int64_t *)labels->data)[i]
                                                       : ((const int32_t *)labels->data)[i];
    }
    return values != NULL ? graph_constant_integers(job->graph, SHAPE(batch), values) : NULL;
}

static enum status loss_build(struct loss_job *job)
{
    struct context *ctx = job->ctx;
    struct tap student[LOSS_TAPS], teacher[LOSS_TAPS];
    if (job->arrays.n_student > LOSS_TAPS || job->arrays.n_teacher > LOSS_TAPS)
        return fail(ctx, STATUS_UNSUPPORTED, "expected at most %d arrays a side", LOSS_TAPS);
    job->graph = graph_new(ctx);
    job->student = parameters_new(ctx, job->arrays.precision, job->seed);
    job->own = parameters_new(ctx, job->arrays.precision, job->seed);
    if (job->graph == NULL || job->student == NULL || job->own == NULL)
        return ctx->error.status;
    RETURN_IF(student_taps(job, student));
    RETURN_IF(teacher_taps(job, teacher));
    struct method_site site = {.student = student,
                               .teacher = teacher,
                               .n_student = job->arrays.n_student,
                               .n_teacher = job->arrays.n_teacher,
                               .labels =
                                   job->arrays.labels.data != NULL ? integers_node(job, &job->arrays.labels) : NULL,
                               .sample = integers_node(job, NULL),
                               .samples = samples_of(&job->arrays),
                               .classes = job->arrays.classes,
                               .own = job->own,
                               .store = job_store,
                               .store_user = job,
                               .given = job_given,
                               .given_user = job,
                               .term = job->method->name};
    RETURN_IF(ctx->error.status);
    graph_label(job->graph, job->method->name);
    job->loss = method_build(job->graph, job->method, &site, job->options);
    return job->loss != NULL ? STATUS_OK : ctx->error.status;
}

/* own_unknown: names what the method has. */
static enum status own_unknown(struct loss_job *job, const char *name)
{
    const char *known = job->own->count > 0 ? "" : "it has none";
    for (int i = 0; i < job->own->count && known != NULL; i++)
        known = arena_format(job->arena, "%s%s\"%s\"", known, i > 0 ? ", " : "it has ", job->own->entries[i].name);
    if (known == NULL)
        return job->ctx->error.status;
    return fail(job->ctx, STATUS_BAD_INPUT, "--own: method %s has no own array \"%s\"; %s", job->method->name, name,
                known);
}

/* own_set: the given arrays take the place of initial values. They lie in the file as inside: weights [O,I,H,W]. */
static enum status own_set(struct loss_job *job)
{
    for (int i = 0; i < job->arrays.n_own; i++) {
        const struct loss_own *given = &job->arrays.own[i];
        if (given->used)
            continue;
        int index = parameters_find(job->own, given->name);
        if (index < 0)
            return own_unknown(job, given->name);
        const struct parameter *entry = &job->own->entries[index];
        if (!shape_equal(&entry->shape, &given->array.shape))
            return own_shape_fail(job, given, &entry->shape);
        struct npy plain = given->array;
        plain.shape = SHAPE(entry->elements);
        double *values = array_values(job->ctx, &plain);
        if (values == NULL)
            return job->ctx->error.status;
        parameters_set(job->own, index, values);
        memory_free(job->ctx, values);
    }
    return STATUS_OK;
}

static enum status loss_compute(struct loss_job *job)
{
    struct context *ctx = job->ctx;
    job->kernels = kernel_context_new(ctx, ctx->threads);
    job->memory = program_memory_new(ctx);
    if (job->kernels == NULL || job->memory == NULL)
        return ctx->error.status;
    struct program_spec spec = {
        .loss = job->loss, .batch = job->arrays.batch > 0 ? job->arrays.batch : 1, .precision = job->arrays.precision};
    struct bindings bindings = {.seed = job->seed};
    RETURN_IF(program_compile(job->graph, &spec, job->kernels, job->memory, &job->program));
    RETURN_IF(program_run(job->program, &bindings, RUN_BACKWARD));
    job->value = program_loss(job->program);
    if (isfinite(job->value))
        return STATUS_OK;
    /* Once more, to say where it comes from. */
    RETURN_IF(program_run(job->program, &bindings, RUN_BACKWARD | RUN_CHECK));
    return fail(ctx, STATUS_NOT_FINITE, "method %s: the loss is not finite", job->method->name);
}

/* own_learns: the graph asks for a gradient of this own array. */
static bool own_learns(const struct loss_job *job, int entry)
{
    for (int i = 0; i < job->graph->n_nodes; i++) {
        const struct node *node = job->graph->nodes[i];
        if (node->kind == NODE_PARAMETER && node->parameters == job->own && node->entry == entry && !node->frozen)
            return true;
    }
    return false;
}

static enum status gradient_write(struct loss_job *job, const char *name, const struct parameters *parameters,
                                  int index, const struct shape *shape, bool map)
{
    enum status status = STATUS_OK;
    struct context *ctx = job->ctx;
    int64_t count = parameters->entries[index].elements;
    const void *from = parameters_gradient(parameters, index);
    char *path = path_join(ctx, job->asked->gradients, name);
    double *values = memory_new(ctx, (size_t)count, sizeof *values);
    if (path == NULL || values == NULL)
        TRY(ctx->error.status);
    for (int64_t i = 0; i < count; i++)
        values[i] = parameters->element == ELEMENT_F64 ? ((const double *)from)[i] : ((const float *)from)[i];
    TRY(array_write(ctx, path, parameters->element, shape, map, values));
cleanup:
    memory_free(ctx, values);
    memory_free(ctx, path);
    return status;
}

static enum status gradients_write(struct loss_job *job)
{
    if (job->asked->gradients == NULL)
        return STATUS_OK;
    RETURN_IF(directory_make(job->ctx, job->asked->gradients));
    for (int i = 0; i < job->arrays.n_student; i++) {
        const struct shape *shape = &job->arrays.student[i].shape;
        const char *name = arena_format(job->arena, "grad%d.npy", i);
        if (name == NULL)
            return job->ctx->error.status;
        RETURN_IF(gradient_write(job, name, job->student, i, shape, shape->rank == 4));
    }
    for (int i = 0; i < job->own->count; i++) {
        const char *name = arena_format(job->arena, "own.%s.npy", job->own->entries[i].name);
        if (name == NULL)
            return job->ctx->error.status;
        if (own_learns(job, i))
            RETURN_IF(gradient_write(job, name, job->own, i, &job->own->entries[i].shape, false));
    }
    return STATUS_OK;
}

static struct value *loss_value(const struct loss_job *job)
{
    struct arena *arena = job->arena;
    struct value *own = value_map(arena);
    for (int i = 0; i < job->own->count; i++) {
        const struct parameter *entry = &job->own->entries[i];
        struct value *shape = value_list(arena);
        for (int j = 0; j < entry->shape.rank; j++)
            shape = value_append(arena, shape, value_integer(arena, entry->shape.dim[j]));
        own = value_set(arena, own, entry->name, shape);
    }
    struct option_set set = {job->method->options, job->method->n_options};
    struct value *map = value_set(arena, value_map(arena), "method", value_text(arena, job->method->name));
    map = value_set(arena, map, "loss", value_real(arena, job->value));
    map = value_set(arena, map, "options", options_value(arena, set, job->options));
    return value_set(arena, map, "own", own);
}

static void loss_free(struct loss_job *job)
{
    program_free(job->program);
    program_memory_free(job->memory);
    kernel_context_free(job->kernels);
    graph_free(job->graph);
    for (int i = 0; i < job->n_stores; i++)
        store_free(job->stores[i]);
    parameters_free(job->own);
    parameters_free(job->student);
    loss_arrays_free(&job->arrays);
}

enum status run_loss(struct context *ctx, struct arena *arena, const struct run_loss *loss, struct value **result)
{
    enum status status = STATUS_OK;
    struct loss_job job = {.ctx = ctx, .arena = arena, .asked = loss};
    job.arrays.ctx = ctx;
    *result = NULL;
    job.method = method_find(ctx, loss->method, NULL);
    if (job.method == NULL)
        TRY(ctx->error.status);
    TRY(options_read(&job));
    TRY(loss_arrays_read(ctx, arena, loss, job.method, &job.arrays));
    TRY(loss_build(&job));
    TRY(own_set(&job));
    TRY(loss_compute(&job));
    TRY(gradients_write(&job));
    *result = loss_value(&job);
    if (*result == NULL)
        status = ctx->error.status;
cleanup:
    loss_free(&job);
    return status;
}
