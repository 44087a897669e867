/* corner_cosines: between the ways from each point to all others, by the law of cosines.
 *
 *     y_ijk = (q_ij + q_ik - q_jk) / (2 sqrt(q_ij q_ik));  0, without a gradient, where q_ij or q_ik is below 1e-24
 *     dq_ij += dy_ijk (1 / sqrt(q_ij q_ik) - y_ijk / q_ij) / 2, dq_ik likewise;  dq_jk -= dy_ijk / (2 sqrt(q_ij q_ik))
 *
 * q [B,B]: squared distances (square_distances) -> y [B,B,B]: the angles that three points form cost B^3, whatever number
 * of coordinates the points have. */
#include "graph/op/expect.h"
#include "graph/ops.h"
#include "kernel/rows.h"

#include <math.h>

static enum status corner_cosines_shape(struct op_call *call)
{
    const struct shape *q = &call->in[0].shape;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, 2, "squared distances, real numbers [B,B]"));
    if (q->dim[0] != q->dim[1] && q->dim[0] >= 0 && q->dim[1] >= 0)
        return expect_failure(call, 0, "squared distances, real numbers [B,B]");
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, SHAPE(q->dim[0], q->dim[0], q->dim[0])};
    return STATUS_OK;
}

static enum batch_kind corner_cosines_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

/* matrix_bytes: of the inverse distances, and of each part of the gradient. */
static size_t matrix_bytes(const struct op_call *call)
{
    return (size_t)shape_elements(&call->in[0].shape) * element_size(call->in[0].element);
}

static enum status corner_cosines_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    needs->kernel = "loop";
    needs->forward_scratch = matrix_bytes(call);
    needs->backward_scratch = (1 + CORNER_PARTS) * matrix_bytes(call);
    needs->reads_inputs = 1;
    needs->reads_outputs = 1;
    return STATUS_OK;
}

static void corner_cosines_forward(const struct op_run *run)
{
    run->table->corner_cosines(run->in[0], run->call->in[0].shape.dim[0], run->scratch, run->out[0], run->threads);
}

static void corner_cosines_backward(const struct op_run *run)
{
    run->table->corner_cosines_backward(run->in[0], run->out[0], run->d_out[0], run->call->in[0].shape.dim[0],
                                        run->scratch, (unsigned char *)run->scratch + matrix_bytes(run->call),
                                        run->d_in[0], run->add[0], run->threads);
}

static void corner_cosines_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t n = call->in[0].shape.dim[0];
    const double *q = in[0];
    for (int64_t at = 0; at < n * n * n; at++) {
        const int64_t i = at / (n * n), j = at / n % n, k = at % n;
        const double first = q[i * n + j], second = q[i * n + k];
        const bool apart = first >= CORNER_LEAST && second >= CORNER_LEAST;
        out[0][at] = apart ? (first + second - q[j * n + k]) / 2 / sqrt(first) / sqrt(second) : 0;
    }
}

static const struct op_example corner_cosines_examples[] = {
    {.name = "five points", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {5, 5}}}},
    {.name = "one point", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {1, 1}}}},
    {.name = "more than its lanes", .n_inputs = 1, .in = {{.fill = OP_FILL_POSITIVE, .rank = 2, .dim = {19, 19}}}},
    {.name = "points that are one",
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_BIT, .rank = 2, .dim = {9, 9}, .constant = true}}},
};

extern const struct op op_corner_cosines;
const struct op op_corner_cosines = {
    .name = "corner_cosines",
    .summary = "cosines between the ways from each point to all others, from squared distances",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .shape = corner_cosines_shape,
    .batch = corner_cosines_batch,
    .prepare = corner_cosines_prepare,
    .forward = corner_cosines_forward,
    .backward = corner_cosines_backward,
    .reference = corner_cosines_reference,
    .examples = corner_cosines_examples,
    .n_examples = sizeof(corner_cosines_examples) / sizeof(corner_cosines_examples[0]),
};

struct node *graph_corner_cosines(struct graph *graph, struct node *q)
{
    return graph_call(graph, &op_corner_cosines, NULL, 1, &q);
}
