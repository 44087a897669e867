/* transpose: the axes in another order.
 *
 *     y[i…] = x[j…], j[axes[k]] = i[k];  the gradient goes back the same way */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <stdio.h>

struct transpose_attributes {
    int rank; /* of x */
    int axes[SHAPE_MAX_RANK];
};

static enum status transpose_shape(struct op_call *call)
{
    const struct transpose_attributes *a = call->attributes;
    char words[64];
    unsigned seen = 0;
    for (int i = 0; i < a->rank; i++)
        seen |= a->axes[i] >= 0 && a->axes[i] < a->rank ? 1U << a->axes[i] : 0;
    if (a->rank < 1 || a->rank > SHAPE_MAX_RANK || seen != (1U << a->rank) - 1)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected every axis of 1 to %d once in the new order", call->name,
                    SHAPE_MAX_RANK);
    snprintf(words, sizeof words, "real numbers with %d axes", a->rank);
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, a->rank, a->rank, words));
    call->out[0] = call->in[0];
    for (int i = 0; i < a->rank; i++)
        call->out[0].shape.dim[i] = call->in[0].shape.dim[a->axes[i]];
    return STATUS_OK;
}

static enum batch_kind transpose_batch(const struct op_call *call)
{
    const struct transpose_attributes *a = call->attributes;
    return a->axes[0] == 0 ? BATCH_ROWS : BATCH_MIXED;
}

/* One array as the other is walked: neighbours that stay together are one axis, axes of 1 are left out. */
struct layout {
    int rank;
    int64_t dim[SHAPE_MAX_RANK], stride[SHAPE_MAX_RANK];
};

/* layout_of: how `from`, whose axis axes[i] is axis i of the other array, is walked. */
static struct layout layout_of(const struct shape *from, const int *axes)
{
    struct layout layout = {0, {1}, {1}};
    int64_t steps[SHAPE_MAX_RANK] = {0}, step = 1;
    for (int i = from->rank - 1; i >= 0; i--) {
        steps[i] = step;
        step *= from->dim[i];
    }
    for (int i = 0; i < from->rank; i++) {
        const int64_t dim = from->dim[axes[i]], stride = steps[axes[i]];
        const int last = layout.rank - 1;
        if (dim == 1)
            continue;
        if (last >= 0 && layout.stride[last] == dim * stride) {
            layout.dim[last] *= dim;
            layout.stride[last] = stride;
        } else {
            layout.dim[layout.rank] = dim;
            layout.stride[layout.rank++] = stride;
        }
    }
    layout.rank = layout.rank ? layout.rank : 1;
    return layout;
}

static enum status transpose_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    const struct transpose_attributes *a = call->attributes;
    const bool stays = layout_of(&call->in[0].shape, a->axes).rank == 1;
    needs->kernel = stays ? "copy" : "loop";
    needs->overwrite = stays;
    needs->gradient_overwrite = stays;
    return STATUS_OK;
}

static void axes_move(const struct op_run *run, const struct shape *from, const int *axes, const void *x, void *y,
                      bool add)
{
    const struct layout layout = layout_of(from, axes);
    if (x != y)
        run->table->transpose_axes(x, layout.rank, layout.dim, layout.stride, y, add, run->threads);
}

static void transpose_forward(const struct op_run *run)
{
    const struct transpose_attributes *a = run->call->attributes;
    axes_move(run, &run->call->in[0].shape, a->axes, run->in[0], run->out[0], false);
}

static void transpose_backward(const struct op_run *run)
{
    const struct transpose_attributes *a = run->call->attributes;
    int back[SHAPE_MAX_RANK];
    for (int i = 0; i < a->rank; i++)
        back[a->axes[i]] = i;
    axes_move(run, &run->call->out[0].shape, back, run->d_out[0], run->d_in[0], run->add[0]);
}

static void transpose_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct transpose_attributes *a = call->attributes;
    const struct shape *x = &call->in[0].shape, *y = &call->out[0].shape;
    for (int64_t i = 0; i < shape_elements(y); i++) {
        int64_t at[SHAPE_MAX_RANK] = {0}, rest = i, from = 0;
        for (int k = y->rank - 1; k >= 0; k--) {
            at[a->axes[k]] = rest % y->dim[k];
            rest /= y->dim[k];
        }
        for (int k = 0; k < x->rank; k++)
            from = from * x->dim[k] + at[k];
        out[0][i] = in[0][from];
    }
}

static const struct transpose_attributes to_chw = {4, {0, 3, 1, 2}}, to_hwc = {4, {0, 2, 3, 1}};
static const struct transpose_attributes tokens = {3, {0, 2, 1}}, matrix = {2, {1, 0}}, reversed = {5, {4, 3, 2, 1, 0}};
static const struct transpose_attributes outer = {4, {2, 0, 1, 3}}, heads = {4, {0, 2, 1, 3}}, same = {3, {0, 1, 2}};
static const struct transpose_attributes mixed = {6, {3, 1, 5, 0, 4, 2}};
#define EXAMPLE(label, order, axes, ...)                                                                               \
    {                                                                                                                  \
        .name = label, .attributes = &order, .n_inputs = 1, .in = { {.rank = axes, .dim = __VA_ARGS__} }               \
    }
static const struct op_example transpose_examples[] = {
    EXAMPLE("maps as at a border", to_chw, 4, {2, 5, 7, 3}),
    EXAMPLE("maps from a border", to_hwc, 4, {2, 3, 5, 7}),
    EXAMPLE("one channel", to_chw, 4, {3, 4, 3, 1}),
    EXAMPLE("a 1x1 map", to_hwc, 4, {3, 17, 1, 1}),
    EXAMPLE("larger than a tile", to_hwc, 4, {1, 40, 3, 3}),
    EXAMPLE("each a matrix", tokens, 3, {3, 17, 5}),
    EXAMPLE("a matrix", matrix, 2, {6, 35}),
    EXAMPLE("reversed", reversed, 5, {2, 3, 1, 4, 5}),
    EXAMPLE("rows stay whole", outer, 4, {2, 3, 4, 3}),
    EXAMPLE("heads", heads, 4, {2, 3, 4, 6}),
    EXAMPLE("nothing moves", same, 3, {1, 4, 3}),
    EXAMPLE("six axes", mixed, 6, {2, 3, 2, 3, 2, 3}),
};

extern const struct op op_transpose;
const struct op op_transpose = {
    .name = "transpose",
    .summary = "the axes in another order",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct transpose_attributes),
    .shape = transpose_shape,
    .batch = transpose_batch,
    .prepare = transpose_prepare,
    .forward = transpose_forward,
    .backward = transpose_backward,
    .reference = transpose_reference,
    .examples = transpose_examples,
    .n_examples = sizeof(transpose_examples) / sizeof(transpose_examples[0]),
};

struct node *graph_transpose(struct graph *graph, struct node *x, int rank, const int *axes)
{
    struct transpose_attributes attributes = {.rank = rank};
    for (int i = 0; i < rank && i < SHAPE_MAX_RANK; i++)
        attributes.axes[i] = axes[i];
    return graph_call(graph, &op_transpose, &attributes, 1, &x);
}

struct node *graph_to_chw(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_transpose, &to_chw, 1, &x);
}

struct node *graph_to_hwc(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_transpose, &to_hwc, 1, &x);
}
