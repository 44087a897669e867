/* decomposition.c: shapes and memory of eigen and svd. */
#include "graph/op/decomposition.h"

#include "graph/op/expect.h"

#include <math.h>

enum status decomposition_leading(const struct op_call *call, int64_t side, int64_t *leading)
{
    const struct decomposition_attributes *a = call->attributes;
    char text[SHAPE_TEXT_SIZE];
    *leading = a->k < 1 ? side : a->k;
    if (*leading > side)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected at most %lld vectors of %s, found %d", call->name,
                    (long long)side, shape_text(&call->in[0].shape, text), a->k);
    return STATUS_OK;
}

struct decompose_shape decomposition_of(const struct op_call *call)
{
    const int64_t *x = call->in[0].shape.dim;
    return (struct decompose_shape){.batch = x[0],
                                    .rows = x[1],
                                    .columns = x[2],
                                    .leading = call->out[0].shape.dim[1],
                                    .element = call->in[0].element};
}

enum status decomposition_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const struct decompose_shape shape = decomposition_of(call);
    needs->kernel = "lapack";
    needs->forward_scratch = decompose_scratch_bytes(&shape, call->kernels->threads);
    if (backward) {
        needs->saved_bytes = decompose_saved_bytes(&shape);
        needs->backward_scratch = needs->forward_scratch;
    }
    return STATUS_OK;
}

double decomposition_sign(const double *vector, int64_t n, int64_t stride)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        best = fabs(vector[i * stride]) > fabs(vector[best * stride]) ? i : best;
    return vector[best * stride] < 0 ? -1 : 1;
}
