/* heads.c: see heads.h. */
#include "knowledge/relation/heads.h"

/* step_width: D. */
static int64_t step_width(struct step v)
{
    return (v.previous->spec.shape.dim[1] + v.current->spec.shape.dim[1]) / 2;
}

/* headed: BN(linear v) as [heads,B,D]. */
static struct node *headed(struct graph *g, const struct method_site *site, struct node *v, const char *name,
                           int64_t heads, int64_t width, unsigned flags)
{
    static const int heads_first[] = {1, 0, 2};
    struct node *rows = part_linear(g, site, v, name, heads * width, flags);
    rows = part_batch_norm(g, site, rows, name, flags);
    return graph_transpose(g, graph_reshape(g, rows, SHAPE(v->spec.shape.dim[0], heads, width)), 3, heads_first);
}

struct node *heads_graphs(struct graph *g, const struct method_site *site, struct step v, int64_t heads, unsigned flags)
{
    struct node *a = headed(g, site, v.current, "sender", heads, step_width(v), flags);
    struct node *b = headed(g, site, v.previous, "receiver", heads, step_width(v), flags);
    return graph_matmul(g, a, b, false, true);
}

/* kept: [heads,B], 1 where a head's row counts: given, or drawn. */
static struct node *kept(struct graph *g, const struct method_site *site, struct shape shape)
{
    struct node *given = part_given(g, site, "mask", ELEMENT_REAL, shape);
    if (given || g->ctx->error.status != STATUS_OK)
        return given;
    struct node *noise = part_random(g, site, "mask", DISTRIBUTION_NORMAL, shape);
    return graph_compare(g, noise, RELATION_GREATER, graph_mean(g, noise, 1, true));
}

struct node *heads_attention(struct graph *g, const struct method_site *site, struct step v, int64_t heads)
{
    static const int samples_first[] = {1, 0, 2};
    const int64_t batch = v.current->spec.shape.dim[0], width = step_width(v);
    struct node *attend = graph_softmax(g, heads_graphs(g, site, v, heads, PART_RUNNING));
    struct node *x = part_linear(g, site, v.previous, "estimator.0", width, 0);
    x = graph_relu(g, part_batch_norm(g, site, x, "estimator.0", 0));
    x = graph_matmul(g, graph_reshape(g, attend, SHAPE(heads * batch, batch)), x, false, false);
    /* The mask is of rows: it may as well come behind the product. */
    struct node *mask = graph_reshape(g, kept(g, site, SHAPE(heads, batch)), SHAPE(heads, batch, 1));
    x = graph_mul(g, graph_reshape(g, x, SHAPE(heads, batch, width)), mask);
    x = graph_reshape(g, graph_transpose(g, x, 3, samples_first), SHAPE(batch, heads * width));
    x = part_linear(g, site, x, "estimator.1", v.current->spec.shape.dim[1], PART_BIAS);
    struct node *cosines = graph_sum(g, graph_mul(g, graph_unit_rows(g, x), v.current), 2, false);
    return graph_sub(g, graph_scalar(g, 1), graph_mean_all(g, cosines));
}

double *reference_graphs(const struct method_case *c, struct map previous, struct map current, int heads, bool learn)
{
    struct map a = reference_convolution(c, current, "sender"), b = reference_convolution(c, previous, "receiver");
    (learn ? reference_batch_norm_training : reference_batch_norm)(c, a, "sender");
    (learn ? reference_batch_norm_training : reference_batch_norm)(c, b, "receiver");
    const int n = a.b, width = a.c / heads;
    double *graphs = reference_take(c, (int64_t)heads * n * n);
    for (int at = 0; at < heads * n * n; at++) {
        const int j = at % n, i = at / n % n, head = at / n / n;
        for (int d = 0; d < width; d++)
            graphs[at] += a.v[i * a.c + head * width + d] * b.v[j * b.c + head * width + d];
    }
    return graphs;
}

double reference_heads_attention(const struct method_case *c, struct map previous, struct map current, int heads)
{
    const int n = current.b;
    double *a = reference_graphs(c, previous, current, heads, true), loss = 0;
    const double *mask = reference_own(c, "mask");
    struct map x = reference_convolution(c, previous, "estimator.0");
    struct map seen = reference_map(c, n, heads * x.c, 1, 1);
    reference_batch_norm(c, x, "estimator.0");
    for (int row = 0; row < heads * n; row++)
        reference_log_softmax(a + row * n, n, 1);
    for (int at = 0; at < heads * n * x.c * n; at++) {
        const int j = at % n, d = at / n % x.c, row = at / n / x.c, head = row / n, i = row % n;
        seen.v[i * seen.c + head * x.c + d] += mask[row] * exp(a[row * n + j]) * fmax(x.v[j * x.c + d], 0);
    }
    struct map u = reference_convolution(c, seen, "estimator.1");
    for (int b = 0; b < n; b++) {
        reference_unit(u.v + b * u.c, u.c, 1);
        loss += 1.0 / n;
        for (int d = 0; d < u.c; d++)
            loss -= u.v[b * u.c + d] * current.v[b * u.c + d] / n;
    }
    return loss;
}
