/* method_case.c: running methods on arrays. */
#include "support/method_case.h"

#include "base/arena.h"
#include "graph/program.h"
#include "support/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything of one run that is freed together. */
struct running {
    struct context *ctx;
    const struct arrays *arrays;
    enum element element;
    enum method_how how;
    struct graph *graph;
    struct parameters *taps;
    void *bound[2 * ARRAYS_MAX + 3]; /* data of the graph's inputs */
    int n_bound;
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
    r->bound[r->n_bound++] = memory;
    return memory;
}

static struct node *real_input(struct running *r, const char *name, const struct shape *outer, const double *values)
{
    int64_t count = shape_elements(outer);
    void *memory = bind(r, (size_t)count * element_size(r->element));
    for (int64_t i = 0; i < count; i++)
        element_write(r->element, memory, i, values[outer_index(outer, i)]);
    return graph_input(r->graph, name, ELEMENT_REAL, inner_shape(outer, r->how == METHOD_FORWARD));
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
    return graph_input(r->graph, name, ELEMENT_I32, SHAPE(r->how == METHOD_FORWARD ? SHAPE_BATCH : batch));
}

static struct node *build(struct running *r, const struct method *method, const void *options, struct parameters *own)
{
    const struct arrays *a = r->arrays;
    struct tap student[ARRAYS_MAX], teacher[ARRAYS_MAX];
    struct shape targets = SHAPE(a->batch, a->classes);
    for (int i = 0; i < a->n_student; i++)
        student[i] =
            (struct tap){r->how == METHOD_GRADIENT ? student_parameter(r, i)
                                                   : real_input(r, "student", &a->student_shape[i], a->student[i]),
                         "student's tap"};
    for (int i = 0; i < a->n_teacher; i++)
        teacher[i] = (struct tap){real_input(r, "teacher", &a->teacher_shape[i], a->teacher[i]), "teacher's tap"};
    struct method_site site = {
        .student = student,
        .teacher = teacher,
        .n_student = a->n_student,
        .n_teacher = a->n_teacher,
        .labels = a->labels ? integer_input(r, "labels", a->labels) : NULL,
        .targets = a->targets ? real_input(r, "targets", &targets, a->targets) : NULL,
        .sample = integer_input(r, "sample", NULL),
        .samples = a->batch,
        .classes = a->classes,
        .own = own,
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

struct method_result method_run(struct context *ctx, struct kernel_context *kernels, const struct method *method,
                                const void *options, const struct arrays *arrays, enum element element,
                                enum method_how how)
{
    struct method_result result = {.status = STATUS_OK};
    struct running r = {ctx, arrays, element, how, graph_new(ctx), parameters_new(ctx, element, 1), {NULL}, 0};
    struct program_memory *memory = program_memory_new(ctx);
    struct program *program = NULL;
    result.own = parameters_new(ctx, element, 1);
    assert_true(r.graph && r.taps && memory && result.own);

    struct node *loss = build(&r, method, options, result.own);
    result.status = loss ? STATUS_OK : ctx->error.status;
    struct program_spec spec = {
        .loss = loss, .outputs = &loss, .n_outputs = 1, .batch = arrays->batch, .precision = element};
    if (how == METHOD_FORWARD)
        spec.loss = NULL;
    if (loss)
        result.status = program_compile(r.graph, &spec, kernels, memory, &program);
    if (program) {
        const void *inputs[2 * ARRAYS_MAX + 3];
        for (int i = 0; i < r.n_bound; i++)
            inputs[i] = r.bound[i];
        struct bindings bindings = {inputs, 7, 1};
        result.status = program_run(program, &bindings, how == METHOD_GRADIENT ? RUN_BACKWARD : 0);
        result.loss = program_scalar(program, 0);
        if (how == METHOD_GRADIENT)
            read_gradients(&r, &result);
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
    parameters_free(result->own);
    *result = (struct method_result){0};
}

/* The own arrays in double, read once: a reference borrows them. */
struct own_values {
    const struct parameters *parameters;
    double *values[64];
};

static const double *find_own(const struct method_case *c, const char *name, struct shape *shape)
{
    const struct own_values *own = c->own_user;
    int i = parameters_find(own->parameters, name);
    if (i < 0)
        return NULL;
    *shape = own->parameters->entries[i].shape;
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
        const int pairs = c->n_student;
        for (int i = 0; i < pairs; i++) {
            struct method_case one = *c;
            one.student += i;
            one.teacher += i;
            one.student_shape += i;
            one.teacher_shape += i;
            one.n_student = one.n_teacher = 1;
            one.pair = i;
            one.pairs = pairs;
            sum += method->reference(&one, options);
        }
    }
    arena_free(c->arena);
    return sum;
}

double method_reference(const struct method *method, const void *options, const struct arrays *arrays,
                        const struct parameters *own)
{
    struct own_values values = {.parameters = own};
    assert_true(own->count <= 64);
    for (int i = 0; i < own->count; i++) {
        values.values[i] = calloc((size_t)own->entries[i].elements, sizeof(double));
        assert_non_null(values.values[i]);
        parameters_get(own, i, values.values[i]);
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
    for (int i = 0; i < own->count; i++)
        free(values.values[i]);
    return loss;
}

double method_slope(const struct method *method, const void *options, struct arrays *arrays,
                    const struct parameters *own, int tap, int64_t i)
{
    double *at = &arrays->student[tap][i], before = *at, step = 1e-5;
    *at = before + step;
    double above = method_reference(method, options, arrays, own);
    *at = before - step;
    double below = method_reference(method, options, arrays, own);
    *at = before;
    return (above - below) / (2 * step);
}
