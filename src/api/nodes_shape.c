/* nodes_shape.c: the builders of include/retort.h that move elements, pick some of them, or take a matrix apart. */
#include "api/own.h"

struct retort_node *retort_op_reshape(struct retort_node *x, struct retort_shape shape)
{
    struct node *node = node_inside(x);
    struct shape wanted;
    if (node == NULL || !shape_inside(node->graph, &shape, &wanted))
        return NULL;
    return node_outside(graph_reshape(node->graph, node, wanted));
}

struct retort_node *retort_op_transpose(struct retort_node *x, const int *axes)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_transpose(node->graph, node, node->spec.shape.rank, axes)) : NULL;
}

struct retort_node *retort_op_slice(struct retort_node *x, int axis, int64_t start, int64_t stop, int64_t step)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_slice(node->graph, node, axis, start, stop, step)) : NULL;
}

void retort_op_split(struct retort_node *x, int axis, int count, const int64_t *sizes, struct retort_node **parts)
{
    _Static_assert(sizeof(struct node *) == sizeof(struct retort_node *), "nodes seen from outside are the same ones");
    struct node *node = node_inside(x);
    for (int i = 0; i < count; i++)
        parts[i] = NULL;
    if (node != NULL)
        graph_split(node->graph, node, axis, count, sizes, (struct node **)(void *)parts);
}

struct retort_node *retort_op_pad(struct retort_node *x, int axis, int64_t before, int64_t after, double value)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_pad_axis(node->graph, node, axis, before, after, value)) : NULL;
}

struct retort_node *retort_op_concat(size_t count, struct retort_node *const *x, int axis)
{
    struct node *nodes[OP_MAX_INPUTS];
    if (count == 0 || x[0] == NULL)
        return NULL;
    struct graph *graph = node_inside(x[0])->graph;
    if (count > OP_MAX_INPUTS) {
        fail(graph->ctx, STATUS_BAD_INPUT, "concat: expected 1 to %d nodes, found %zu", OP_MAX_INPUTS, count);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        nodes[i] = node_inside(x[i]);
    return node_outside(graph_concat(graph, (int)count, nodes, axis));
}

struct retort_node *retort_op_count(struct retort_node *x, int axis)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_count(node->graph, node, axis)) : NULL;
}

struct retort_node *retort_op_gather(struct retort_node *x, struct retort_node *index, int axis)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_gather(node->graph, node, node_inside(index), axis)) : NULL;
}

struct retort_node *retort_op_swap_columns(struct retort_node *x, struct retort_node *a, struct retort_node *b)
{
    struct node *node = node_inside(x);
    return node != NULL ? node_outside(graph_swap_columns(node->graph, node, node_inside(a), node_inside(b))) : NULL;
}

/* --- several outputs --- */

/* output_outside: output i of the call whose output 0 is `first`, where it is wanted. */
static void output_outside(struct node *first, int i, struct retort_node **wanted)
{
    if (wanted != NULL)
        *wanted = node_outside(graph_output(first, i));
}

struct retort_node *retort_op_top_k(struct retort_node *x, int64_t k, struct retort_node **indices)
{
    struct node *node = node_inside(x), *values = node != NULL ? graph_top_k(node->graph, node, k) : NULL;
    output_outside(values, 1, indices);
    return node_outside(values);
}

struct retort_node *retort_op_eigen(struct retort_node *x, int k, struct retort_node **vectors)
{
    struct node *node = node_inside(x), *values = node != NULL ? graph_eigen(node->graph, node, k) : NULL;
    output_outside(values, 1, vectors);
    return node_outside(values);
}

struct retort_node *retort_op_svd(struct retort_node *x, int k, struct retort_node **right, struct retort_node **left)
{
    struct node *node = node_inside(x), *values = node != NULL ? graph_svd(node->graph, node, k) : NULL;
    output_outside(values, 1, right);
    output_outside(values, 2, left);
    return node_outside(values);
}
