/* pad: zeros around a map.
 *
 * x [B,H,W,C] -> [B, top+H+bottom, left+W+right, C]. */
#include "graph/op/expect.h"
#include "graph/ops.h"

struct pad_attributes {
    int top, bottom, left, right;
};

static enum status pad_shape(struct op_call *call)
{
    const struct pad_attributes *a = call->attributes;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 4, 4, "a map, real [B,H,W,C]"));
    if (a->top < 0 || a->bottom < 0 || a->left < 0 || a->right < 0) {
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a padding of 0 or more, found %d, %d, %d, %d",
                    call->name, a->top, a->bottom, a->left, a->right);
    }
    const int64_t *dim = call->in[0].shape.dim;
    call->out[0] = (struct tensor_spec){
        ELEMENT_REAL, {4, {dim[0], a->top + dim[1] + a->bottom, a->left + dim[2] + a->right, dim[3]}}};
    return STATUS_OK;
}

/* inner_offset: where in the output the first number of sample b lies. */
static int64_t inner_offset(const struct op_call *call, int64_t b)
{
    const struct pad_attributes *a = call->attributes;
    const int64_t *dim = call->out[0].shape.dim;
    return ((b * dim[1] + a->top) * dim[2] + a->left) * dim[3];
}

static void pad_forward(const struct op_run *run)
{
    const int64_t *in = run->call->in[0].shape.dim, *out = run->call->out[0].shape.dim;
    size_t size = element_size(run->call->in[0].element);
    size_t row = (size_t)(in[2] * in[3]) * size, whole = (size_t)(out[2] * out[3]) * size;
    run->table->fill_values(shape_elements(&run->call->out[0].shape), 0, run->out[0]);
    for (int64_t b = 0; b < in[0]; b++) {
        run->table->copy_rows((const unsigned char *)run->in[0] + (size_t)(b * in[1]) * row, in[1], row, row,
                              (unsigned char *)run->out[0] + (size_t)inner_offset(run->call, b) * size, whole);
    }
}

static void pad_backward(const struct op_run *run)
{
    const int64_t *in = run->call->in[0].shape.dim, *out = run->call->out[0].shape.dim;
    size_t size = element_size(run->call->in[0].element);
    int64_t row = in[2] * in[3], whole = out[2] * out[3];
    for (int64_t b = 0; b < in[0]; b++) {
        const unsigned char *from = (const unsigned char *)run->d_out[0] + (size_t)inner_offset(run->call, b) * size;
        unsigned char *to = (unsigned char *)run->d_in[0] + (size_t)(b * in[1] * row) * size;
        if (run->add[0]) {
            run->table->add_rows(from, in[1], row, whole, to, row);
        } else {
            run->table->copy_rows(from, in[1], (size_t)row * size, (size_t)whole * size, to, (size_t)row * size);
        }
    }
}

static void pad_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct pad_attributes *a = call->attributes;
    const int64_t *d = call->out[0].shape.dim, *s = call->in[0].shape.dim;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        int64_t c = i % d[3], x = i / d[3] % d[2] - a->left, y = i / d[3] / d[2] % d[1] - a->top,
                b = i / d[3] / d[2] / d[1];
        bool inside = x >= 0 && x < s[2] && y >= 0 && y < s[1];
        out[0][i] = inside ? in[0][((b * s[1] + y) * s[2] + x) * s[3] + c] : 0;
    }
}

static const struct pad_attributes around = {1, 1, 1, 1}, uneven = {0, 2, 3, 1}, nothing = {0, 0, 0, 0};
static const struct op_example pad_examples[] = {
    {.name = "one all around", .attributes = &around, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 5, 3}}}},
    {.name = "uneven, a 1x1 map", .attributes = &uneven, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 1, 1, 17}}}},
    {.name = "nothing, batch 1", .attributes = &nothing, .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 4, 3, 1}}}},
};

extern const struct op op_pad;
const struct op op_pad = {
    .name = "pad",
    .summary = "zeros around a map",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct pad_attributes),
    .shape = pad_shape,
    .forward = pad_forward,
    .backward = pad_backward,
    .reference = pad_reference,
    .examples = pad_examples,
    .n_examples = sizeof(pad_examples) / sizeof(pad_examples[0]),
};

struct node *graph_pad(struct graph *graph, struct node *x, int top, int bottom, int left, int right)
{
    struct pad_attributes attributes = {top, bottom, left, right};
    return graph_call(graph, &op_pad, &attributes, 1, &x);
}
