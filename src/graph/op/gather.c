/* gather: parts of an axis chosen by an index, which may name one several times or none.
 *
 * x [a…, n, c…] of any type, index i32 [i…] -> [a…, i…, c…]: y[a, i, c] = x[a, index[i], c]; an index that is not in
 * [0, n) gives zeros. The gradient of a part is the sum of those of its copies, in the order of the index. */
#include "graph/op/expect.h"
#include "graph/ops.h"

struct gather_attributes {
    int axis; /* of x; negative: from the end */
};

static int axis_of(const struct op_call *call)
{
    const struct gather_attributes *attributes = call->attributes;
    return attributes->axis < 0 ? attributes->axis + call->in[0].shape.rank : attributes->axis;
}

static enum status gather_shape(struct op_call *call)
{
    const struct gather_attributes *attributes = call->attributes;
    const struct shape *x = &call->in[0].shape, *index = &call->in[1].shape;
    char text[SHAPE_TEXT_SIZE];
    int axis;
    RETURN_IF(expect_axis(call, attributes->axis, &axis));
    RETURN_IF(expect_input(call, 1, ELEMENT_I32, 0, SHAPE_MAX_RANK, "an index, i32"));
    if (x->rank - 1 + index->rank > SHAPE_MAX_RANK)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected an index of at most %d axes beside %s, found %d",
                    call->name, SHAPE_MAX_RANK + 1 - x->rank, shape_text(x, text), index->rank);
    struct shape out = {.rank = x->rank - 1 + index->rank};
    for (int i = 0; i < axis; i++)
        out.dim[i] = x->dim[i];
    for (int i = axis + 1; i < x->rank; i++)
        out.dim[i - 1 + index->rank] = x->dim[i];
    for (int i = 0; i < index->rank; i++)
        out.dim[axis + i] = index->dim[i];
    call->out[0] = (struct tensor_spec){call->in[0].element, out};
    return STATUS_OK;
}

/* Rows are rows of the index where x is a table without a batch, or rows of x where the index has none. */
static enum batch_kind gather_batch(const struct op_call *call)
{
    const bool table = !shape_symbolic(&call->in[0].shape), fixed = !shape_symbolic(&call->in[1].shape);
    return (axis_of(call) == 0 && table) || (axis_of(call) > 0 && fixed) ? BATCH_ROWS : BATCH_MIXED;
}

static enum status gather_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 2;
    return STATUS_OK;
}

/* x as [outer, n, inner]. */
struct sizes {
    int64_t outer, n, inner;
};

static struct sizes sizes_of(const struct op_call *call)
{
    const int axis = axis_of(call);
    const struct shape *x = &call->in[0].shape;
    struct sizes sizes = {1, x->dim[axis], 1};
    for (int i = 0; i < x->rank; i++) {
        sizes.outer *= i < axis ? x->dim[i] : 1;
        sizes.inner *= i > axis ? x->dim[i] : 1;
    }
    return sizes;
}

static void gather_forward(const struct op_run *run)
{
    const struct sizes s = sizes_of(run->call);
    const size_t bytes = (size_t)s.inner * element_size(run->call->in[0].element);
    run->table->gather_rows(run->in[0], s.outer, s.n, bytes, run->in[1], shape_elements(&run->call->in[1].shape),
                            run->out[0]);
}

static void gather_backward(const struct op_run *run)
{
    const struct sizes s = sizes_of(run->call);
    run->table->scatter_rows(run->d_out[0], s.outer, s.n, s.inner, run->in[1], shape_elements(&run->call->in[1].shape),
                             run->d_in[0], run->add[0]);
}

static void gather_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct gather_attributes *attributes = call->attributes;
    const struct shape *x = &call->in[0].shape;
    const int axis = (attributes->axis + x->rank) % x->rank;
    const int64_t count = shape_elements(&call->in[1].shape);
    int64_t inner = 1;
    for (int i = axis + 1; i < x->rank; i++)
        inner *= x->dim[i];
    for (int64_t o = 0; o < shape_elements(&call->out[0].shape); o++) {
        const int64_t c = o % inner, a = o / inner / count;
        const double from = in[1][o / inner % count];
        const bool inside = from >= 0 && from < (double)x->dim[axis];
        out[0][o] = inside ? in[0][(a * x->dim[axis] + (int64_t)from) * inner + c] : 0;
    }
}

static const struct gather_attributes rows = {0}, columns = {-1}, second = {1};
#define INDEX(n, most)                                                                                                 \
    {                                                                                                                  \
        .fill = OP_FILL_CLASS, .rank = 1, .dim = {n}, .limit = most                                                    \
    }
static const struct op_example gather_examples[] = {
    {.name = "rows of a table", .attributes = &rows, .n_inputs = 2, .in = {{.rank = 2, .dim = {7, 3}}, INDEX(17, 7)}},
    {.name = "parts missing, and beyond the end",
     .attributes = &rows,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {3, 2, 5}}, {.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {9}, .limit = 5}}},
    {.name = "an index of two axes",
     .attributes = &rows,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {4, 1}}, {.fill = OP_FILL_CLASS, .rank = 2, .dim = {3, 5}, .limit = 4}}},
    {.name = "columns", .attributes = &columns, .n_inputs = 2, .in = {{.rank = 2, .dim = {5, 4}}, INDEX(3, 4)}},
    {.name = "a middle axis, batch 1",
     .attributes = &second,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {1, 6, 17}}, INDEX(4, 6)}},
    {.name = "one of each",
     .attributes = &second,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {4, 3}}, {.fill = OP_FILL_CLASS, .rank = 0, .limit = 3}}},
    {.name = "labels by rows",
     .attributes = &rows,
     .n_inputs = 2,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {6}, .limit = 9}, INDEX(5, 6)}},
};

extern const struct op op_gather;
const struct op op_gather = {
    .name = "gather",
    .summary = "parts of an axis chosen by an index",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .attributes_size = sizeof(struct gather_attributes),
    .shape = gather_shape,
    .batch = gather_batch,
    .prepare = gather_prepare,
    .forward = gather_forward,
    .backward = gather_backward,
    .reference = gather_reference,
    .examples = gather_examples,
    .n_examples = sizeof(gather_examples) / sizeof(gather_examples[0]),
};

struct node *graph_gather(struct graph *graph, struct node *x, struct node *index, int axis)
{
    struct gather_attributes attributes = {axis};
    return graph_call(graph, &op_gather, &attributes, 2, (struct node *[]){x, index});
}
