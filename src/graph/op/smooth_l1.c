/* smooth_l1: of z = a - b, with NumPy's broadcasting: y = z^2 / (2 beta) where |z| < beta, else |z| - beta / 2.
 *
 *     da = dy z / beta, limited to [-dy, dy];  db = -da; each summed over what its input was stretched to.
 * beta 0: |z|. Girshick 2015, arXiv 1504.08083. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

struct smooth_l1_attributes {
    double beta;
};

static enum status smooth_l1_shape(struct op_call *call)
{
    const struct smooth_l1_attributes *attributes = call->attributes;
    if (!(attributes->beta >= 0 && isfinite(attributes->beta)))
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a beta of at least 0, found %g", call->name,
                    attributes->beta);
    return broadcast_shape(call);
}

BINARY_FUNCTIONS(smooth_l1, BINARY_SMOOTH_L1, SLOPE_SMOOTH_L1, SLOPE_MINUS_SMOOTH_L1, 3)

static void smooth_l1_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct smooth_l1_attributes *attributes = call->attributes;
    double beta = attributes->beta;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        double size = fabs(in[0][broadcast_place(call, 0, i)] - in[1][broadcast_place(call, 1, i)]);
        out[0][i] = size < beta ? size * size / (2 * beta) : size - beta / 2;
    }
}

static const struct smooth_l1_attributes usual = {1}, narrow = {0.25}, none = {0};
static const struct op_example smooth_l1_examples[] = {
    {.name = "equal maps",
     .attributes = &usual,
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {2, 3, 3, 17}}, {.rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1",
     .attributes = &usual,
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {1, 1, 1, 3}}, {.rank = 4, .dim = {1, 1, 1, 3}}}},
    {.name = "channels, narrow",
     .attributes = &narrow,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 17}}, {.rank = 1, .dim = {17}}}},
    {.name = "beta 0",
     .attributes = &none,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {5, 3}}, {.rank = 2, .dim = {5, 3}}}},
};

extern const struct op op_smooth_l1;
const struct op op_smooth_l1 = {
    .summary = "size of the difference of two, squared near 0",
    .attributes_size = sizeof(struct smooth_l1_attributes),
    .shape = smooth_l1_shape,
    BINARY_MEMBERS_OF(smooth_l1),
};

struct node *graph_smooth_l1(struct graph *graph, struct node *a, struct node *b, double beta)
{
    struct smooth_l1_attributes attributes = {beta};
    struct node *inputs[] = {a, b};
    return graph_call(graph, &op_smooth_l1, &attributes, 2, inputs);
}
