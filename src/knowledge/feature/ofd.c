/* knowledge/feature/ofd.c: what the teacher's layer lets through, and at the rest that it stays below a margin.
 *
 *     t' = max(t, m_c),  loss = mean over all elements of (c(s) - t')^2, 0 where c(s) <= t' <= 0
 *
 * s, t: maps before the activation, c: a connector (auto: conv-bn). m_c of channel c: the mean of the negative t in the batch; or of
 * the batch norm with scale g = |gamma| and shift b that t came from: b - g phi(b/g) / Phi(-b/g), -3 g where Phi(-b/g) <= 0.001.
 * reduction paper: sum / B / 1000, halved for each further tap from the deepest. Heo 2019 (ICCV), arXiv 1904.01866, equations 1 to 4. */
#include "knowledge/connector/connector.h"
#include "knowledge/feature/reduction.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { MARGIN_BATCH, MARGIN_BATCH_NORM };
static const char *const margins[] = {"batch", "batch-norm", NULL};

struct ofd_options {
    int margin, reduction;
    struct connector_options connector;
};

static const struct option_spec ofd_specs[] = {
    {.name = "margin",
     .offset = offsetof(struct ofd_options, margin),
     .type = OPTION_CHOICE,
     .initial = "batch",
     .choices = margins,
     .help =
         "batch: the mean of the channel's negative values in the batch; batch-norm: what its scale and shift imply"},
    REDUCTION_OPTION(struct ofd_options),
    CONNECTOR_OPTIONS(struct ofd_options, connector),
};

static struct node *batch_margin(struct graph *g, struct node *t)
{
    const unsigned places = 7; /* batch, height, width */
    struct node *zero = graph_scalar(g, 0);
    struct node *count = graph_sum(g, graph_compare(g, t, RELATION_LESS, zero), places, false);
    return graph_div(g, graph_sum(g, graph_minimum(g, t, zero), places, false),
                     graph_add(g, count, graph_scalar(g, 1e-6)));
}

/* With r = b / g: the mean of a normal (b, g) below 0. Phi(-r) from gelu(-r) = -r Phi(-r). */
static struct node *norm_margin(struct graph *g, const struct method_site *site, int64_t channels)
{
    const struct tap *tap = &site->teacher[0];
    struct node *gamma = part_given(g, site, "margin.gamma", ELEMENT_REAL, SHAPE(channels));
    struct node *beta = part_given(g, site, "margin.beta", ELEMENT_REAL, SHAPE(channels));
    gamma = gamma ? gamma : tap->gamma;
    beta = beta ? beta : tap->beta;
    if (!gamma || !beta) {
        fail(g->ctx, STATUS_BAD_INPUT,
             "method ofd: margin batch-norm: expected a teacher's tap behind a batch norm, found %s",
             tap->layer ? tap->layer : "none");
        return NULL;
    }
    struct node *scale = graph_abs(g, gamma), *third = graph_scalar(g, 3);
    struct node *r = graph_div(g, beta, graph_maximum(g, scale, graph_scalar(g, 1e-12)));
    r = graph_clip(g, r, -100, 100);
    struct node *near = graph_compare(g, graph_abs(g, r), RELATION_LESS, graph_scalar(g, 1e-6));
    struct node *minus = graph_sub(g, graph_scalar(g, 0), graph_where(g, near, graph_scalar(g, 1e-6), r));
    struct node *below = graph_div(g, graph_gelu(g, minus), minus); /* Phi(-r) */
    struct node *density = graph_mul(g, graph_exp(g, graph_mul(g, graph_square(g, r), graph_scalar(g, -0.5))),
                                     graph_scalar(g, 0.3989422804014327));
    struct node *often = graph_compare(g, below, RELATION_GREATER, graph_scalar(g, 0.001));
    struct node *mean =
        graph_sub(g, beta, graph_div(g, graph_mul(g, scale, density), graph_maximum(g, below, graph_scalar(g, 0.001))));
    return graph_where(g, often, mean, graph_sub(g, graph_scalar(g, 0), graph_mul(g, third, scale)));
}

static struct node *ofd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct ofd_options *o = options;
    struct connector_options connector = o->connector;
    if (connector.kind == CONNECTOR_AUTO)
        connector.kind = CONNECTOR_CONV_BN;
    struct node *s = site->student[0].node, *t = site->teacher[0].node, *zero = graph_scalar(g, 0);
    connector_fit(g, site, &connector, &s, &t);
    if (!s || !t)
        return NULL;
    struct node *margin = o->margin == MARGIN_BATCH ? batch_margin(g, t) : norm_margin(g, site, t->spec.shape.dim[3]);
    t = graph_stop_gradient(g, graph_maximum(g, t, margin));
    struct node *quiet =
        graph_mul(g, graph_compare(g, s, RELATION_LESS_EQUAL, t), graph_compare(g, t, RELATION_LESS_EQUAL, zero));
    return reduction_apply(g, site, graph_where(g, quiet, zero, graph_square(g, graph_sub(g, s, t))), o->reduction,
                           1e-3);
}

static double reference_margin(const struct method_case *c, const struct map *t, int channel, int margin)
{
    const int area = map_area(t);
    if (margin == MARGIN_BATCH) {
        double sum = 0, count = 1e-6;
        for (int i = 0; i < t->b * area; i++) {
            const double x = t->v[(i / area * t->c + channel) * area + i % area];
            sum += fmin(x, 0);
            count += x < 0;
        }
        return sum / count;
    }
    const double g = fabs(reference_own(c, "margin.gamma")[channel]), b = reference_own(c, "margin.beta")[channel];
    const double r = b / fmax(g, 1e-12), below = erfc(r / sqrt(2)) / 2;
    return below > 0.001 ? b - g * exp(-r * r / 2) * 0.3989422804014327 / below : -3 * g;
}

static double ofd_reference(const struct method_case *c, const void *options)
{
    const struct ofd_options *o = options;
    struct connector_options connector = o->connector;
    if (connector.kind == CONNECTOR_AUTO)
        connector.kind = CONNECTOR_CONV_BN;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_fit(c, &connector, &s, &t);
    double sum = 0;
    for (int channel = 0; channel < t.c; channel++) {
        const double margin = reference_margin(c, &t, channel, o->margin);
        for (int i = 0; i < t.b * map_area(&t); i++) {
            const int at = (i / map_area(&t) * t.c + channel) * map_area(&t) + i % map_area(&t);
            const double target = fmax(t.v[at], margin), difference = s.v[at] - target;
            sum += s.v[at] <= target && target <= 0 ? 0 : difference * difference;
        }
    }
    return reference_reduction(c, &t, sum, o->reduction, 1e-3);
}

const struct method method_ofd = {
    .name = "ofd",
    .summary = "what the teacher's layer lets through, before its activation, and below a margin for the rest",
    .formula = "t' = max(t, m_c); mean (c(s) - t')^2, 0 where c(s) <= t' <= 0",
    .paper = "Heo 2019, arXiv 1904.01866",
    .when = "Where student and teacher are convolutional networks of one kind, at the last map of each resolution "
            "before its "
            "ReLU: negative values, which the ReLU removes, are only asked to be negative. Beside the labels.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_unactivated_pairs),
    METHOD_OPTIONS(ofd_specs, struct ofd_options),
    .batch_min = 1,
    .build = ofd_build,
    .reference = ofd_reference,
};
