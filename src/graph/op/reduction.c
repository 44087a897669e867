/* reduction.c: axes that are reduced, and the calls of the kernels. */
#include "graph/op/reduction.h"

#include "graph/op/expect.h"

#include <math.h>

enum status reduction_shape(struct op_call *call)
{
    const struct reduction_attributes *attributes = call->attributes;
    const struct shape *in = &call->in[0].shape;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 0, SHAPE_MAX_RANK, "real numbers"));
    if (attributes->axes >> in->rank != 0) {
        char text[SHAPE_TEXT_SIZE];
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected axes of %s, found the mask 0x%x", call->name,
                    shape_text(in, text), attributes->axes);
    }
    struct shape out = SHAPE_SCALAR;
    for (int i = 0; i < in->rank; i++) {
        bool reduced = attributes->axes >> i & 1U;
        if (!reduced || attributes->keep) {
            out.dim[out.rank++] = reduced ? 1 : in->dim[i];
        }
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, out};
    return STATUS_OK;
}

enum batch_kind reduction_batch(const struct op_call *call)
{
    const struct reduction_attributes *attributes = call->attributes;
    return attributes->axes & 1U ? BATCH_MIXED : BATCH_ROWS;
}

enum status reduction_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    needs->kernel = "loop";
    needs->forward_scratch = (size_t)shape_elements(&call->out[0].shape) * sizeof(double);
    return STATUS_OK;
}

int64_t reduction_count(const struct op_call *call)
{
    return shape_elements(&call->in[0].shape) / shape_elements(&call->out[0].shape);
}

int64_t reduction_place(const struct op_call *call, int64_t i)
{
    const struct reduction_attributes *attributes = call->attributes;
    const struct shape *shape = &call->in[0].shape;
    int64_t place = 0, step = 1;
    for (int axis = shape->rank - 1; axis >= 0; axis--) {
        if (!(attributes->axes >> axis & 1U)) {
            place += i % shape->dim[axis] * step;
            step *= shape->dim[axis];
        }
        i /= shape->dim[axis];
    }
    return place;
}

bool reduction_trailing(const struct shape *shape, unsigned axes)
{
    for (int i = 1; i < shape->rank; i++)
        if (axes >> (i - 1) & 1U && !(axes >> i & 1U))
            return false;
    return true;
}

bool reduction_leaves_last(const struct shape *shape, unsigned axes)
{
    return shape->rank > 1 && axes == (1U << (shape->rank - 1)) - 1;
}

/* The axes as the kernels want them: neighbours of one kind merged, axes of 1 left out. */
struct layout {
    int rank;
    int64_t dim[SHAPE_MAX_RANK], stride[SHAPE_MAX_RANK];
};

static struct layout layout_of(const struct op_call *call)
{
    const struct reduction_attributes *attributes = call->attributes;
    const struct shape *in = &call->in[0].shape;
    struct layout layout = {0, {0}, {0}};
    bool last_reduced = false;
    for (int i = 0; i < in->rank; i++) {
        bool reduced = attributes->axes >> i & 1U;
        if (in->dim[i] == 1) {
            continue;
        }
        if (layout.rank > 0 && reduced == last_reduced) {
            layout.dim[layout.rank - 1] *= in->dim[i];
        } else {
            layout.stride[layout.rank] = !reduced;
            layout.dim[layout.rank++] = in->dim[i];
        }
        last_reduced = reduced;
    }
    int64_t step = 1;
    for (int i = layout.rank - 1; i >= 0; i--) {
        if (layout.stride[i] != 0) {
            layout.stride[i] = step;
            step *= layout.dim[i];
        }
    }
    return layout;
}

void reduction_forward(const struct op_run *run, double scale)
{
    struct layout layout = layout_of(run->call);
    run->table->sum_axes(run->in[0], layout.rank, layout.dim, layout.stride, scale,
                         shape_elements(&run->call->out[0].shape), run->scratch, run->out[0], run->threads);
}

void reduction_backward(const struct op_run *run, double scale)
{
    struct layout layout = layout_of(run->call);
    run->table->spread_axes(run->d_out[0], layout.rank, layout.dim, layout.stride, scale, run->d_in[0], run->add[0],
                            run->threads);
}

enum status reduction_extreme_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1;
    needs->reads_outputs = 1;
    needs->backward_scratch = (size_t)shape_elements(&call->out[0].shape) * sizeof(double);
    return STATUS_OK;
}

void reduction_extreme_forward(const struct op_run *run, bool largest)
{
    struct layout layout = layout_of(run->call);
    run->table->extreme_axes(largest, run->in[0], layout.rank, layout.dim, layout.stride,
                             shape_elements(&run->call->out[0].shape), run->out[0], run->threads);
}

void reduction_extreme_backward(const struct op_run *run)
{
    struct layout layout = layout_of(run->call);
    run->table->extreme_axes_backward(run->in[0], run->out[0], run->d_out[0], layout.rank, layout.dim, layout.stride,
                                      shape_elements(&run->call->out[0].shape), run->scratch, run->d_in[0],
                                      run->add[0]);
}

void reduction_extreme_reference(const struct op_call *call, const double *const *in, double *out, bool largest)
{
    for (int64_t o = 0; o < shape_elements(&call->out[0].shape); o++)
        out[o] = largest ? -HUGE_VAL : HUGE_VAL;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        double *extreme = &out[reduction_place(call, i)];
        *extreme = largest ? fmax(*extreme, in[0][i]) : fmin(*extreme, in[0][i]);
    }
}
