/* to_hwc: maps from a border: [B,C,H,W] -> [B,H,W,C]. */
#include "graph/op/expect.h"
#include "graph/op/transpose.h"
#include "graph/ops.h"

static enum status to_hwc_shape(struct op_call *call)
{
    const int64_t *dim = call->in[0].shape.dim;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 4, 4, "a map, real [B,C,H,W]"));
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, {4, {dim[0], dim[2], dim[3], dim[1]}}};
    return STATUS_OK;
}

static void to_hwc_forward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    transpose_forward(run, dim[1], dim[2] * dim[3]);
}

static void to_hwc_backward(const struct op_run *run)
{
    const int64_t *dim = run->call->in[0].shape.dim;
    transpose_backward(run, dim[1], dim[2] * dim[3]);
}

static void to_hwc_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t *d = call->in[0].shape.dim;
    for (int64_t b = 0; b < d[0]; b++) {
        for (int64_t c = 0; c < d[1]; c++) {
            for (int64_t y = 0; y < d[2]; y++) {
                for (int64_t x = 0; x < d[3]; x++) {
                    out[0][((b * d[2] + y) * d[3] + x) * d[1] + c] = in[0][((b * d[1] + c) * d[2] + y) * d[3] + x];
                }
            }
        }
    }
}

static const struct op_example to_hwc_examples[] = {
    {.name = "odd sizes", .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 5, 7}}}},
    {.name = "one channel", .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 1, 4, 3}}}},
    {.name = "a 1x1 map", .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 17, 1, 1}}}},
    {.name = "larger than a tile", .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 40, 3, 3}}}},
};

extern const struct op op_to_hwc;
const struct op op_to_hwc = {
    .name = "to_hwc",
    .summary = "[B,C,H,W] to [B,H,W,C]",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = to_hwc_shape,
    .forward = to_hwc_forward,
    .backward = to_hwc_backward,
    .reference = to_hwc_reference,
    .examples = to_hwc_examples,
    .n_examples = sizeof(to_hwc_examples) / sizeof(to_hwc_examples[0]),
};

struct node *graph_to_hwc(struct graph *graph, struct node *x)
{
    return graph_call(graph, &op_to_hwc, NULL, 1, &x);
}
