/* clip: y = min(max(x, low), high);  dx = dy where low < y < high, else 0. A limit may be infinite. */
#include "graph/op/elementwise.h"
#include "graph/ops.h"

#include <math.h>

struct clip_attributes {
    double limits[2]; /* low, high */
};

static enum status clip_shape(struct op_call *call)
{
    const struct clip_attributes *attributes = call->attributes;
    const double *limits = attributes->limits;
    if (!(limits[0] <= limits[1]))
        return fail(call->ctx, STATUS_BAD_INPUT,
                    "%s: expected a lower limit that is at most the upper one, found %g and %g", call->name, limits[0],
                    limits[1]);
    return unary_shape(call);
}

UNARY_FUNCTIONS(clip, UNARY_CLIP, true)

static void clip_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct clip_attributes *attributes = call->attributes;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++)
        out[0][i] = fmin(fmax(in[0][i], attributes->limits[0]), attributes->limits[1]);
}

static const struct clip_attributes both = {{-0.6123, 0.8765}}, below = {{-0.6123, HUGE_VAL}},
                                    above = {{-HUGE_VAL, -0.3217}};
static const struct op_example clip_examples[] = {
    UNARY_EXAMPLES(OP_FILL_APART, &both),
    UNARY_EXAMPLE("from below alone", OP_FILL_APART, &below, .rank = 2, .dim = {3, 17}),
    UNARY_EXAMPLE("from above alone", OP_FILL_APART, &above, .rank = 2, .dim = {3, 17}),
};

extern const struct op op_clip;
const struct op op_clip = {
    .summary = "limited to a range",
    .attributes_size = sizeof(struct clip_attributes),
    .shape = clip_shape,
    .backward = clip_backward,
    UNARY_MEMBERS_OF(clip),
};

struct node *graph_clip(struct graph *graph, struct node *x, double low, double high)
{
    struct clip_attributes attributes = {{low, high}};
    return graph_call(graph, &op_clip, &attributes, 1, &x);
}
