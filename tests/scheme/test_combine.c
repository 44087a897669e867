/* Logits of several as those of one: nodes in both precisions and numbers, against the definition written plainly. */
#include "graph/program.h"
#include "scheme/combine.h"
#include "support/compare.h"
#include "support/fault_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 5, MEMBERS = 3, WIDEST = 7, MOST = ROWS * WIDEST };

/* One way to be combined. */
struct sample {
    const char *name;
    enum combine how;
    int classes, n_members;
    struct member members[MEMBERS];
};

static const int turned[] = {3, 1, 0, 2};           /* each class once, in another order */
static const int merged[] = {2, 0, -1, 3, 0, 1, 2}; /* two outputs of one class, and one of none */
static const int lower[] = {0, 1, 2, -1}, upper[] = {3, 2}, none[] = {-1, -1};

static const struct sample samples[] = {
    {"one", COMBINE_MEAN_PROBABILITY, 4, 1, {{.weight = 2, .outputs = 4}}},
    {"one, turned", COMBINE_MEAN_PROBABILITY, 4, 1, {{.weight = 2, .outputs = 4, .classes = turned}}},
    {"one, merged", COMBINE_MEAN_LOGIT, 4, 1, {{.weight = 0.5, .outputs = 7, .classes = merged}}},
    {"mean probability",
     COMBINE_MEAN_PROBABILITY,
     4,
     3,
     {{.weight = 1, .outputs = 4}, {.weight = 2, .outputs = 4}, {.weight = 0.25, .outputs = 4}}},
    {"mean logit",
     COMBINE_MEAN_LOGIT,
     4,
     3,
     {{.weight = 1, .outputs = 4}, {.weight = 2, .outputs = 4}, {.weight = 0.25, .outputs = 4}}},
    {"mean probability of other outputs",
     COMBINE_MEAN_PROBABILITY,
     4,
     3,
     {{.weight = 3, .outputs = 4, .classes = turned},
      {.weight = 1, .outputs = 7, .classes = merged},
      {.weight = 1, .outputs = 4}}},
    {"mean logit of other outputs",
     COMBINE_MEAN_LOGIT,
     4,
     3,
     {{.weight = 3, .outputs = 4, .classes = turned},
      {.weight = 1, .outputs = 7, .classes = merged},
      {.weight = 1, .outputs = 4}}},
    {"parts",
     COMBINE_MEAN_PROBABILITY,
     4,
     2,
     {{.weight = 1, .outputs = 4, .classes = lower}, {.weight = 3, .outputs = 2, .classes = upper}}},
    {"parts and a whole",
     COMBINE_MEAN_LOGIT,
     4,
     3,
     {{.weight = 1, .outputs = 4},
      {.weight = 2, .outputs = 2, .classes = upper},
      {.weight = 1, .outputs = 7, .classes = merged}}},
    {"parts and nothing",
     COMBINE_MEAN_PROBABILITY,
     4,
     3,
     {{.weight = 1, .outputs = 4, .classes = lower},
      {.weight = 5, .outputs = 2, .classes = none},
      {.weight = 3, .outputs = 2, .classes = upper}}},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static struct ensemble ensemble_of(const struct sample *sample)
{
    return (struct ensemble){sample->how, sample->classes, sample->n_members, sample->members};
}

/* logits_make: [members][ROWS, outputs]: numbers that float holds exactly, of that size. */
static void logits_make(const struct sample *sample, double size, double logits[MEMBERS][MOST])
{
    for (int m = 0; m < sample->n_members; m++)
        for (int i = 0; i < ROWS * sample->members[m].outputs; i++)
            logits[m][i] = (double)(float)(size * sin(1.3 + 2.7 * i + 11 * m));
}

/* --- the definition --- */

/* plain_row: log-probabilities of one member, and whether it knows a class. Its own logits where it has no map. */
static void plain_row(const struct sample *sample, const struct member *member, const double *logits, double *values,
                      bool *knows)
{
    double all = 0;
    for (int o = 0; o < member->outputs; o++)
        all += !member->classes || member->classes[o] >= 0 ? exp(logits[o]) : 0;
    for (int k = 0; k < sample->classes; k++) {
        double own = 0;
        knows[k] = false;
        for (int o = 0; o < member->outputs; o++)
            if ((member->classes ? member->classes[o] : o) == k) {
                own += exp(logits[o]);
                knows[k] = true;
            }
        values[k] = knows[k] ? log(own / all) : 0;
    }
}

static void plain_parts(const struct sample *sample, double values[MEMBERS][WIDEST], bool knows[MEMBERS][WIDEST],
                        double *out)
{
    for (int m = 0; m < sample->n_members; m++) {
        double mean = 0, count = 0;
        for (int k = 0; k < sample->classes; k++) {
            mean += knows[m][k] ? values[m][k] : 0;
            count += knows[m][k];
        }
        for (int k = 0; k < sample->classes; k++)
            values[m][k] -= count > 0 ? mean / count : 0;
    }
    for (int k = 0; k < sample->classes; k++) {
        double sum = 0, weights = 0;
        for (int m = 0; m < sample->n_members; m++) {
            sum += knows[m][k] ? sample->members[m].weight * values[m][k] : 0;
            weights += knows[m][k] ? sample->members[m].weight : 0;
        }
        out[k] = sum / weights;
    }
}

static void plain(const struct sample *sample, double logits[MEMBERS][MOST], double *out)
{
    for (int b = 0; b < ROWS; b++, out += sample->classes) {
        double values[MEMBERS][WIDEST], weights = 0;
        bool knows[MEMBERS][WIDEST], whole = true;
        for (int m = 0; m < sample->n_members; m++) {
            const struct member *member = &sample->members[m];
            plain_row(sample, member, logits[m] + b * member->outputs, values[m], knows[m]);
            weights += member->weight;
            for (int k = 0; k < sample->classes; k++)
                whole = whole && knows[m][k];
        }
        if (!whole) {
            plain_parts(sample, values, knows, out);
            continue;
        }
        for (int k = 0; k < sample->classes; k++) {
            double logit = 0, probability = 0;
            for (int m = 0; m < sample->n_members; m++) {
                const struct member *member = &sample->members[m];
                const double part = member->weight / weights;
                logit += part * (member->classes ? values[m][k] : logits[m][b * member->outputs + k]);
                probability += part * exp(values[m][k]);
            }
            out[k] = sample->how == COMBINE_MEAN_LOGIT || sample->n_members == 1 ? logit : log(probability);
        }
    }
}

/* --- what is examined --- */

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct graph *graph;
    struct program *program;
};

static void fixture_new(struct fixture *f)
{
    *f = (struct fixture){0};
    counted_context(&f->ctx);
    f->kernels = kernel_context_new(&f->ctx, 1);
    f->memory = program_memory_new(&f->ctx);
    f->graph = graph_new(&f->ctx);
    assert_non_null(f->kernels);
    assert_non_null(f->memory);
    assert_non_null(f->graph);
}

static void fixture_free(struct fixture *f)
{
    program_free(f->program);
    graph_free(f->graph);
    program_memory_free(f->memory);
    kernel_context_free(f->kernels);
}

/* by_nodes: out [ROWS, classes] by a program of that precision. */
static void by_nodes(const struct sample *sample, double logits[MEMBERS][MOST], enum element element, double *out)
{
    static unsigned char bytes[MEMBERS][MOST * sizeof(double)];
    static const char *const names[MEMBERS] = {"a", "b", "c"};
    struct fixture f;
    const struct ensemble ensemble = ensemble_of(sample);
    struct node *inputs[MEMBERS];
    const void *pointers[MEMBERS];
    fixture_new(&f);
    for (int m = 0; m < sample->n_members; m++) {
        const int outputs = sample->members[m].outputs;
        inputs[m] = graph_input(f.graph, names[m], ELEMENT_REAL, SHAPE(SHAPE_BATCH, outputs));
        for (int i = 0; i < ROWS * outputs; i++)
            element_write(element, bytes[m], i, logits[m][i]);
        pointers[m] = bytes[m];
    }
    struct node *combined = combine_nodes(f.graph, &ensemble, inputs);
    combined = graph_add(f.graph, combined, graph_scalar(f.graph, 0)); /* an input itself has no place in a program */
    const struct shape expected = SHAPE(SHAPE_BATCH, sample->classes);
    const struct program_spec spec = {.outputs = &combined, .n_outputs = 1, .batch = ROWS, .precision = element};
    if (!combined || program_compile(f.graph, &spec, f.kernels, f.memory, &f.program) != STATUS_OK ||
        program_run(f.program, &(struct bindings){.inputs = pointers}, 0) != STATUS_OK)
        fail_msg("%s: %s", sample->name, f.ctx.error.message);
    assert_true(shape_equal(&combined->spec.shape, &expected));
    for (int i = 0; i < ROWS * sample->classes; i++)
        out[i] = element_read(element, program_output(f.program, 0), i);
    fixture_free(&f);
}

static void by_rows(const struct sample *sample, double logits[MEMBERS][MOST], double *out)
{
    struct context ctx;
    const struct ensemble ensemble = ensemble_of(sample);
    const double *pointers[MEMBERS] = {logits[0], logits[1], logits[2]};
    const int before = counted_blocks();
    counted_context(&ctx);
    assert_int_equal(combine_rows(&ctx, &ensemble, pointers, ROWS, out), STATUS_OK);
    assert_int_equal(counted_blocks(), before);
}

static void test_numbers_and_nodes_are_what_the_definition_says(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        double logits[MEMBERS][MOST], expected[MOST], found[MOST];
        const int n = ROWS * samples[s].classes;
        logits_make(&samples[s], 3, logits);
        plain(&samples[s], logits, expected);
        by_rows(&samples[s], logits, found);
        assert_int_equal(compare_numbers(stderr, samples[s].name, n, expected, found, 1e-14, 1), 0);
        by_nodes(&samples[s], logits, ELEMENT_F64, found);
        assert_int_equal(compare_numbers(stderr, samples[s].name, n, expected, found, 1e-13, 1), 0);
        by_nodes(&samples[s], logits, ELEMENT_F32, found);
        assert_int_equal(compare_numbers(stderr, samples[s].name, n, expected, found, 2e-6, 1), 0);
    }
}

/* Only how large weights are beside each other matters. */
static void test_weights_are_shares(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        struct sample larger = samples[s];
        double logits[MEMBERS][MOST], expected[MOST], found[MOST];
        for (int m = 0; m < larger.n_members; m++)
            larger.members[m].weight *= 64;
        logits_make(&larger, 3, logits);
        by_nodes(&samples[s], logits, ELEMENT_F64, expected);
        by_nodes(&larger, logits, ELEMENT_F64, found);
        assert_int_equal(compare_numbers(stderr, larger.name, ROWS * larger.classes, expected, found, 1e-14, 1), 0);
        by_rows(&larger, logits, found);
        assert_int_equal(compare_numbers(stderr, larger.name, ROWS * larger.classes, expected, found, 1e-13, 1), 0);
    }
}

/* A class that gets no probability at all has a finite logit; to whoever sees all classes, the likeliest stays the likeliest. */
static void test_saturated_logits_stay_finite(void **state)
{
    (void)state;
    static const double sizes[] = {100, 1e4, 1e12};
    for (int s = 0; s < SAMPLES; s++)
        for (int size = 0; size < 3; size++) {
            double logits[MEMBERS][MOST], found[3][MOST];
            const int classes = samples[s].classes;
            const bool whole = samples[s].members[1].classes != upper && samples[s].members[1].classes != none;
            logits_make(&samples[s], sizes[size], logits);
            by_rows(&samples[s], logits, found[0]);
            by_nodes(&samples[s], logits, ELEMENT_F64, found[1]);
            by_nodes(&samples[s], logits, ELEMENT_F32, found[2]);
            for (int b = 0; b < ROWS; b++)
                for (int i = 0; i < 3; i++) {
                    const double *row = found[i] + b * classes, *rows = found[0] + b * classes;
                    int best = 0;
                    for (int k = 0; k < classes; k++) {
                        best = row[k] > row[best] ? k : best;
                        if (!isfinite(row[k]))
                            fail_msg("%s, %g: class %d is %g", samples[s].name, sizes[size], k, row[k]);
                    }
                    for (int k = 0; k < classes && whole && samples[s].how == COMBINE_MEAN_PROBABILITY; k++)
                        assert_true(rows[k] <= rows[best] + 1e-6 * fabs(rows[best]));
                }
        }
}

/* --- gradients --- */

/* weigh: of element i of the result, for a loss whose gradients all differ. */
static double weigh(int i)
{
    return sin(1.0 + 2.0 * i);
}

static double plain_loss(const struct sample *sample, double logits[MEMBERS][MOST])
{
    double out[MOST], loss = 0;
    plain(sample, logits, out);
    for (int i = 0; i < ROWS * sample->classes; i++)
        loss += weigh(i) * out[i];
    return loss;
}

/* gradients_check: with regard to the logits of each member; `given`: one whose logits do not learn, -1: none. */
static void gradients_check(const struct sample *sample, int given)
{
    static const char *const names[MEMBERS] = {"a", "b", "c"};
    double logits[MEMBERS][MOST], weights[MOST], slopes[MOST];
    const struct ensemble ensemble = ensemble_of(sample);
    struct fixture f;
    struct node *nodes[MEMBERS];
    fixture_new(&f);
    struct parameters *own = parameters_new(&f.ctx, ELEMENT_F64, 3);
    assert_non_null(own);
    logits_make(sample, 2, logits);
    for (int m = 0; m < sample->n_members; m++)
        nodes[m] = graph_parameter(f.graph, own, names[m], SHAPE(ROWS, sample->members[m].outputs),
                                   (struct init){INIT_ZERO, 0}, m == given);
    for (int m = 0; m < sample->n_members; m++)
        parameters_set(own, m, logits[m]);
    for (int i = 0; i < ROWS * sample->classes; i++)
        weights[i] = weigh(i);
    struct node *by = graph_constant(f.graph, SHAPE(ROWS, sample->classes), weights);
    const struct program_spec spec = {
        .loss = graph_sum_all(f.graph, graph_mul(f.graph, combine_nodes(f.graph, &ensemble, nodes), by)),
        .batch = ROWS,
        .precision = ELEMENT_F64};
    if (!spec.loss || program_compile(f.graph, &spec, f.kernels, f.memory, &f.program) != STATUS_OK ||
        program_run(f.program, &(struct bindings){.inputs = NULL}, RUN_BACKWARD) != STATUS_OK)
        fail_msg("%s: %s", sample->name, f.ctx.error.message);
    assert_true(fabs(program_loss(f.program) - plain_loss(sample, logits)) < 1e-12);
    for (int m = 0; m < sample->n_members; m++) {
        const int n = ROWS * sample->members[m].outputs;
        double largest = 0;
        assert_int_equal(program_reaches_entry(f.program, own, m), m != given);
        for (int i = 0; i < n && m != given; i++) {
            const double kept = logits[m][i], step = 1e-4;
            double wide = 0, narrow = 0; /* differences of fourth order */
            for (int side = -1; side <= 1; side += 2) {
                logits[m][i] = kept + side * step;
                narrow += side * plain_loss(sample, logits);
                logits[m][i] = kept + 2 * side * step;
                wide += side * plain_loss(sample, logits);
            }
            logits[m][i] = kept;
            slopes[i] = (8 * narrow - wide) / (12 * step);
            largest = fmax(largest, fabs(slopes[i]));
        }
        if (m != given) {
            const double *found = parameters_gradient(own, m);
            assert_int_equal(compare_numbers(stderr, sample->name, n, slopes, found, 1e-9, 1), 0);
            assert_true(sample->members[m].classes == none || largest > 0.01);
        }
    }
    fixture_free(&f);
    parameters_free(own);
}

static void test_gradients_go_to_members_that_learn(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++)
        for (int given = -1; given < samples[s].n_members; given++)
            if (given < 0 || samples[s].n_members > 1)
                gradients_check(&samples[s], given);
}

/* --- what is missing --- */

static void test_a_class_that_nobody_knows(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        const struct ensemble ensemble = ensemble_of(&samples[s]);
        assert_int_equal(combine_class_missing(&ensemble), -1);
    }
    struct member members[] = {{.weight = 1, .outputs = 4, .classes = lower},
                               {.weight = 1, .outputs = 2, .classes = none}};
    struct ensemble ensemble = {COMBINE_MEAN_PROBABILITY, 4, 2, members};
    assert_int_equal(combine_class_missing(&ensemble), 3);
    members[1].classes = upper;
    assert_int_equal(combine_class_missing(&ensemble), -1);
    ensemble.n_members = 1;
    ensemble.members = members + 1;
    assert_int_equal(combine_class_missing(&ensemble), 0);
}

static void test_nothing_comes_of_nothing(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        struct fixture f;
        const struct ensemble ensemble = ensemble_of(&samples[s]);
        struct node *nodes[MEMBERS] = {NULL};
        fixture_new(&f);
        for (int m = 0; m + 1 < samples[s].n_members; m++)
            nodes[m] = graph_input(f.graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, samples[s].members[m].outputs));
        assert_null(combine_nodes(f.graph, &ensemble, nodes)); /* the last is NULL */
        assert_int_equal(f.ctx.error.status, STATUS_OK);
        fixture_free(&f);
    }
}

static enum status nodes_work(struct context *ctx, void *user)
{
    const struct sample *sample = user;
    const struct ensemble ensemble = ensemble_of(sample);
    struct node *nodes[MEMBERS] = {NULL};
    struct graph *graph = graph_new(ctx);
    for (int m = 0; graph && m < sample->n_members; m++)
        nodes[m] = graph_input(graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, sample->members[m].outputs));
    struct node *combined = graph ? combine_nodes(graph, &ensemble, nodes) : NULL;
    assert_true(combined || ctx->error.status != STATUS_OK);
    graph_free(graph);
    return ctx->error.status;
}

static enum status rows_work(struct context *ctx, void *user)
{
    const struct sample *sample = user;
    const struct ensemble ensemble = ensemble_of(sample);
    double logits[MEMBERS][MOST], out[MOST];
    const double *pointers[MEMBERS] = {logits[0], logits[1], logits[2]};
    logits_make(sample, 1, logits);
    return combine_rows(ctx, &ensemble, pointers, ROWS, out);
}

static void test_lacking_memory(void **state)
{
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        struct sample sample = samples[s];
        assert_true(fault_loop(nodes_work, &sample) >= 1);
        assert_true(fault_loop(rows_work, &sample) >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_and_nodes_are_what_the_definition_says),
        cmocka_unit_test(test_weights_are_shares),
        cmocka_unit_test(test_saturated_logits_stay_finite),
        cmocka_unit_test(test_gradients_go_to_members_that_learn),
        cmocka_unit_test(test_a_class_that_nobody_knows),
        cmocka_unit_test(test_nothing_comes_of_nothing),
        cmocka_unit_test(test_lacking_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
