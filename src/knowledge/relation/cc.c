/* knowledge/relation/cc.c: correlation congruence: a Gaussian kernel between samples, as the teacher has it.
 *
 *     loss = mean (Cs - Ct)^2,  C = sum_{p=0..order} e^(-2 gamma) (2 gamma)^p / p!  (U U^T)^p
 *
 * U [B,D] = unit(F); the power is element-wise: C [B,B] is the Taylor series of exp(-gamma |u_i - u_j|^2). The term of p = 0 is the
 * same on both sides and falls out. Peng 2019 (ICCV), arXiv 1904.01802, equations 5 and 7. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

struct cc_options {
    double gamma;
    int64_t order;
};

static const struct option_spec cc_specs[] = {
    {.name = "gamma",
     .offset = offsetof(struct cc_options, gamma),
     .type = OPTION_REAL,
     .initial = "0.4",
     .min = 0,
     .max = 1e3,
     .flags = OPTION_ABOVE_MIN,
     .help = "of the kernel exp(-gamma distance^2): the larger, the more only near samples count"},
    {.name = "order",
     .offset = offsetof(struct cc_options, order),
     .type = OPTION_INTEGER,
     .initial = "2",
     .min = 0,
     .max = 100,
     .help = "the last power of the series; 0 leaves nothing to learn"},
};

static double coefficient(double gamma, int64_t p)
{
    return exp((double)p * log(2 * gamma) - 2 * gamma - lgamma((double)p + 1));
}

/* The series without its first term. */
static struct node *kernel(struct graph *g, struct node *x, const struct cc_options *o)
{
    struct node *unit = graph_unit_rows(g, samples_rows(g, x));
    struct node *cosines = graph_matmul(g, unit, unit, false, true); /* [B,B] */
    struct node *sum = graph_scalar(g, o->order > 0 ? coefficient(o->gamma, o->order) : 0);
    for (int64_t p = o->order - 1; p > 0; p--)
        sum = graph_add(g, graph_mul(g, sum, cosines), graph_scalar(g, coefficient(o->gamma, p)));
    return graph_mul(g, cosines, sum);
}

static struct node *cc_build(struct graph *g, const struct method_site *site, const void *options)
{
    struct node *cs = kernel(g, site->student[0].node, options), *ct = kernel(g, site->teacher[0].node, options);
    return graph_mean_all(g, graph_square(g, graph_sub(g, cs, ct)));
}

static double *series(const struct method_case *c, struct map m, const struct cc_options *o)
{
    const int row = map_row(&m);
    double *sums = reference_take(c, (int64_t)m.b * m.b);
    for (int i = 0; i < m.b; i++)
        reference_unit(m.v + i * row, row, 1);
    for (int at = 0; at < m.b * m.b; at++) {
        double cosine = 0, term = exp(-2 * o->gamma);
        for (int d = 0; d < row; d++)
            cosine += m.v[at / m.b * row + d] * m.v[at % m.b * row + d];
        for (int p = 0; p <= o->order; p++) {
            sums[at] += term;
            term *= 2 * o->gamma * cosine / (p + 1);
        }
    }
    return sums;
}

static double cc_reference(const struct method_case *c, const void *options)
{
    const struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    return reference_mean_square(series(c, s, options), series(c, t, options), (int64_t)s.b * s.b);
}

const struct method method_cc = {
    .name = "cc",
    .summary = "a Gaussian kernel between samples, as the teacher has it",
    .formula = "mean (Cs - Ct)^2, C = sum_p e^(-2 gamma) (2 gamma)^p / p! (U U^T)^p element-wise, U = unit(F)",
    .paper = "Peng 2019, arXiv 1904.01802",
    .when = "Beside a loss on the logits, where embeddings are compared later on (retrieval, faces). Only directions "
            "count, "
            "and the widths of the two sides may differ. Batches that hold several samples of a class help.",
    .family = FAMILY_RELATION,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_embedding_pairs),
    METHOD_OPTIONS(cc_specs, struct cc_options),
    .batch_min = 2,
    .build = cc_build,
    .reference = cc_reference,
};
