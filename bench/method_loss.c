/* method_loss.c: how often a second one method's loss and its gradients come out of given arrays, as JSON: {"speed",
 * "loss", "gradient"}; gradient: the length of all gradients together. One thread, its CPU time. For methods.py; not a
 * test.
 *
 *     method_loss METHOD SECONDS STUDENT.npy… TEACHER.npy… [nodes]
 *
 * As many arrays of either side, float32. The teacher's are bound at each run, so that nothing is worked out before. A
 * last argument `nodes` says on standard error where the time goes. */
#include "base/thread.h"
#include "graph/program.h"
#include "run/loss_arrays.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 4, WARM = 3, PROFILED = 20 };

struct loss_bench {
    struct context ctx;
    struct arena *arena;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct parameters *student, *own;
    struct program *program;
    float *teacher[TAPS];
    int64_t batch;
    int taps; /* of a side */
};

/* array_read: an array's values in the order inside. */
static double *array_read(struct loss_bench *b, const char *path, struct shape *shape)
{
    struct npy array;
    if (npy_read(&b->ctx, path, &array) != STATUS_OK)
        return NULL;
    double *values = array_values(&b->ctx, &array);
    *shape = array_inner(&array);
    npy_free(&b->ctx, &array);
    return values;
}

static enum status student_make(struct loss_bench *b, const char *path, int i, struct tap *tap)
{
    struct shape shape;
    double *values = array_read(b, path, &shape);
    const char *name = arena_format(b->arena, "student%d", i);
    if (!values || !name)
        return b->ctx.error.status;
    tap->node = graph_parameter(b->graph, b->student, name, shape, (struct init){INIT_ZERO, 0}, false);
    if (tap->node)
        parameters_set(b->student, i, values);
    memory_free(&b->ctx, values);
    b->batch = shape.dim[0];
    return b->ctx.error.status;
}

static enum status teacher_make(struct loss_bench *b, const char *path, int i, struct tap *tap)
{
    struct shape shape;
    double *values = array_read(b, path, &shape);
    if (!values)
        return b->ctx.error.status;
    const int64_t count = shape_elements(&shape);
    b->teacher[i] = memory_new(&b->ctx, (size_t)count, sizeof(float));
    for (int64_t j = 0; b->teacher[i] && j < count; j++)
        b->teacher[i][j] = (float)values[j];
    memory_free(&b->ctx, values);
    tap->node = graph_stop_gradient(b->graph, graph_input(b->graph, "teacher", ELEMENT_REAL, shape));
    return b->ctx.error.status;
}

static enum status bench_make(struct loss_bench *b, const struct method *method, char *const *paths)
{
    struct context *ctx = &b->ctx;
    struct tap student[TAPS], teacher[TAPS];
    b->arena = arena_new(ctx);
    b->kernels = kernel_context_new(ctx, 1);
    b->memory = program_memory_new(ctx);
    b->graph = graph_new(ctx);
    b->student = parameters_new(ctx, ELEMENT_F32, 1);
    b->own = parameters_new(ctx, ELEMENT_F32, 1);
    RETURN_IF(ctx->error.status);
    for (int i = 0; i < b->taps; i++) {
        student[i] = teacher[i] = (struct tap){.layer = paths[i]};
        RETURN_IF(student_make(b, paths[i], i, &student[i]));
        RETURN_IF(teacher_make(b, paths[b->taps + i], i, &teacher[i]));
    }
    const struct option_set set = {method->options, method->n_options};
    void *options = arena_take(b->arena, 1, method->options_size + 1);
    if (!options)
        return ctx->error.status;
    RETURN_IF(options_bind(ctx, b->arena, set, value_map(b->arena), method->name, options));
    const struct method_site site = {.student = student,
                                     .teacher = teacher,
                                     .n_student = b->taps,
                                     .n_teacher = b->taps,
                                     .own = b->own,
                                     .term = method->name};
    const struct program_spec spec = {
        .loss = method_build(b->graph, method, &site, options), .batch = b->batch, .precision = ELEMENT_F32};
    return spec.loss ? program_compile(b->graph, &spec, b->kernels, b->memory, &b->program) : ctx->error.status;
}

static void bench_free(struct loss_bench *b)
{
    program_free(b->program);
    graph_free(b->graph);
    parameters_free(b->student);
    parameters_free(b->own);
    for (int i = 0; i < TAPS; i++)
        memory_free(&b->ctx, b->teacher[i]);
    program_memory_free(b->memory);
    kernel_context_free(b->kernels);
    arena_free(b->arena);
}

static enum status bench_time(struct loss_bench *b, double limit, double *speed)
{
    const struct bindings bindings = {.inputs = (const void *const *)b->teacher, .seed = 1};
    double start = 0, now = 0;
    int64_t runs = -WARM;
    do {
        if (runs == 0)
            start = work_seconds(1);
        RETURN_IF(program_run(b->program, &bindings, RUN_BACKWARD));
        runs++;
        now = work_seconds(1);
    } while (runs < 1 || now - start < limit);
    *speed = (double)runs / (now - start);
    return STATUS_OK;
}

static enum status nodes_print(struct loss_bench *b)
{
    const struct bindings bindings = {.inputs = (const void *const *)b->teacher, .seed = 1};
    program_profile(b->program, true);
    for (int run = 0; run < PROFILED; run++)
        RETURN_IF(program_run(b->program, &bindings, RUN_BACKWARD));
    for (int i = 0; i < program_step_count(b->program); i++) {
        char shape[SHAPE_TEXT_SIZE];
        const struct program_step_info info = program_step(b->program, i);
        fprintf(stderr, "  %9.3f ms  %-9s  %-16s  %-16s  %s\n", 1e3 * info.seconds / PROFILED, info.phase, info.op,
                info.kernel, shape_text(&info.out, shape));
    }
    return STATUS_OK;
}

static double gradient_length(const struct loss_bench *b)
{
    double sum = 0;
    for (int i = 0; i < b->taps; i++) {
        const float *gradient = parameters_gradient(b->student, i);
        for (int64_t j = 0; j < b->student->entries[i].elements; j++)
            sum += (double)gradient[j] * (double)gradient[j];
    }
    return sqrt(sum);
}

int main(int argc, char **argv)
{
    const bool nodes = argc > 1 && strcmp(argv[argc - 1], "nodes") == 0;
    const int arrays = argc - 3 - nodes;
    struct loss_bench b = {.taps = arrays / 2};
    const double limit = argc > 2 ? strtod(argv[2], NULL) : 0;
    double speed = 0;
    context_init(&b.ctx);
    const struct method *method = argc > 1 ? method_find(&b.ctx, argv[1], NULL) : NULL;
    if (!method || arrays < 2 || arrays % 2 != 0 || b.taps > TAPS || !(limit > 0)) {
        fprintf(stderr, "method_loss: expected METHOD SECONDS STUDENT.npy… TEACHER.npy… [nodes], at most %d a side\n",
                TAPS);
        return 2;
    }
    enum status status = bench_make(&b, method, argv + 3);
    if (status == STATUS_OK)
        status = bench_time(&b, limit, &speed);
    if (status == STATUS_OK)
        printf("{\"speed\": %.6g, \"loss\": %.9g, \"gradient\": %.9g}\n", speed, program_loss(b.program),
               gradient_length(&b));
    if (status == STATUS_OK && nodes)
        status = nodes_print(&b);
    if (status != STATUS_OK)
        fprintf(stderr, "method_loss: %s\n", b.ctx.error.message);
    bench_free(&b);
    return status == STATUS_OK ? 0 : 1;
}
