/* samples.c: see samples.h. */
#include "knowledge/samples.h"

const double samples_least = 1e-12;

struct node *samples_rows(struct graph *graph, struct node *x)
{
    if (!x || x->spec.shape.rank == 2)
        return x;
    return graph_reshape(graph, x, SHAPE(x->spec.shape.dim[0], shape_row(&x->spec.shape)));
}

struct node *samples_squares(struct graph *graph, struct node *x)
{
    return graph_maximum(graph, graph_square_distances(graph, samples_rows(graph, x)),
                         graph_scalar(graph, samples_least));
}

struct node *samples_mean(struct graph *graph, struct node *x, struct node *diagonal)
{
    return graph_sub(graph, graph_mean_all(graph, x), graph_div(graph, diagonal, graph_count(graph, x, 0)));
}

static struct node *positions(struct graph *graph, struct node *x)
{
    const int64_t *dim = x->spec.shape.dim;
    return graph_reshape(graph, x, SHAPE(dim[0], dim[1] * dim[2], dim[3]));
}

struct node *samples_products(struct graph *graph, struct node *a, struct node *b)
{
    if (!a || !b)
        return NULL;
    struct node *first = positions(graph, a);
    return graph_matmul(graph, first, a == b ? first : positions(graph, b), true, false);
}
