/* knowledge/feature/at.c: the student looks where the teacher looks.
 *
 *     loss = mean (Qs - Qt)^2,  Q = unit(flatten(mean over C of |F|^p))
 *
 * Qs, Qt [B,H*W]: the attention maps of F [B,H,W,C] of student and teacher, pooled to one size. A sample of zeros has Q 0. No
 * connector: channels are averaged. Zagoruyko 2017 (ICLR), arXiv 1612.03928, equation 2; the authors' code takes the mean over
 * the elements where the paper adds up. */
#include "knowledge/feature/attention.h"
#include "knowledge/inputs.h"

struct at_options {
    double power;
};

static const struct option_spec at_specs[] = {
    REAL_OPTION(struct at_options, power, "2", 1, 1e6, 0,
                "of the magnitudes: the larger, the more the strongest channels count"),
};

static struct node *at_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct at_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_sizes(g, &s, &t);
    struct node *apart = graph_sub(g, attention_map(g, s, o->power), attention_map(g, t, o->power));
    return graph_mean_all(g, graph_square(g, apart));
}

static double at_reference(const struct method_case *c, const void *options)
{
    const struct at_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_sizes(c, &s, &t);
    s = reference_attention(c, s, o->power);
    t = reference_attention(c, t, o->power);
    return reference_mean_square(s.v, t.v, s.b * map_area(&s));
}

/* Not method_at, which is a function of method.h. */
const struct method method_attention_transfer = {
    .name = "at",
    .summary = "maps of where the student is active become the teacher's",
    .formula = "mean (Qs - Qt)^2, Q = unit(flatten(mean over channels of |F|^p))",
    .paper = "Zagoruyko 2017, arXiv 1612.03928",
    .when =
        "Convolutional networks of one family, a pair of taps at the end of each group of layers: it adds almost no "
        "cost and nothing to learn, and any number of channels fits. The loss is small because the maps are unit "
        "vectors: its weight is large, 1000.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    METHOD_OPTIONS(at_specs, struct at_options),
    .batch_min = 1,
    .build = at_build,
    .reference = at_reference,
};
