/* has_label: 1 where a sample has a label, 0 where it is -1.
 *
 * labels i32 -> real of the same shape. No gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

static enum status has_label_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_I32, 0, SHAPE_MAX_RANK, "labels, i32 [B]"));
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, call->in[0].shape};
    return STATUS_OK;
}

static void has_label_forward(const struct op_run *run)
{
    run->table->label_rows(run->in[0], shape_elements(&run->call->in[0].shape), run->out[0]);
}

static void has_label_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        out[0][i] = in[0][i] < 0 ? 0 : 1;
    }
}

static const struct op_example has_label_examples[] = {
    {.name = "labels missing",
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {33}, .limit = 2}}},
    {.name = "all there", .n_inputs = 1, .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {3}, .limit = 10}}},
};

extern const struct op op_has_label;
const struct op op_has_label = {
    .name = "has_label",
    .summary = "1 where there is a label, else 0",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = has_label_shape,
    .forward = has_label_forward,
    .reference = has_label_reference,
    .examples = has_label_examples,
    .n_examples = sizeof(has_label_examples) / sizeof(has_label_examples[0]),
};

struct node *graph_has_label(struct graph *graph, struct node *labels)
{
    return graph_call(graph, &op_has_label, NULL, 1, &labels);
}
