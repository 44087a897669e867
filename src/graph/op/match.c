/* match: 1 where two indices are equal, else 0.
 *
 * a, b i32 of one shape -> real of that shape. No gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

static enum status match_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_I32, 0, SHAPE_MAX_RANK, "indices, i32 [B]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_I32, 0, SHAPE_MAX_RANK, "indices, i32 [B]"));
    if (!shape_equal(&call->in[0].shape, &call->in[1].shape)) {
        return expect_failure(call, 1, "indices of the first input's shape");
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, call->in[0].shape};
    return STATUS_OK;
}

static void match_forward(const struct op_run *run)
{
    run->table->match_rows(run->in[0], run->in[1], shape_elements(&run->call->in[0].shape), run->out[0]);
}

static void match_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        out[0][i] = in[0][i] == in[1][i] ? 1 : 0;
    }
}

static const struct op_example match_examples[] = {
    {.name = "a batch",
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {17}, .limit = 3},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {17}, .limit = 3}}},
    {.name = "missing ones",
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {33}, .limit = 2},
            {.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {33}, .limit = 2}}},
};

extern const struct op op_match;
const struct op op_match = {
    .name = "match",
    .summary = "1 where two indices are equal, else 0",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .shape = match_shape,
    .forward = match_forward,
    .reference = match_reference,
    .examples = match_examples,
    .n_examples = sizeof(match_examples) / sizeof(match_examples[0]),
};

struct node *graph_match(struct graph *graph, struct node *a, struct node *b)
{
    return graph_call(graph, &op_match, NULL, 2, (struct node *[]){a, b});
}
