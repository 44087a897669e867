/* global_max_pool: the largest of each channel's map. x [B,H,W,C] -> y [B,C]. The gradient goes to the first
 * largest. */
#include "graph/op/pooling.h"

static enum status global_max_pool_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1; /* where the largest is */
    return STATUS_OK;
}

static void global_max_pool_forward(const struct op_run *run)
{
    struct pool_shape shape = pooling_of(run->call, NULL);
    run->table->max_pool_forward(&shape, run->in[0], run->out[0], run->threads);
}

static void global_max_pool_backward(const struct op_run *run)
{
    struct pool_shape shape = pooling_of(run->call, NULL);
    run->table->max_pool_backward(&shape, run->in[0], run->d_out[0], run->d_in[0], run->add[0], run->threads);
}

static void global_max_pool_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    pooling_reference(call, NULL, true, in[0], out[0]);
}

static const struct op_example global_max_pool_examples[] = {
    {.name = "12 channels", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {3, 7, 7, 12}}}},
    {.name = "batch 1, 17 channels", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {1, 3, 5, 17}}}},
    {.name = "1x1", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {5, 1, 1, 3}}}},
    {.name = "70 channels", .n_inputs = 1, .in = {{.fill = OP_FILL_APART, .rank = 4, .dim = {2, 2, 2, 70}}}},
};

extern const struct op op_global_max_pool;
const struct op op_global_max_pool = {
    .name = "global_max_pool",
    .summary = "the largest of each channel's map",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = global_shape,
    .prepare = global_max_pool_prepare,
    .forward = global_max_pool_forward,
    .backward = global_max_pool_backward,
    .reference = global_max_pool_reference,
    .examples = global_max_pool_examples,
    .n_examples = sizeof(global_max_pool_examples) / sizeof(global_max_pool_examples[0]),
};

struct node *graph_global_max_pool(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_global_max_pool, NULL, 1, &x);
}
