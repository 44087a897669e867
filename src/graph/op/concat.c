/* concat: inputs one after the other along an axis.
 *
 * Up to 16 inputs of one type, equal in all other axes. Along an axis that depends on the batch all inputs must: [B,K]
 * and [B,K] give [2B,K]. */
#include "graph/op/block.h"
#include "graph/op/expect.h"
#include "graph/ops.h"

struct concat_attributes {
    int axis; /* negative: from the end */
};

static enum status concat_shape(struct op_call *call)
{
    const struct concat_attributes *attributes = call->attributes;
    int axis;
    RETURN_IF(expect_axis(call, attributes->axis, &axis));
    struct tensor_spec out = call->in[0];
    for (int i = 1; i < call->n_inputs; i++) {
        const struct shape *in = &call->in[i].shape;
        bool fits = in->rank == out.shape.rank && call->in[i].element == out.element;
        for (int k = 0; fits && k < in->rank; k++) {
            fits = k == axis ? (in->dim[k] < 0) == (out.shape.dim[k] < 0) : in->dim[k] == out.shape.dim[k];
        }
        if (!fits) {
            char found[SHAPE_TEXT_SIZE], first[SHAPE_TEXT_SIZE];
            return fail(call->ctx, STATUS_BAD_SHAPE,
                        "%s: expected inputs that differ from %s %s only in axis %d, found %s %s as input %d",
                        call->name, element_text(out.element), shape_text(&call->in[0].shape, first), axis,
                        element_text(call->in[i].element), shape_text(in, found), i);
        }
        out.shape.dim[axis] += in->dim[axis];
    }
    call->out[0] = out;
    return STATUS_OK;
}

static enum batch_kind concat_batch(const struct op_call *call)
{
    const struct concat_attributes *attributes = call->attributes;
    return attributes->axis == 0 || attributes->axis == -call->in[0].shape.rank ? BATCH_MIXED : BATCH_ROWS;
}

/* part_of: where in the output an input lies. */
static struct block part_of(const struct op_call *call, int input)
{
    const struct concat_attributes *attributes = call->attributes;
    int rank = call->in[0].shape.rank, axis = attributes->axis < 0 ? attributes->axis + rank : attributes->axis;
    int64_t before = 0;
    for (int i = 0; i < input; i++) {
        before += call->in[i].shape.dim[axis];
    }
    return block_of(&call->out[0].shape, axis, before, 1, call->in[input].shape.dim[axis]);
}

static void concat_forward(const struct op_run *run)
{
    for (int i = 0; i < run->call->n_inputs; i++) {
        const struct block part = part_of(run->call, i);
        block_paste(run, &part, run->call->out[0].element, run->in[i], run->out[0], false);
    }
}

static void concat_backward(const struct op_run *run)
{
    for (int i = 0; i < run->call->n_inputs; i++) {
        const struct block part = part_of(run->call, i);
        if (run->d_in[i]) {
            block_cut(run, &part, run->call->out[0].element, run->d_out[0], run->d_in[i], run->add[i]);
        }
    }
}

static void concat_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct concat_attributes *attributes = call->attributes;
    const struct shape *whole = &call->out[0].shape;
    int axis = (attributes->axis + whole->rank) % whole->rank;
    int64_t start = 0;
    for (int i = 0; i < call->n_inputs; i++) {
        const struct shape *shape = &call->in[i].shape;
        for (int64_t e = 0; e < shape_elements(shape); e++) {
            int64_t rest = e, to = 0, step = 1;
            for (int k = shape->rank - 1; k >= 0; k--) {
                int64_t at = rest % shape->dim[k] + (k == axis ? start : 0);
                rest /= shape->dim[k];
                to += at * step;
                step *= whole->dim[k];
            }
            out[0][to] = in[i][e];
        }
        start += shape->dim[axis];
    }
}

static const struct concat_attributes batch = {0}, columns = {1}, channels = {-1};
static const struct op_example concat_examples[] = {
    {.name = "channels",
     .attributes = &channels,
     .n_inputs = 3,
     .in = {{.rank = 4, .dim = {2, 3, 3, 1}}, {.rank = 4, .dim = {2, 3, 3, 17}}, {.rank = 4, .dim = {2, 3, 3, 3}}}},
    {.name = "batches",
     .attributes = &batch,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {3, 5}}, {.rank = 2, .dim = {3, 5}}}},
    {.name = "a middle axis",
     .attributes = &columns,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {2, 1, 4}}, {.rank = 3, .dim = {2, 5, 4}}}},
    {.name = "alone", .attributes = &columns, .n_inputs = 1, .in = {{.rank = 2, .dim = {3, 2}}}},
    {.name = "one constant, batch 1",
     .attributes = &columns,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {1, 2}, .constant = true}, {.rank = 2, .dim = {1, 7}}}},
    {.name = "labels",
     .attributes = &batch,
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {3}, .limit = 9},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {3}, .limit = 9}}},
};

extern const struct op op_concat;
const struct op op_concat = {
    .name = "concat",
    .summary = "inputs one after the other along an axis",
    .inputs_min = 1,
    .inputs_max = OP_MAX_INPUTS,
    .outputs = 1,
    .attributes_size = sizeof(struct concat_attributes),
    .shape = concat_shape,
    .batch = concat_batch,
    .forward = concat_forward,
    .backward = concat_backward,
    .reference = concat_reference,
    .examples = concat_examples,
    .n_examples = sizeof(concat_examples) / sizeof(concat_examples[0]),
};

struct node *graph_concat(struct graph *graph, int n, struct node *const *x, int axis)
{
    struct concat_attributes attributes = {axis};
    return graph_call(graph, &op_concat, &attributes, n, x);
}
