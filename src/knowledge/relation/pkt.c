/* knowledge/relation/pkt.c: each sample's similarities to the others as probabilities, as the teacher has them.
 *
 *     loss = 1/B^2  sum_ij  pt_ij log((pt_ij + 1e-7) / (ps_ij + 1e-7)),  p: rows of (c + 1) / 2 over their sum
 *
 * c [B,B]: cosines of embeddings f / (|f| + 1e-7) [B,D]; that of a zero sample is 0, without a gradient.
 * Passalis and Tefas 2018 (ECCV), arXiv 1803.10837, equations 5 to 8. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

static const double epsilon = 1e-7;

enum { LAST = 2 }; /* the last axis of a matrix, as a mask */

static struct node *probabilities(struct graph *g, struct node *x)
{
    struct node *rows = samples_rows(g, x), *e = graph_scalar(g, epsilon);
    struct node *squares = graph_sum(g, graph_square(g, rows), LAST, true);
    struct node *length = graph_sqrt(g, graph_maximum(g, squares, graph_scalar(g, 1e-24))); /* [B,1] */
    struct node *unit = graph_mul(g, graph_unit_rows(g, rows), graph_div(g, length, graph_add(g, length, e)));
    struct node *cosines = graph_matmul(g, unit, unit, false, true);
    struct node *half = graph_scalar(g, 0.5);
    /* Rounding may leave a cosine below -1. */
    struct node *likeness = graph_maximum(g, graph_add(g, graph_mul(g, cosines, half), half), graph_scalar(g, 0));
    return graph_div(g, likeness, graph_sum(g, likeness, LAST, true));
}

static struct node *pkt_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *ps = probabilities(g, site->student[0].node), *pt = probabilities(g, site->teacher[0].node);
    struct node *e = graph_scalar(g, epsilon);
    struct node *ratio = graph_log(g, graph_div(g, graph_add(g, pt, e), graph_add(g, ps, e)));
    return graph_mean_all(g, graph_mul(g, pt, ratio));
}

static double *likely(const struct method_case *c, struct map m)
{
    const int row = map_row(&m);
    double *p = reference_take(c, (int64_t)m.b * m.b), *length = reference_take(c, m.b);
    for (int i = 0; i < m.b; i++) {
        for (int d = 0; d < row; d++)
            length[i] = hypot(length[i], m.v[i * row + d]);
        length[i] += 1e-7;
    }
    for (int i = 0; i < m.b; i++) {
        double sum = 0;
        for (int j = 0; j < m.b; j++) {
            double cosine = 0;
            for (int d = 0; d < row; d++)
                cosine += m.v[i * row + d] / length[i] * m.v[j * row + d] / length[j];
            sum += p[i * m.b + j] = (cosine + 1) / 2;
        }
        for (int j = 0; j < m.b; j++)
            p[i * m.b + j] /= sum;
    }
    return p;
}

static double pkt_reference(const struct method_case *c, const void *options)
{
    (void)options;
    const struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    const double *ps = likely(c, s), *pt = likely(c, t);
    double sum = 0;
    for (int at = 0; at < s.b * s.b; at++)
        sum += pt[at] * log((pt[at] + 1e-7) / (ps[at] + 1e-7));
    return sum / (s.b * s.b);
}

const struct method method_pkt = {
    .name = "pkt",
    .summary = "each sample's similarities to the others as probabilities, as the teacher has them",
    .formula = "1/B^2 sum pt log((pt + 1e-7) / (ps + 1e-7)), p: rows of (cosine + 1) / 2 over their sum",
    .paper = "Passalis and Tefas 2018, arXiv 1803.10837",
    .when =
        "For embeddings of any two widths, retrieval above all; in larger batches, since a sample is described by its "
        "neighbours. Its value is tiny and shrinks with the batch: weights go into the ten thousands.",
    .family = FAMILY_RELATION,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_embedding_pairs),
    .batch_min = 2,
    .tolerance = 2e-2, /* opposite samples: cosine + 1 is the rounding of the cosine, which 1e-7 hardly exceeds */
    .build = pkt_build,
    .reference = pkt_reference,
};
