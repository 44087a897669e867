/* stop_gradient: y = x, and no gradient: what is behind it is a constant to the loss. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

static enum status stop_gradient_shape(struct op_call *call)
{
    call->out[0] = call->in[0]; /* of any type and shape */
    return STATUS_OK;
}

static enum status stop_gradient_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "copy";
    needs->overwrite = 1;
    return STATUS_OK;
}

static void stop_gradient_forward(const struct op_run *run)
{
    size_t bytes = (size_t)shape_elements(&run->call->in[0].shape) * element_size(run->call->in[0].element);
    if (run->out[0] != run->in[0])
        run->table->copy_rows(run->in[0], 1, bytes, bytes, run->out[0], bytes);
}

static void stop_gradient_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++)
        out[0][i] = in[0][i];
}

static const struct op_example stop_gradient_examples[] = {
    {.name = "rows", .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 10}}}},
    {.name = "labels", .n_inputs = 1, .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {3}, .limit = 10}}},
    {.name = "a scalar", .n_inputs = 1, .in = {{.rank = 0, .dim = {0}}}},
};

extern const struct op op_stop_gradient;
const struct op op_stop_gradient = {
    .name = "stop_gradient",
    .summary = "the same numbers, constant to the loss",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .view = true,
    .shape = stop_gradient_shape,
    .prepare = stop_gradient_prepare,
    .forward = stop_gradient_forward,
    .reference = stop_gradient_reference,
    .examples = stop_gradient_examples,
    .n_examples = sizeof(stop_gradient_examples) / sizeof(stop_gradient_examples[0]),
};

struct node *graph_stop_gradient(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_stop_gradient, NULL, 1, &x);
}
