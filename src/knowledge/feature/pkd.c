/* knowledge/feature/pkd.c: channels that correlate with the teacher's over the batch and the places.
 *
 *     loss = mean (n(s) - n(t))^2 / 2,  n(F) = (F - mean) / (std + 1e-6) of each channel over batch and places
 *
 * s, t [B,H,W,C]: a map of each side, pooled to one size, s through a connector; std unbiased. A channel that is constant (its std
 * below 1e-6 of its largest magnitude) has n 0, with zero gradient. The loss is (1 - the mean of Pearson's correlations)
 * (n-1)/n of n values a channel. Cao 2022 (NeurIPS), arXiv 2207.02039, equations 2 and 3. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { CHANNEL = 7 }; /* the axes of a channel, as a mask: batch and places */

struct pkd_options {
    struct connector_options connector;
};

static const struct option_spec pkd_specs[] = {CONNECTOR_OPTIONS(struct pkd_options, connector)};

static struct node *normalised(struct graph *g, struct node *x)
{
    if (!x)
        return NULL;
    const double places = (double)(x->spec.shape.dim[1] * x->spec.shape.dim[2]);
    struct node *others = graph_sub(g, graph_mul(g, graph_count(g, x, 0), graph_scalar(g, places)), graph_scalar(g, 1));
    struct node *centred = graph_sub(g, x, graph_mean(g, x, CHANNEL, true));
    struct node *variance = graph_div(g, graph_sum(g, graph_square(g, centred), CHANNEL, true),
                                      graph_maximum(g, others, graph_scalar(g, 1)));
    struct node *lowest = graph_mul(g, graph_min(g, x, CHANNEL, true), graph_scalar(g, -1));
    struct node *largest = graph_maximum(g, graph_max(g, x, CHANNEL, true), lowest);
    struct node *least = graph_square(g, graph_mul(g, largest, graph_scalar(g, 1e-6)));
    struct node *alive = graph_compare(g, variance, RELATION_GREATER, graph_stop_gradient(g, least));
    struct node *std = graph_sqrt(g, graph_maximum(g, variance, graph_scalar(g, 1e-30)));
    return graph_mul(g, centred, graph_div(g, alive, graph_add(g, std, graph_scalar(g, 1e-6))));
}

static struct node *pkd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct pkd_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_fit(g, site, &o->connector, &s, &t);
    if (!s)
        return NULL;
    const int64_t *dim = s->spec.shape.dim;
    if (dim[0] * dim[1] * dim[2] == 1) {
        fail(g->ctx, STATUS_BAD_SHAPE, "method %s: expected at least 2 values a channel in a batch, found 1",
             site->method->name);
        return NULL;
    }
    struct node *apart = graph_mean_all(g, graph_square(g, graph_sub(g, normalised(g, s), normalised(g, t))));
    return graph_mul(g, apart, graph_scalar(g, 0.5));
}

static void reference_normalise(struct map m)
{
    const int area = map_area(&m), n = m.b * area;
    for (int channel = 0; channel < m.c; channel++) {
        double mean = 0, squares = 0, largest = 0;
        for (int i = 0; i < n; i++) {
            mean += m.v[(i / area * m.c + channel) * area + i % area] / n;
            largest = fmax(largest, fabs(m.v[(i / area * m.c + channel) * area + i % area]));
        }
        for (int i = 0; i < n; i++)
            squares += pow(m.v[(i / area * m.c + channel) * area + i % area] - mean, 2);
        const double std = sqrt(squares / (n - 1));
        for (int i = 0; i < n; i++) {
            double *at = &m.v[(i / area * m.c + channel) * area + i % area];
            *at = std == 0 || std < 1e-6 * largest ? 0 : (*at - mean) / (std + 1e-6);
        }
    }
}

static double pkd_reference(const struct method_case *c, const void *options)
{
    const struct pkd_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_fit(c, &o->connector, &s, &t);
    reference_normalise(s);
    reference_normalise(t);
    return reference_mean_square(s.v, t.v, s.b * map_row(&s)) / 2;
}

const struct method method_pkd = {
    .name = "pkd",
    .summary = "channels that correlate with the teacher's over the batch and the places",
    .formula = "mean (n(s) - n(t))^2 / 2, n(F) = (F - mean) / (std + 1e-6) of each channel over batch and places",
    .paper = "Cao 2022, arXiv 2207.02039",
    .when =
        "Detectors and dense tasks, and teachers of another family whose activations have another size: only the "
        "pattern of a channel counts, not its mean and size. Weight 6 to 10. It needs channels that fit one to one, "
        "so a connector learns along where they do not.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    METHOD_OPTIONS(pkd_specs, struct pkd_options),
    .batch_min = 1,
    .build = pkd_build,
    .reference = pkd_reference,
};
