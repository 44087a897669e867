/* convolution: y[b][h][w][o] = bias[o] + sum over c, kh, kw of x[b][h*stride - padding + kh*dilation][…][c] * weight[o][c][kh][kw]
 *
 * x [B,H,W,C], weight [O,C/groups,kh,kw], bias [O] -> [B,H',W',O]; see convolution.h for what can be folded in. A row
 * [B,L,C] with weight [O,C/groups,k] is a map of height 1: [B,L',O].
 * The passes are in convolution_plan.c. */
#include "graph/op/convolution.h"

#include "graph/op/expect.h"

#include <math.h>

static enum status attributes_check(const struct op_call *call)
{
    const struct convolution *c = &((const struct convolution_attributes *)call->attributes)->c;
    for (int i = 0; i < 2; i++)
        if (c->kernel[i] < 1 || c->stride[i] < 1 || c->dilation[i] < 1 || c->padding[i] < 0)
            return fail(
                call->ctx, STATUS_BAD_INPUT,
                "%s: expected kernel, stride and dilation of 1 or more and padding of 0 or more, found %d, %d, %d, %d",
                call->name, c->kernel[i], c->stride[i], c->dilation[i], c->padding[i]);
    if (c->out < 1 || c->groups < 1 || c->out % c->groups != 0)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a number of outputs that %d groups divide, found %d",
                    call->name, c->groups, c->out);
    return STATUS_OK;
}

/* Inputs from 2 on: bias, then the batch norm's, all [O]. */
static enum status channels_check(const struct op_call *call)
{
    const struct convolution_attributes *a = call->attributes;
    const int expected = 2 + a->has_bias + (a->fold ? 4 : 0);
    if (call->n_inputs != expected)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected %d inputs, found %d", call->name, expected,
                    call->n_inputs);
    for (int i = 2; i < expected; i++) {
        RETURN_IF(expect_input(call, i, ELEMENT_REAL, 1, 1, "one real number a channel"));
        if (call->in[i].shape.dim[0] != a->c.out) {
            char text[SHAPE_TEXT_SIZE];
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: input %d: expected [%d], found %s", call->name, i, a->c.out,
                        shape_text(&call->in[i].shape, text));
        }
    }
    return STATUS_OK;
}

struct shape convolution_map(const struct shape *shape)
{
    const int64_t *dim = shape->dim;
    return shape->rank == 3 ? SHAPE(dim[0], 1, dim[1], dim[2]) : *shape;
}

/* weight_check: a map [B,H,W,C] wants [O,C/groups,kh,kw], a row [B,L,C] a kernel of height 1 and [O,C/groups,k]. */
static enum status weight_check(const struct op_call *call)
{
    const struct convolution *c = &((const struct convolution_attributes *)call->attributes)->c;
    const bool row = call->in[0].shape.rank == 3;
    const int64_t channels = call->in[0].shape.dim[row ? 2 : 3];
    char text[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (row && (c->kernel[0] != 1 || c->stride[0] != 1 || c->padding[0] != 0))
        return fail(
            call->ctx, STATUS_BAD_INPUT,
            "%s: a row %s has a height of 1: expected kernel 1, stride 1 and padding 0 along it, found %d, %d, %d",
            call->name, shape_text(&call->in[0].shape, text), c->kernel[0], c->stride[0], c->padding[0]);
    if (channels < 1 || channels % c->groups != 0)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected a number of channels that %d groups divide, found %s",
                    call->name, c->groups, shape_text(&call->in[0].shape, text));
    const struct shape weight = row ? SHAPE(c->out, channels / c->groups, c->kernel[1])
                                    : SHAPE(c->out, channels / c->groups, c->kernel[0], c->kernel[1]);
    if (!shape_equal(&weight, &call->in[1].shape))
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected a weight %s, found %s", call->name,
                    shape_text(&weight, text), shape_text(&call->in[1].shape, found));
    return STATUS_OK;
}

static enum status convolution_shape(struct op_call *call)
{
    const struct convolution *c = &((const struct convolution_attributes *)call->attributes)->c;
    char text[SHAPE_TEXT_SIZE];
    RETURN_IF(attributes_check(call));
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 3, 4, "a map, real [B,H,W,C], or a row [B,L,C]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_REAL, 3, 4, "a weight, real [O,C/groups,kh,kw]"));
    RETURN_IF(channels_check(call));
    RETURN_IF(weight_check(call));
    const struct shape map = convolution_map(&call->in[0].shape);
    struct shape out = {4, {map.dim[0], 0, 0, c->out}};
    for (int i = 0; i < 2; i++) {
        const int64_t size = map.dim[1 + i];
        out.dim[1 + i] =
            size < 1 ? 0 : convolution_out_size(size, c->kernel[i], c->stride[i], c->padding[i], c->dilation[i]);
        if (out.dim[1 + i] < 1)
            return fail(call->ctx, STATUS_BAD_SHAPE,
                        "%s: a kernel of %dx%d with padding %dx%d and dilation %dx%d does not fit into %s", call->name,
                        c->kernel[0], c->kernel[1], c->padding[0], c->padding[1], c->dilation[0], c->dilation[1],
                        shape_text(&call->in[0].shape, text));
    }
    if (call->in[0].shape.rank == 3)
        out = SHAPE(out.dim[0], out.dim[2], out.dim[3]);
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, out};
    return STATUS_OK;
}

/* One output number, straight from the formula. */
static double convolution_at(const struct op_call *call, const double *x, const double *weight, int64_t b, int64_t h,
                             int64_t w, int64_t o)
{
    const struct convolution *a = &((const struct convolution_attributes *)call->attributes)->c;
    const struct shape map = convolution_map(&call->in[0].shape);
    const int64_t *in = map.dim, channels = in[3] / a->groups, group = o / (a->out / a->groups);
    double sum = 0;
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = 0; i < a->kernel[0]; i++) {
            for (int64_t j = 0; j < a->kernel[1]; j++) {
                const int64_t y = h * a->stride[0] - a->padding[0] + i * a->dilation[0];
                const int64_t z = w * a->stride[1] - a->padding[1] + j * a->dilation[1];
                if (y >= 0 && y < in[1] && z >= 0 && z < in[2])
                    sum += x[((b * in[1] + y) * in[2] + z) * in[3] + group * channels + c] *
                           weight[((o * channels + c) * a->kernel[0] + i) * a->kernel[1] + j];
            }
        }
    }
    return sum;
}

static void convolution_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct convolution_attributes *a = call->attributes;
    const struct shape map = convolution_map(&call->out[0].shape);
    const int64_t *d = map.dim;
    for (int64_t i = 0; i < shape_elements(&map); i++) {
        const int64_t o = i % d[3], w = i / d[3] % d[2], h = i / d[3] / d[2] % d[1], b = i / d[3] / d[2] / d[1];
        double y = convolution_at(call, in[0], in[1], b, h, w, o) + (a->has_bias ? in[2][o] : 0);
        if (a->fold) {
            const double *const *norm = in + 2 + a->has_bias;
            y = (y - norm[2][o]) / sqrt(norm[3][o] + a->epsilon) * norm[0][o] + norm[1][o];
        }
        if (a->activation != ACTIVATION_NONE)
            y = y < 0 ? 0 : y;
        if (a->activation == ACTIVATION_RELU6)
            y = y > 6 ? 6 : y;
        out[0][i] = y;
    }
}

static double convolution_macs_of(const struct op_call *call)
{
    const struct shape *weight = &call->in[1].shape;
    return (double)shape_elements(&call->out[0].shape) * (double)shape_elements(weight) / (double)weight->dim[0];
}

/* Shapes of an example: out, kernel, stride, padding, dilation, groups. */
#define SQUARE(o, k, s, p, d, g)                                                                                       \
    {                                                                                                                  \
        .out = o, .kernel = {k, k}, .stride = {s, s}, .padding = {p, p}, .dilation = {d, d}, .groups = g               \
    }
#define CASE(name, ...) static const struct convolution_attributes name = __VA_ARGS__;
CASE(first_layer, {.c = SQUARE(12, 3, 1, 1, 1, 1), .has_bias = true})
CASE(student, {.c = SQUARE(12, 3, 1, 1, 1, 1)})
CASE(three_to_seventeen, {.c = SQUARE(17, 3, 2, 1, 1, 1), .has_bias = true})
CASE(point, {.c = SQUARE(20, 1, 1, 0, 1, 1), .has_bias = true})
CASE(point_wide, {.c = SQUARE(24, 1, 1, 0, 1, 1), .has_bias = true})
CASE(point_stride, {.c = SQUARE(5, 1, 2, 0, 1, 1)})
CASE(unpadded, {.c = SQUARE(8, 3, 1, 0, 1, 1), .has_bias = true})
CASE(far_padded, {.c = SQUARE(17, 3, 1, 2, 1, 1)})
CASE(wide, {.c = SQUARE(33, 3, 1, 1, 1, 1)})
CASE(tiles, {.c = SQUARE(17, 3, 1, 1, 1, 1), .has_bias = true})
CASE(tiles_unpadded, {.c = SQUARE(16, 3, 1, 0, 1, 1)})
CASE(tiles_folded,
     {.c = SQUARE(18, 3, 1, 1, 1, 1), .has_bias = true, .fold = true, .epsilon = 1e-5, .activation = ACTIVATION_RELU6})
CASE(whole_map, {.c = SQUARE(8, 5, 1, 0, 1, 1), .has_bias = true})
CASE(uneven, {.c = {.out = 3, .kernel = {2, 3}, .stride = {3, 2}, .padding = {0, 2}, .dilation = {2, 1}, .groups = 1}})
CASE(dilated, {.c = {.out = 6, .kernel = {3, 3}, .stride = {2, 1}, .padding = {2, 3}, .dilation = {2, 3}, .groups = 2},
               .has_bias = true})
CASE(grouped, {.c = SQUARE(15, 3, 2, 1, 1, 3)})
CASE(depthwise, {.c = SQUARE(12, 3, 1, 1, 1, 12), .has_bias = true})
CASE(depthwise_stride, {.c = SQUARE(17, 3, 2, 1, 1, 17)})
CASE(depthwise_dilated,
     {.c = {.out = 3, .kernel = {3, 2}, .stride = {1, 1}, .padding = {2, 1}, .dilation = {2, 2}, .groups = 3}})
CASE(depthwise_map, {.c = SQUARE(12, 7, 1, 0, 1, 12), .has_bias = true})
CASE(depthwise_many, {.c = SQUARE(6, 3, 1, 1, 1, 3)})
CASE(row, {.c = {.out = 17, .kernel = {1, 3}, .stride = {1, 2}, .padding = {0, 2}, .dilation = {1, 2}, .groups = 1},
           .has_bias = true})
CASE(row_groups,
     {.c = {.out = 6, .kernel = {1, 4}, .stride = {1, 1}, .padding = {0, 0}, .dilation = {1, 1}, .groups = 3}})
CASE(row_depthwise,
     {.c = {.out = 8, .kernel = {1, 3}, .stride = {1, 1}, .padding = {0, 1}, .dilation = {1, 1}, .groups = 8}})
CASE(folded,
     {.c = SQUARE(12, 3, 1, 1, 1, 1), .has_bias = true, .fold = true, .epsilon = 1e-3, .activation = ACTIVATION_RELU})
CASE(folded_bare, {.c = SQUARE(7, 3, 2, 1, 1, 1), .fold = true, .epsilon = 1e-5, .activation = ACTIVATION_RELU6})
CASE(folded_depthwise, {.c = SQUARE(9, 3, 1, 1, 1, 9), .fold = true, .epsilon = 1e-5, .activation = ACTIVATION_RELU6})
CASE(with_relu, {.c = SQUARE(5, 3, 1, 1, 1, 1), .has_bias = true, .activation = ACTIVATION_RELU})
#undef CASE

#define X(...)                                                                                                         \
    {                                                                                                                  \
        .rank = 4, .dim = { __VA_ARGS__ }                                                                              \
    }
#define W(...)                                                                                                         \
    {                                                                                                                  \
        .rank = 4, .dim = { __VA_ARGS__ }                                                                              \
    }
#define O(n)                                                                                                           \
    {                                                                                                                  \
        .rank = 1, .dim = { n }                                                                                        \
    }
#define FIXED(number, ...)                                                                                             \
    {                                                                                                                  \
        .rank = number, .dim = {__VA_ARGS__}, .constant = true                                                         \
    }
#define NORM(n)                                                                                                        \
    FIXED(1, n), FIXED(1, n), FIXED(1, n),                                                                             \
    {                                                                                                                  \
        .fill = OP_FILL_POSITIVE, .rank = 1, .dim = {n}, .constant = true                                              \
    }
static const struct op_example convolution_examples[] = {
    {.name = "first layer", .attributes = &first_layer, .n_inputs = 3, .in = {X(2, 7, 9, 1), W(12, 1, 3, 3), O(12)}},
    {.name = "student", .attributes = &student, .n_inputs = 2, .in = {X(3, 14, 13, 12), W(12, 12, 3, 3)}},
    {.name = "3 to 17, stride 2 on odd sizes",
     .attributes = &three_to_seventeen,
     .n_inputs = 3,
     .in = {X(2, 9, 7, 3), W(17, 3, 3, 3), O(17)}},
    {.name = "1x1", .attributes = &point, .n_inputs = 3, .in = {X(2, 5, 4, 17), W(20, 17, 1, 1), O(20)}},
    {.name = "1x1, 5 to 24 channels",
     .attributes = &point_wide,
     .n_inputs = 3,
     .in = {X(2, 3, 4, 5), W(24, 5, 1, 1), O(24)}},
    {.name = "1x1, stride 2", .attributes = &point_stride, .n_inputs = 2, .in = {X(1, 7, 6, 8), W(5, 8, 1, 1)}},
    {.name = "3x3 without padding",
     .attributes = &unpadded,
     .n_inputs = 3,
     .in = {X(3, 5, 11, 9), W(8, 9, 3, 3), O(8)}},
    {.name = "3x3 in padding of 2", .attributes = &far_padded, .n_inputs = 2, .in = {X(1, 3, 6, 16), W(17, 16, 3, 3)}},
    {.name = "33 channels", .attributes = &wide, .n_inputs = 2, .in = {X(1, 5, 6, 32), W(33, 32, 3, 3)}},
    {.name = "tiles, cut off on both sides",
     .attributes = &tiles,
     .n_inputs = 3,
     .in = {X(3, 7, 8, 16), W(17, 16, 3, 3), O(17)}},
    {.name = "tiles without padding",
     .attributes = &tiles_unpadded,
     .n_inputs = 2,
     .in = {X(1, 10, 9, 19), W(16, 19, 3, 3)}},
    {.name = "rows forward, tiles back",
     .attributes = &tiles_unpadded,
     .n_inputs = 2,
     .in = {X(2, 7, 8, 16), W(16, 16, 3, 3)}},
    {.name = "tiles forward, rows back",
     .attributes = &far_padded,
     .n_inputs = 2,
     .in = {X(2, 5, 6, 16), W(17, 16, 3, 3)}},
    {.name = "tiles, folded",
     .attributes = &tiles_folded,
     .n_inputs = 7,
     .in = {FIXED(4, 2, 4, 7, 17), FIXED(4, 18, 17, 3, 3), FIXED(1, 18), NORM(18)}},
    {.name = "a kernel as large as the map",
     .attributes = &whole_map,
     .n_inputs = 3,
     .in = {X(3, 5, 5, 4), W(8, 4, 5, 5), O(8)}},
    {.name = "1x1 map in padding", .attributes = &student, .n_inputs = 2, .in = {X(1, 1, 1, 4), W(12, 4, 3, 3)}},
    {.name = "uneven everything", .attributes = &uneven, .n_inputs = 2, .in = {X(2, 8, 5, 3), W(3, 3, 2, 3)}},
    {.name = "dilated groups", .attributes = &dilated, .n_inputs = 3, .in = {X(2, 9, 8, 4), W(6, 2, 3, 3), O(6)}},
    {.name = "3 groups, stride 2", .attributes = &grouped, .n_inputs = 2, .in = {X(2, 7, 8, 9), W(15, 3, 3, 3)}},
    {.name = "depthwise", .attributes = &depthwise, .n_inputs = 3, .in = {X(2, 8, 9, 12), W(12, 1, 3, 3), O(12)}},
    {.name = "depthwise, stride 2",
     .attributes = &depthwise_stride,
     .n_inputs = 2,
     .in = {X(2, 7, 9, 17), W(17, 1, 3, 3)}},
    {.name = "depthwise, dilated",
     .attributes = &depthwise_dilated,
     .n_inputs = 2,
     .in = {X(1, 6, 7, 3), W(3, 1, 3, 2)}},
    {.name = "depthwise over the whole map",
     .attributes = &depthwise_map,
     .n_inputs = 3,
     .in = {X(5, 7, 7, 12), W(12, 1, 7, 7), O(12)}},
    {.name = "depthwise, two outputs a channel",
     .attributes = &depthwise_many,
     .n_inputs = 2,
     .in = {X(2, 5, 5, 3), W(6, 1, 3, 3)}},
    {.name = "a row",
     .attributes = &row,
     .n_inputs = 3,
     .in = {{.rank = 3, .dim = {3, 11, 3}}, {.rank = 3, .dim = {17, 3, 3}}, O(17)}},
    {.name = "a row of 3 groups",
     .attributes = &row_groups,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {1, 4, 3}}, {.rank = 3, .dim = {6, 1, 4}}}},
    {.name = "a depthwise row",
     .attributes = &row_depthwise,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {2, 9, 8}}, {.rank = 3, .dim = {8, 1, 3}}}},
    {.name = "folded batch norm and relu",
     .attributes = &folded,
     .n_inputs = 7,
     .in = {FIXED(4, 2, 6, 5, 3), FIXED(4, 12, 3, 3, 3), FIXED(1, 12), NORM(12)}},
    {.name = "folded batch norm and relu6, no bias",
     .attributes = &folded_bare,
     .n_inputs = 6,
     .in = {FIXED(4, 1, 5, 5, 4), FIXED(4, 7, 4, 3, 3), NORM(7)}},
    {.name = "folded depthwise",
     .attributes = &folded_depthwise,
     .n_inputs = 6,
     .in = {FIXED(4, 1, 5, 4, 9), FIXED(4, 9, 1, 3, 3), NORM(9)}},
    {.name = "relu",
     .attributes = &with_relu,
     .n_inputs = 3,
     .in = {FIXED(4, 2, 4, 4, 2), FIXED(4, 5, 2, 3, 3), FIXED(1, 5)}},
};

extern const struct op op_convolution;
const struct op op_convolution = {
    .name = "convolution",
    .summary = "convolution of a map or a row, with bias, groups, stride, padding, dilation",
    .inputs_min = 2,
    .inputs_max = 7,
    .outputs = 1,
    .attributes_size = sizeof(struct convolution_attributes),
    .shape = convolution_shape,
    .prepare = convolution_prepare,
    .release = convolution_release,
    .forward = convolution_forward,
    .backward = convolution_backward,
    .recompute = convolution_forward, /* with the weights that it has packed already */
    .reference = convolution_reference,
    .examples = convolution_examples,
    .n_examples = sizeof(convolution_examples) / sizeof(convolution_examples[0]),
    .macs = convolution_macs_of,
};

struct node *graph_convolution(struct graph *graph, struct node *x, struct node *weight, struct node *bias,
                               const struct convolution *convolution)
{
    struct node *inputs[] = {x, weight, bias};
    const struct convolution_attributes attributes = {.c = *convolution, .has_bias = bias != NULL};
    return graph_call(graph, &op_convolution, &attributes, bias ? 3 : 2, inputs);
}

struct node *graph_convolution_1d(struct graph *graph, struct node *x, struct node *weight, struct node *bias,
                                  const struct convolution_1d *c)
{
    const struct convolution convolution = {.out = c->out,
                                            .kernel = {1, c->kernel},
                                            .stride = {1, c->stride},
                                            .padding = {0, c->padding},
                                            .dilation = {1, c->dilation},
                                            .groups = c->groups};
    return graph_convolution(graph, x, weight, bias, &convolution);
}
