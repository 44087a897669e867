/* knowledge/relation/rkd_angle.c: angles that three samples form, as the teacher has them.
 *
 *     loss = 1/B^3  sum_ijk  h(es_ij . es_ik - et_ij . et_ik),  e_ij = unit(f_j - f_i)
 *
 * f [B,D]: embeddings; h: smooth L1 (beta 1). Between a sample and itself, or its equal, e is 0, without a gradient. The
 * products come from the distances between the three, by the law of cosines, and [B,B,D] never exists. Park 2019 (CVPR), arXiv
 * 1904.05068, equations 10 to 12. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

/* [B,B,B]: at each corner the cosines between the ways to all others. */
static struct node *cosines(struct graph *g, struct node *x)
{
    return graph_corner_cosines(g, graph_square_distances(g, samples_rows(g, x)));
}

static struct node *rkd_angle_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *s = cosines(g, site->student[0].node), *t = cosines(g, site->teacher[0].node);
    return graph_mean_all(g, graph_smooth_l1(g, s, t, 1));
}

/* [B,B,row] */
static double *directions(const struct method_case *c, struct map m)
{
    const int row = map_row(&m);
    double *e = reference_take(c, (int64_t)m.b * m.b * row);
    for (int at = 0; at < m.b * m.b; at++) {
        for (int d = 0; d < row; d++)
            e[at * row + d] = m.v[at % m.b * row + d] - m.v[at / m.b * row + d];
        reference_unit(e + at * row, row, 1);
    }
    return e;
}

static double product(const double *a, const double *b, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double rkd_angle_reference(const struct method_case *c, const void *options)
{
    (void)options;
    const struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    const int b = s.b, rs = map_row(&s), rt = map_row(&t);
    const double *es = directions(c, s), *et = directions(c, t);
    double sum = 0;
    for (int ij = 0; ij < b * b; ij++)
        for (int k = 0; k < b; k++) {
            const int ik = ij / b * b + k;
            sum +=
                reference_smooth_l1(product(es + ij * rs, es + ik * rs, rs) - product(et + ij * rt, et + ik * rt, rt));
        }
    return sum / b / b / b;
}

const struct method method_rkd_angle = {
    .name = "rkd-angle",
    .summary = "angles that three samples form, as the teacher has them",
    .formula = "1/B^3 sum_ijk smooth_l1(es_ij.es_ik - et_ij.et_ik), e_ij = unit(f_j - f_i)",
    .paper = "Park 2019, arXiv 1904.05068",
    .when = "For embeddings, with rkd-distance, whose scale it does not see; weight 50. Memory and time grow with the "
            "cube of "
            "the batch: up to 128 samples or so.",
    .family = FAMILY_RELATION,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_embedding_pairs),
    .batch_min = 3,
    .build = rkd_angle_build,
    .reference = rkd_angle_reference,
};
