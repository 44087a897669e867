/* pad: a constant before and after the numbers along each axis.
 *
 * x [d0, d1, …] -> [before0 + d0 + after0, …]; an axis that is not padded may be the batch. */
#include "graph/op/expect.h"
#include "graph/ops.h"

#include <stdio.h>

struct pad_attributes {
    int rank; /* of x */
    int64_t before[SHAPE_MAX_RANK], after[SHAPE_MAX_RANK];
    double value;
};

static enum status pad_shape(struct op_call *call)
{
    const struct pad_attributes *a = call->attributes;
    char words[64], text[SHAPE_TEXT_SIZE];
    snprintf(words, sizeof words, "real numbers with %d axes", a->rank);
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, a->rank, a->rank, words));
    call->out[0] = call->in[0];
    for (int i = 0; i < a->rank; i++) {
        int64_t *dim = &call->out[0].shape.dim[i];
        if (a->before[i] < 0 || a->after[i] < 0)
            return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a padding of 0 or more, found %lld and %lld",
                        call->name, (long long)a->before[i], (long long)a->after[i]);
        if (*dim < 0 && a->before[i] + a->after[i] > 0)
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected an axis of known length, found axis %d of %s",
                        call->name, i, shape_text(&call->in[0].shape, text));
        *dim += a->before[i] + a->after[i];
    }
    return STATUS_OK;
}

static enum batch_kind pad_batch(const struct op_call *call)
{
    const struct pad_attributes *a = call->attributes;
    return a->before[0] + a->after[0] > 0 ? BATCH_MIXED : BATCH_ROWS;
}

/* x as blocks of `rows` rows of `width` numbers; in y the rows of a block lie `whole` apart. */
struct inner {
    int axes; /* leading ones, which count the blocks */
    int64_t blocks, rows, width, whole;
};

/* All up to the last padded axis is one row, and the axis before it counts the rows of a block. */
static struct inner inner_of(const struct op_call *call)
{
    const struct pad_attributes *a = call->attributes;
    const int64_t *in = call->in[0].shape.dim, *out = call->out[0].shape.dim;
    struct inner inner = {.axes = a->rank, .blocks = 1, .rows = 1, .width = 1, .whole = 1};
    while (inner.axes > 0 && inner.whole == inner.width) {
        inner.axes--;
        inner.width *= in[inner.axes];
        inner.whole *= out[inner.axes];
    }
    if (inner.axes > 0)
        inner.rows = in[--inner.axes];
    for (int i = 0; i < inner.axes; i++)
        inner.blocks *= in[i];
    return inner;
}

/* block_offset: where in y the first number of a block of x lies. */
static int64_t block_offset(const struct op_call *call, const struct inner *inner, int64_t block)
{
    const struct pad_attributes *a = call->attributes;
    const int64_t *in = call->in[0].shape.dim, *out = call->out[0].shape.dim;
    int64_t offset = 0, step = 1;
    for (int i = a->rank - 1; i >= 0; i--) {
        int64_t at = 0;
        if (i < inner->axes) {
            at = block % in[i];
            block /= in[i];
        }
        offset += (a->before[i] + at) * step;
        step *= out[i];
    }
    return offset;
}

static void pad_forward(const struct op_run *run)
{
    const struct pad_attributes *a = run->call->attributes;
    const struct inner inner = inner_of(run->call);
    const size_t size = element_size(run->call->in[0].element), bytes = (size_t)inner.width * size;
    run->table->fill_values(shape_elements(&run->call->out[0].shape), a->value, run->out[0]);
    for (int64_t b = 0; b < inner.blocks; b++)
        run->table->copy_rows((const unsigned char *)run->in[0] + (size_t)(b * inner.rows) * bytes, inner.rows, bytes,
                              bytes, (unsigned char *)run->out[0] + (size_t)block_offset(run->call, &inner, b) * size,
                              (size_t)inner.whole * size);
}

static void pad_backward(const struct op_run *run)
{
    const struct inner inner = inner_of(run->call);
    const size_t size = element_size(run->call->in[0].element), bytes = (size_t)inner.width * size;
    for (int64_t b = 0; b < inner.blocks; b++) {
        const void *from = (const unsigned char *)run->d_out[0] + (size_t)block_offset(run->call, &inner, b) * size;
        void *to = (unsigned char *)run->d_in[0] + (size_t)(b * inner.rows) * bytes;
        if (run->add[0])
            run->table->add_rows(from, inner.rows, inner.width, inner.whole, to, inner.width);
        else
            run->table->copy_rows(from, inner.rows, bytes, (size_t)inner.whole * size, to, bytes);
    }
}

static void pad_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct pad_attributes *a = call->attributes;
    const struct shape *whole = &call->out[0].shape, *part = &call->in[0].shape;
    for (int64_t i = 0; i < shape_elements(whole); i++) {
        int64_t rest = i, from = 0, step = 1;
        bool inside = true;
        for (int k = whole->rank - 1; k >= 0; k--) {
            const int64_t at = rest % whole->dim[k] - a->before[k];
            inside = inside && at >= 0 && at < part->dim[k];
            from += at * step;
            rest /= whole->dim[k];
            step *= part->dim[k];
        }
        out[0][i] = inside ? in[0][from] : a->value;
    }
}

static const struct pad_attributes around = {4, {0, 1, 1, 0}, {0, 1, 1, 0}, 0};
static const struct pad_attributes uneven = {4, {0, 0, 3, 0}, {0, 2, 1, 0}, 0};
static const struct pad_attributes nothing = {4, {0}, {0}, 0}, channels = {4, {0, 0, 0, 2}, {0, 0, 0, 3}, -1.5};
static const struct pad_attributes rows = {2, {1, 0}, {2, 0}, 0.25}, all = {3, {1, 2, 0}, {1, 0, 1}, 7};
static const struct op_example pad_examples[] = {
    {.name = "one all around", .attributes = &around, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 5, 3}}}},
    {.name = "uneven, a 1x1 map", .attributes = &uneven, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 1, 1, 17}}}},
    {.name = "nothing, batch 1", .attributes = &nothing, .n_inputs = 1, .in = {{.rank = 4, .dim = {1, 4, 3, 1}}}},
    {.name = "channels, another value",
     .attributes = &channels,
     .n_inputs = 1,
     .in = {{.rank = 4, .dim = {2, 2, 3, 3}}}},
    {.name = "rows", .attributes = &rows, .n_inputs = 1, .in = {{.rank = 2, .dim = {3, 5}}}},
    {.name = "every axis", .attributes = &all, .n_inputs = 1, .in = {{.rank = 3, .dim = {2, 3, 4}}}},
};

extern const struct op op_pad;
const struct op op_pad = {
    .name = "pad",
    .summary = "a constant before and after the numbers along each axis",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct pad_attributes),
    .shape = pad_shape,
    .batch = pad_batch,
    .forward = pad_forward,
    .backward = pad_backward,
    .reference = pad_reference,
    .examples = pad_examples,
    .n_examples = sizeof(pad_examples) / sizeof(pad_examples[0]),
};

struct node *graph_pad(struct graph *graph, struct node *x, int top, int bottom, int left, int right)
{
    struct pad_attributes attributes = {4, {0, top, left, 0}, {0, bottom, right, 0}, 0};
    return graph_call(graph, &op_pad, &attributes, 1, &x);
}

struct node *graph_pad_axis(struct graph *graph, struct node *x, int axis, int64_t before, int64_t after, double value)
{
    if (!x)
        return NULL;
    struct pad_attributes attributes = {.rank = x->spec.shape.rank, .value = value};
    const int from_start = axis < 0 ? axis + attributes.rank : axis;
    if (from_start < 0 || from_start >= attributes.rank) {
        char text[SHAPE_TEXT_SIZE];
        fail(graph->ctx, STATUS_BAD_SHAPE, "pad: expected an axis of %s, found axis %d",
             shape_text(&x->spec.shape, text), axis);
        return NULL;
    }
    attributes.before[from_start] = before;
    attributes.after[from_start] = after;
    return graph_call(graph, &op_pad, &attributes, 1, &x);
}
