/* method_step.c: training steps by hand (method_step.h). */
#include "bench/method_step.h"

#include "base/random.h"
#include "base/thread.h"
#include "format/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 128, BATCHES = 8, HELD = BATCH * BATCHES, SAMPLES = 60000, SIDE = 28, CLASSES = 10 };
enum { WARM = 3, PAIRS_MIN = 5 };

static enum status network_make(struct bench *b, const char *path, uint64_t seed, struct network **out)
{
    const struct value *description = value_path(b->recipe, path);
    if (!description)
        return fail(&b->ctx, STATUS_BAD_INPUT, "methods: the recipe has no %s", path);
    return network_build(&b->ctx, description, path, &b->input, ELEMENT_F32, seed, out);
}

static enum status data_make(struct bench *b)
{
    const struct random_key key = {1, random_stream("methods"), 0};
    const size_t bytes = (size_t)HELD * SIDE * SIDE;
    b->images = memory_new(&b->ctx, bytes, 1);
    b->labels = memory_new(&b->ctx, SAMPLES + HELD, sizeof *b->labels);
    b->samples = memory_new(&b->ctx, HELD, sizeof *b->samples);
    b->rows = memory_new(&b->ctx, HELD, sizeof *b->rows);
    RETURN_IF(b->ctx.error.status);
    for (size_t i = 0; i < bytes; i++)
        b->images[i] = (unsigned char)(random_u32(&key, i) & 255);
    for (int32_t i = 0; i < SAMPLES; i++)
        b->labels[i] = (int32_t)(random_u32(&key, bytes + (size_t)i) % CLASSES);
    for (int32_t i = 0; i < HELD; i++) {
        b->rows[i] = i;
        b->samples[i] = (int32_t)((int64_t)i * 7919 % SAMPLES); /* a prime: no sample twice */
        b->labels[SAMPLES + i] = b->labels[b->samples[i]];
    }
    b->split = (struct split){.name = "train",
                              .element = ELEMENT_U8,
                              .count = SAMPLES,
                              .height = SIDE,
                              .width = SIDE,
                              .channels = 1,
                              .images = b->images,
                              .labels = b->labels,
                              .labelled = SAMPLES};
    return STATUS_OK;
}

enum status bench_open(struct bench *b, const char *recipe)
{
    static const double mean = 0.5, deviation = 0.3;
    /* A rate at which nothing grows, however large a loss is. */
    static const char train[] = "{\"optimiser\":{\"name\":\"sgd\",\"rate\":1e-9,\"momentum\":0.9,\"nesterov\":true,"
                                "\"weight_decay\":1e-4},\"batch\":128}";
    struct value *settings;
    b->arena = arena_new(&b->ctx);
    b->kernels = kernel_context_new(&b->ctx, 1);
    b->memory = program_memory_new(&b->ctx);
    b->base = memory_new(&b->ctx, 3 * (size_t)STEP_PAIRS_MAX, sizeof *b->base);
    RETURN_IF(b->ctx.error.status);
    b->more = b->base + STEP_PAIRS_MAX;
    b->ratios = b->more + STEP_PAIRS_MAX;
    b->input = (struct network_input){1, SIDE, SIDE, CLASSES, &mean, &deviation};
    RETURN_IF(recipe_read(&b->ctx, b->arena, recipe, &b->recipe));
    RETURN_IF(json_parse(&b->ctx, b->arena, "train", train, strlen(train), &settings));
    RETURN_IF(train_settings_bind(&b->ctx, b->arena, settings, &b->settings));
    RETURN_IF(data_make(b));
    return network_make(b, "teacher.network", 2, &b->teacher);
}

void bench_close(struct bench *b)
{
    network_free(b->teacher);
    memory_free(&b->ctx, b->images);
    memory_free(&b->ctx, b->labels);
    memory_free(&b->ctx, b->samples);
    memory_free(&b->ctx, b->rows);
    memory_free(&b->ctx, b->base);
    program_memory_free(b->memory);
    kernel_context_free(b->kernels);
    arena_free(b->arena);
}

static enum status stepped_compile(struct bench *b, struct stepped *side, int count)
{
    const struct stage_graph_spec graph = {.stage = &side->stage,
                                           .split = &b->split,
                                           .images = ELEMENT_U8,
                                           .precision = ELEMENT_F32,
                                           .recordings = side->recordings,
                                           .n_recordings = count};
    side->built = stage_graph_new(&b->ctx, &graph);
    if (!side->built)
        return b->ctx.error.status;
    const struct program_spec program = {.loss = side->built->loss,
                                         .outputs = side->built->term_values,
                                         .n_outputs = side->stage.n_terms,
                                         .updates = true,
                                         .batch = BATCH,
                                         .precision = ELEMENT_F32};
    RETURN_IF(program_compile(side->built->graph, &program, b->kernels, b->memory, &side->program));
    side->learning = learning_new(&b->ctx, side->built, side->program, kernels_of(b->kernels, ELEMENT_F32));
    return b->ctx.error.status;
}

/* deepest_alone: a term of several pairs keeps the last one. */
static void deepest_alone(struct term *term)
{
    term->student_taps += term->n_student_taps - 1;
    term->teacher_taps += term->n_teacher_taps - 1;
    term->n_student_taps = term->n_teacher_taps = 1;
}

int stepped_pairs(const struct stepped *side)
{
    const struct term *term = &side->terms[side->stage.n_terms - 1];
    return term->method->wants & METHOD_PAIRWISE ? term->n_student_taps : 1;
}

enum status stepped_make(struct bench *b, struct stepped *side, const char *losses, bool deepest)
{
    struct value *list, *resolved;
    int layers[STEP_TAPS];
    RETURN_IF(network_make(b, "student.network", 1, &side->student));
    RETURN_IF(json_parse(&b->ctx, b->arena, "losses", losses, strlen(losses), &list));
    const struct learner teacher = {.name = b->teacher->name, .network = b->teacher};
    const struct losses_site site = {side->student, &teacher, 1};
    RETURN_IF(losses_bind(&b->ctx, b->arena, list, list, &site, &side->terms, &side->stage.n_terms, &resolved));
    if (deepest)
        deepest_alone(&side->terms[side->stage.n_terms - 1]);
    struct learner *learners = arena_take(b->arena, 2, sizeof *learners);
    if (!learners)
        return b->ctx.error.status;
    learners[0] = (struct learner){.name = "student",
                                   .network = side->student,
                                   .training = true,
                                   .learns = true,
                                   .optimiser = &b->settings.optimiser};
    learners[1] = teacher;
    side->stage = (struct stage){.name = "stage",
                                 .role = "distilled",
                                 .seed = 1,
                                 .n_learners = 2,
                                 .n_terms = side->stage.n_terms,
                                 .learners = learners,
                                 .terms = side->terms,
                                 .budget = b->settings.budget};
    const int count = stage_teacher_layers(&b->ctx, &side->stage, 1, layers, STEP_TAPS);
    struct split held = b->split;
    held.count = HELD;
    if (count < 0)
        return b->ctx.error.status;
    const struct recording_pass pass = {.network = b->teacher,
                                        .layers = layers,
                                        .count = count,
                                        .split = &held,
                                        .batch = BATCH,
                                        .precision = ELEMENT_F32};
    if (count > 0)
        RETURN_IF(recordings_make(&b->ctx, &pass, b->kernels, b->memory, side->recordings));
    return stepped_compile(b, side, count);
}

void stepped_free(struct stepped *side)
{
    learning_free(side->learning);
    program_free(side->program);
    stage_graph_free(side->built);
    network_free(side->student);
    for (int i = 0; i < STEP_TAPS; i++)
        recording_free(&side->recordings[i]);
}

static enum status stepped_step(struct bench *b, struct stepped *side, double *taken)
{
    const int64_t at = side->step % BATCHES * BATCH;
    const void *inputs[STAGE_INPUTS] = {b->images + at * SIDE * SIDE, b->labels + SAMPLES + at, b->samples + at,
                                        b->rows + at, NULL};
    const struct bindings bindings = {.inputs = inputs, .seed = 1, .step = (uint64_t)side->step};
    const double begin = work_seconds(1);
    RETURN_IF(program_run(side->program, &bindings, RUN_BACKWARD | RUN_COMMIT));
    learning_step(side->learning, side->step++, 1000000, SAMPLES / BATCH);
    *taken = work_seconds(1) - begin;
    const double loss = program_loss(side->program);
    return isfinite(loss) ? STATUS_OK : fail(&b->ctx, STATUS_NOT_FINITE, "methods: the loss is not finite");
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

size_t measure(struct bench *b, struct stepped *base, struct stepped *more, bool profile)
{
    const double begin = clock_seconds();
    size_t n = 0;
    for (int i = 0; i < WARM; i++)
        if (stepped_step(b, base, b->base) != STATUS_OK || stepped_step(b, more, b->more) != STATUS_OK)
            return 0;
    program_profile(more->program, profile);
    while (n < STEP_PAIRS_MAX && (n < PAIRS_MIN || clock_seconds() - begin < b->limit)) {
        if (stepped_step(b, base, &b->base[n]) != STATUS_OK || stepped_step(b, more, &b->more[n]) != STATUS_OK)
            return 0;
        b->ratios[n] = b->more[n] / b->base[n];
        n++;
    }
    qsort(b->base, n, sizeof *b->base, ascending);
    qsort(b->more, n, sizeof *b->more, ascending);
    qsort(b->ratios, n, sizeof *b->ratios, ascending);
    return n;
}
