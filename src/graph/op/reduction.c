#include "graph/op/reduction.h"

#include "graph/op/expect.h"

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
