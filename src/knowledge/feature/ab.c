/* knowledge/feature/ab.c: the student's units are active where the teacher's are, by a margin.
 *
 *     loss = mean over all elements of  (s+m)^2  where s > -m and t <= 0
 *                                       (s-m)^2  where s <= m and t > 0,  else 0
 *
 * s, t: maps before the activation, pooled to one size, s through a connector. Paper: the sum over the elements of a sample
 * instead, mean over samples, times 3/1000 2^(i-n+1) for tap i of n. Only the boundary between active and not is learnt, not the
 * values. Heo 2019 (AAAI), arXiv 1811.03233, equation 5. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { REDUCTION_MEAN, REDUCTION_PAPER };
static const char *const reductions[] = {"mean", "paper", NULL};

struct ab_options {
    double margin;
    int reduction;
    struct connector_options connector;
};

static const struct option_spec ab_specs[] = {
    REAL_OPTION(struct ab_options, margin, "1", 0, 1e6, 0,
                "how far on the teacher's side of 0 the student's value must lie"),
    {.name = "reduction",
     .offset = offsetof(struct ab_options, reduction),
     .type = OPTION_CHOICE,
     .initial = "mean",
     .choices = reductions,
     .help = "mean over all elements, or the paper's: sum a sample, times 3/1000, halved for each tap before the last"},
    CONNECTOR_OPTIONS(struct ab_options, connector),
};

/* What the mean is multiplied by: `row` elements a sample. */
static double factor(const struct ab_options *o, int pair, int pairs, int64_t row)
{
    return o->reduction == REDUCTION_PAPER ? (double)row * 3e-3 * ldexp(1, pair - pairs + 1) : 1;
}

static struct node *ab_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct ab_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_fit(g, site, &o->connector, &s, &t);
    struct node *active = graph_compare(g, t, RELATION_GREATER, graph_scalar(g, 0));
    struct node *side = graph_where(g, active, graph_scalar(g, -1), graph_scalar(g, 1));
    struct node *lack = graph_relu(g, graph_add(g, graph_mul(g, s, side), graph_scalar(g, o->margin)));
    struct node *mean = graph_mean_all(g, graph_square(g, lack));
    return mean ? graph_mul(g, mean, graph_scalar(g, factor(o, site->pair, site->pairs, shape_row(&s->spec.shape))))
                : NULL;
}

static double ab_reference(const struct method_case *c, const void *options)
{
    const struct ab_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_fit(c, &o->connector, &s, &t);
    const double m = o->margin;
    double sum = 0;
    for (int i = 0; i < s.b * map_row(&s); i++) {
        if (s.v[i] > -m && t.v[i] <= 0)
            sum += (s.v[i] + m) * (s.v[i] + m);
        else if (s.v[i] <= m && t.v[i] > 0)
            sum += (s.v[i] - m) * (s.v[i] - m);
    }
    if (o->reduction == REDUCTION_PAPER)
        return sum / s.b * 3 / 1000 * pow(2, c->pair - c->pairs + 1);
    return sum / (s.b * map_row(&s));
}

const struct method method_ab = {
    .name = "ab",
    .summary = "units are active where the teacher's are, by a margin",
    .formula = "mean (s+m)^2 where s > -m, t <= 0; (s-m)^2 where s <= m, t > 0; before the activation",
    .paper = "Heo 2019, arXiv 1811.03233",
    .when =
        "ReLU networks, on the maps in front of the activations at the end of each group of layers: as a first stage "
        "alone to start a student, or beside labels with a small weight. Helps most with few samples or short "
        "training; not for networks whose activation has no boundary at 0.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_unactivated_pairs),
    METHOD_OPTIONS(ab_specs, struct ab_options),
    .batch_min = 1,
    .build = ab_build,
    .reference = ab_reference,
};
