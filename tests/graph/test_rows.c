/* Ops that work row by row, at the ends of their range: saturated logits, constant rows, one class, missing labels. */
#include "graph/op.h"
#include "support/compare.h"
#include "support/guarded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64 };

extern const struct op op_softmax, op_log_softmax, op_cross_entropy, op_cross_entropy_soft, op_argmax,
    op_standardise_rows, op_swap_columns;

struct smoothing {
    double smoothing;
};
static const struct smoothing plain = {0}, smooth = {0.1};

/* One run of an op: inputs and what comes out, as doubles. */
struct trial {
    const struct op *op;
    const void *attributes;
    int n_inputs;
    struct tensor_spec in[3];
    double values[3][MOST];
    double d_out[MOST];
    double out[MOST], d_in[MOST]; /* results; d_in: of input 0 */
};

static struct tensor_spec real_rows(int64_t rows, int64_t columns)
{
    return (struct tensor_spec){ELEMENT_REAL, SHAPE(rows, columns)};
}

static struct tensor_spec indices(int64_t rows)
{
    return (struct tensor_spec){ELEMENT_I32, SHAPE(rows)};
}

/* run: forward, and backward where the op has one, in one precision. */
static void run(struct trial *t, struct kernel_context *kernels, enum element element)
{
    struct op_call call = {.ctx = kernels->ctx,
                           .op = t->op,
                           .attributes = t->attributes,
                           .name = t->op->name,
                           .n_inputs = t->n_inputs,
                           .n_outputs = 1,
                           .kernels = kernels};
    struct guarded buffers[3];
    const void *in[3] = {NULL};
    for (int i = 0; i < t->n_inputs; i++) {
        call.in[i] = t->in[i];
    }
    assert_int_equal(t->op->shape(&call), STATUS_OK);
    for (int i = 0; i < t->n_inputs; i++) {
        int64_t n = shape_elements(&call.in[i].shape);
        call.in[i].element = call.in[i].element == ELEMENT_REAL ? element : call.in[i].element;
        buffers[i] = guarded_new((size_t)n * element_size(call.in[i].element));
        in[i] = buffers[i].data;
        for (int64_t e = 0; e < n; e++) {
            element_write(call.in[i].element, buffers[i].data, e, t->values[i][e]);
        }
    }
    call.out[0].element = call.out[0].element == ELEMENT_REAL ? element : call.out[0].element;
    int64_t n_out = shape_elements(&call.out[0].shape), n_in = shape_elements(&call.in[0].shape);
    struct op_needs needs = {0};
    if (t->op->prepare) {
        assert_int_equal(t->op->prepare(&call, t->op->backward != NULL, &needs), STATUS_OK);
    }
    struct guarded saved = guarded_new(needs.saved_bytes),
                   out = guarded_new((size_t)n_out * element_size(call.out[0].element));
    struct guarded d_out = guarded_new((size_t)n_out * 8), d_in = guarded_new((size_t)n_in * element_size(element));
    void *outs[1] = {out.data}, *d_ins[3] = {d_in.data, NULL, NULL};
    const void *d_outs[1] = {d_out.data};
    const bool add[3] = {false};
    struct op_run r = {.call = &call,
                       .table = kernels_of(kernels, element),
                       .in = in,
                       .out = outs,
                       .d_out = d_outs,
                       .d_in = d_ins,
                       .add = add,
                       .saved = saved.data,
                       .keep = true,
                       .threads = 1};
    t->op->forward(&r);
    for (int64_t e = 0; e < n_out; e++) {
        t->out[e] = element_read(call.out[0].element, out.data, e);
        if (t->op->backward) {
            element_write(element, d_out.data, e, t->d_out[e]);
        }
    }
    if (t->op->backward) {
        t->op->backward(&r);
        for (int64_t e = 0; e < n_in; e++) {
            t->d_in[e] = element_read(element, d_in.data, e);
        }
    }
    for (int i = 0; i < t->n_inputs; i++) {
        guarded_free(&buffers[i]);
    }
    guarded_free(&saved);
    guarded_free(&out);
    guarded_free(&d_out);
    guarded_free(&d_in);
}

static void close_to(const char *what, int64_t n, const double *expected, const double *found, double tolerance)
{
    assert_int_equal(compare_numbers(stderr, what, n, expected, found, tolerance, 1e-3), 0);
}

static struct context context;
static struct kernel_context *kernels;
static const enum element elements[] = {ELEMENT_F32, ELEMENT_F64};

static int set_up(void **state)
{
    (void)state;
    context_init(&context);
    kernels = kernel_context_new(&context, 1);
    return kernels == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    kernel_context_free(kernels);
    return 0;
}

static void saturated_logits_stay_finite(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct trial t = {.op = &op_softmax,
                          .n_inputs = 1,
                          .in = {real_rows(2, 3)},
                          .values = {{1e4, -1e4, -1e4, -1e4, 1e4, 1e4}},
                          .d_out = {1, 2, 3, 1, 2, 4}};
        run(&t, kernels, elements[p]);
        close_to("softmax", 6, (double[]){1, 0, 0, 0, 0.5, 0.5}, t.out, 1e-6);
        close_to("softmax backward", 6, (double[]){0, 0, 0, 0, -0.5, 0.5}, t.d_in, 1e-6);
        t.op = &op_log_softmax;
        run(&t, kernels, elements[p]);
        close_to("log-softmax", 6, (double[]){0, -2e4, -2e4, -2e4 - log(2), -log(2), -log(2)}, t.out, 1e-7);
        close_to("log-softmax backward", 6, (double[]){-5, 2, 3, 1, 2 - 3.5, 4 - 3.5}, t.d_in, 1e-6);
        t = (struct trial){.op = &op_cross_entropy,
                           .attributes = &plain,
                           .n_inputs = 2,
                           .in = {real_rows(3, 3), indices(3)},
                           .values = {{1e4, -1e4, -1e4, 1e4, -1e4, -1e4, 1e4, 1e4, -1e4}, {0, 1, 0}},
                           .d_out = {1, 2, 1}};
        run(&t, kernels, elements[p]);
        close_to("cross entropy", 3, (double[]){0, 2e4, log(2)}, t.out, 1e-7);
        close_to("cross entropy backward", 9, (double[]){0, 0, 0, 2, -2, 0, -0.5, 0.5, 0}, t.d_in, 1e-6);
        t = (struct trial){.op = &op_cross_entropy_soft,
                           .n_inputs = 2,
                           .in = {real_rows(2, 2), real_rows(2, 2)},
                           .values = {{1e4, -1e4, 1e4, 1e4}, {0.25, 0.75, 0, 1}},
                           .d_out = {1, 1}};
        run(&t, kernels, elements[p]);
        close_to("soft cross entropy", 2, (double[]){1.5e4, log(2)}, t.out, 1e-7);
        close_to("soft cross entropy backward", 4, (double[]){0.75, -0.75, 0.5, -0.5}, t.d_in, 1e-6);
    }
}

static void a_common_offset_changes_nothing(void **state)
{
    (void)state;
    double sum = exp(0) + exp(-1) + exp(-2);
    for (int p = 0; p < 2; p++) {
        struct trial t = {.op = &op_softmax, .n_inputs = 1, .in = {real_rows(1, 3)}, .values = {{1e4, 9999, 9998}}};
        run(&t, kernels, elements[p]);
        close_to("softmax", 3, (double[]){1 / sum, exp(-1) / sum, exp(-2) / sum}, t.out, 1e-6);
        t = (struct trial){.op = &op_cross_entropy,
                           .attributes = &plain,
                           .n_inputs = 2,
                           .in = {real_rows(1, 3), indices(1)},
                           .values = {{1e4, 9999, 9998}, {2}},
                           .d_out = {1}};
        run(&t, kernels, elements[p]);
        close_to("cross entropy", 1, (double[]){2 + log(sum)}, t.out, 1e-6);
        close_to("its gradient", 3, (double[]){1 / sum, exp(-1) / sum, exp(-2) / sum - 1}, t.d_in, 1e-6);
        t = (struct trial){.op = &op_standardise_rows,
                           .n_inputs = 1,
                           .in = {real_rows(1, 4)},
                           .values = {{10001, 9999, 10001, 9998}},
                           .d_out = {1, 0, 0, 0}};
        run(&t, kernels, elements[p]);
        double deviation = sqrt((1.25 * 1.25 * 2 + 0.75 * 0.75 + 1.75 * 1.75) / 3);
        close_to("standardised", 4,
                 (double[]){1.25 / deviation, -0.75 / deviation, 1.25 / deviation, -1.75 / deviation}, t.out, 1e-6);
    }
}

static void minus_infinity_is_probability_zero(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct trial t = {.op = &op_softmax,
                          .n_inputs = 1,
                          .in = {real_rows(1, 3)},
                          .values = {{-INFINITY, 1, 1}},
                          .d_out = {1, 2, 3}};
        run(&t, kernels, elements[p]);
        close_to("softmax", 3, (double[]){0, 0.5, 0.5}, t.out, 1e-6);
        close_to("its gradient", 3, (double[]){0, -0.25, 0.25}, t.d_in, 1e-6);
    }
}

static void not_a_number_is_not_hidden(void **state)
{
    (void)state;
    const struct op *ops[] = {&op_softmax, &op_log_softmax, &op_standardise_rows};
    for (int p = 0; p < 2; p++) {
        for (int o = 0; o < 3; o++) {
            for (int at = 0; at < 3; at++) {
                struct trial t = {.op = ops[o], .n_inputs = 1, .in = {real_rows(1, 3)}, .values = {{1, 2, 3}}};
                t.values[0][at] = NAN;
                run(&t, kernels, elements[p]);
                assert_true(isnan(t.out[0]) && isnan(t.out[1]) && isnan(t.out[2]));
            }
        }
    }
}

static void constant_rows(void **state)
{
    (void)state;
    const double constants[] = {0, 0.1, -1e4, 1e30};
    const double zeros[10] = {0};
    for (int p = 0; p < 2; p++) {
        for (int c = 0; c < 4; c++) {
            struct trial t = {.op = &op_softmax, .n_inputs = 1, .in = {real_rows(1, 10)}};
            double tenths[10];
            for (int i = 0; i < 10; i++) {
                t.values[0][i] = constants[c];
                t.d_out[i] = i;
                tenths[i] = 0.1;
            }
            run(&t, kernels, elements[p]);
            close_to("softmax", 10, tenths, t.out, 1e-6);
            t.op = &op_standardise_rows;
            run(&t, kernels, elements[p]);
            assert_memory_equal(t.out, zeros, sizeof(zeros));
            assert_memory_equal(t.d_in, zeros, sizeof(zeros));
        }
    }
}

static void one_class(void **state)
{
    (void)state;
    const struct op *ops[] = {&op_softmax, &op_log_softmax, &op_standardise_rows};
    const double expected[] = {1, 0, 0};
    for (int p = 0; p < 2; p++) {
        for (int o = 0; o < 3; o++) {
            struct trial t = {
                .op = ops[o], .n_inputs = 1, .in = {real_rows(2, 1)}, .values = {{3, -1e4}}, .d_out = {2, 5}};
            run(&t, kernels, elements[p]);
            close_to("one class", 2, (double[]){expected[o], expected[o]}, t.out, 0);
            close_to("its gradient", 2, (double[]){0, 0}, t.d_in, 0);
        }
        struct trial t = {.op = &op_cross_entropy,
                          .attributes = &smooth,
                          .n_inputs = 2,
                          .in = {real_rows(2, 1), indices(2)},
                          .values = {{3, -1e4}, {0, -1}},
                          .d_out = {1, 1}};
        run(&t, kernels, elements[p]);
        close_to("cross entropy", 2, (double[]){0, 0}, t.out, 0);
        close_to("its gradient", 2, (double[]){0, 0}, t.d_in, 1e-4);
    }
}

static void a_missing_label_has_no_loss_and_no_gradient(void **state)
{
    (void)state;
    const struct smoothing *each[] = {&plain, &smooth};
    const double zeros[3] = {0};
    for (int p = 0; p < 2; p++) {
        for (int s = 0; s < 2; s++) {
            struct trial t = {.op = &op_cross_entropy,
                              .attributes = each[s],
                              .n_inputs = 2,
                              .in = {real_rows(2, 3), indices(2)},
                              .values = {{1, 2, 3, 1, 2, 3}, {-1, 1}},
                              .d_out = {7, 7}};
            run(&t, kernels, elements[p]);
            assert_true(t.out[0] == 0 && t.out[1] > 0);
            assert_memory_equal(t.d_in, zeros, sizeof(zeros));
            assert_true(t.d_in[4] < 0);
        }
    }
}

static void the_first_of_equals_is_largest(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct trial t = {
            .op = &op_argmax, .n_inputs = 1, .in = {real_rows(3, 3)}, .values = {{1, 5, 5, 0, 0, 0, -3, -2, -1}}};
        run(&t, kernels, elements[p]);
        close_to("argmax", 3, (double[]){1, 0, 2}, t.out, 0);
    }
}

static void an_index_that_is_no_column_swaps_nothing(void **state)
{
    (void)state;
    for (int p = 0; p < 2; p++) {
        struct trial t = {.op = &op_swap_columns,
                          .n_inputs = 3,
                          .in = {real_rows(4, 2), indices(4), indices(4)},
                          .values = {{1, 2, 3, 4, 5, 6, 7, 8}, {0, 0, 2, -1}, {1, -1, 0, 2}},
                          .d_out = {1, 2, 3, 4, 5, 6, 7, 8}};
        run(&t, kernels, elements[p]);
        close_to("swapped", 8, (double[]){2, 1, 3, 4, 5, 6, 7, 8}, t.out, 0);
        close_to("its gradient", 8, (double[]){2, 1, 3, 4, 5, 6, 7, 8}, t.d_in, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saturated_logits_stay_finite),
        cmocka_unit_test(a_common_offset_changes_nothing),
        cmocka_unit_test(minus_infinity_is_probability_zero),
        cmocka_unit_test(not_a_number_is_not_hidden),
        cmocka_unit_test(constant_rows),
        cmocka_unit_test(one_class),
        cmocka_unit_test(a_missing_label_has_no_loss_and_no_gradient),
        cmocka_unit_test(the_first_of_equals_is_largest),
        cmocka_unit_test(an_index_that_is_no_column_swaps_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
