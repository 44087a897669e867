/* knowledge/relation/fsp.c: the flow from one layer to the next: which channels of the second answer to which of the first.
 *
 *     loss = sum over consecutive taps  mean (Gs - Gt)^2,  G = 1/(HW) F1 F2^T
 *
 * F1 [C1,HW], F2 [C2,HW]: two consecutive taps of one network, pooled to the smaller of their sizes; G [B,C1,C2]. The student's
 * channels become those of the teacher's taps, a connector for each tap. Yim 2017 (CVPR), equations 1 and 2. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

struct fsp_options {
    struct connector_options connector;
};

static const struct option_spec fsp_specs[] = {
    CONNECTOR_OPTIONS(struct fsp_options, connector),
};

static struct node *flow(struct graph *g, struct node *first, struct node *second)
{
    struct node *sum = samples_products(g, first, second); /* [B,C1,C2] */
    if (!sum)
        return NULL;
    const int64_t *dim = first->spec.shape.dim;
    return graph_mul(g, sum, graph_scalar(g, 1 / (double)(dim[1] * dim[2])));
}

static struct node *fsp_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct connector_options *connector = &((const struct fsp_options *)options)->connector;
    struct node *sum = NULL;
    for (int i = 0; i + 1 < site->n_student; i++) {
        struct node *s1 = site->student[i].node, *s2 = site->student[i + 1].node;
        struct node *t1 = site->teacher[i].node, *t2 = site->teacher[i + 1].node;
        connector_sizes(g, &s1, &s2);
        connector_sizes(g, &t1, &t2);
        s1 = connector_tap(g, site, s1, i, connector);
        s2 = connector_tap(g, site, s2, i + 1, connector);
        struct node *loss = graph_mean_all(g, graph_square(g, graph_sub(g, flow(g, s1, s2), flow(g, t1, t2))));
        if (!loss)
            return NULL;
        sum = sum ? graph_add(g, sum, loss) : loss;
    }
    return sum;
}

/* G of the two, [B,C1,C2]. */
static double *flowing(const struct method_case *c, struct map a, struct map b)
{
    const int area = map_area(&a);
    double *g = reference_take(c, (int64_t)a.b * a.c * b.c);
    for (int at = 0; at < a.b * a.c * b.c; at++) {
        const int first = at / b.c, second = at / b.c / a.c * b.c + at % b.c; /* rows of a and b */
        for (int i = 0; i < area; i++)
            g[at] += a.v[first * area + i] * b.v[second * area + i] / area;
    }
    return g;
}

static struct map reached(const struct method_case *c, struct map m, int i, const struct fsp_options *o)
{
    struct method_case at = *c;
    at.pair = i;
    at.pairs = c->n_student;
    if (reference_own(&at, "connector.weight"))
        m = reference_convolution(&at, m, "connector");
    if (o->connector.kind == CONNECTOR_CONV_BN)
        reference_batch_norm(&at, m, "connector");
    return m;
}

static double fsp_reference(const struct method_case *c, const void *options)
{
    double sum = 0;
    for (int i = 0; i + 1 < c->n_student; i++) {
        struct map s1 = reference_student(c, i), s2 = reference_student(c, i + 1);
        struct map t1 = reference_teacher(c, i), t2 = reference_teacher(c, i + 1);
        reference_sizes(c, &s1, &s2);
        reference_sizes(c, &t1, &t2);
        s1 = reached(c, s1, i, options);
        s2 = reached(c, s2, i + 1, options);
        sum += reference_mean_square(flowing(c, s1, s2), flowing(c, t1, t2), (int64_t)s1.b * s1.c * s2.c);
    }
    return sum;
}

const struct method method_fsp = {
    .name = "fsp",
    .summary = "the flow from one layer to the next, as the teacher has it",
    .formula = "sum over consecutive taps mean (Gs - Gt)^2, G = 1/(HW) F1 F2^T [C1,C2] a sample",
    .paper = "Yim, CVPR 2017",
    .when = "As a first stage alone, before the labels, for student and teacher of the same design (the first and the "
            "last map "
            "of each block). It binds every channel to its counterpart: with other widths a connector has to stand "
            "between.",
    .family = FAMILY_RELATION,
    .wants = METHOD_SAME_NUMBER,
    METHOD_INPUTS(inputs_maps),
    METHOD_OPTIONS(fsp_specs, struct fsp_options),
    .batch_min = 1,
    .build = fsp_build,
    .reference = fsp_reference,
};
