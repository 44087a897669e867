/* elementwise.c: the calls of the kernels of one and two inputs. */
#include "graph/op/elementwise.h"

#include "graph/op/expect.h"

enum status binary_needs(const struct op_call *call, struct op_needs *needs, unsigned reads, bool first_keeps_gradient)
{
    needs->kernel = "loop";
    needs->reads_inputs = reads;
    for (int i = 0; i < 2; i++) {
        unsigned bit = shape_equal(&call->in[i].shape, &call->out[0].shape) ? 1U << i : 0;
        needs->overwrite |= bit;
        needs->gradient_overwrite |= i == 1 || first_keeps_gradient ? bit : 0;
    }
    return STATUS_OK;
}

void binary_forward(const struct op_run *run, enum binary_kind kind, const double *parameters)
{
    struct walk w = walk_of(run->call);
    int64_t size = (int64_t)element_size(run->table->element);
    const char *a = run->in[0], *b = run->in[1];
    char *out = run->out[0];
    for (int64_t i = 0; i < w.outer; i++)
        run->table->binary_forward((int)kind, parameters, w.rows, w.cols, a + walk_offset(&w, 0, i) * size,
                                   w.strides[0], b + walk_offset(&w, 1, i) * size, w.strides[1],
                                   out + i * w.rows * w.cols * size, run->threads);
}

void binary_backward(const struct op_run *run, enum binary_slope first, enum binary_slope second)
{
    struct walk w = walk_of(run->call);
    walk_gradient(run, &w, 0, first, run->call->attributes);
    walk_gradient(run, &w, 1, second, run->call->attributes);
}

void binary_reference(const struct op_call *call, const double *const *in, double *out,
                      double (*formula)(double, double))
{
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++)
        out[i] = formula(in[0][broadcast_place(call, 0, i)], in[1][broadcast_place(call, 1, i)]);
}

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
    run->table->unary_forward((int)kind, run->call->attributes, shape_elements(&run->call->in[0].shape), run->in[0],
                              run->out[0], run->threads);
}

void unary_backward(const struct op_run *run, enum unary_kind kind, bool reads_output)
{
    run->table->unary_backward((int)kind, run->call->attributes, shape_elements(&run->call->in[0].shape),
                               reads_output ? run->out[0] : run->in[0], run->d_out[0], run->d_in[0], run->add[0],
                               run->threads);
}

void unary_reference(const struct op_call *call, const double *const *in, double *out, double (*formula)(double))
{
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++)
        out[i] = formula(in[0][i]);
}
