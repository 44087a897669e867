/* nodes_layer.c: the builders of include/retort.h that networks are made of. */
#include "api/own.h"

#include <limits.h>

/* --- convolutions --- */

static int or_one(int given)
{
    return given != 0 ? given : 1;
}

/* weight_fits: of `rank` axes, the first of which is a count of channels. */
static bool weight_fits(const struct node *weight, int rank, const char *op, const char *expected)
{
    const struct shape *shape = &weight->spec.shape;
    char found[SHAPE_TEXT_SIZE];
    bool fits = shape->rank == rank;
    for (int i = 0; fits && i < rank; i++)
        fits = shape->dim[i] <= INT_MAX;
    if (!fits)
        fail(weight->graph->ctx, STATUS_BAD_SHAPE, "%s: expected a weight %s, found %s", op, expected,
             shape_text(shape, found));
    return fits;
}

static struct convolution convolution_inside(const struct retort_convolution *how, const struct shape *weight)
{
    static const struct retort_convolution plain;
    const struct retort_convolution *given = how != NULL ? how : &plain;
    struct convolution inside = {.out = (int)weight->dim[0], .groups = or_one(given->groups)};
    for (int i = 0; i < 2; i++) {
        inside.kernel[i] = i + 2 < weight->rank ? (int)weight->dim[i + 2] : 1;
        inside.stride[i] = or_one(given->stride[i]);
        inside.padding[i] = given->padding[i];
        inside.dilation[i] = or_one(given->dilation[i]);
    }
    return inside;
}

static struct node *convolution_along(struct node *x, struct node *weight, const struct retort_convolution *how)
{
    if (!weight_fits(weight, 3, "convolution along one axis", "[O,I,L]"))
        return NULL;
    const struct convolution c = convolution_inside(how, &weight->spec.shape);
    const struct convolution_1d along = {c.out, c.kernel[0], c.stride[0], c.padding[0], c.dilation[0], c.groups};
    return graph_convolution_1d(x->graph, x, weight, NULL, &along);
}

struct retort_node *retort_op_convolution(struct retort_node *x, struct retort_node *weight,
                                          const struct retort_convolution *how)
{
    struct node *node = node_inside(x), *w = node_inside(weight);
    if (node == NULL || w == NULL)
        return NULL;
    if (node->spec.shape.rank == 3)
        return node_outside(convolution_along(node, w, how));
    if (!weight_fits(w, 4, "convolution", "[O,I,H,W]"))
        return NULL;
    const struct convolution convolution = convolution_inside(how, &w->spec.shape);
    return node_outside(graph_convolution(node->graph, node, w, NULL, &convolution));
}

struct retort_node *retort_op_convolution_transpose(struct retort_node *x, struct retort_node *weight,
                                                    const struct retort_convolution *how, const int *more)
{
    struct node *node = node_inside(x), *w = node_inside(weight);
    if (node == NULL || w == NULL || !weight_fits(w, 4, "convolution_transpose", "[I,O,H,W]"))
        return NULL;
    const struct shape *shape = &w->spec.shape;
    struct convolution_transpose transpose = {.c = convolution_inside(how, shape)};
    if (shape->dim[1] > INT_MAX / transpose.c.groups || transpose.c.groups < 1) {
        fail(node->graph->ctx, STATUS_BAD_INPUT, "convolution_transpose: expected 1 group or more, found %d",
             transpose.c.groups);
        return NULL;
    }
    transpose.c.out = (int)shape->dim[1] * transpose.c.groups;
    for (int i = 0; i < 2 && more != NULL; i++)
        transpose.output_padding[i] = more[i];
    return node_outside(graph_convolution_transpose(node->graph, node, w, NULL, &transpose));
}

/* --- maps of another size --- */

static struct pooling pooling_inside(const struct retort_pooling *how)
{
    struct pooling inside;
    for (int i = 0; i < 2; i++) {
        inside.kernel[i] = how->kernel[i];
        inside.stride[i] = how->stride[i] != 0 ? how->stride[i] : how->kernel[i];
        inside.padding[i] = how->padding[i];
    }
    return inside;
}

struct retort_node *retort_op_max_pool(struct retort_node *x, const struct retort_pooling *how)
{
    struct node *node = node_inside(x);
    const struct pooling inside = pooling_inside(how);
    return node != NULL ? node_outside(graph_max_pool(node->graph, node, &inside)) : NULL;
}

struct retort_node *retort_op_average_pool(struct retort_node *x, const struct retort_pooling *how)
{
    struct node *node = node_inside(x);
    const struct pooling inside = pooling_inside(how);
    return node != NULL ? node_outside(graph_average_pool(node->graph, node, &inside)) : NULL;
}

struct retort_node *retort_op_adaptive_average_pool(struct retort_node *x, int height, int width)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_adaptive_average_pool(node->graph, node, height, width)) : NULL;
}

struct retort_node *retort_op_resize(struct retort_node *x, bool bilinear, int64_t height, int64_t width)
{
    struct node *node = node_inside(x);
    const enum interpolation how = bilinear ? INTERPOLATION_BILINEAR : INTERPOLATION_NEAREST;
    return node != NULL ? node_outside(graph_resize(node->graph, node, how, height, width)) : NULL;
}

/* --- norms --- */

struct retort_node *retort_op_batch_norm(struct retort_node *x, const struct retort_batch_norm *norm, bool training)
{
    struct node *node = node_inside(x), *scale = node_inside(norm->scale), *shift = node_inside(norm->shift);
    struct node *mean = node_inside(norm->mean), *variance = node_inside(norm->variance);
    const double epsilon = norm->epsilon != 0 ? norm->epsilon : 1e-5;
    if (node == NULL)
        return NULL;
    return node_outside(training
                            ? graph_batch_norm(node->graph, node, scale, shift, mean, variance, epsilon)
                            : graph_batch_norm_inference(node->graph, node, scale, shift, mean, variance, epsilon));
}

struct retort_node *retort_op_layer_norm(struct retort_node *x, struct retort_node *scale, struct retort_node *shift,
                                         int axes, double epsilon)
{
    struct node *node = node_inside(x), *gamma = node_inside(scale), *beta = node_inside(shift);
    return node != NULL ? node_outside(graph_layer_norm(node->graph, node, gamma, beta, axes, epsilon)) : NULL;
}

struct retort_node *retort_op_standardise(struct retort_node *x, int channels, const double *mean,
                                          const double *deviation)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_standardise(node->graph, node, channels, mean, deviation)) : NULL;
}

/* --- attention --- */

struct retort_node *retort_op_attention(struct retort_node *q, struct retort_node *k, struct retort_node *v)
{
    struct node *query = node_inside(q), *key = node_inside(k), *value = node_inside(v);
    return query != NULL ? node_outside(graph_attention(query->graph, query, key, value)) : NULL;
}
