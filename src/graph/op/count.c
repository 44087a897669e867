/* count: how long an axis is, as a scalar: the batch size, for axis 0.
 *
 * x of any type and shape -> real []. The values of x are not read. No gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

struct count_attributes {
    int axis; /* negative: from the end */
};

static enum status count_shape(struct op_call *call)
{
    const struct count_attributes *attributes = call->attributes;
    int axis;
    RETURN_IF(expect_axis(call, attributes->axis, &axis));
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE_SCALAR};
    return STATUS_OK;
}

static enum batch_kind count_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static void count_forward(const struct op_run *run)
{
    const struct count_attributes *attributes = run->call->attributes;
    const struct shape *shape = &run->call->in[0].shape;
    int axis = attributes->axis < 0 ? attributes->axis + shape->rank : attributes->axis;
    run->table->fill_values(1, (double)shape->dim[axis], run->out[0]);
}

static void count_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct count_attributes *attributes = call->attributes;
    int rank = call->in[0].shape.rank;
    (void)in;
    out[0][0] = (double)call->in[0].shape.dim[(attributes->axis + rank) % rank];
}

static const struct count_attributes batch = {0}, channels = {-1};
static const struct op_example count_examples[] = {
    {.name = "the batch", .attributes = &batch, .n_inputs = 1, .in = {{.rank = 2, .dim = {17, 3}}}},
    {.name = "channels", .attributes = &channels, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 1, 1, 5}}}},
    {.name = "of labels",
     .attributes = &batch,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {1}, .limit = 3}}},
};

extern const struct op op_count;
const struct op op_count = {
    .name = "count",
    .summary = "the length of an axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct count_attributes),
    .shape = count_shape,
    .batch = count_batch,
    .forward = count_forward,
    .reference = count_reference,
    .examples = count_examples,
    .n_examples = sizeof(count_examples) / sizeof(count_examples[0]),
};

struct node *graph_count(struct graph *graph, struct node *x, int axis)
{
    struct count_attributes attributes = {axis};
    return graph_call(graph, &op_count, &attributes, 1, &x);
}
