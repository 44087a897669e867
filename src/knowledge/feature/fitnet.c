/* knowledge/feature/fitnet.c: the student's activations become the teacher's, through a connector.
 *
 *     loss = mean over all elements d(c(s), t)
 *
 * s, t: a tap of student and teacher, pooled to one size; c: the connector. d: (s-t)^2, |s-t|, smooth L1 (beta 1), or 1 minus the
 * cosine of the channels at each position. Romero 2015 (ICLR), arXiv 1412.6550, equation 3. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { DISTANCE_MSE, DISTANCE_L1, DISTANCE_SMOOTH_L1, DISTANCE_COSINE };
static const char *const distances[] = {"mse", "l1", "smooth-l1", "cosine", NULL};

struct fitnet_options {
    int distance;
    struct connector_options connector;
};

static const struct option_spec fitnet_specs[] = {
    {.name = "distance",
     .offset = offsetof(struct fitnet_options, distance),
     .type = OPTION_CHOICE,
     .initial = "mse",
     .choices = distances,
     .help = "mse, l1, smooth-l1 of the elements, or the cosine of the channels at each position"},
    CONNECTOR_OPTIONS(struct fitnet_options, connector),
};

static struct node *fitnet_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct fitnet_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_fit(g, site, &o->connector, &s, &t);
    switch (o->distance) {
    case DISTANCE_L1:
        return graph_mean_all(g, graph_abs(g, graph_sub(g, s, t)));
    case DISTANCE_SMOOTH_L1:
        return graph_mean_all(g, graph_smooth_l1(g, s, t, 1));
    case DISTANCE_COSINE:
        s = graph_mul(g, graph_unit_rows(g, s), graph_unit_rows(g, t));
        return s ? graph_sub(g, graph_scalar(g, 1),
                             graph_mean_all(g, graph_sum(g, s, 1U << (s->spec.shape.rank - 1), false)))
                 : NULL;
    default:
        return graph_mean_all(g, graph_square(g, graph_sub(g, s, t)));
    }
}

static double cosines(struct map s, struct map t)
{
    const int area = map_area(&s);
    double sum = 0;
    for (int at = 0; at < s.b * area; at++) {
        double *a = s.v + at / area * map_row(&s) + at % area, *b = t.v + at / area * map_row(&s) + at % area;
        reference_unit(a, s.c, area);
        reference_unit(b, s.c, area);
        for (int c = 0; c < s.c; c++)
            sum += a[c * area] * b[c * area];
    }
    return sum / (s.b * area);
}

static double fitnet_reference(const struct method_case *c, const void *options)
{
    const struct fitnet_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_fit(c, &o->connector, &s, &t);
    const int n = s.b * map_row(&s);
    if (o->distance == DISTANCE_COSINE)
        return 1 - cosines(s, t);
    if (o->distance == DISTANCE_MSE)
        return reference_mean_square(s.v, t.v, n);
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += o->distance == DISTANCE_L1 ? fabs(s.v[i] - t.v[i]) : reference_smooth_l1(s.v[i] - t.v[i]);
    return sum / n;
}

const struct method method_fitnet = {
    .name = "fitnet",
    .summary = "activations of a layer become the teacher's",
    .formula = "mean (c(s) - t)^2, c: the connector; or |c(s) - t|, smooth L1, 1 - cosine over channels",
    .paper = "Romero 2015, arXiv 1412.6550",
    .when =
        "Where the student is deep and thin and hard to train at all: as a first stage alone, half-way up, before the "
        "logits are learnt. Beside the labels it binds a small student to features that it cannot afford: a small "
        "weight.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_activation_pairs),
    METHOD_OPTIONS(fitnet_specs, struct fitnet_options),
    .batch_min = 1,
    .build = fitnet_build,
    .reference = fitnet_reference,
};
