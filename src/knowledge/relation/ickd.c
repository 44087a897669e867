/* knowledge/relation/ickd.c: channels of a map that go together in the teacher go together in the student.
 *
 *     loss = 1/(C B^2)  sum (Gs - Gt)^2,  G = unit rows of F F^T
 *
 * F [C,HW]: the channels of one sample, of any height and width on either side; G [B,C,C]. The student's channels become the
 * teacher's by the connector. A channel of zeros has a row of zeros, without a gradient. Liu 2021 (ICCV), arXiv 2202.03680. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

struct ickd_options {
    struct connector_options connector;
};

static const struct option_spec ickd_specs[] = {
    CONNECTOR_OPTIONS(struct ickd_options, connector),
};

static struct node *ickd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct ickd_options *o = options;
    struct node *t = site->teacher[0].node;
    struct node *s = connector_channels(g, site, site->student[0].node, t, &o->connector);
    struct node *gs = graph_unit_rows(g, samples_products(g, s, s));
    struct node *gt = graph_unit_rows(g, samples_products(g, t, t));
    struct node *mean = graph_mean_all(g, graph_square(g, graph_sub(g, gs, gt))); /* over B C^2 */
    return graph_mul(g, mean, graph_div(g, graph_count(g, gs, 1), graph_count(g, gs, 0)));
}

/* [B,C,C] */
static double *correlations(const struct method_case *c, struct map m)
{
    const int area = map_area(&m);
    double *products = reference_take(c, (int64_t)m.b * m.c * m.c);
    for (int row = 0; row < m.b * m.c; row++) {
        for (int other = 0; other < m.c; other++)
            for (int i = 0; i < area; i++)
                products[row * m.c + other] += m.v[row * area + i] * m.v[(row / m.c * m.c + other) * area + i];
        reference_unit(products + row * m.c, m.c, 1);
    }
    return products;
}

static double ickd_reference(const struct method_case *c, const void *options)
{
    const struct ickd_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    if (reference_own(c, "connector.weight"))
        s = reference_convolution(c, s, "connector");
    if (o->connector.kind == CONNECTOR_CONV_BN)
        reference_batch_norm(c, s, "connector");
    return reference_mean_square(correlations(c, s), correlations(c, t), (int64_t)s.b * s.c * s.c) * s.c / s.b;
}

const struct method method_ickd = {
    .name = "ickd",
    .summary = "channels of a map that go together in the teacher go together in the student",
    .formula = "1/(C B^2) sum (Gs - Gt)^2, G = unit rows of F F^T [C,C] a sample",
    .paper = "Liu 2021, arXiv 2202.03680",
    .when =
        "Where the maps' sizes differ and what matters is which features occur together rather than where. Of the last "
        "map, whose channels mean most. Without the same number of channels a connector is learnt, which can take up "
        "part of the work.",
    .family = FAMILY_RELATION,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    METHOD_OPTIONS(ickd_specs, struct ickd_options),
    .batch_min = 1,
    .build = ickd_build,
    .reference = ickd_reference,
};
