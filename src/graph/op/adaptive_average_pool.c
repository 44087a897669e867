/* adaptive_average_pool: a map's averages over height x width bins. x [B,H,W,C] -> y [B,height,width,C]
 *
 *     bin i of m along an axis of n: the positions from floor(i n / m) to ceil((i + 1) n / m), the last left out
 *     dx = sum of dy / bin's size over the bins that cover it
 *
 * Bins overlap where m does not divide n, and repeat positions where m is larger. PyTorch's adaptive_avg_pool2d. */
#include "graph/op/expect.h"
#include "graph/op/pooling.h"

struct adaptive_attributes {
    int height, width;
};

static enum status adaptive_shape(struct op_call *call)
{
    const struct adaptive_attributes *a = call->attributes;
    RETURN_IF(map_expect(call));
    if (a->height < 1 || a->width < 1)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a size of at least 1x1, found %dx%d", call->name,
                    a->height, a->width);
    const int64_t *in = call->in[0].shape.dim;
    call->out[0] = (struct tensor_spec){call->in[0].element, SHAPE(in[0], a->height, a->width, in[3])};
    return STATUS_OK;
}

static struct pool_shape bins_of(const struct op_call *call)
{
    const int64_t *in = call->in[0].shape.dim, *out = call->out[0].shape.dim;
    return (struct pool_shape){.samples = in[0],
                               .height = in[1],
                               .width = in[2],
                               .channels = in[3],
                               .out_height = out[1],
                               .out_width = out[2],
                               .bins = true};
}

static enum status adaptive_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    return STATUS_OK;
}

static void adaptive_forward(const struct op_run *run)
{
    const struct pool_shape shape = bins_of(run->call);
    run->table->average_pool_forward(&shape, run->in[0], run->out[0], run->threads);
}

static void adaptive_backward(const struct op_run *run)
{
    const struct pool_shape shape = bins_of(run->call);
    run->table->average_pool_backward(&shape, run->d_out[0], run->d_in[0], run->add[0], run->threads);
}

/* A position counts for bin i when any of its part [h m, (h + 1) m) of the n m fine steps lies in [i n, (i + 1) n). */
static bool meets(int64_t position, int64_t bin, int64_t n, int64_t m)
{
    return position * m < (bin + 1) * n && (position + 1) * m > bin * n;
}

static void adaptive_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t *x = call->in[0].shape.dim, *y = call->out[0].shape.dim;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        const int64_t c = i % y[3], column = i / y[3] % y[2], row = i / y[3] / y[2] % y[1], b = i / y[3] / y[2] / y[1];
        double sum = 0, count = 0;
        for (int64_t h = 0; h < x[1]; h++) {
            for (int64_t w = 0; w < x[2]; w++) {
                if (!meets(h, row, x[1], y[1]) || !meets(w, column, x[2], y[2]))
                    continue;
                sum += in[0][((b * x[1] + h) * x[2] + w) * x[3] + c];
                count += 1;
            }
        }
        out[0][i] = sum / count;
    }
}

static const struct adaptive_attributes one = {1, 1}, two = {2, 2}, three = {3, 3}, flat = {1, 4}, large = {7, 5};
static const struct op_example adaptive_examples[] = {
    {.name = "bins that fit", .attributes = &two, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 4, 6, 12}}}},
    {.name = "bins that overlap", .attributes = &three, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 7, 5, 17}}}},
    {.name = "one bin, one channel", .attributes = &one, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 5, 3, 1}}}},
    {.name = "the same size", .attributes = &three, .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 3, 3, 3}}}},
    {.name = "larger than the map", .attributes = &large, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 4, 3, 8}}}},
    {.name = "a 1x1 map", .attributes = &two, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 1, 1, 17}}}},
    {.name = "a large bin", .attributes = &flat, .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 30, 41, 3}}}},
};

extern const struct op op_adaptive_average_pool;
const struct op op_adaptive_average_pool = {
    .name = "adaptive_average_pool",
    .summary = "the average of each of height x width bins that divide a map",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct adaptive_attributes),
    .shape = adaptive_shape,
    .prepare = adaptive_prepare,
    .forward = adaptive_forward,
    .backward = adaptive_backward,
    .reference = adaptive_reference,
    .examples = adaptive_examples,
    .n_examples = sizeof(adaptive_examples) / sizeof(adaptive_examples[0]),
};

struct node *graph_adaptive_average_pool(struct graph *graph, struct node *x, int height, int width)
{
    const struct adaptive_attributes attributes = {height, width};
    return graph_call(graph, &op_adaptive_average_pool, &attributes, 1, &x);
}
