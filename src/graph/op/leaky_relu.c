/* leaky_relu: y = x where x >= 0, else slope x;  dx = dy, or slope dy where y < 0. The slope is at least 0, so that y
 * has the sign of x. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

struct leaky_relu_attributes {
    double parameters[2]; /* slope, unused */
};

static enum status leaky_relu_shape(struct op_call *call)
{
    const struct leaky_relu_attributes *attributes = call->attributes;
    double slope = attributes->parameters[0];
    if (!(slope >= 0 && isfinite(slope)))
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a slope of at least 0, found %g", call->name, slope);
    return unary_shape(call);
}

UNARY_FUNCTIONS(leaky_relu, UNARY_LEAKY_RELU, true)

static void leaky_relu_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct leaky_relu_attributes *attributes = call->attributes;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++)
        out[0][i] = fmax(in[0][i], 0) + attributes->parameters[0] * fmin(in[0][i], 0);
}

static const struct leaky_relu_attributes usual = {{0.01, 0}}, flat = {{0, 0}}, steep = {{1.5, 0}};
static const struct op_example leaky_relu_examples[] = {
    UNARY_EXAMPLES(OP_FILL_APART, &usual),
    UNARY_EXAMPLE("slope 0", OP_FILL_APART, &flat, .rank = 2, .dim = {3, 17}),
    UNARY_EXAMPLE("slope above 1", OP_FILL_APART, &steep, .rank = 2, .dim = {3, 17}),
};

extern const struct op op_leaky_relu;
const struct op op_leaky_relu = {
    .summary = "the positive part, and a share of the negative one",
    .attributes_size = sizeof(struct leaky_relu_attributes),
    .shape = leaky_relu_shape,
    .backward = leaky_relu_backward,
    UNARY_MEMBERS_OF(leaky_relu),
};

struct node *graph_leaky_relu(struct graph *graph, struct node *x, double slope)
{
    struct leaky_relu_attributes attributes = {{slope, 0}};
    return graph_call(graph, &op_leaky_relu, &attributes, 1, &x);
}
