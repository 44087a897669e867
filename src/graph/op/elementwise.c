/* elementwise.c: broadcasting, and the calls of the kernels. */
#include "graph/op/elementwise.h"

#include "graph/op/expect.h"

enum status binary_shape(struct op_call *call)
{
    for (int i = 0; i < 2; i++)
        RETURN_IF(expect_input(call, i, ELEMENT_REAL, 0, SHAPE_MAX_RANK, "real numbers"));
    call->out[0].element = call->in[0].element;
    if (!shape_broadcast(&call->in[0].shape, &call->in[1].shape, &call->out[0].shape)) {
        char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
        return fail(call->ctx, STATUS_BAD_SHAPE,
                    "%s: expected two shapes whose axes, counted from the last, are equal or 1, found %s and %s",
                    call->name, shape_text(&call->in[0].shape, a), shape_text(&call->in[1].shape, b));
    }
    return STATUS_OK;
}

enum batch_kind binary_batch(const struct op_call *call)
{
    for (int i = 0; i < 2; i++) {
        const struct shape *in = &call->in[i].shape;
        if (shape_symbolic(in) && (in->rank != call->out[0].shape.rank || in->dim[0] >= 0))
            return BATCH_MIXED;
    }
    return BATCH_ROWS;
}

void binary_needs(const struct op_call *call, struct op_needs *needs, unsigned reads, bool first_keeps_gradient)
{
    needs->kernel = "loop";
    needs->reads_inputs = reads;
    for (int i = 0; i < 2; i++) {
        unsigned bit = shape_equal(&call->in[i].shape, &call->out[0].shape) ? 1U << i : 0;
        needs->overwrite |= bit;
        needs->gradient_overwrite |= i == 1 || first_keeps_gradient ? bit : 0;
    }
}

/* The output's axes, those of size 1 left out and those that both inputs walk through alike taken together; the inputs'
 * strides along them. The last two axes go to a kernel as rows and columns, the others are walked through here. */
struct walk {
    int rank;
    int64_t dim[SHAPE_MAX_RANK], stride[2][SHAPE_MAX_RANK];
    int64_t rows, cols, strides[2][2]; /* of the last two axes */
    int64_t outer;                     /* how often rows x cols */
};

static int64_t stride_of(const struct shape *in, int from_right)
{
    if (from_right > in->rank || in->dim[in->rank - from_right] == 1)
        return 0;
    int64_t stride = 1;
    for (int i = 1; i < from_right; i++)
        stride *= in->dim[in->rank - i];
    return stride;
}

static struct walk walk_of(const struct op_call *call)
{
    struct walk w = {.rows = 1, .cols = 1, .outer = 1};
    const struct shape *out = &call->out[0].shape;
    for (int axis = 0; axis < out->rank; axis++) {
        int64_t dim = out->dim[axis], a = stride_of(&call->in[0].shape, out->rank - axis);
        int64_t b = stride_of(&call->in[1].shape, out->rank - axis);
        if (dim == 1)
            continue;
        int last = w.rank - 1;
        if (w.rank > 0 && w.stride[0][last] == a * dim && w.stride[1][last] == b * dim) {
            w.dim[last] *= dim;
            w.stride[0][last] = a;
            w.stride[1][last] = b;
            continue;
        }
        w.dim[w.rank] = dim;
        w.stride[0][w.rank] = a;
        w.stride[1][w.rank] = b;
        w.rank++;
    }
    for (int i = 0; i < 2; i++) {
        w.strides[i][0] = w.rank > 1 ? w.stride[i][w.rank - 2] : 0;
        w.strides[i][1] = w.rank > 0 ? w.stride[i][w.rank - 1] : 0;
    }
    w.rows = w.rank > 1 ? w.dim[w.rank - 2] : 1;
    w.cols = w.rank > 0 ? w.dim[w.rank - 1] : 1;
    for (int i = 0; i < w.rank - 2; i++)
        w.outer *= w.dim[i];
    return w;
}

/* walk_offset: where an input's rows x cols number `step` start. */
static int64_t walk_offset(const struct walk *w, int input, int64_t step)
{
    int64_t offset = 0;
    for (int axis = w->rank - 3; axis >= 0; axis--) {
        offset += step % w->dim[axis] * w->stride[input][axis];
        step /= w->dim[axis];
    }
    return offset;
}

void binary_forward(const struct op_run *run, enum binary_kind kind)
{
    struct walk w = walk_of(run->call);
    int64_t size = (int64_t)element_size(run->table->element);
    const char *a = run->in[0], *b = run->in[1];
    char *out = run->out[0];
    for (int64_t i = 0; i < w.outer; i++)
        run->table->binary_forward((int)kind, w.rows, w.cols, a + walk_offset(&w, 0, i) * size, w.strides[0],
                                   b + walk_offset(&w, 1, i) * size, w.strides[1], out + i * w.rows * w.cols * size,
                                   run->threads);
}

/* revisits: does the walk come to the same element of the input more than once? */
static bool revisits(const struct walk *w, int input)
{
    for (int axis = 0; axis < w->rank - 2; axis++)
        if (w->stride[input][axis] == 0)
            return true;
    return false;
}

static void backward_one(const struct op_run *run, const struct walk *w, int input, enum binary_slope slope)
{
    if (run->d_in[input] == NULL)
        return;
    int64_t size = (int64_t)element_size(run->table->element);
    const char *a = run->in[0], *b = run->in[1], *d = run->d_out[0];
    char *target = run->d_in[input];
    bool add = run->add[input];
    bool reads_a = slope == SLOPE_A || slope == SLOPE_MINUS_A_OVER_B2;
    bool reads_b = slope != SLOPE_ONE && slope != SLOPE_MINUS_ONE && slope != SLOPE_A;
    if (w->outer > 1 && !add && revisits(w, input)) {
        run->table->fill_values(shape_elements(&run->call->in[input].shape), 0, target);
        add = true;
    }
    if (slope == SLOPE_ONE && !add && target == d)
        return;
    for (int64_t i = 0; i < w->outer; i++)
        run->table->binary_gradient((int)slope, w->rows, w->cols, d + i * w->rows * w->cols * size,
                                    reads_a ? a + walk_offset(w, 0, i) * size : NULL, w->strides[0],
                                    reads_b ? b + walk_offset(w, 1, i) * size : NULL, w->strides[1],
                                    target + walk_offset(w, input, i) * size, w->strides[input], add, run->threads);
}

void binary_backward(const struct op_run *run, enum binary_slope first, enum binary_slope second)
{
    struct walk w = walk_of(run->call);
    backward_one(run, &w, 0, first);
    backward_one(run, &w, 1, second);
}

/* place: the element of an input that goes with element i of the output. */
static int64_t place(const struct shape *out, const struct shape *in, int64_t i)
{
    int64_t at = 0, step = 1;
    for (int k = 1; k <= in->rank; k++) {
        int64_t dim = in->dim[in->rank - k], index = i % out->dim[out->rank - k];
        at += (dim == 1 ? 0 : index) * step;
        step *= dim;
        i /= out->dim[out->rank - k];
    }
    return at;
}

void binary_reference(const struct op_call *call, const double *const *in, double *out,
                      double (*formula)(double, double))
{
    const struct shape *shape = &call->out[0].shape;
    for (int64_t i = 0; i < shape_elements(shape); i++)
        out[i] = formula(in[0][place(shape, &call->in[0].shape, i)], in[1][place(shape, &call->in[1].shape, i)]);
}

/* --- one input --- */

enum status unary_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 0, SHAPE_MAX_RANK, "real numbers"));
    call->out[0] = call->in[0];
    return STATUS_OK;
}

enum status unary_needs(struct op_needs *needs, bool reads_output)
{
    needs->kernel = "loop";
    needs->reads_inputs = reads_output ? 0 : 1;
    needs->reads_outputs = reads_output ? 1 : 0;
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

void unary_forward(const struct op_run *run, enum unary_kind kind)
{
    run->table->unary_forward((int)kind, shape_elements(&run->call->in[0].shape), run->in[0], run->out[0],
                              run->threads);
}

void unary_backward(const struct op_run *run, enum unary_kind kind, bool reads_output)
{
    run->table->unary_backward((int)kind, shape_elements(&run->call->in[0].shape),
                               reads_output ? run->out[0] : run->in[0], run->d_out[0], run->d_in[0], run->add[0],
                               run->threads);
}

void unary_reference(const struct op_call *call, const double *const *in, double *out, double (*formula)(double))
{
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++)
        out[i] = formula(in[0][i]);
}
