/* Element-wise ops and reductions where the table's tests do not look: ties, the ends of the range, what is not
 * finite, and attributes that make no sense. */
#include "graph/graph.h"
#include "graph/op/reduction.h"
#include "graph/ops.h"
#include "support/op_once.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    context_init(&fixture.ctx);
    fixture.kernels = kernel_context_new(&fixture.ctx, 1);
    *state = &fixture;
    return fixture.kernels ? 0 : 1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    kernel_context_free(fixture->kernels);
    return 0;
}

enum { MOST = 8 };

/* What comes of one run with inputs of n numbers each and a gradient of 1, 2, 3 … of the result. */
struct result {
    double out[MOST], d_in[3][MOST];
};

static struct result run_once(const struct fixture *fixture, const char *name, const void *attributes,
                              enum element element, int n_inputs, int n, const double (*values)[MOST])
{
    struct result result;
    struct op_once o;
    const struct op *op = op_find(name);
    assert_non_null(op);
    struct tensor_spec in[3];
    for (int i = 0; i < n_inputs; i++)
        in[i] = (struct tensor_spec){ELEMENT_REAL, SHAPE(n)};
    op_once_new(&o, fixture->kernels, op, attributes, element, n_inputs, in);
    for (int i = 0; i < n_inputs; i++)
        for (int k = 0; k < n; k++)
            op_once_put(&o, i, k, values[i][k]);
    op_once_forward(&o);
    int64_t outputs = shape_elements(&o.call.out[0].shape);
    for (int k = 0; k < outputs; k++) {
        result.out[k] = op_once_out(&o, 0, k);
        op_once_put_d_out(&o, 0, k, k + 1);
    }
    if (op->backward) {
        op_once_backward(&o);
        for (int i = 0; i < n_inputs; i++)
            for (int k = 0; k < n; k++)
                result.d_in[i][k] = op_once_d_in(&o, i, k);
    }
    op_once_free(&o);
    return result;
}

static void expect_numbers(const char *what, int n, const double *found, const double *expected)
{
    for (int i = 0; i < n; i++) {
        bool same = found[i] == expected[i] || (isnan(found[i]) && isnan(expected[i])) ||
                    fabs(found[i] - expected[i]) <= 1e-6 * fabs(expected[i]);
        if (!same)
            fail_msg("%s: number %d is %.9g, expected %.9g", what, i, found[i], expected[i]);
    }
}
#define EXPECT(what, found, ...)                                                                                       \
    expect_numbers(what, (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), found, (double[]){__VA_ARGS__})

static const enum element precisions[] = {ELEMENT_F32, ELEMENT_F64};

static void the_gradient_of_ties_is_shared(void **state)
{
    const struct fixture *fixture = *state;
    const double pair[2][MOST] = {{1, 5, 3}, {1, 3, 5}};
    const double row[1][MOST] = {{2, 7, 7, 1, 7, 1}};
    for (int p = 0; p < 2; p++) {
        struct result r = run_once(fixture, "maximum", NULL, precisions[p], 2, 3, pair);
        EXPECT("maximum", r.out, 1, 5, 5);
        EXPECT("maximum, a", r.d_in[0], 0.5, 2, 0);
        EXPECT("maximum, b", r.d_in[1], 0.5, 0, 3);
        r = run_once(fixture, "minimum", NULL, precisions[p], 2, 3, pair);
        EXPECT("minimum", r.out, 1, 3, 3);
        EXPECT("minimum, a", r.d_in[0], 0.5, 0, 3);
        EXPECT("minimum, b", r.d_in[1], 0.5, 2, 0);
        struct reduction_attributes all = {1, false};
        r = run_once(fixture, "max", &all, precisions[p], 1, 6, row);
        EXPECT("max", r.out, 7);
        EXPECT("max, x", r.d_in[0], 0, 1.0 / 3, 1.0 / 3, 0, 1.0 / 3, 0);
        r = run_once(fixture, "min", &all, precisions[p], 1, 6, row);
        EXPECT("min", r.out, 1);
        EXPECT("min, x", r.d_in[0], 0, 0, 0, 0.5, 0, 0.5);
    }
}

static void a_limit_counts_as_outside_of_a_clip(void **state)
{
    const struct fixture *fixture = *state;
    const double limits[] = {-1, 2};
    const double x[1][MOST] = {{-1, 2, -1.5, 2.5, 0}};
    struct result r = run_once(fixture, "clip", limits, ELEMENT_F32, 1, 5, x);
    EXPECT("clip", r.out, -1, 2, -1, 2, 0);
    EXPECT("clip, x", r.d_in[0], 0, 0, 0, 0, 5);
}

static void the_ends_of_the_activations(void **state)
{
    const struct fixture *fixture = *state;
    const double x[1][MOST] = {{-1000, -40, 40, 1000, 3, -3}};
    static const struct {
        const char *name;
        double out[6], d_in[6]; /* d_in over d_out */
    } cases[] = {
        {"log_sigmoid",
         {-1000, -40, 0, 0, -0.04858735157374206, -3.048587351573742},
         {1, 1, 0, 0, 0.04742587, 0.95257413}},
        {"softplus", {0, 0, 40, 1000, 3.048587351573742, 0.04858735157374206}, {0, 0, 1, 1, 0.95257413, 0.04742587}},
        {"sigmoid", {0, 0, 1, 1, 0.95257413, 0.04742587}, {0, 0, 0, 0, 0.04517666, 0.04517666}},
        {"tanh", {-1, -1, 1, 1, 0.99505475, -0.99505475}, {0, 0, 0, 0, 0.00986604, 0.00986604}},
        {"gelu", {0, 0, 40, 1000, 2.99595031, -0.00404969}, {0, 0, 1, 1, 1.01194564, -0.01194564}},
        {"silu", {0, 0, 40, 1000, 2.85772238, -0.14227762}, {0, 0, 1, 1, 1.08810411, -0.08810411}},
        {"hard_swish", {0, 0, 40, 1000, 3, 0}, {0, 0, 1, 1, 1, 0}},
        {"hard_sigmoid", {0, 0, 1, 1, 1, 0}, {0, 0, 0, 0, 0, 0}},
        {"sign", {-1, -1, 1, 1, 1, -1}, {0}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int p = 0; p < 2; p++) {
            struct result r = run_once(fixture, cases[c].name, NULL, precisions[p], 1, 6, x);
            for (int i = 0; i < 6; i++) {
                print_message("%s(%g) = %.9g\n", cases[c].name, x[0][i], r.out[i]);
                assert_true(fabs(r.out[i] - cases[c].out[i]) <= 1e-6 * (1 + fabs(cases[c].out[i])));
                if (strcmp(cases[c].name, "sign") != 0)
                    assert_true(fabs(r.d_in[0][i] / (i + 1) - cases[c].d_in[i]) <= 1e-6);
            }
        }
}

/* A value that is not finite must be seen where it arose: no activation turns NaN into a number. */
static void nan_passes_every_function_of_one_input(void **state)
{
    const struct fixture *fixture = *state;
    static const char *const names[] = {"exp",          "log",   "sqrt",     "square",      "abs",        "sign",
                                        "relu",         "relu6", "sigmoid",  "hard_swish",  "tanh",       "gelu",
                                        "hard_sigmoid", "silu",  "softplus", "log_sigmoid", "leaky_relu", "clip"};
    const double parameters[] = {0.01, 6};
    const double x[1][MOST] = {{1, NAN, 0.5}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int p = 0; p < 2; p++) {
            bool with = op_find(names[i])->attributes_size > 0;
            struct result r = run_once(fixture, names[i], with ? parameters : NULL, precisions[p], 1, 3, x);
            if (!isnan(r.out[1]) || !isfinite(r.out[0]) || !isfinite(r.out[2]))
                fail_msg("%s of 1, NaN, 0.5: %g, %g, %g", names[i], r.out[0], r.out[1], r.out[2]);
        }
}

static void nan_passes_the_extremes_and_fails_comparisons(void **state)
{
    const struct fixture *fixture = *state;
    const double pair[2][MOST] = {{NAN, 1, 2}, {1, NAN, 2}};
    for (int largest = 0; largest < 2; largest++) {
        struct result r = run_once(fixture, largest ? "maximum" : "minimum", NULL, ELEMENT_F32, 2, 3, pair);
        EXPECT("an extreme of two", r.out, NAN, NAN, 2);
        struct reduction_attributes all = {1, false};
        r = run_once(fixture, largest ? "max" : "min", &all, ELEMENT_F32, 1, 3, pair);
        EXPECT("an extreme of three", r.out, NAN);
    }
    enum relation relations[] = {RELATION_EQUAL, RELATION_GREATER_EQUAL, RELATION_LESS, RELATION_NOT_EQUAL};
    const double expected[][3] = {{0, 0, 1}, {0, 0, 1}, {0, 0, 0}, {1, 1, 0}};
    for (int i = 0; i < 4; i++) {
        struct result r = run_once(fixture, "compare", &relations[i], ELEMENT_F64, 2, 3, pair);
        expect_numbers("a comparison", 3, r.out, expected[i]);
    }
}

static void what_is_not_chosen_has_no_say(void **state)
{
    const struct fixture *fixture = *state;
    const double x[3][MOST] = {{1, 0, -2, 0}, {1, NAN, 3, INFINITY}, {NAN, 2, -INFINITY, 4}};
    for (int p = 0; p < 2; p++) {
        struct result r = run_once(fixture, "where", NULL, precisions[p], 3, 4, x);
        EXPECT("where", r.out, 1, 2, 3, 4);
        EXPECT("where, condition", r.d_in[0], 0, 0, 0, 0);
        EXPECT("where, a", r.d_in[1], 1, 0, 3, 0);
        EXPECT("where, b", r.d_in[2], 0, 2, 0, 4);
    }
}

static void powers_at_zero_and_below(void **state)
{
    const struct fixture *fixture = *state;
    const double x[2][MOST] = {{0, 0, -2, 0, 5}, {2, 1, 3, 0, 0}};
    for (int p = 0; p < 2; p++) {
        struct result r = run_once(fixture, "power", NULL, precisions[p], 2, 5, x);
        EXPECT("power", r.out, 0, 0, -8, 1, 1);
        EXPECT("power, a", r.d_in[0], 0, 2, 36, 0, 0);
        EXPECT("power, b", r.d_in[1], 0, 0, NAN, 0, 5 * 1.6094379124341003);
    }
}

static void smooth_l1_at_beta_and_at_zero(void **state)
{
    const struct fixture *fixture = *state;
    const double x[2][MOST] = {{1, -1, 0, 3, 0.5}, {0, 0, 0, 0, 0}};
    const double one = 1, zero = 0;
    struct result r = run_once(fixture, "smooth_l1", &one, ELEMENT_F32, 2, 5, x);
    EXPECT("beta 1", r.out, 0.5, 0.5, 0, 2.5, 0.125);
    EXPECT("beta 1, a", r.d_in[0], 1, -2, 0, 4, 2.5);
    EXPECT("beta 1, b", r.d_in[1], -1, 2, 0, -4, -2.5);
    r = run_once(fixture, "smooth_l1", &zero, ELEMENT_F32, 2, 5, x);
    EXPECT("beta 0", r.out, 1, 1, 0, 3, 0.5);
    EXPECT("beta 0, a", r.d_in[0], 1, -2, 0, 4, 5);
}

/* --- builders --- */

static void refused(struct fixture *fixture, const struct node *node, const char *message)
{
    assert_null(node);
    assert_int_equal(fixture->ctx.error.status, STATUS_BAD_INPUT);
    assert_non_null(strstr(fixture->ctx.error.message, message));
    error_clear(&fixture->ctx);
}

static void attributes_that_make_no_sense_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct graph *graph = graph_new(&fixture->ctx);
    struct node *x = graph_input(graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 3));
    assert_non_null(x);
    refused(fixture, graph_leaky_relu(graph, x, -0.1), "expected a slope of at least 0, found -0.1");
    refused(fixture, graph_leaky_relu(graph, x, NAN), "expected a slope of at least 0, found nan");
    refused(fixture, graph_clip(graph, x, 2, 1), "expected a lower limit that is at most the upper one, found 2 and 1");
    refused(fixture, graph_clip(graph, x, NAN, 1), "expected a lower limit");
    refused(fixture, graph_smooth_l1(graph, x, x, -1), "expected a beta of at least 0, found -1");
    graph_free(graph);
}

static void a_constant_square_is_a_square(void **state)
{
    struct fixture *fixture = *state;
    struct graph *graph = graph_new(&fixture->ctx);
    struct node *x = graph_input(graph, "x", ELEMENT_REAL, SHAPE(SHAPE_BATCH, 3));
    assert_string_equal(graph_power(graph, x, graph_scalar(graph, 2))->call->op->name, "square");
    assert_string_equal(graph_power(graph, x, graph_scalar(graph, 3))->call->op->name, "power");
    struct real course = {.value = 2, .to = 4, .over = 1, .course = REAL_LINEAR};
    assert_string_equal(graph_power(graph, x, graph_real(graph, &course))->call->op->name, "power");
    assert_null(graph_power(graph, NULL, graph_scalar(graph, 2)));
    assert_null(graph_where(graph, NULL, x, x));
    assert_int_equal(fixture->ctx.error.status, STATUS_OK);
    graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_of_ties_is_shared),
        cmocka_unit_test(a_limit_counts_as_outside_of_a_clip),
        cmocka_unit_test(the_ends_of_the_activations),
        cmocka_unit_test(nan_passes_every_function_of_one_input),
        cmocka_unit_test(nan_passes_the_extremes_and_fails_comparisons),
        cmocka_unit_test(what_is_not_chosen_has_no_say),
        cmocka_unit_test(powers_at_zero_and_below),
        cmocka_unit_test(smooth_l1_at_beta_and_at_zero),
        cmocka_unit_test(attributes_that_make_no_sense_are_refused),
        cmocka_unit_test(a_constant_square_is_a_square),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
