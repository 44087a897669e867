/* knowledge/feature/mgd.c: from a map with holes the student's generator makes the teacher's whole one.
 *
 *     loss = 1/B  sum over all elements of (G(c(s) * mask) - t)^2
 *
 * s, t: a tap of student and teacher, pooled to one size; c: the connector; G: 3x3 convolution, ReLU, 3x3 convolution. The mask
 * drops positions of a sample (all channels alike), or its channels. Yang 2022 (ECCV), arXiv 2205.01529, equation 3. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { OVER_POSITIONS, OVER_CHANNELS };
static const char *const overs[] = {"positions", "channels", NULL};

struct mgd_options {
    double ratio;
    int mask_over;
    struct connector_options connector;
};

static const struct option_spec mgd_specs[] = {
    {.name = "ratio",
     .offset = offsetof(struct mgd_options, ratio),
     .type = OPTION_REAL,
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX,
     .help = "the part of the student's map that is dropped, new at every step"},
    {.name = "mask_over",
     .offset = offsetof(struct mgd_options, mask_over),
     .type = OPTION_CHOICE,
     .initial = "positions",
     .choices = overs,
     .help = "what is dropped: positions, with all their channels, or channels, at all positions"},
    CONNECTOR_OPTIONS(struct mgd_options, connector),
};

static struct node *mask_of(struct graph *g, const struct method_site *site, const struct node *x,
                            const struct mgd_options *o)
{
    struct shape shape = x->spec.shape;
    if (o->mask_over == OVER_POSITIONS)
        shape.dim[3] = 1;
    else
        shape.dim[1] = shape.dim[2] = 1;
    struct node *given = part_given(g, site, "mask", ELEMENT_REAL, shape);
    if (given || g->ctx->error.status != STATUS_OK)
        return given;
    struct node *noise = part_random(g, site, "mask", DISTRIBUTION_UNIFORM, shape);
    return graph_compare(g, noise, RELATION_GREATER_EQUAL, graph_scalar(g, o->ratio));
}

static struct node *mgd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct mgd_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_fit(g, site, &o->connector, &s, &t);
    if (!s || !t)
        return NULL;
    const int64_t channels = t->spec.shape.dim[3];
    s = graph_mul(g, s, mask_of(g, site, s, o));
    s = graph_relu(g, part_convolution(g, site, s, "generation.0", channels, 3, PART_BIAS));
    s = part_convolution(g, site, s, "generation.1", channels, 3, PART_BIAS);
    return graph_div(g, graph_sum_all(g, graph_square(g, graph_sub(g, s, t))), graph_count(g, t, 0));
}

static double mgd_reference(const struct method_case *c, const void *options)
{
    const struct mgd_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_fit(c, &o->connector, &s, &t);
    const double *mask = reference_own(c, "mask");
    const int area = map_area(&s), n = s.b * map_row(&s);
    for (int i = 0; i < n; i++)
        s.v[i] *= mask[o->mask_over == OVER_CHANNELS ? i / area : i / map_row(&s) * area + i % area];
    s = reference_convolution(c, s, "generation.0");
    for (int i = 0; i < n; i++)
        s.v[i] = fmax(s.v[i], 0);
    s = reference_convolution(c, s, "generation.1");
    return reference_mean_square(s.v, t.v, n) * map_row(&s);
}

const struct method method_mgd = {
    .name = "mgd",
    .summary = "from a map with holes a generator makes the teacher's whole one",
    .formula = "1/B sum (G(c(s) mask) - t)^2, G: 3x3 convolution, ReLU, 3x3 convolution",
    .paper = "Yang 2022, arXiv 2205.01529",
    .when = "At the last map, where imitating the teacher's values asks too much of the student: it need only hold "
            "what they can "
            "be guessed from. The loss is a sum: weights are near 1e-5.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    METHOD_OPTIONS(mgd_specs, struct mgd_options),
    .batch_min = 1,
    .build = mgd_build,
    .reference = mgd_reference,
};
