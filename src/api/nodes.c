/* nodes.c: the builders of include/retort.h. Each node knows its graph, so that a formula need not name it. */
#include "api/own.h"

struct node *node_inside(struct retort_node *node)
{
    return (struct node *)node;
}

struct retort_node *node_outside(struct node *node)
{
    return (struct retort_node *)node;
}

struct retort_shape retort_node_shape(const struct retort_node *node)
{
    struct retort_shape shape = {-1, {0}};
    if (node == NULL)
        return shape;
    const struct shape *inside = &((const struct node *)node)->spec.shape;
    shape.rank = inside->rank;
    for (int i = 0; i < inside->rank; i++)
        shape.size[i] = inside->dim[i];
    return shape;
}

bool shape_inside(struct graph *graph, const struct retort_shape *given, struct shape *shape)
{
    _Static_assert((int)RETORT_RANK_MAX == (int)SHAPE_MAX_RANK && (int)RETORT_BATCH == (int)SHAPE_BATCH, "one shape");
    *shape = (struct shape){.rank = given->rank};
    if (given->rank < 0 || given->rank > SHAPE_MAX_RANK) {
        fail(graph->ctx, STATUS_BAD_SHAPE, "a shape has 0 to %d axes, found %d", SHAPE_MAX_RANK, given->rank);
        return false;
    }
    for (int i = 0; i < given->rank; i++) {
        shape->dim[i] = given->size[i];
        if (given->size[i] == 0 || given->size[i] < SHAPE_BATCH) {
            fail(graph->ctx, STATUS_BAD_SHAPE, "axis %d of a shape: expected 1 or more, or RETORT_BATCH, found %lld", i,
                 (long long)given->size[i]);
            return false;
        }
    }
    return true;
}

struct retort_node *retort_fail(struct retort_graph *graph, const char *reason)
{
    fail(((struct graph *)graph)->ctx, STATUS_BAD_INPUT, "%s", reason);
    return NULL;
}

/* --- the list --- */

#define ONE(name, text)                                                                                                \
    struct retort_node *retort_op_##name(struct retort_node *x)                                                        \
    {                                                                                                                  \
        struct node *node = node_inside(x);                                                                            \
        return node != NULL ? node_outside(graph_##name(node->graph, node)) : NULL;                                    \
    }
#define TWO(name, text)                                                                                                \
    struct retort_node *retort_op_##name(struct retort_node *a, struct retort_node *b)                                 \
    {                                                                                                                  \
        struct node *first = node_inside(a), *second = node_inside(b);                                                 \
        return first != NULL && second != NULL ? node_outside(graph_##name(first->graph, first, second)) : NULL;       \
    }
#define AXES(name, text)                                                                                               \
    struct retort_node *retort_op_##name(struct retort_node *x, unsigned axes, bool keep)                              \
    {                                                                                                                  \
        struct node *node = node_inside(x);                                                                            \
        return node != NULL ? node_outside(graph_##name(node->graph, node, axes, keep)) : NULL;                        \
    }
RETORT_OP_LIST(ONE, TWO, AXES)
#undef ONE
#undef TWO
#undef AXES

/* --- sources --- */

struct retort_node *retort_op_scalar(struct retort_graph *graph, double value)
{
    return node_outside(graph_scalar((struct graph *)graph, value));
}

struct retort_node *retort_op_constant(struct retort_graph *graph, struct retort_shape shape, const double *values)
{
    struct graph *inside = (struct graph *)graph;
    struct shape wanted;
    return shape_inside(inside, &shape, &wanted) ? node_outside(graph_constant(inside, wanted, values)) : NULL;
}

struct retort_node *retort_op_integers(struct retort_graph *graph, struct retort_shape shape, const int32_t *values)
{
    struct graph *inside = (struct graph *)graph;
    struct shape wanted;
    return shape_inside(inside, &shape, &wanted) ? node_outside(graph_constant_integers(inside, wanted, values)) : NULL;
}

struct retort_node *retort_op_scheduled(struct retort_graph *graph, const struct retort_scheduled *number)
{
    _Static_assert(sizeof(struct retort_scheduled) == sizeof(struct real), "the field of such an option");
    return node_outside(graph_real((struct graph *)graph, (const struct real *)(const void *)number));
}

/* --- what takes more than nodes --- */

struct retort_node *retort_op_scale(struct retort_node *x, double factor)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_mul(node->graph, node, graph_scalar(node->graph, factor))) : NULL;
}

struct retort_node *retort_op_clip(struct retort_node *x, double low, double high)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_clip(node->graph, node, low, high)) : NULL;
}

struct retort_node *retort_op_smooth_l1(struct retort_node *a, struct retort_node *b, double beta)
{
    struct node *first = node_inside(a), *second = node_inside(b);
    return first != NULL && second != NULL ? node_outside(graph_smooth_l1(first->graph, first, second, beta)) : NULL;
}

struct retort_node *retort_op_leaky_relu(struct retort_node *x, double slope)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_leaky_relu(node->graph, node, slope)) : NULL;
}

struct retort_node *retort_op_compare(struct retort_node *a, enum retort_relation relation, struct retort_node *b)
{
    _Static_assert((int)RETORT_EQUAL == (int)RELATION_EQUAL && (int)RETORT_LESS_EQUAL == (int)RELATION_LESS_EQUAL,
                   "one list");
    struct node *first = node_inside(a);
    if (first == NULL)
        return NULL;
    if ((unsigned)relation > RETORT_LESS_EQUAL) {
        fail(first->graph->ctx, STATUS_BAD_INPUT, "compare: there is no relation %d", (int)relation);
        return NULL;
    }
    return node_outside(graph_compare(first->graph, first, (enum relation)relation, node_inside(b)));
}

struct retort_node *retort_op_where(struct retort_node *condition, struct retort_node *a, struct retort_node *b)
{
    struct node *where = node_inside(condition);
    return where != NULL ? node_outside(graph_where(where->graph, where, node_inside(a), node_inside(b))) : NULL;
}

struct retort_node *retort_op_one_hot(struct retort_node *labels, int classes)
{
    struct node *node = node_inside(labels);
    return node != NULL ? node_outside(graph_one_hot(node->graph, node, classes)) : NULL;
}

struct retort_node *retort_op_cross_entropy(struct retort_node *logits, struct retort_node *labels, double smoothing)
{
    struct node *x = node_inside(logits), *y = node_inside(labels);
    return x != NULL && y != NULL ? node_outside(graph_cross_entropy(x->graph, x, y, smoothing)) : NULL;
}

struct retort_node *retort_op_matmul(struct retort_node *a, struct retort_node *b, bool transpose_a, bool transpose_b)
{
    struct node *first = node_inside(a), *second = node_inside(b);
    if (first == NULL || second == NULL)
        return NULL;
    return node_outside(graph_matmul(first->graph, first, second, transpose_a, transpose_b));
}

struct retort_node *retort_op_linear(struct retort_node *x, struct retort_node *weight)
{
    struct node *node = node_inside(x), *w = node_inside(weight);
    return node != NULL && w != NULL ? node_outside(graph_linear(node->graph, node, w, NULL)) : NULL;
}
