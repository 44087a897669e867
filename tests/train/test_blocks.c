/* A stage in which a block of the student learns on the teacher's activation: it computes what a network of that block alone would, and
 * changes nothing else. */
#include "format/json.h"
#include "support/stage_case.h"
#include "train/stage_graph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 32, HALF = STAGE_CASE_SIDE / 2, WIDTH = 6, MAP = BATCH * HALF * HALF * WIDTH };

/* The usual network's middle, from `max_pool1` to `add1`, as a network; logits are not looked at. */
static const char middle[] =
    "{\"layers\":[{\"conv\":{\"out\":6,\"kernel\":3,\"padding\":1},\"name\":\"inner\",\"inputs\":[\"input\"]},"
    "{\"batch_norm\":{},\"name\":\"batch_norm2\"},\"relu\",{\"add\":{},\"inputs\":[\"input\",\"relu1\"],\"name\":"
    "\"sum\"},"
    "\"flatten\",{\"linear\":{\"out\":4}}],\"input\":{\"standardise\":\"none\"}}";

static const char *const first_layer[] = {"max_pool1"}, *const second_layer[] = {"add1"};
static const struct learner_block blocks[] = {
    {.to = "max_pool1"}, {"max_pool1", 1, "max_pool1", "add1"}, {.from = "add1", .teacher = 1, .given = "add1"}};

/* Student and teacher of a stage that teaches one block. */
struct fixture {
    struct stage_case c;
    struct network *student, *twin, *teacher;
    struct learner learners[2];
    struct term term;
    struct stage stage;
};

static void fixture_new(struct fixture *f, int block)
{
    stage_case_new(&f->c);
    f->student = stage_case_network(&f->c, NULL, "student", 1);
    f->twin = stage_case_network(&f->c, NULL, "twin", 1);
    f->teacher = stage_case_network(&f->c, NULL, "teacher", 2);
    f->learners[0] = (struct learner){.name = "student",
                                      .network = f->student,
                                      .training = true,
                                      .learns = true,
                                      .block = &blocks[block],
                                      .optimiser = &f->c.settings.optimiser};
    f->learners[1] = (struct learner){.name = "teacher", .network = f->teacher};
    f->term = stage_case_term(&f->c, block < 2 ? "fitnet" : "labels", NULL, 0, block < 2 ? 1 : -1, 1);
    f->term.student_taps = f->term.teacher_taps = block == 0 ? first_layer : second_layer;
    f->term.n_student_taps = f->term.n_teacher_taps = block < 2;
    f->stage = (struct stage){.name = "block-0",
                              .role = "block",
                              .seed = 4,
                              .n_learners = 2,
                              .n_terms = 1,
                              .learners = f->learners,
                              .terms = &f->term,
                              .budget = f->c.settings.budget};
}

static void fixture_free(struct fixture *f)
{
    network_free(f->student);
    network_free(f->twin);
    network_free(f->teacher);
    stage_case_free(&f->c);
}

static struct program *compiled(struct fixture *f, struct graph *graph, const struct program_spec *spec)
{
    struct program *program = NULL;
    if (program_compile(graph, spec, f->c.kernels, f->c.memory, &program) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
    return program;
}

/* teacher_maps: at both ends of the middle block, of the first samples. */
static void teacher_maps(struct fixture *f, float *first, float *second)
{
    struct instance instance;
    struct graph *graph = graph_new(&f->c.ctx);
    struct node *images =
        graph_input(graph, "images", ELEMENT_U8, SHAPE(SHAPE_BATCH, STAGE_CASE_SIDE, STAGE_CASE_SIDE, 1));
    const struct instance_mode mode = {.frozen = true};
    assert_int_equal(network_instantiate(graph, f->teacher, images, mode, &instance), STATUS_OK);
    struct node *outputs[] = {instance.layers[network_layer(f->teacher, "max_pool1", NULL)],
                              instance.layers[network_layer(f->teacher, "add1", NULL)]};
    struct program *program = compiled(
        f, graph, &(struct program_spec){.outputs = outputs, .n_outputs = 2, .batch = BATCH, .precision = ELEMENT_F32});
    const void *inputs[] = {f->c.images};
    assert_int_equal(program_run(program, &(struct bindings){inputs, 4, 0}, 0), STATUS_OK);
    memcpy(first, program_output(program, 0), MAP * sizeof(float));
    memcpy(second, program_output(program, 1), MAP * sizeof(float));
    program_free(program);
    graph_free(graph);
}

static struct network *middle_network(struct fixture *f)
{
    struct network *network = NULL;
    struct value *value = NULL;
    const struct network_input input = {
        .channels = WIDTH, .height = HALF, .width = HALF, .classes = STAGE_CASE_CLASSES};
    assert_int_equal(json_parse(&f->c.ctx, f->c.arena, "test", middle, strlen(middle), &value), STATUS_OK);
    if (network_build(&f->c.ctx, value, "middle", &input, ELEMENT_F32, 9, &network) != STATUS_OK)
        fail_msg("%s", f->c.ctx.error.message);
    for (int i = 0; i < network->parameters->count; i++) {
        const struct parameter *entry = &network->parameters->entries[i];
        const int from = parameters_find(f->student->parameters, entry->name);
        if (strncmp(entry->name, "linear", 6) != 0)
            memcpy(parameters_value(network->parameters, i), parameters_value(f->student->parameters, from),
                   (size_t)entry->elements * sizeof(float));
    }
    parameters_touch(network->parameters);
    return network;
}

/* middle_run: the network of the block alone, fed the teacher's first map: the loss to its second one, and the gradients. */
static double middle_run(struct fixture *f, struct network *network)
{
    float first[MAP], second[MAP];
    struct instance instance;
    struct graph *graph = graph_new(&f->c.ctx);
    teacher_maps(f, first, second);
    const struct shape shape = SHAPE(SHAPE_BATCH, HALF, HALF, WIDTH);
    struct node *input = graph_input(graph, "images", ELEMENT_REAL, shape),
                *target = graph_input(graph, "target", ELEMENT_REAL, shape);
    const struct instance_mode mode = {.training = true};
    assert_int_equal(network_instantiate(graph, network, input, mode, &instance), STATUS_OK);
    struct node *sum = instance.layers[network_layer(network, "sum", NULL)];
    struct node *loss = graph_mean_all(graph, graph_square(graph, graph_sub(graph, sum, target)));
    struct program *program = compiled(
        f, graph, &(struct program_spec){.loss = loss, .updates = true, .batch = BATCH, .precision = ELEMENT_F32});
    const void *inputs[] = {first, second};
    assert_int_equal(program_run(program, &(struct bindings){inputs, 4, 0}, RUN_BACKWARD | RUN_COMMIT), STATUS_OK);
    const double value = program_loss(program);
    program_free(program);
    graph_free(graph);
    return value;
}

static void same_gradients(const struct parameters *block, const struct parameters *alone)
{
    int compared = 0;
    for (int i = 0; i < alone->count; i++) {
        const struct parameter *entry = &alone->entries[i];
        const int at = parameters_find(block, entry->name);
        if (strncmp(entry->name, "linear", 6) == 0)
            continue;
        const float *a = entry->state ? parameters_value(alone, i) : (const float *)alone->gradients + entry->offset;
        const float *b =
            entry->state ? parameters_value(block, at) : (const float *)block->gradients + block->entries[at].offset;
        double size = 0;
        for (int64_t k = 0; k < entry->elements; k++) {
            size += fabs((double)a[k]);
            assert_true(fabs((double)a[k] - (double)b[k]) < 1e-5 * (1e-2 + fabs((double)a[k])));
        }
        assert_true(size > 0 || strcmp(entry->name, "inner.bias") == 0); /* which the norm behind it takes away */
        compared++;
    }
    assert_int_equal(compared, 6);
}

static void test_a_block_is_a_network_on_the_teachers_activation(void **state)
{
    struct fixture f;
    (void)state;
    fixture_new(&f, 1);
    struct network *alone = middle_network(&f);
    const double expected = middle_run(&f, alone);
    const struct stage_graph_spec spec = {
        .stage = &f.stage, .split = &f.c.data.splits[SPLIT_TRAIN], .images = ELEMENT_U8, .precision = ELEMENT_F32};
    assert_int_equal(stage_check(&f.c.ctx, &f.stage), STATUS_OK);
    struct stage_graph *built = stage_graph_new(&f.c.ctx, &spec);
    if (!built)
        fail_msg("%s", f.c.ctx.error.message);
    assert_int_equal(built->own[0].parameters->count, 0); /* equal shapes: no connector */
    struct program *program = compiled(
        &f, built->graph,
        &(struct program_spec){.loss = built->loss, .updates = true, .batch = BATCH, .precision = ELEMENT_F32});
    int32_t samples[BATCH];
    for (int i = 0; i < BATCH; i++)
        samples[i] = i;
    const void *inputs[STAGE_INPUTS] = {f.c.images, f.c.labels, samples, samples, NULL};
    assert_int_equal(program_run(program, &(struct bindings){inputs, 4, 0}, RUN_BACKWARD | RUN_COMMIT), STATUS_OK);
    assert_true(expected > 1e-3 && fabs(program_loss(program) - expected) < 1e-6 * expected);
    same_gradients(f.student->parameters, alone->parameters);
    const struct parameters *parameters = f.student->parameters;
    for (int i = 0; i < parameters->count; i++) {
        const char *name = parameters->entries[i].name;
        const bool inside = strncmp(name, "inner.", 6) == 0 || strncmp(name, "batch_norm2.", 12) == 0;
        assert_true(parameters->entries[i].state || program_reaches_entry(program, parameters, i) == inside);
    }
    assert_false(program_reaches(program, f.teacher->parameters));
    program_free(program);
    stage_graph_free(built);
    network_free(alone);
    fixture_free(&f);
}

/* Each value and each running statistic of the student is moved by one block alone, with a weight decay that would move all. */
static void test_a_block_leaves_the_rest_as_it_is(void **state)
{
    enum { ENTRIES_MOST = 16 };
    int moved[ENTRIES_MOST] = {0}, count = 0;
    (void)state;
    for (int block = 0; block < 3; block++) {
        struct fixture f;
        struct value *train = NULL;
        struct loop_result result;
        static const char text[] = "{\"batch\":32,\"epochs\":2,\"optimiser\":{\"name\":\"sgd\","
                                   "\"rate\":0.05,\"weight_decay\":0.1}}";
        fixture_new(&f, block);
        assert_int_equal(json_parse(&f.c.ctx, f.c.arena, "test", text, strlen(text), &train), STATUS_OK);
        assert_int_equal(train_settings_bind(&f.c.ctx, f.c.arena, train, &f.c.settings), STATUS_OK);
        f.c.data.splits[SPLIT_VALIDATION] = f.c.data.splits[SPLIT_TRAIN];
        struct loop_spec spec = stage_case_loop(&f.c, &f.stage);
        if (loop_run(&f.c.ctx, &spec, &result) != STATUS_OK)
            fail_msg("%s", f.c.ctx.error.message);
        assert_int_equal(result.validation.samples, 0); /* the rest has learnt nothing */
        const struct parameters *parameters = f.student->parameters;
        count = parameters->count;
        assert_true(count <= ENTRIES_MOST);
        for (int i = 0; i < count; i++)
            moved[i] += memcmp(parameters_value(parameters, i), parameters_value(f.twin->parameters, i),
                               (size_t)parameters->entries[i].elements * sizeof(float)) != 0;
        fixture_free(&f);
    }
    for (int i = 0; i < count; i++)
        assert_int_equal(moved[i], 1);
}

static void expect_refused(struct fixture *f, const char *message)
{
    struct loop_result result;
    struct loop_spec spec = stage_case_loop(&f->c, &f->stage);
    assert_true(loop_run(&f->c.ctx, &spec, &result) != STATUS_OK);
    if (!strstr(f->c.ctx.error.message, message))
        fail_msg("expected \"%s\" in: %s", message, f->c.ctx.error.message);
    error_clear(&f->c.ctx);
    assert_true(stage_case_same(f->student, f->twin));
    fixture_free(f);
}

static void test_a_block_that_cannot_be_is_told(void **state)
{
    static const char *const outside[] = {"relu1"};
    static const struct learner_block wrong[] = {
        {"max_pool1", 1, "max_pool9", "add1"}, {"max_pool1", 0, "max_pool1", "add1"},
        {"max_pool1", 1, "relu1", "add1"},     {"inner", 1, "inner", "add1"},
        {"max_pool9", 1, "max_pool1", "add1"}, {"max_pool1", 1, "max_pool1", "add9"}};
    static const char *const messages[] = {
        "max_pool9", "from another network", "values of layer max_pool1", "add1 reads max_pool1", "max_pool9", "add9"};
    struct fixture f;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        fixture_new(&f, 1);
        f.learners[0].block = &wrong[i];
        expect_refused(&f, messages[i]);
    }
    fixture_new(&f, 1);
    f.term.student_taps = outside;
    expect_refused(&f, "a layer of the block of student");
    fixture_new(&f, 1);
    f.learners[1].network = NULL;
    expect_refused(&f, "from another network");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_block_is_a_network_on_the_teachers_activation),
        cmocka_unit_test(test_a_block_leaves_the_rest_as_it_is),
        cmocka_unit_test(test_a_block_that_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
