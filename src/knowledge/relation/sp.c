/* knowledge/relation/sp.c: samples that are alike for the teacher are alike for the student.
 *
 *     loss = 1/B^2  sum (Gs - Gt)^2,  G = unit rows of F F^T
 *
 * F [B,D]: the samples' activations as rows, of any size on either side; G [B,B]. A row of zeros stays 0, without a gradient.
 * Tung 2019 (ICCV), arXiv 1907.09682, equations 1 to 4. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

static struct node *similarities(struct graph *g, struct node *x)
{
    struct node *rows = samples_rows(g, x);
    return graph_unit_rows(g, graph_matmul(g, rows, rows, false, true)); /* [B,B] */
}

static struct node *sp_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *gs = similarities(g, site->student[0].node), *gt = similarities(g, site->teacher[0].node);
    return graph_mean_all(g, graph_square(g, graph_sub(g, gs, gt)));
}

static double *similar(const struct method_case *c, struct map m)
{
    const int row = map_row(&m);
    double *products = reference_take(c, (int64_t)m.b * m.b);
    for (int i = 0; i < m.b; i++) {
        for (int j = 0; j < m.b; j++)
            for (int d = 0; d < row; d++)
                products[i * m.b + j] += m.v[i * row + d] * m.v[j * row + d];
        reference_unit(products + i * m.b, m.b, 1);
    }
    return products;
}

static double sp_reference(const struct method_case *c, const void *options)
{
    (void)options;
    const struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    return reference_mean_square(similar(c, s), similar(c, t), (int64_t)s.b * s.b);
}

const struct method method_sp = {
    .name = "sp",
    .summary = "samples that are alike for the teacher are alike for the student",
    .formula = "1/B^2 sum (Gs - Gt)^2, G = unit rows of F F^T [B,B], F: the samples as rows",
    .paper = "Tung 2019, arXiv 1907.09682",
    .when =
        "Where the two layers have nothing in common: any sizes, maps or embeddings, and nothing to learn between "
        "them. "
        "It says little in small batches (below 32 or so) and with few samples of a class in each. Its value is small: "
        "weights go into the thousands.",
    .family = FAMILY_RELATION,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_activation_pairs),
    .batch_min = 2,
    .build = sp_build,
    .reference = sp_reference,
};
