/* layer_norm: each row to mean 0 and variance 1, scaled and shifted; a row is the last n axes together.
 *
 *     y = z gamma + beta,  z = (x - mean) inverse,  inverse = 1 / sqrt(variance + epsilon), the variance biased
 *     dx = inverse (g - mean g - z mean g z),  g = dy gamma;  dgamma = sum of dy z over rows;  dbeta = sum of dy
 *
 * x [..., D1 … Dn], gamma, beta [D1 … Dn] or none: 1 and 0. Ba 2016, arXiv 1607.06450. */
#include "graph/op/expect.h"
#include "graph/ops.h"
#include "kernel/normalise.h"

#include <math.h>

struct layer_norm_attributes {
    double epsilon;
    int axes;
};

static enum status layer_norm_shape(struct op_call *call)
{
    const struct layer_norm_attributes *a = call->attributes;
    char text[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "real numbers [..., D]"));
    const struct shape *x = &call->in[0].shape;
    if (!(a->epsilon > 0) || !isfinite(a->epsilon) || a->axes < 1 || a->axes > x->rank)
        return fail(call->ctx, STATUS_BAD_INPUT,
                    "%s: expected an epsilon above 0 and 1 to %d axes, found %g and %d axes", call->name, x->rank,
                    a->epsilon, a->axes);
    const struct shape row = shape_of(a->axes, x->dim + x->rank - a->axes);
    if (shape_elements(&row) < 1)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected numbers above 0 as the last %d axes, found %s",
                    call->name, a->axes, shape_text(x, found));
    if (call->n_inputs == 2)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected gamma and beta, or neither", call->name);
    for (int i = 1; i < call->n_inputs; i++) {
        RETURN_IF(expect_input(call, i, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "gamma and beta of real numbers"));
        if (!shape_equal(&row, &call->in[i].shape))
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected gamma and beta %s, found %s", call->name,
                        shape_text(&row, text), shape_text(&call->in[i].shape, found));
    }
    call->out[0] = call->in[0];
    return STATUS_OK;
}

static enum batch_kind layer_norm_batch(const struct op_call *call)
{
    const struct layer_norm_attributes *a = call->attributes;
    return a->axes == call->in[0].shape.rank || (call->n_inputs == 3 && shape_symbolic(&call->in[1].shape))
               ? BATCH_MIXED
               : BATCH_ROWS;
}

struct extent {
    int64_t rows, columns;
};

static struct extent extent_of(const struct op_call *call)
{
    const struct layer_norm_attributes *a = call->attributes;
    const struct shape *x = &call->in[0].shape;
    struct extent e = {1, 1};
    for (int i = 0; i < x->rank; i++)
        *(i < x->rank - a->axes ? &e.rows : &e.columns) *= x->dim[i];
    return e;
}

static enum status layer_norm_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const struct extent e = extent_of(call);
    const size_t size = element_size(call->in[0].element);
    needs->kernel = "fused";
    needs->overwrite = 1;
    if (!backward)
        return STATUS_OK;
    needs->saved_bytes = (size_t)(2 * e.rows) * size;
    needs->backward_scratch = call->n_inputs == 3 ? layer_norm_scratch(e.columns, size) : 0;
    needs->reads_inputs = call->n_inputs == 3 ? 1U << 0 | 1U << 1 : 1U << 0;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void layer_norm_forward(const struct op_run *run)
{
    const struct layer_norm_attributes *a = run->call->attributes;
    const struct extent e = extent_of(run->call);
    const bool scaled = run->call->n_inputs == 3;
    run->table->layer_norm(run->in[0], scaled ? run->in[1] : NULL, scaled ? run->in[2] : NULL, e.rows, e.columns,
                           a->epsilon, run->out[0], run->keep ? run->saved : NULL, run->threads);
}

static void layer_norm_backward(const struct op_run *run)
{
    const struct extent e = extent_of(run->call);
    const bool scaled = run->call->n_inputs == 3, sums = scaled && (run->d_in[1] || run->d_in[2]);
    run->table->layer_norm_backward(run->in[0], scaled ? run->in[1] : NULL, run->saved, run->d_out[0], e.rows,
                                    e.columns, run->d_in[0], run->add[0], sums ? run->scratch : NULL, run->threads);
    if (sums)
        run->table->layer_norm_parameters(run->scratch, e.rows, e.columns, run->d_in[1], run->add[1], run->d_in[2],
                                          run->add[2]);
}

static void layer_norm_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct layer_norm_attributes *a = call->attributes;
    const struct shape *x = &call->in[0].shape;
    int64_t n = 1, all = shape_elements(x);
    for (int i = x->rank - a->axes; i < x->rank; i++)
        n *= x->dim[i];
    for (int64_t start = 0; start < all; start += n) {
        const double *row = in[0] + start;
        double mean = 0, variance = 0;
        for (int64_t k = 0; k < n; k++)
            mean += row[k] / (double)n;
        for (int64_t k = 0; k < n; k++)
            variance += (row[k] - mean) * (row[k] - mean) / (double)n;
        for (int64_t k = 0; k < n; k++) {
            const double z = (row[k] - mean) / sqrt(variance + a->epsilon);
            out[0][start + k] = call->n_inputs == 3 ? z * in[1][k] + in[2][k] : z;
        }
    }
}

static const struct layer_norm_attributes last = {1e-5, 1}, two = {1e-3, 2}, three = {1e-5, 3};
#define ROW(...)                                                                                                       \
    {                                                                                                                  \
        .rank = sizeof((int[]){__VA_ARGS__}) / sizeof(int), .dim = { __VA_ARGS__ }                                     \
    }
static const struct op_example layer_norm_examples[] = {
    {.name = "tokens", .attributes = &last, .n_inputs = 3, .in = {ROW(2, 5, 17), ROW(17), ROW(17)}},
    {.name = "vectors without scale", .attributes = &last, .n_inputs = 1, .in = {ROW(5, 10)}},
    {.name = "three channels of a map", .attributes = &last, .n_inputs = 3, .in = {ROW(2, 3, 4, 3), ROW(3), ROW(3)}},
    {.name = "one channel", .attributes = &last, .n_inputs = 3, .in = {ROW(3, 1), ROW(1), ROW(1)}},
    {.name = "one row", .attributes = &last, .n_inputs = 3, .in = {ROW(1, 33), ROW(33), ROW(33)}},
    {.name = "whole maps", .attributes = &three, .n_inputs = 3, .in = {ROW(3, 4, 5, 2), ROW(4, 5, 2), ROW(4, 5, 2)}},
    {.name = "two axes", .attributes = &two, .n_inputs = 3, .in = {ROW(2, 2, 1, 7), ROW(1, 7), ROW(1, 7)}},
    {.name = "a vector", .attributes = &last, .n_inputs = 1, .in = {ROW(16)}},
    {.name = "many rows", .attributes = &last, .n_inputs = 3, .in = {ROW(71, 8), ROW(8), ROW(8)}},
    {.name = "work for threads", .attributes = &last, .n_inputs = 3, .in = {ROW(51, 1001), ROW(1001), ROW(1001)}},
};

extern const struct op op_layer_norm;
const struct op op_layer_norm = {
    .name = "layer_norm",
    .summary = "rows of the last axes to mean 0 and variance 1, scaled and shifted",
    .inputs_min = 1,
    .inputs_max = 3,
    .outputs = 1,
    .attributes_size = sizeof(struct layer_norm_attributes),
    .shape = layer_norm_shape,
    .batch = layer_norm_batch,
    .prepare = layer_norm_prepare,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
    .reference = layer_norm_reference,
    .examples = layer_norm_examples,
    .n_examples = sizeof(layer_norm_examples) / sizeof(layer_norm_examples[0]),
};

struct node *graph_layer_norm(struct graph *graph, struct node *x, struct node *gamma, struct node *beta, int axes,
                              double epsilon)
{
    struct node *inputs[] = {x, gamma, beta};
    const struct layer_norm_attributes attributes = {epsilon, axes};
    return graph_call(graph, &op_layer_norm, &attributes, gamma || beta ? 3 : 1, inputs);
}
