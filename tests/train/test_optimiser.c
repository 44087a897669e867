/* Optimisers through their table against plain loops in double, schedules against their formulas, and layers with factors of their
 * own. */
#include "format/json.h"
#include "support/compare.h"
#include "support/stage_case.h"
#include "train/learning.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void settings_bind(struct stage_case *c, const char *json, struct train_settings *out)
{
    struct value *section = NULL;
    assert_int_equal(json_parse(&c->ctx, c->arena, "test", json, strlen(json), &section), STATUS_OK);
    if (train_settings_bind(&c->ctx, c->arena, section, out) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
}

enum { COUNT = 37, STEPS = 5 };

/* start, slope: values and gradients that differ at each place and step. */
static double start(int i)
{
    return sin(1.0 + i);
}

static double slope(int i, int step)
{
    return cos(0.7 * i + step) * (1 + i % 3);
}

/* adamw: Loshchilov, Hutter 2019, algorithm 2, written down plainly. */
static void adamw(double values[COUNT], double rate, double beta1, double beta2, double epsilon, double decay,
                  double scale)
{
    double m[COUNT] = {0}, v[COUNT] = {0};
    for (int t = 1; t <= STEPS; t++)
        for (int i = 0; i < COUNT; i++) {
            double g = scale * slope(i, t);
            values[i] -= rate * decay * values[i];
            m[i] = beta1 * m[i] + (1 - beta1) * g;
            v[i] = beta2 * v[i] + (1 - beta2) * g * g;
            values[i] -= rate * (m[i] / (1 - pow(beta1, t))) / (sqrt(v[i] / (1 - pow(beta2, t))) + epsilon);
        }
}

/* taken: the same steps by the optimiser of these settings. */
static void taken(struct stage_case *c, const struct optimiser_settings *settings, enum element precision, double decay,
                  double scale, double values[COUNT])
{
    double x[COUNT], g[COUNT], slots[OPTIMISER_MAX_SLOTS][COUNT];
    memset(slots, 0, sizeof slots);
    for (int i = 0; i < COUNT; i++)
        element_write(precision, x, i, start(i));
    for (int t = 1; t <= STEPS; t++) {
        for (int i = 0; i < COUNT; i++)
            element_write(precision, g, i, slope(i, t));
        struct optimiser_step step = {.table = kernels_of(c->kernels, precision),
                                      .n = COUNT,
                                      .values = x,
                                      .gradients = g,
                                      .slots = {slots[0], slots[1]},
                                      .rate = *(const double *)settings->options,
                                      .gradient_scale = scale,
                                      .decay = decay,
                                      .step = t - 1};
        settings->type->step(&step, settings->options);
    }
    for (int i = 0; i < COUNT; i++)
        values[i] = element_read(precision, x, i);
}

static void adamw_is_its_formula(void **state)
{
    (void)state;
    struct stage_case c;
    struct train_settings settings;
    stage_case_new(&c);
    for (int p = 0; p < 2; p++) {
        double expected[COUNT], found[COUNT], spared[COUNT], tolerance = p ? 1e-13 : 2e-6;
        enum element precision = p ? ELEMENT_F64 : ELEMENT_F32;
        settings_bind(&c, "{\"optimiser\":{\"name\":\"adamw\"}}", &settings);
        for (int i = 0; i < COUNT; i++)
            expected[i] = start(i);
        adamw(expected, 1e-3, 0.9, 0.999, 1e-8, 0.01, 1); /* PyTorch's defaults */
        taken(&c, &settings.optimiser, precision, 1, 1, found);
        for (int i = 0; i < COUNT; i++)
            assert_true(fabs(found[i] - expected[i]) < tolerance);
        settings_bind(&c,
                      "{\"optimiser\":{\"name\":\"adamw\",\"rate\":0.05,\"beta1\":0.8,\"beta2\":0.95,\"epsilon\":1e-3,"
                      "\"weight_decay\":0.3}}",
                      &settings);
        for (int i = 0; i < COUNT; i++)
            expected[i] = start(i);
        adamw(expected, 0.05, 0.8, 0.95, 1e-3, 0.3 * 0.5, 0.25);
        taken(&c, &settings.optimiser, precision, 0.5, 0.25, found);
        taken(&c, &settings.optimiser, precision, 0, 0.25, spared);
        for (int i = 0; i < COUNT; i++) {
            assert_true(fabs(found[i] - expected[i]) < tolerance);
            assert_true(fabs(spared[i] - expected[i]) > 1e-4);
        }
    }
    stage_case_free(&c);
}

static double factor_at(struct stage_case *c, const char *schedule, int64_t step, int64_t steps, int64_t epoch_steps)
{
    struct train_settings settings;
    settings_bind(c, arena_format(c->arena, "{\"schedule\":%s}", schedule), &settings);
    struct schedule_point point = {step, steps, epoch_steps};
    return schedule_factor(settings.optimiser.schedule, &point, settings.optimiser.schedule_options);
}

static void schedules_are_their_formulas(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    const struct {
        const char *schedule;
        int64_t step; /* of 120, 10 an epoch */
        double expected;
    } cases[] = {
        {"{\"name\":\"step\",\"every\":3}", 0, 1},
        {"{\"name\":\"step\",\"every\":3}", 29, 1},
        {"{\"name\":\"step\",\"every\":3}", 30, 0.1},
        {"{\"name\":\"step\",\"every\":3}", 119, 1e-3},
        {"{\"name\":\"step\",\"every\":3,\"factor\":0.5}", 65, 0.25},
        {"{\"name\":\"step\",\"every\":0.5,\"factor\":0.5}", 14, 0.25},
        {"{\"name\":\"step\",\"every\":2,\"factor\":0.5,\"warmup\":1}", 4, 0.5},
        {"{\"name\":\"step\",\"every\":2,\"factor\":0.5,\"warmup\":1}", 29, 1},
        {"{\"name\":\"step\",\"every\":2,\"factor\":0.5,\"warmup\":1}", 30, 0.5},
        {"{\"name\":\"multi-step\",\"milestones\":[6,9]}", 59, 1},
        {"{\"name\":\"multi-step\",\"milestones\":[6,9]}", 60, 0.1},
        {"{\"name\":\"multi-step\",\"milestones\":[6,9]}", 89, 0.1},
        {"{\"name\":\"multi-step\",\"milestones\":[9,6]}", 90, 0.01},
        {"{\"name\":\"multi-step\",\"milestones\":6,\"factor\":0.5}", 119, 0.5},
        {"{\"name\":\"multi-step\",\"milestones\":[]}", 119, 1},
        {"{\"name\":\"multi-step\",\"milestones\":[1,1]}", 10, 0.01},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double found = factor_at(&c, cases[i].schedule, cases[i].step, 120, 10);
        if (!(fabs(found - cases[i].expected) < 1e-12))
            fail_msg("%s at step %lld: expected %g, found %g", cases[i].schedule, (long long)cases[i].step,
                     cases[i].expected, found);
    }
    stage_case_free(&c);
}

/* trained: the usual network after `steps` steps with these settings. */
static struct network *trained(struct stage_case *c, const char *train)
{
    struct network *network = stage_case_network(c, NULL, "student", 5);
    settings_bind(c, train, &c->settings);
    if (layer_groups_check(&c->ctx, &c->settings.optimiser.groups, network) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    struct stage stage = stage_case_alone(c, network, 5);
    struct loop_spec spec = stage_case_loop(c, &stage);
    struct loop_result result;
    if (loop_run(&c->ctx, &spec, &result) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return network;
}

static bool entry_same(const struct network *a, const struct network *b, const char *name)
{
    int index = parameters_find(a->parameters, name);
    assert_true(index >= 0);
    return memcmp(parameters_value(a->parameters, index), parameters_value(b->parameters, index),
                  (size_t)a->parameters->entries[index].elements * sizeof(float)) == 0;
}

#define USUAL "\"steps\":1,\"batch\":32,\"optimiser\":{\"name\":\"sgd\",\"rate\":0.05,\"weight_decay\":0.1}"

static void groups_have_factors_of_their_own(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    struct network *start_ = stage_case_network(&c, NULL, "student", 5), *plain = trained(&c, "{" USUAL "}");
    struct network *same = trained(&c, "{" USUAL ",\"groups\":[{\"layers\":[\"*\"]}],\"decay_norm_bias\":true}");
    assert_true(stage_case_same(plain, same));

    struct network *still = trained(
        &c, "{" USUAL ",\"groups\":[{\"layers\":[\"inn?r\",\"linear1\"],\"rate\":0},{\"layers\":\"*\",\"rate\":1}]}");
    assert_true(entry_same(still, start_, "inner.weight") && entry_same(still, start_, "linear1.bias"));
    assert_false(entry_same(plain, start_, "inner.weight") || entry_same(plain, start_, "linear1.bias"));
    assert_true(entry_same(still, plain, "conv1.weight") && entry_same(still, plain, "batch_norm1.weight"));

    /* One step from the start: w - rate * factor * (g + decay * w); the gradient is that of the usual run. */
    struct network *half = trained(
        &c,
        "{" USUAL
        ",\"groups\":[{\"layers\":[\"conv*\"],\"rate\":0.5,\"decay\":2},{\"layers\":[\"inner\"],\"decay\":false}]}");
    const struct {
        const char *name;
        double rate, decay;
    } cases[] = {{"conv1.weight", 0.5, 2}, {"inner.weight", 1, 0}, {"inner.bias", 1, 0}, {"linear1.weight", 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int index = parameters_find(plain->parameters, cases[i].name);
        const float *w = parameters_value(start_->parameters, index), *u = parameters_value(plain->parameters, index),
                    *f = parameters_value(half->parameters, index);
        for (int64_t k = 0; k < plain->parameters->entries[index].elements; k++) {
            double gradient = ((double)w[k] - (double)u[k]) / 0.05 - 0.1 * (double)w[k];
            double expected = (double)w[k] - 0.05 * cases[i].rate * (gradient + 0.1 * cases[i].decay * (double)w[k]);
            assert_true(fabs((double)f[k] - expected) < 1e-6);
        }
    }

    struct network *spared = trained(&c, "{" USUAL ",\"decay_norm_bias\":false}");
    assert_true(entry_same(spared, plain, "conv1.weight") && entry_same(spared, plain, "linear1.weight"));
    assert_false(entry_same(spared, plain, "batch_norm1.weight")); /* biases begin at 0 */
    struct network *all[] = {start_, plain, same, still, half, spared};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        network_free(all[i]);
    stage_case_free(&c);
}

static void a_pattern_that_fits_nothing(void **state)
{
    (void)state;
    struct stage_case c;
    struct train_settings settings;
    stage_case_new(&c);
    struct network *network = stage_case_network(&c, NULL, "student", 5);
    settings_bind(&c, "{\"groups\":[{\"layers\":[\"conv1\",\"iner\"]}]}", &settings);
    assert_int_equal(layer_groups_check(&c.ctx, &settings.optimiser.groups, network), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "fits \"iner\"; nearest: \"inner\""));
    error_clear(&c.ctx);
    settings_bind(&c, "{\"groups\":[{\"layers\":\"relu*\"}]}", &settings); /* a layer, but without parameters */
    assert_int_equal(layer_groups_check(&c.ctx, &settings.optimiser.groups, network), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "with parameters fits \"relu*\"; the first is \"conv1\""));
    error_clear(&c.ctx);
    network_free(network);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adamw_is_its_formula),
        cmocka_unit_test(schedules_are_their_formulas),
        cmocka_unit_test(groups_have_factors_of_their_own),
        cmocka_unit_test(a_pattern_that_fits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
