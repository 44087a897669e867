/* to_chw: maps as they are at borders: [B,H,W,C] -> [B,C,H,W]. */
#include "graph/op/expect.h"
#include "graph/op/transpose.h"
#include "graph/ops.h"

static enum status to_chw_shape(struct op_call *call)
{
    const int64_t *dim = call->in[0].shape.dim;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 4, 4, "a map, real [B,H,W,C]"));
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, {4, {dim[0], dim[3], dim[1], dim[2]}}};
    return STATUS_OK;
}

static void to_chw_forward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    transpose_forward(run, dim[1] * dim[2], dim[3]);
}

static void to_chw_backward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    transpose_backward(run, dim[1] * dim[2], dim[3]);
}

static void to_chw_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t *d = call->in[0].shape.dim;
    for (int64_t b = 0; b < d[0]; b++) {
        for (int64_t y = 0; y < d[1]; y++) {
            for (int64_t x = 0; x < d[2]; x++) {
                for (int64_t c = 0; c < d[3]; c++) {
                    out[0][((b * d[3] + c) * d[1] + y) * d[2] + x] = in[0][((b * d[1] + y) * d[2] + x) * d[3] + c];
                }
            }
        }
    }
}

static const struct op_example to_chw_examples[] = {
    {.name = "odd sizes", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 5, 7, 3}}}},
    {.name = "one channel", .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 4, 3, 1}}}},
    {.name = "a 1x1 map", .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 1, 1, 17}}}},
    {.name = "larger than a tile", .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 7, 9, 4}}}},
};

extern const struct op op_to_chw;
const struct op op_to_chw = {
    .name = "to_chw",
    .summary = "[B,H,W,C] to [B,C,H,W]",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = to_chw_shape,
    .forward = to_chw_forward,
    .backward = to_chw_backward,
    .reference = to_chw_reference,
    .examples = to_chw_examples,
    .n_examples = sizeof(to_chw_examples) / sizeof(to_chw_examples[0]),
};

struct node *graph_to_chw(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_to_chw, NULL, 1, &x);
}
