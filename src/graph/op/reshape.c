/* reshape: the same numbers in the same order under another shape.
 *
 * x of any type. The new shape may be symbolic as x's is; where x's is not (a program has been given its batch), the
 * batch is what makes the numbers of elements equal. */
#include "graph/op/expect.h"
#include "graph/ops.h"

struct reshape_attributes {
    struct shape shape;
};

/* A shape's number of elements: coefficient * batch^power. */
struct extent {
    int64_t coefficient;
    int power;
};

static struct extent extent_of(const struct shape *shape)
{
    struct extent extent = {1, 0};
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dim[i] < 0 ? -shape->dim[i] : shape->dim[i];
        extent.power += shape->dim[i] < 0;
        /* More than 2^31 is no tensor; stopping here keeps the product from overflowing. */
        extent.coefficient = extent.coefficient > INT32_MAX || dim > INT32_MAX ? INT64_MAX : extent.coefficient * dim;
    }
    return extent;
}

/* fitting_batch: the batch with which the target has `elements` elements; 0: there is none. */
static int64_t fitting_batch(int64_t elements, struct extent target)
{
    for (int64_t batch = 1; batch <= elements; batch++) {
        int64_t product = target.coefficient;
        for (int i = 0; i < target.power && product <= elements; i++) {
            product *= batch;
        }
        if (product >= elements) {
            return product == elements ? batch : 0;
        }
    }
    return 0;
}

static enum status reshape_shape(struct op_call *call)
{
    const struct reshape_attributes *attributes = call->attributes;
    const struct shape *in = &call->in[0].shape;
    struct extent have = extent_of(in), want = extent_of(&attributes->shape);
    struct shape out = attributes->shape;
    bool fits = have.coefficient == want.coefficient && have.power == want.power;
    if (have.power == 0 && want.power > 0 && have.coefficient < INT64_MAX && want.coefficient > 0) {
        int64_t batch = fitting_batch(have.coefficient, want);
        fits = batch > 0;
        out = fits ? shape_bind(&attributes->shape, batch) : out;
    }
    if (!fits || have.coefficient == INT64_MAX) {
        char from[SHAPE_TEXT_SIZE], to[SHAPE_TEXT_SIZE];
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected a shape with as many elements as %s, found %s",
                    call->name, shape_text(in, from), shape_text(&attributes->shape, to));
    }
    call->out[0] = (struct tensor_spec){call->in[0].element, out};
    return STATUS_OK;
}

static enum batch_kind reshape_batch(const struct op_call *call)
{
    const struct shape *in = &call->in[0].shape, *out = &call->out[0].shape;
    /* Equal first axes of equal numbers of elements: rows stay rows. */
    return in->rank > 0 && out->rank > 0 && in->dim[0] == out->dim[0] ? BATCH_ROWS : BATCH_MIXED;
}

static enum status reshape_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "copy";
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void reshape_forward(const struct op_run *run)
{
    size_t bytes = (size_t)shape_elements(&run->call->in[0].shape) * element_size(run->call->in[0].element);
    if (run->out[0] != run->in[0]) {
        run->table->copy_rows(run->in[0], 1, bytes, bytes, run->out[0], bytes);
    }
}

static void reshape_backward(const struct op_run *run)
{
    int64_t n = shape_elements(&run->call->in[0].shape);
    size_t bytes = (size_t)n * element_size(run->call->in[0].element);
    if (run->add[0]) {
        run->table->add_rows(run->d_out[0], 1, n, n, run->d_in[0], n);
    } else if (run->d_in[0] != run->d_out[0]) {
        run->table->copy_rows(run->d_out[0], 1, bytes, bytes, run->d_in[0], bytes);
    }
}

static void reshape_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        out[0][i] = in[0][i];
    }
}

static const struct reshape_attributes to_map = {{4, {SHAPE_BATCH, 2, 3, 4}}}, to_rows = {{2, {2 * SHAPE_BATCH, 3}}};
static const struct reshape_attributes to_vector = {{1, {-6}}}, to_scalar = {{0, {0}}};
static const struct op_example reshape_examples[] = {
    {.name = "rows to maps", .attributes = &to_map, .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 24}}}},
    {.name = "rows split", .attributes = &to_rows, .n_inputs = 1, .in = {{.rank = 3, .dim = {3, 2, 3}}}},
    {.name = "all in one", .attributes = &to_vector, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 6}}}},
    {.name = "labels",
     .attributes = &to_vector,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 2, .dim = {4, 6}, .limit = 9}}},
    {.name = "a scalar", .attributes = &to_scalar, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 1}}}},
};

extern const struct op op_reshape;
const struct op op_reshape = {
    .name = "reshape",
    .summary = "the same numbers under another shape",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .view = true,
    .attributes_size = sizeof(struct reshape_attributes),
    .shape = reshape_shape,
    .batch = reshape_batch,
    .prepare = reshape_prepare,
    .forward = reshape_forward,
    .backward = reshape_backward,
    .reference = reshape_reference,
    .examples = reshape_examples,
    .n_examples = sizeof(reshape_examples) / sizeof(reshape_examples[0]),
};

struct node *graph_reshape(struct graph *graph, struct node *x, struct shape shape)
{
    struct reshape_attributes attributes = {shape};
    return graph_call(graph, &op_reshape, &attributes, 1, &x);
}
