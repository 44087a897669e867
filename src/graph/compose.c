/* compose.c: builders of ops.h that are other builders put together. */
#include "graph/ops.h"

static unsigned all_axes(const struct node *x)
{
    return (1U << x->spec.shape.rank) - 1;
}

struct node *graph_sum_all(struct graph *graph, struct node *x)
{
    return x ? graph_sum(graph, x, all_axes(x), false) : NULL;
}

struct node *graph_mean_all(struct graph *graph, struct node *x)
{
    return x ? graph_mean(graph, x, all_axes(x), false) : NULL;
}

struct node *graph_row_sum(struct graph *graph, struct node *x)
{
    return x ? graph_sum(graph, x, all_axes(x) & ~1U, false) : NULL;
}
