/* compose.c: builders of ops.h that are other builders put together. */
#include "graph/ops.h"

#include <math.h>

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

struct node *graph_flatten(struct graph *graph, struct node *x)
{
    if (!x || x->spec.shape.rank == 2)
        return x;
    const int64_t *dim = x->spec.shape.dim;
    if (x->spec.shape.rank == 3)
        return graph_reshape(graph, x, SHAPE(dim[0], dim[1] * dim[2]));
    return graph_reshape(graph, graph_to_chw(graph, x), SHAPE(dim[0], dim[3] * dim[1] * dim[2]));
}

/* split_fits: does the axis exist, with a length that the sizes (or n equal ones) add up to? */
static bool split_fits(struct graph *graph, const struct shape *shape, int axis, int n, const int64_t *sizes)
{
    char text[SHAPE_TEXT_SIZE];
    bool fits = axis >= 0 && axis < shape->rank && n > 0 && shape->dim[axis] > 0;
    int64_t sum = 0;
    for (int i = 0; fits && sizes && i < n; i++)
        sum += sizes[i];
    fits = fits && (sizes ? sum == shape->dim[axis] : shape->dim[axis] % n == 0);
    if (!fits)
        fail(graph->ctx, STATUS_BAD_SHAPE,
             "split: expected an axis of known length that %d %s up to, found axis %d of %s", n,
             sizes ? "given sizes add" : "equal parts add", axis, shape_text(shape, text));
    return fits;
}

void graph_split(struct graph *graph, struct node *x, int axis, int n, const int64_t *sizes, struct node **parts)
{
    for (int i = 0; i < n; i++)
        parts[i] = NULL;
    const int from_start = x && axis < 0 ? axis + x->spec.shape.rank : axis;
    if (!x || !split_fits(graph, &x->spec.shape, from_start, n, sizes))
        return;
    bool made = true;
    int64_t start = 0;
    for (int i = 0; made && i < n; i++) {
        const int64_t size = sizes ? sizes[i] : x->spec.shape.dim[from_start] / n;
        parts[i] = graph_slice(graph, x, from_start, start, start + size, 1);
        made = parts[i] != NULL;
        start += size;
    }
    for (int i = 0; !made && i < n; i++)
        parts[i] = NULL;
}

struct node *graph_embedding(struct graph *graph, struct node *table, struct node *index)
{
    return graph_gather(graph, table, index, 0);
}

struct node *graph_attention(struct graph *graph, struct node *q, struct node *k, struct node *v)
{
    if (!q || !k || !v)
        return NULL;
    const int64_t width = q->spec.shape.rank > 0 ? q->spec.shape.dim[q->spec.shape.rank - 1] : 1;
    /* The factor on q, which is smaller than the scores. */
    struct node *scaled = graph_mul(graph, q, graph_scalar(graph, 1 / sqrt((double)width)));
    struct node *weights = graph_softmax(graph, graph_matmul(graph, scaled, k, false, true)); /* [...,T,S] */
    return graph_matmul(graph, weights, v, false, false);
}
