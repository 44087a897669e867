/* What a method may be made of: a learnable part, a per-sample store, a random mask, inputs of four types, a number
 * that changes between steps. The methods here exist for this test alone. */
#include "support/compare.h"

#include "graph/program.h"
#include "knowledge/method.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 4, CLASSES = 3, SAMPLES = 9 };

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct parameters *own;
    struct store *store; /* the term's, made when the method asks for it */
    struct program *program;
    struct node *student, *teacher, *sample;
    double zs[BATCH * CLASSES], zt[BATCH * CLASSES];
    int32_t rows[BATCH];
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.rows = {4, 0, 8, 3}};
    context_init(&fixture.ctx);
    fixture.kernels = kernel_context_new(&fixture.ctx, 1);
    fixture.memory = program_memory_new(&fixture.ctx);
    fixture.graph = graph_new(&fixture.ctx);
    fixture.own = parameters_new(&fixture.ctx, ELEMENT_F64, 5);
    for (int i = 0; i < BATCH * CLASSES; i++) {
        fixture.zs[i] = sin(i);
        fixture.zt[i] = cos(3 * i);
    }
    *state = &fixture;
    return !fixture.kernels || !fixture.memory || !fixture.graph || !fixture.own;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    program_free(f->program);
    program_memory_free(f->memory);
    graph_free(f->graph);
    parameters_free(f->own);
    store_free(f->store);
    kernel_context_free(f->kernels);
    return 0;
}

static struct store *term_store(void *user, const char *name, int64_t rows, struct shape row)
{
    struct fixture *f = user;
    if (!f->store)
        f->store = store_new(&f->ctx, name, ELEMENT_F64, rows, row);
    return f->store;
}

/* Builds the method on logits [B,K] of both sides; `more` (or NULL) is read after each run too. */
static void compile(struct fixture *f, const struct method *method, const void *options, struct node **more)
{
    f->student = graph_input(f->graph, "student", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES));
    f->teacher = graph_input(f->graph, "teacher", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES));
    f->sample = graph_input(f->graph, "sample", ELEMENT_I32, SHAPE(SHAPE_BATCH));
    struct tap student = {.node = f->student, .layer = "logits"}, teacher = {.node = f->teacher, .layer = "logits"};
    struct method_site site = {.student = &student,
                               .teacher = &teacher,
                               .n_student = 1,
                               .n_teacher = 1,
                               .sample = f->sample,
                               .samples = SAMPLES,
                               .classes = CLASSES,
                               .own = f->own,
                               .store = term_store,
                               .store_user = f,
                               .term = "term"};
    struct node *loss = method_build(f->graph, method, &site, options);
    if (!loss)
        fail_msg("%s", f->ctx.error.message);
    struct node *outputs[] = {loss, more ? *more : loss};
    struct program_spec spec = {.loss = f->own->count ? loss : NULL,
                                .outputs = outputs,
                                .n_outputs = 2,
                                .updates = true,
                                .batch = BATCH,
                                .precision = ELEMENT_F64};
    if (program_compile(f->graph, &spec, f->kernels, f->memory, &f->program) != STATUS_OK)
        fail_msg("%s", f->ctx.error.message);
}

static double run(struct fixture *f, uint64_t seed, uint64_t step, unsigned flags)
{
    const void *inputs[] = {f->zs, f->zt, f->rows};
    struct bindings bindings = {inputs, seed, step};
    if (program_run(f->program, &bindings, flags) != STATUS_OK)
        fail_msg("%s", f->ctx.error.message);
    return program_scalar(f->program, 0);
}

static const struct method_input pair_inputs[] = {
    {"logits", ROLE_LOGITS, SIDE_STUDENT, 1, 1},
    {"logits", ROLE_LOGITS, SIDE_TEACHER, 1, 1},
};

/* --- a learnable part --- */

static struct node *connected_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct init normal = {INIT_NORMAL, 0.5};
    struct node *weight = graph_parameter(g, site->own, "connector.weight", SHAPE(CLASSES, CLASSES), normal, false);
    struct node *mapped = graph_linear(g, site->student[0].node, weight, NULL);
    return graph_mean_all(g, graph_square(g, graph_sub(g, mapped, site->teacher[0].node)));
}

static const struct method connected = {
    .name = "connected", .inputs = pair_inputs, .n_inputs = 2, .build = connected_build};

static void test_a_method_learns_a_part_of_its_own(void **state)
{
    struct fixture *f = *state;
    compile(f, &connected, NULL, NULL);
    assert_int_equal(f->own->count, 1);
    assert_string_equal(f->own->entries[0].name, "connector.weight");
    assert_true(program_reaches(f->program, f->own));

    double weight[CLASSES * CLASSES], gradient[CLASSES * CLASSES];
    double first = run(f, 1, 0, RUN_BACKWARD);
    memcpy(gradient, parameters_gradient(f->own, 0), sizeof gradient);
    parameters_get(f->own, 0, weight);
    for (int i = 0; i < CLASSES * CLASSES; i++) {
        double slope = 0, kept = weight[i];
        for (int side = 1; side >= -1; side -= 2) {
            weight[i] = kept + side * 1e-5;
            parameters_set(f->own, 0, weight);
            parameters_touch(f->own);
            slope += side * run(f, 1, 0, 0) / 2e-5;
        }
        weight[i] = kept;
        assert_true(fabs(slope - gradient[i]) < 1e-8);
        assert_true(fabs(gradient[i]) > 1e-6);
    }
    for (int step = 0; step < 400; step++) {
        parameters_set(f->own, 0, weight);
        parameters_touch(f->own);
        run(f, 1, (uint64_t)step, RUN_BACKWARD);
        const double *slopes = parameters_gradient(f->own, 0);
        for (int i = 0; i < CLASSES * CLASSES; i++)
            weight[i] -= 0.5 * slopes[i];
    }
    assert_true(run(f, 1, 0, 0) < 0.8 * first);
}

/* --- a store --- */

/* How far the logits moved since the sample was last seen; 0 for those never seen. */
static struct node *remembering_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *zs = site->student[0].node;
    struct store *store = site->store(site->store_user, "before", site->samples, SHAPE(site->classes));
    struct node *before = graph_store_read(g, store, site->sample);
    struct node *moved = graph_row_sum(g, graph_square(g, graph_sub(g, zs, before)));
    struct node *loss = graph_sum_all(g, graph_mul(g, moved, graph_store_valid(g, store, site->sample)));
    return graph_store_update(g, store, site->sample, zs) == STATUS_OK ? loss : NULL;
}

static const struct method remembering = {.name = "remembering",
                                          .wants = METHOD_WANTS_SAMPLE,
                                          .inputs = pair_inputs,
                                          .n_inputs = 2,
                                          .build = remembering_build};

static void test_a_method_remembers_each_sample(void **state)
{
    struct fixture *f = *state;
    compile(f, &remembering, NULL, NULL);
    assert_true(run(f, 1, 0, 0) == 0);
    assert_true(run(f, 1, 0, 0) == 0); /* nothing was committed */
    assert_true(run(f, 1, 0, RUN_COMMIT) == 0);
    for (int row = 0, valid = 0; row < SAMPLES; row++) {
        valid += f->store->valid[row];
        assert_int_equal(f->store->valid[row] != 0, row == 4 || row == 0 || row == 8 || row == 3);
        assert_true(valid <= BATCH);
    }
    assert_true(run(f, 1, 1, 0) == 0); /* seen, and not moved */
    double expected = 0;
    for (int i = 0; i < BATCH * CLASSES; i++)
        f->zs[i] += 0.1 * i;
    f->rows[1] = 7; /* never seen: does not count */
    for (int i = 0; i < BATCH * CLASSES; i++)
        expected += i / CLASSES == 1 ? 0 : 0.01 * i * i;
    assert_true(fabs(run(f, 1, 1, RUN_COMMIT) - expected) < 1e-12);
    assert_true(run(f, 1, 2, 0) == 0);
    assert_false(store_complete(f->store));
}

static void test_a_method_that_wants_samples_is_not_built_without(void **state)
{
    struct fixture *f = *state;
    struct tap tap = {.node = graph_input(f->graph, "logits", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES)),
                      .layer = "logits"};
    struct method_site site = {
        .student = &tap, .teacher = &tap, .n_student = 1, .n_teacher = 1, .classes = CLASSES, .own = f->own};
    assert_null(method_build(f->graph, &remembering, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message, "remembering wants the samples' indices"));
}

/* --- a random mask --- */

static struct node *mask_of_last_build; /* the test looks at it */

static struct node *masked_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *mask = graph_random(g, DISTRIBUTION_UNIFORM, SHAPE(SHAPE_BATCH, CLASSES), 77);
    mask_of_last_build = mask;
    struct node *error = graph_square(g, graph_sub(g, site->student[0].node, site->teacher[0].node));
    return graph_sum_all(g, graph_mul(g, mask, error));
}

static const struct method masked = {.name = "masked", .inputs = pair_inputs, .n_inputs = 2, .build = masked_build};

static double masked_loss(struct fixture *f, const double *mask)
{
    double loss = 0;
    for (int i = 0; i < BATCH * CLASSES; i++)
        loss += mask[i] * (f->zs[i] - f->zt[i]) * (f->zs[i] - f->zt[i]);
    return loss;
}

static void test_a_method_draws_a_mask_that_is_counted(void **state)
{
    struct fixture *f = *state;
    compile(f, &masked, NULL, &mask_of_last_build);
    double first = run(f, 1, 0, 0), mask[BATCH * CLASSES];
    memcpy(mask, program_output(f->program, 1), sizeof mask);
    for (int i = 0; i < BATCH * CLASSES; i++)
        assert_true(mask[i] >= 0 && mask[i] < 1 && (i == 0 || mask[i] != mask[i - 1]));
    assert_true(fabs(first - masked_loss(f, mask)) < 1e-12);
    double next = run(f, 1, 1, 0);
    assert_true(fabs(next - masked_loss(f, program_output(f->program, 1))) < 1e-12);
    assert_true(next != first && run(f, 2, 0, 0) != first);
    assert_true(run(f, 1, 0, 0) == first); /* whatever was run between */
}

/* --- four typed inputs --- */

static const struct method_input four_inputs[] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 1, 1},
    {"embedding", ROLE_EMBEDDING, SIDE_STUDENT, 1, 2},
    {"map before", ROLE_MAP_BEFORE_ACTIVATION, SIDE_TEACHER, 1, 1},
    {"logits", ROLE_LOGITS, SIDE_TEACHER, 1, 1},
};

static struct node *four_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *map = graph_mean_all(g, graph_mul(g, site->student[0].node, graph_relu(g, site->teacher[0].node)));
    struct node *vector = graph_mean_all(g, graph_mul(g, site->student[1].node, site->teacher[1].node));
    return graph_add(g, map, vector);
}

static const struct method four = {
    .name = "four", .inputs = four_inputs, .n_inputs = 4, .build = four_build, .batch_min = 2};

static void test_a_method_takes_inputs_of_four_types(void **state)
{
    struct fixture *f = *state;
    struct graph *g = f->graph;
    struct shape map = SHAPE(SHAPE_BATCH, 2, 1, 2), vector = SHAPE(SHAPE_BATCH, CLASSES);
    struct node *nodes[] = {graph_input(g, "a", ELEMENT_REAL, map), graph_input(g, "b", ELEMENT_REAL, vector),
                            graph_input(g, "c", ELEMENT_REAL, map), graph_input(g, "d", ELEMENT_REAL, vector)};
    struct tap student[] = {{.node = nodes[0], .layer = "conv1"}, {.node = nodes[1], .layer = "linear1"}},
               teacher[] = {{.node = nodes[2], .layer = "conv2"}, {.node = nodes[3], .layer = "linear2"}};
    struct method_site site = {
        .student = student, .teacher = teacher, .n_student = 2, .n_teacher = 2, .classes = CLASSES, .own = f->own};
    struct node *loss = method_build(g, &four, &site, NULL);
    assert_non_null(loss);
    struct program_spec spec = {.outputs = &loss, .n_outputs = 1, .batch = 1, .precision = ELEMENT_F64};
    assert_int_equal(program_compile(g, &spec, f->kernels, f->memory, &f->program), STATUS_OK);
    const double a[] = {1, 2, 3, 4}, b[] = {1, 2, 3}, c[] = {-1, 1, 2, -2}, d[] = {3, 0, 1};
    const void *inputs[] = {a, b, c, d};
    assert_int_equal(program_run(f->program, &(struct bindings){inputs, 0, 0}, 0), STATUS_OK);
    assert_true(fabs(program_scalar(f->program, 0) - ((2 + 6) / 4.0 + (3 + 3) / 3.0)) < 1e-12);

    struct tap turned[] = {student[1], student[0]};
    site.student = turned;
    assert_null(method_build(g, &four, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message, "its student's map, linear1: expected a map [B,H,W,C], found [B,3]"));
    error_clear(&f->ctx);
    site.student = student;
    site.n_student = 1;
    assert_null(method_build(g, &four, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message, "expected at least 2 taps of the student, found 1"));
    error_clear(&f->ctx);
    site.n_student = 2;
    teacher[1].node = graph_input(g, "e", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES + 1));
    assert_null(method_build(g, &four, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message,
                           "its teacher's logits, linear2: expected logits [B,K] with a column for each class"));
    error_clear(&f->ctx);
    student[0].node = graph_input(g, "f", ELEMENT_REAL, SHAPE(1, 2, 1, 2));
    assert_null(method_build(g, &four, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message, "expected a batch of at least 2, found [1,2,1,2]"));
}

/* --- a knob --- */

static struct node *scaled_build(struct graph *g, const struct method_site *site, const void *options)
{
    struct node *scale = graph_real(g, options);
    return graph_mul(g, scale, graph_sum_all(g, graph_square(g, site->student[0].node)));
}

static const struct method scaled = {.name = "scaled", .inputs = pair_inputs, .n_inputs = 2, .build = scaled_build};

static void test_a_number_changes_between_steps_without_compiling(void **state)
{
    struct fixture *f = *state;
    struct real course = {.value = 4, .to = 1, .over = 0.5, .course = REAL_LINEAR};
    compile(f, &scaled, &course, NULL);
    double squares = 0;
    for (int i = 0; i < BATCH * CLASSES; i++)
        squares += f->zs[i] * f->zs[i];
    const double expected[][2] = {{0, 4}, {0.25, 2.5}, {0.5, 1}, {1, 1}};
    uint64_t allocations = 0;
    for (int i = 0; i < 4; i++) {
        if (i == 1) /* the first run may still allocate */
            allocations = f->ctx.allocator.allocations;
        graph_knobs_follow(f->graph, (struct moment){.progress = expected[i][0]});
        assert_true(fabs(run(f, 1, (uint64_t)i, 0) - expected[i][1] * squares) < 1e-12);
    }
    assert_true(f->ctx.allocator.allocations == allocations);
}

/* --- a method's mistakes are told as such --- */

static struct node *silent_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)g, (void)site, (void)options;
    return NULL;
}

static struct node *wide_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    return graph_square(g, site->student[0].node);
}

static void test_a_method_that_builds_nothing_is_our_mistake(void **state)
{
    struct fixture *f = *state;
    const struct method silent = {.name = "silent", .inputs = pair_inputs, .n_inputs = 2, .build = silent_build};
    const struct method wide = {.name = "wide", .inputs = pair_inputs, .n_inputs = 2, .build = wide_build};
    struct tap tap = {.node = graph_input(f->graph, "logits", ELEMENT_REAL, SHAPE(SHAPE_BATCH, CLASSES)),
                      .layer = "logits"};
    struct method_site site = {
        .student = &tap, .teacher = &tap, .n_student = 1, .n_teacher = 1, .classes = CLASSES, .own = f->own};
    assert_null(method_build(f->graph, &silent, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message, "silent built nothing"));
    error_clear(&f->ctx);
    assert_null(method_build(f->graph, &wide, &site, NULL));
    assert_non_null(strstr(f->ctx.error.message, "wide built [B,3] instead of a scalar"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_method_learns_a_part_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_method_remembers_each_sample, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_method_that_wants_samples_is_not_built_without, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_method_draws_a_mask_that_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_method_takes_inputs_of_four_types, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_number_changes_between_steps_without_compiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_method_that_builds_nothing_is_our_mistake, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
