/* max_pool: the largest of each window; padding is left out. x [B,H,W,C] -> y [B,H',W',C].
 *
 * The gradient goes to the first largest of a window, found again from x. */
#include "graph/op/pooling.h"

static enum status max_pool_shape(struct op_call *call)
{
    return pooling_shape(call, call->attributes);
}

static enum status max_pool_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1; /* where the largest is */
    return STATUS_OK;
}

static void max_pool_forward(const struct op_run *run)
{
    struct pool_shape shape = pooling_of(run->call, run->call->attributes);
    run->table->max_pool_forward(&shape, run->in[0], run->out[0], run->threads);
}

static void max_pool_backward(const struct op_run *run)
{
    struct pool_shape shape = pooling_of(run->call, run->call->attributes);
    run->table->max_pool_backward(&shape, run->in[0], run->d_out[0], run->d_in[0], run->add[0], run->threads);
}

static void max_pool_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    pooling_reference(call, call->attributes, true, in[0], out[0]);
}

static const struct pooling two = {{2, 2}, {2, 2}, {0, 0}}, three = {{3, 3}, {2, 2}, {1, 1}},
                            same = {{3, 3}, {1, 1}, {1, 1}};
static const struct pooling oblong = {{3, 1}, {1, 2}, {1, 0}}, whole = {{4, 5}, {1, 1}, {0, 0}},
                            apart = {{2, 2}, {3, 3}, {0, 0}};
static const struct op_example max_pool_examples[] = {
    {.name = "2x2, 12 channels",
     .attributes = &two,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {3, 4, 6, 12}}}},
    {.name = "2x2, odd map",
     .attributes = &two,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 5, 3, 17}}}},
    {.name = "2x2, one channel",
     .attributes = &two,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 2, 3, 1}}}},
    {.name = "3x3, stride 2, padded",
     .attributes = &three,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 7, 6, 3}}}},
    {.name = "3x3 on 1x1",
     .attributes = &same,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {3, 1, 1, 17}}}},
    {.name = "oblong",
     .attributes = &oblong,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 4, 5, 65}}}},
    {.name = "the whole map",
     .attributes = &whole,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {3, 4, 5, 8}}}},
    {.name = "windows apart",
     .attributes = &apart,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 6, 8, 5}}}},
};

extern const struct op op_max_pool;
const struct op op_max_pool = {
    .name = "max_pool",
    .summary = "the largest of each window of a map",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct pooling),
    .shape = max_pool_shape,
    .prepare = max_pool_prepare,
    .forward = max_pool_forward,
    .backward = max_pool_backward,
    .reference = max_pool_reference,
    .examples = max_pool_examples,
    .n_examples = sizeof(max_pool_examples) / sizeof(max_pool_examples[0]),
};

struct node *graph_max_pool(struct graph *graph, struct node *x, const struct pooling *pooling)
{
    return graph_call(graph, &op_max_pool, pooling, 1, &x);
}
