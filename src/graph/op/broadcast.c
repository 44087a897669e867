/* broadcast.c: NumPy's broadcasting. */
#include "graph/op/broadcast.h"

#include "graph/op/expect.h"

enum status broadcast_shape(struct op_call *call)
{
    for (int i = 0; i < call->n_inputs; i++)
        RETURN_IF(expect_input(call, i, ELEMENT_REAL, 0, SHAPE_MAX_RANK, "real numbers"));
    struct shape all = call->in[0].shape;
    for (int i = 1; i < call->n_inputs; i++) {
        struct shape before = all;
        if (!shape_broadcast(&before, &call->in[i].shape, &all)) {
            char a[SHAPE_TEXT_SIZE], b[SHAPE_TEXT_SIZE];
            return fail(call->ctx, STATUS_BAD_SHAPE,
                        "%s: expected shapes whose axes, counted from the last, are equal or 1, found %s and %s",
                        call->name, shape_text(&before, a), shape_text(&call->in[i].shape, b));
        }
    }
    call->out[0] = (struct tensor_spec){call->in[0].element, all};
    return STATUS_OK;
}

enum batch_kind broadcast_batch(const struct op_call *call)
{
    for (int i = 0; i < call->n_inputs; i++) {
        const struct shape *in = &call->in[i].shape;
        if (shape_symbolic(in) && (in->rank != call->out[0].shape.rank || in->dim[0] >= 0))
            return BATCH_MIXED;
    }
    return BATCH_ROWS;
}

static int64_t stride_of(const struct shape *in, int from_right)
{
    if (from_right > in->rank || in->dim[in->rank - from_right] == 1)
        return 0;
    int64_t stride = 1;
    for (int i = 1; i < from_right; i++)
        stride *= in->dim[in->rank - i];
    return stride;
}

/* walk_add: one more axis; it joins the last one where no input can tell them apart. */
static void walk_add(struct walk *w, int inputs, int64_t dim, const int64_t *stride)
{
    int last = w->rank - 1;
    bool joins = w->rank > 0;
    for (int i = 0; i < inputs; i++)
        joins = joins && w->stride[i][last] == stride[i] * dim;
    int at = joins ? last : w->rank++;
    w->dim[at] = joins ? w->dim[at] * dim : dim;
    for (int i = 0; i < inputs; i++)
        w->stride[i][at] = stride[i];
}

struct walk walk_of(const struct op_call *call)
{
    struct walk w = {.rows = 1, .cols = 1, .outer = 1};
    const struct shape *out = &call->out[0].shape;
    for (int axis = 0; axis < out->rank; axis++) {
        int64_t stride[BROADCAST_INPUTS];
        for (int i = 0; i < call->n_inputs; i++)
            stride[i] = stride_of(&call->in[i].shape, out->rank - axis);
        if (out->dim[axis] != 1)
            walk_add(&w, call->n_inputs, out->dim[axis], stride);
    }
    for (int i = 0; i < call->n_inputs; i++) {
        w.strides[i][0] = w.rank > 1 ? w.stride[i][w.rank - 2] : 0;
        w.strides[i][1] = w.rank > 0 ? w.stride[i][w.rank - 1] : 0;
    }
    w.rows = w.rank > 1 ? w.dim[w.rank - 2] : 1;
    w.cols = w.rank > 0 ? w.dim[w.rank - 1] : 1;
    for (int i = 0; i < w.rank - 2; i++)
        w.outer *= w.dim[i];
    return w;
}

int64_t walk_offset(const struct walk *w, int input, int64_t step)
{
    int64_t offset = 0;
    for (int axis = w->rank - 3; axis >= 0; axis--) {
        offset += step % w->dim[axis] * w->stride[input][axis];
        step /= w->dim[axis];
    }
    return offset;
}

/* revisits: does the walk come to the same element of the input more than once? */
static bool revisits(const struct walk *w, int input)
{
    for (int axis = 0; axis < w->rank - 2; axis++)
        if (w->stride[input][axis] == 0)
            return true;
    return false;
}

static bool reads_a(enum binary_slope slope)
{
    return slope != SLOPE_ONE && slope != SLOPE_MINUS_ONE && slope != SLOPE_B && slope != SLOPE_OVER_B;
}

static bool reads_b(enum binary_slope slope)
{
    return slope != SLOPE_ONE && slope != SLOPE_MINUS_ONE && slope != SLOPE_A && slope != SLOPE_WHERE &&
           slope != SLOPE_WHERE_NOT;
}

void walk_gradient(const struct op_run *run, const struct walk *w, int input, enum binary_slope slope,
                   const double *parameters)
{
    if (run->d_in[input] == NULL)
        return;
    int64_t size = (int64_t)element_size(run->table->element);
    const char *a = run->in[0], *b = run->in[1], *d = run->d_out[0];
    char *target = run->d_in[input];
    bool add = run->add[input];
    if (w->outer > 1 && !add && revisits(w, input)) {
        run->table->fill_values(shape_elements(&run->call->in[input].shape), 0, target);
        add = true;
    }
    if (slope == SLOPE_ONE && !add && target == d)
        return;
    for (int64_t i = 0; i < w->outer; i++)
        run->table->binary_gradient((int)slope, parameters, w->rows, w->cols, d + i * w->rows * w->cols * size,
                                    reads_a(slope) ? a + walk_offset(w, 0, i) * size : NULL, w->strides[0],
                                    reads_b(slope) ? b + walk_offset(w, 1, i) * size : NULL, w->strides[1],
                                    target + walk_offset(w, input, i) * size, w->strides[input], add, run->threads);
}

int64_t broadcast_place(const struct op_call *call, int input, int64_t i)
{
    const struct shape *out = &call->out[0].shape, *in = &call->in[input].shape;
    int64_t at = 0, step = 1;
    for (int k = 1; k <= in->rank; k++) {
        int64_t dim = in->dim[in->rank - k], index = i % out->dim[out->rank - k];
        at += (dim == 1 ? 0 : index) * step;
        step *= dim;
        i /= out->dim[out->rank - k];
    }
    return at;
}
