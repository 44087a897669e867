/* method_case.c: running methods on arrays. */
#include "support/method_case.h"

#include "base/arena.h"
#include "base/random.h"
#include "graph/program.h"
#include "support/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BOUND_MAX = 2 * ARRAYS_MAX + 3 + GIVEN_MAX };

/* Everything of one run that is freed together. */
struct running {
    struct context *ctx;
    const struct arrays *arrays;
    enum element element;
    enum method_how how;
    struct graph *graph;
    struct parameters *taps;
    void *bound[BOUND_MAX]; /* data of the graph's inputs */
    int n_bound;
    struct method_result *result;
};

/* Arrays are [B,C,H,W], taps [B,H,W,C]: the element of the array for element i of the tap. */
static int64_t outer_index(const struct shape *outer, int64_t i)
{
    if (outer->rank != 4)
        return i;
    int64_t channels = outer->dim[1], height = outer->dim[2], width = outer->dim[3];
    int64_t c = i % channels, w = i / channels % width, h = i / channels / width % height,
            b = i / channels / width / height;
    return ((b * channels + c) * height + h) * width + w;
}

static struct shape inner_shape(const struct shape *outer, bool symbolic)
{
    struct shape shape = *outer;
    if (outer->rank == 4)
        shape = SHAPE(outer->dim[0], outer->dim[2], outer->dim[3], outer->dim[1]);
    if (symbolic)
        shape.dim[0] = SHAPE_BATCH;
    return shape;
}

static void *bind(struct running *r, size_t bytes)
{
    void *memory = calloc(1, bytes ? bytes : 1);
    assert_non_null(memory);
    assert_true(r->n_bound < BOUND_MAX);
    r->bound[r->n_bound++] = memory;
    return memory;
}

static struct node *real_input(struct running *r, const char *name, const struct shape *outer, const double *values)
{
    int64_t count = shape_elements(outer);
    void *memory = bind(r, (size_t)count * element_size(r->element));
    for (int64_t i = 0; i < count; i++)
        element_write(r->element, memory, i, values[outer_index(outer, i)]);
    return graph_input(r->graph, name, ELEMENT_REAL, inner_shape(outer, r->how != METHOD_GRADIENT));
}

static struct node *student_parameter(struct running *r, int tap)
{
    const struct shape *outer = &r->arrays->student_shape[tap];
    char name[32];
    snprintf(name, sizeof name, "student%d", tap);
    struct node *node =
        graph_parameter(r->graph, r->taps, name, inner_shape(outer, false), (struct init){INIT_ZERO, 0}, false);
    assert_non_null(node);
    int64_t count = shape_elements(outer);
    double *values = calloc((size_t)count, sizeof(double));
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = r->arrays->student[tap][outer_index(outer, i)];
    parameters_set(r->taps, node->entry, values);
    free(values);
    return node;
}

static struct node *integer_input(struct running *r, const char *name, const int32_t *values)
{
    int batch = r->arrays->batch;
    int32_t *memory = bind(r, (size_t)batch * sizeof(int32_t));
    for (int b = 0; b < batch; b++)
        memory[b] = values ? values[b] : b;
    return graph_input(r->graph, name, ELEMENT_I32, SHAPE(r->how != METHOD_GRADIENT ? SHAPE_BATCH : batch));
}

/* given_number: element i of a given array of the samples in their own order. */
static double given_number(const struct given_array *given, bool whole, int batch, int64_t i)
{
    const struct random_key key = {11, random_stream(given->name), 0};
    const int64_t last = given->shape.rank > 0 ? given->shape.dim[given->shape.rank - 1] : 1;
    if (whole)
        return (double)((i / last + i % last) % batch);
    if (given->shape.rank == 0)
        return 1 + (double)(float)random_uniform(&key, 0);
    return given->shape.rank == 1 ? (double)(float)random_normal(&key, (uint64_t)i)
                                  : (double)(random_uniform(&key, (uint64_t)i) < 0.5);
}

/* own_order: the element that i would be if the samples were in their own order. */
static int64_t own_order(const struct shape *shape, const struct arrays *arrays, int64_t i)
{
    int64_t stride = shape_elements(shape);
    for (int axis = 0; axis < shape->rank && arrays->order; axis++) {
        stride /= shape->dim[axis];
        const int64_t at = i / stride % shape->dim[axis];
        if (shape->dim[axis] == arrays->batch)
            return i + (arrays->order[at] - at) * stride;
    }
    return i;
}

static struct node *give(void *user, const char *name, enum element element, struct shape inner)
{
    struct running *r = user;
    assert_true(r->result->n_given < GIVEN_MAX);
    struct given_array *given = &r->result->given[r->result->n_given++];
    snprintf(given->name, sizeof given->name, "%s", name);
    struct shape concrete = inner;
    for (int axis = 0; axis < inner.rank; axis++)
        if (inner.dim[axis] < 0)
            concrete.dim[axis] = -inner.dim[axis] * r->arrays->batch;
    given->shape = concrete;
    if (inner.rank == 4)
        given->shape = SHAPE(concrete.dim[0], concrete.dim[3], concrete.dim[1], concrete.dim[2]);
    const int64_t count = shape_elements(&concrete);
    given->values = calloc((size_t)count, sizeof(double));
    assert_non_null(given->values);
    for (int64_t i = 0; i < count; i++)
        given->values[i] =
            given_number(given, element == ELEMENT_I32, r->arrays->batch, own_order(&given->shape, r->arrays, i));
    const bool whole = element == ELEMENT_I32;
    void *memory = bind(r, (size_t)count * (whole ? sizeof(int32_t) : element_size(r->element)));
    for (int64_t i = 0; i < count; i++) {
        const double value = given->values[outer_index(&given->shape, i)];
        if (whole)
            ((int32_t *)memory)[i] = (int32_t)value;
        else
            element_write(r->element, memory, i, value);
    }
    return graph_input(r->graph, name, element, inner);
}

static struct node *build(struct running *r, const struct method *method, const void *options, struct parameters *own)
{
    const struct arrays *a = r->arrays;
    struct tap student[ARRAYS_MAX], teacher[ARRAYS_MAX];
    struct shape targets = SHAPE(a->batch, a->classes);
    for (int i = 0; i < a->n_student; i++)
        student[i] = (struct tap){.node = r->how == METHOD_GRADIENT
                                              ? student_parameter(r, i)
                                              : real_input(r, "student", &a->student_shape[i], a->student[i]),
                                  .layer = "student's tap"};
    for (int i = 0; i < a->n_teacher; i++)
        teacher[i] = (struct tap){.node = real_input(r, "teacher", &a->teacher_shape[i], a->teacher[i]),
                                  .layer = "teacher's tap"};
    struct method_site site = {
        .student = student,
        .teacher = teacher,
        .n_student = a->n_student,
        .n_teacher = a->n_teacher,
        .labels = a->labels ? integer_input(r, "labels", a->labels) : NULL,
        .targets = a->targets ? real_input(r, "targets", &targets, a->targets) : NULL,
        .sample = integer_input(r, "sample", a->order),
        .samples = a->samples,
        .sample_labels = a->all_labels,
        .classes = a->classes,
        .own = own,
        .given = a->nothing_given ? NULL : give,
        .given_user = r,
        .term = "term",
    };
    return method_build(r->graph, method, &site, options);
}

static void read_gradients(struct running *r, struct method_result *result)
{
    for (int tap = 0; tap < r->arrays->n_student; tap++) {
        const struct shape *outer = &r->arrays->student_shape[tap];
        int64_t count = shape_elements(outer);
        const void *gradient = parameters_gradient(r->taps, tap);
        result->gradient[tap] = calloc((size_t)count, sizeof(double));
        assert_non_null(result->gradient[tap]);
        for (int64_t i = 0; i < count; i++)
            result->gradient[tap][outer_index(outer, i)] = element_read(r->element, gradient, i);
    }
}

/* own_nudge: own values off their initial ones: a bias of 0 can put a ReLU's input on its kink. States become larger, so that a
 * variance stays one, and what is 0 until the first step sets it is set. */
static void own_nudge(struct parameters *own)
{
    for (int i = 0; i < own->count; i++) {
        const struct random_key key = {12, random_stream(own->entries[i].name), 0};
        double *values = calloc((size_t)own->entries[i].elements, sizeof(double));
        assert_non_null(values);
        parameters_get(own, i, values);
        for (int64_t j = 0; j < own->entries[i].elements; j++)
            values[j] = (double)(float)(values[j] + (own->entries[i].state ? random_uniform(&key, (uint64_t)j)
                                                                           : 0.2 * random_normal(&key, (uint64_t)j)));
        parameters_set(own, i, values);
        free(values);
    }
}

static void read_learning(const struct running *r, struct method_result *result)
{
    assert_true(result->own->count <= OWN_MAX);
    for (int i = 0; i < r->graph->n_nodes; i++) {
        const struct node *node = r->graph->nodes[i];
        if (node->kind == NODE_PARAMETER && node->parameters == result->own && !node->frozen)
            result->own_learns[node->entry] = true;
    }
}

struct method_result method_run(struct context *ctx, struct kernel_context *kernels, const struct method *method,
                                const void *options, const struct arrays *arrays, enum element element,
                                enum method_how how)
{
    struct method_result result = {.status = STATUS_OK};
    struct running r = {.ctx = ctx,
                        .arrays = arrays,
                        .element = element,
                        .how = how,
                        .graph = graph_new(ctx),
                        .taps = parameters_new(ctx, element, 1),
                        .result = &result};
    struct program_memory *memory = program_memory_new(ctx);
    struct program *program = NULL;
    result.own = parameters_new(ctx, element, 1);
    assert_true(r.graph && r.taps && memory && result.own);

    struct node *loss = build(&r, method, options, result.own);
    result.status = loss ? STATUS_OK : ctx->error.status;
    struct program_spec spec = {.loss = loss,
                                .outputs = &loss,
                                .n_outputs = 1,
                                .batch = arrays->batch,
                                .precision = element,
                                .updates = how == METHOD_SECOND};
    if (how != METHOD_GRADIENT)
        spec.loss = NULL;
    own_nudge(result.own);
    if (loss)
        result.status = program_compile(r.graph, &spec, kernels, memory, &program);
    if (program) {
        const void *inputs[BOUND_MAX];
        for (int i = 0; i < r.n_bound; i++)
            inputs[i] = r.bound[i];
        struct bindings bindings = {inputs, 7, 1};
        if (how == METHOD_SECOND)
            result.status = program_run(program, &bindings, RUN_COMMIT);
        bindings.step += how == METHOD_SECOND;
        if (result.status == STATUS_OK)
            result.status = program_run(program, &bindings, how == METHOD_GRADIENT ? RUN_BACKWARD : 0);
        result.loss = program_scalar(program, 0);
        if (how == METHOD_GRADIENT)
            read_gradients(&r, &result);
        read_learning(&r, &result);
    }
    if (result.status != STATUS_OK)
        snprintf(result.message, sizeof result.message, "%.500s", ctx->error.message);
    error_clear(ctx);
    program_free(program);
    program_memory_free(memory);
    graph_free(r.graph);
    parameters_free(r.taps);
    for (int i = 0; i < r.n_bound; i++)
        free(r.bound[i]);
    return result;
}

void method_result_free(struct method_result *result)
{
    for (int i = 0; i < ARRAYS_MAX; i++)
        free(result->gradient[i]);
    for (int i = 0; i < result->n_given; i++)
        free(result->given[i].values);
    parameters_free(result->own);
    *result = (struct method_result){0};
}

/* The own arrays in double, read once: a reference borrows them. */
struct own_values {
    const struct method_result *run;
    double *values[OWN_MAX];
};

static const double *find_own(const struct method_case *c, const char *name, struct shape *shape)
{
    const struct own_values *own = c->own_user;
    for (int i = 0; i < own->run->n_given; i++) {
        if (strcmp(own->run->given[i].name, name) != 0)
            continue;
        if (shape)
            *shape = own->run->given[i].shape;
        return own->run->given[i].values;
    }
    int i = parameters_find(own->run->own, name);
    if (i < 0)
        return NULL;
    if (shape)
        *shape = own->run->own->entries[i].shape;
    return own->values[i];
}

/* reference_sum: a pairwise method's reference for each pair, added up, in an arena of its own. */
static double reference_sum(const struct method *method, struct method_case *c, const void *options)
{
    struct context ctx;
    context_init(&ctx);
    c->arena = arena_new(&ctx);
    assert_non_null(c->arena);
    c->pairs = 1;
    double sum = 0;
    if (!(method->wants & METHOD_PAIRWISE)) {
        sum = method->reference(c, options);
    } else {
        const int pairs = c->n_teacher; /* of the student as many, or none */
        for (int i = 0; i < pairs; i++) {
            struct method_case one = *c;
            one.student += i;
            one.teacher += i;
            one.student_shape += i;
            one.teacher_shape += i;
            one.n_student = c->n_student > 0;
            one.n_teacher = 1;
            one.pair = i;
            one.pairs = pairs;
            sum += method->reference(&one, options);
        }
    }
    arena_free(c->arena);
    return sum;
}

/* reference_nudged: with `by` added to element i of own array `entry`. */
static double reference_nudged(const struct method *method, const void *options, const struct arrays *arrays,
                               const struct method_result *run, int entry, int64_t at, double by)
{
    struct own_values values = {.run = run};
    for (int i = 0; i < run->own->count; i++) {
        values.values[i] = calloc((size_t)run->own->entries[i].elements, sizeof(double));
        assert_non_null(values.values[i]);
        parameters_get(run->own, i, values.values[i]);
        if (i == entry)
            values.values[i][at] += by;
    }
    const double *student[ARRAYS_MAX], *teacher[ARRAYS_MAX];
    for (int i = 0; i < ARRAYS_MAX; i++) {
        student[i] = arrays->student[i];
        teacher[i] = arrays->teacher[i];
    }
    struct method_case c = {
        .n_student = arrays->n_student,
        .n_teacher = arrays->n_teacher,
        .student = student,
        .teacher = teacher,
        .student_shape = arrays->student_shape,
        .teacher_shape = arrays->teacher_shape,
        .labels = arrays->labels,
        .targets = arrays->targets,
        .classes = arrays->classes,
        .own = find_own,
        .own_user = &values,
    };
    double loss = reference_sum(method, &c, options);
    for (int i = 0; i < run->own->count; i++)
        free(values.values[i]);
    return loss;
}

double method_reference(const struct method *method, const void *options, const struct arrays *arrays,
                        const struct method_result *run)
{
    return reference_nudged(method, options, arrays, run, -1, 0, 0);
}

static const double step = 2e-6;

static struct slope slope_of(double below, double here, double above)
{
    const double left = (here - below) / step, right = (above - here) / step;
    return (struct slope){(above - below) / (2 * step), fmin(left, right), fmax(left, right)};
}

struct slope method_slope(const struct method *method, const void *options, struct arrays *arrays,
                          const struct method_result *run, int tap, int64_t i)
{
    double *at = &arrays->student[tap][i], before = *at;
    *at = before + step;
    double above = method_reference(method, options, arrays, run);
    *at = before - step;
    double below = method_reference(method, options, arrays, run);
    *at = before;
    return slope_of(below, method_reference(method, options, arrays, run), above);
}

struct slope method_own_slope(const struct method *method, const void *options, const struct arrays *arrays,
                              const struct method_result *run, int entry, int64_t i)
{
    return slope_of(reference_nudged(method, options, arrays, run, entry, i, -step),
                    method_reference(method, options, arrays, run),
                    reference_nudged(method, options, arrays, run, entry, i, step));
}
