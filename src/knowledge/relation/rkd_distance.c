/* knowledge/relation/rkd_distance.c: distances between samples in the teacher's proportions.
 *
 *     loss = 1/B^2  sum_ij  h(ds_ij / mean ds - dt_ij / mean dt),  d_ij = sqrt(max(|f_i - f_j|^2, 1e-12)), d_ii = 0
 *
 * f [B,D]: embeddings; h: smooth L1 (beta 1); the mean is over the B (B - 1) distances that are positive, and is differentiated.
 * Park 2019 (CVPR), arXiv 1904.05068, equations 6 to 9. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

/* Distances over their mean [B,B]; what stands on their diagonal instead of 0. */
struct relative {
    struct node *all, *diagonal;
};

static struct relative relative(struct graph *g, struct node *x)
{
    struct node *d = graph_sqrt(g, samples_squares(g, x)), *least = graph_scalar(g, sqrt(samples_least));
    struct node *b = graph_count(g, d, 0), *pairs = graph_mul(g, b, graph_sub(g, b, graph_scalar(g, 1)));
    struct node *mean = graph_div(g, graph_sub(g, graph_sum_all(g, d), graph_mul(g, b, least)), pairs);
    return (struct relative){graph_div(g, d, mean), graph_div(g, least, mean)};
}

static struct node *rkd_distance_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    const struct relative s = relative(g, site->student[0].node), t = relative(g, site->teacher[0].node);
    return samples_mean(g, graph_smooth_l1(g, s.all, t.all, 1), graph_smooth_l1(g, s.diagonal, t.diagonal, 1));
}

static double *distances(const struct method_case *c, struct map m)
{
    double *d = reference_squares(c, m), sum = 0;
    for (int at = 0; at < m.b * m.b; at++) {
        d[at] = at / m.b == at % m.b ? 0 : sqrt(fmax(d[at], 1e-12));
        sum += d[at];
    }
    for (int at = 0; at < m.b * m.b; at++)
        d[at] *= m.b * (m.b - 1) / sum;
    return d;
}

static double rkd_distance_reference(const struct method_case *c, const void *options)
{
    (void)options;
    const struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    const double *ds = distances(c, s), *dt = distances(c, t);
    double sum = 0;
    for (int at = 0; at < s.b * s.b; at++)
        sum += reference_smooth_l1(ds[at] - dt[at]);
    return sum / (s.b * s.b);
}

const struct method method_rkd_distance = {
    .name = "rkd-distance",
    .summary = "distances between samples in the teacher's proportions",
    .formula = "1/B^2 sum_ij smooth_l1(ds_ij / mean ds - dt_ij / mean dt), d: distances of embeddings",
    .paper = "Park 2019, arXiv 1904.05068",
    .when =
        "For embeddings that are compared by distance (retrieval, few-shot), also of different widths: only "
        "proportions "
        "are asked for. Weight 25, often with rkd-angle of weight 50. In classification a help beside the logits, no "
        "substitute for them.",
    .family = FAMILY_RELATION,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_embedding_pairs),
    .batch_min = 2,
    .build = rkd_distance_build,
    .reference = rkd_distance_reference,
};
