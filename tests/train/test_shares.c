/* Shares of the terms' gradients: against gradients taken by hand, and weights that are found so that shares hold. */
#include "support/stage_case.h"

#include "train/shares.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { TERMS = 3 };

struct fixture {
    struct stage_case c;
    struct network *student, *teacher;
    struct learner learners[2];
    struct term terms[TERMS];
    struct stage stage;
    struct stage_graph *built;
    struct shares *shares;
    struct bindings bindings;
    const void *inputs[STAGE_INPUTS];
    int32_t indices[32];
};

static struct fixture fixture;

static struct fixture *open_with(double weight, double second, double third)
{
    struct fixture *f = &fixture;
    stage_case_new(&f->c);
    f->student = stage_case_network(&f->c, NULL, "student", 1);
    f->teacher = stage_case_network(&f->c, NULL, "teacher", 2);
    f->learners[0] = (struct learner){.name = "student",
                                      .network = f->student,
                                      .training = true,
                                      .learns = true,
                                      .optimiser = &f->c.settings.optimiser};
    f->learners[1] = (struct learner){.name = "teacher", .network = f->teacher};
    f->terms[0] = stage_case_term(&f->c, "labels", NULL, 0, -1, weight);
    f->terms[1] = stage_case_term(&f->c, "kd", NULL, 0, 1, 1);
    f->terms[2] = stage_case_term(&f->c, "logits-mse", NULL, 0, 1, 1);
    f->terms[0].share = weight > 0 ? 0 : 0.25;
    f->terms[1].share = second;
    f->terms[2].share = third;
    f->stage = (struct stage){.name = "stage",
                              .role = "distilled",
                              .n_learners = 2,
                              .n_terms = TERMS,
                              .learners = f->learners,
                              .terms = f->terms,
                              .budget = f->c.settings.budget};
    struct stage_graph_spec spec = {
        .stage = &f->stage, .split = &f->c.data.splits[SPLIT_TRAIN], .images = ELEMENT_U8, .precision = ELEMENT_F32};
    f->built = stage_graph_new(&f->c.ctx, &spec);
    f->shares = shares_new(&f->c.ctx, f->built, f->c.kernels, f->c.memory);
    assert_true(f->built && f->shares);
    for (int i = 0; i < 32; i++)
        f->indices[i] = i;
    const void *inputs[STAGE_INPUTS] = {f->c.images, f->c.labels, f->indices, f->indices, NULL};
    memcpy(f->inputs, inputs, sizeof inputs);
    f->bindings = (struct bindings){.inputs = f->inputs, .seed = 1};
    assert_int_equal(shares_measure(f->shares, &f->bindings, true), STATUS_OK);
    return f;
}

static void close_all(struct fixture *f)
{
    shares_free(f->shares);
    stage_graph_free(f->built);
    network_free(f->student);
    network_free(f->teacher);
    stage_case_free(&f->c);
}

/* whole_norm: of the gradient of the stage's whole loss. */
static double whole_norm(struct fixture *f)
{
    struct program *program = NULL;
    struct program_spec spec = {.loss = f->built->loss, .batch = 32, .precision = ELEMENT_F32};
    assert_int_equal(program_compile(f->built->graph, &spec, f->c.kernels, f->c.memory, &program), STATUS_OK);
    assert_int_equal(program_run(program, &f->bindings, RUN_BACKWARD), STATUS_OK);
    double squares = 0;
    for (int64_t i = 0; i < f->student->parameters->n_values; i++)
        squares += pow(((const float *)f->student->parameters->gradients)[i], 2);
    program_free(program);
    return sqrt(squares);
}

/* |sum w g|^2 = sum w_i w_j |g_i| |g_j| cos_ij. */
static void test_norms_and_cosines_make_up_the_whole_gradient(void **state)
{
    (void)state;
    struct fixture *f = open_with(1, 0, 0);
    double squares = 0;
    for (int i = 0; i < TERMS; i++)
        for (int j = 0; j < TERMS; j++)
            squares += f->shares->norms[i] * f->shares->norms[j] * f->shares->cosines[i * TERMS + j];
    const double whole = whole_norm(f);
    assert_true(whole > 0.01 && fabs(sqrt(squares) - whole) < 1e-5 * whole);
    assert_true(fabs(f->shares->cosines[1]) < 1 && f->shares->cosines[1] != 0);
    double parts = 0;
    for (int i = 0; i < TERMS; i++)
        parts += shares_part(f->shares, i, (struct moment){0});
    assert_true(fabs(parts - 1) < 1e-12);
    close_all(f);
}

static void test_weights_are_found_beside_a_fixed_one(void **state)
{
    (void)state;
    struct fixture *f = open_with(0.5, 0.6, 0.3);
    assert_int_equal(shares_weigh(f->shares, (struct moment){0}), STATUS_OK);
    assert_true(fabs(shares_part(f->shares, 0, (struct moment){0}) - 0.1) < 1e-6);
    assert_true(fabs(shares_part(f->shares, 1, (struct moment){0}) - 0.6) < 1e-6);
    assert_true(fabs(shares_part(f->shares, 2, (struct moment){0}) - 0.3) < 1e-6);
    const double expected = 0.6 / 0.1 * 0.5 * f->shares->norms[0] / f->shares->norms[1];
    assert_true(fabs(stage_weight_found(f->built, 1) - expected) < 1e-5 * expected);
    close_all(f);
}

static void test_where_all_are_found_the_first_weighs_1(void **state)
{
    (void)state;
    struct fixture *f = open_with(0, 0.5, 0.25);
    assert_int_equal(shares_weigh(f->shares, (struct moment){0}), STATUS_OK);
    assert_true(fabs(stage_weight_found(f->built, 0) - 1) < 1e-6);
    assert_true(fabs(shares_part(f->shares, 1, (struct moment){0}) - 0.5) < 1e-6);
    close_all(f);
}

/* The same network with the same values: a distance from it has no gradient. */
static void test_a_gradient_of_zero_cannot_be_weighed(void **state)
{
    (void)state;
    struct fixture *f = open_with(1, 0, 0.5);
    f->shares->norms[2] = 0;
    assert_int_equal(shares_weigh(f->shares, (struct moment){0}), STATUS_BAD_INPUT);
    assert_non_null(strstr(f->c.ctx.error.message,
                           "term logits-mse: weight: auto divides by the norm of its gradient, which is 0"));
    error_clear(&f->c.ctx);
    close_all(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norms_and_cosines_make_up_the_whole_gradient),
        cmocka_unit_test(test_weights_are_found_beside_a_fixed_one),
        cmocka_unit_test(test_where_all_are_found_the_first_weighs_1),
        cmocka_unit_test(test_a_gradient_of_zero_cannot_be_weighed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
