/* slice: every step-th index of an axis from `start` to before `stop`.
 *
 *     y[…, i, …] = x[…, start + i step, …]
 *
 * x of any type. The axis is not the batch's: its length must be a number. */
#include "graph/op/block.h"
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <stdio.h>

struct slice_attributes {
    int axis;                  /* negative: from the end */
    int64_t start, stop, step; /* start, stop: negative from the end; stop may be GRAPH_SLICE_END */
};

/* slice_block: what is cut of a shape whose axis has a length; start == stop: the attributes do not fit. */
static struct block slice_block(const struct slice_attributes *a, const struct shape *in)
{
    const int axis = a->axis < 0 ? a->axis + in->rank : a->axis;
    const int64_t size = in->dim[axis];
    const int64_t start = a->start < 0 ? a->start + size : a->start;
    const int64_t stop = a->stop == GRAPH_SLICE_END ? size : a->stop < 0 ? a->stop + size : a->stop;
    const bool fits = a->step >= 1 && start >= 0 && start < stop && stop <= size;
    return block_of(in, axis, start, a->step, fits ? (stop - start - 1) / a->step + 1 : 0);
}

static enum status slice_shape(struct op_call *call)
{
    const struct slice_attributes *a = call->attributes;
    const struct shape *in = &call->in[0].shape;
    char text[SHAPE_TEXT_SIZE], stop[32] = "the end";
    int axis;
    RETURN_IF(expect_axis(call, a->axis, &axis));
    if (in->dim[axis] < 0)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected an axis of known length, found axis %d of %s",
                    call->name, axis, shape_text(in, text));
    const struct block block = slice_block(a, in);
    if (block.count < 1) {
        if (a->stop != GRAPH_SLICE_END)
            snprintf(stop, sizeof stop, "%lld", (long long)a->stop);
        return fail(call->ctx, STATUS_BAD_SHAPE,
                    "%s: expected a part of axis %d of %s with a step of at least 1, found %lld to %s by %lld",
                    call->name, axis, shape_text(in, text), (long long)a->start, stop, (long long)a->step);
    }
    call->out[0] = call->in[0];
    call->out[0].shape.dim[axis] = block.count;
    return STATUS_OK;
}

static enum batch_kind slice_batch(const struct op_call *call)
{
    const struct slice_attributes *a = call->attributes;
    return a->axis == 0 || a->axis == -call->in[0].shape.rank ? BATCH_MIXED : BATCH_ROWS;
}

static void slice_forward(const struct op_run *run)
{
    const struct tensor_spec *in = &run->call->in[0];
    const struct block block = slice_block(run->call->attributes, &in->shape);
    block_cut(run, &block, in->element, run->in[0], run->out[0], false);
}

static void slice_backward(const struct op_run *run)
{
    const struct tensor_spec *in = &run->call->in[0];
    const struct block block = slice_block(run->call->attributes, &in->shape);
    if (!run->add[0])
        run->table->fill_values(shape_elements(&in->shape), 0, run->d_in[0]);
    block_paste(run, &block, in->element, run->d_out[0], run->d_in[0], run->add[0]);
}

static void slice_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct slice_attributes *a = call->attributes;
    const struct shape *whole = &call->in[0].shape, *part = &call->out[0].shape;
    const int axis = (a->axis + whole->rank) % whole->rank;
    const int64_t start = a->start < 0 ? a->start + whole->dim[axis] : a->start;
    for (int64_t i = 0; i < shape_elements(part); i++) {
        int64_t rest = i, from = 0, step = 1;
        for (int k = part->rank - 1; k >= 0; k--) {
            const int64_t at = rest % part->dim[k];
            from += (k == axis ? start + at * a->step : at) * step;
            rest /= part->dim[k];
            step *= whole->dim[k];
        }
        out[0][i] = in[0][from];
    }
}

static const struct slice_attributes middle = {1, 1, 3, 1}, every_second = {-2, 0, GRAPH_SLICE_END, 2};
static const struct slice_attributes last = {-1, -1, GRAPH_SLICE_END, 1}, thirds = {-1, 1, -1, 3}, rows = {0, -3, 5, 2};
static const struct op_example slice_examples[] = {
    {.name = "a middle axis", .attributes = &middle, .n_inputs = 1, .in = {{.rank = 3, .dim = {2, 5, 3}}}},
    {.name = "every second column",
     .attributes = &every_second,
     .n_inputs = 1,
     .in = {{.rank = 4, .dim = {2, 3, 7, 17}}}},
    {.name = "the last channel", .attributes = &last, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 1, 1, 3}}}},
    {.name = "every third channel", .attributes = &thirds, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 9}}}},
    {.name = "rows from the end", .attributes = &rows, .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 4}}}},
    {.name = "labels",
     .attributes = &middle,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 2, .dim = {3, 4}, .limit = 9}}},
};

extern const struct op op_slice;
const struct op op_slice = {
    .name = "slice",
    .summary = "a part of an axis, or every n-th index of it",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct slice_attributes),
    .shape = slice_shape,
    .batch = slice_batch,
    .forward = slice_forward,
    .backward = slice_backward,
    .reference = slice_reference,
    .examples = slice_examples,
    .n_examples = sizeof(slice_examples) / sizeof(slice_examples[0]),
};

struct node *graph_slice(struct graph *graph, struct node *x, int axis, int64_t start, int64_t stop, int64_t step)
{
    struct slice_attributes attributes = {axis, start, stop, step};
    return graph_call(graph, &op_slice, &attributes, 1, &x);
}
