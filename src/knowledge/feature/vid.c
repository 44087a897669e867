/* knowledge/feature/vid.c: the student's map tells as much as it can about the teacher's, under a Gaussian that is learnt along.
 *
 *     loss = mean over all elements of ((mu(s) - t)^2 / v + log v) / 2,  v = log(1 + exp(log_scale)) + 1e-5 a channel
 *
 * s, t: maps, pooled to one size; mu: three 1x1 convolutions without bias, ReLU between. The variance v lets the student give up
 * on channels that it cannot tell. Ahn 2019 (CVPR), arXiv 1904.05835, equations 4 and 5. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

static const double least_variance = 1e-5;

struct vid_options {
    int64_t hidden;
    double initial_variance;
};

static const struct option_spec vid_specs[] = {
    {.name = "hidden",
     .offset = offsetof(struct vid_options, hidden),
     .type = OPTION_INTEGER,
     .initial = "0",
     .min = 0,
     .max = 65536,
     .help = "channels between the regressor's convolutions; 0: as many as the teacher has"},
    REAL_OPTION(struct vid_options, initial_variance, "5", 0, 1e6, OPTION_ABOVE_MIN,
                "of every channel of the teacher, at first: the larger, the gentler the start"),
};

/* The log_scale of a variance, as far above the least one as double can tell: the inverse of softplus. */
static double log_scale_of(double variance)
{
    const double above = fmax(variance - least_variance, 1e-12);
    return above + log(-expm1(-above));
}

static struct node *vid_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct vid_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_sizes(g, &s, &t);
    if (!t)
        return NULL;
    const int64_t channels = t->spec.shape.dim[3], hidden = o->hidden > 0 ? o->hidden : channels;
    s = graph_relu(g, part_convolution(g, site, s, "regressor.0", hidden, 1, 0));
    s = graph_relu(g, part_convolution(g, site, s, "regressor.1", hidden, 1, 0));
    s = part_convolution(g, site, s, "regressor.2", channels, 1, 0);
    const struct init init = {INIT_CONSTANT, log_scale_of(o->initial_variance)};
    struct node *scale = part_parameter(g, site, "log_scale", SHAPE(channels), init, 0);
    struct node *variance = graph_add(g, graph_softplus(g, scale), graph_scalar(g, least_variance));
    struct node *squares = graph_mean(g, graph_square(g, graph_sub(g, s, t)), 7, false); /* [C] */
    struct node *sum = graph_add(g, graph_div(g, squares, variance), graph_log(g, variance));
    return graph_mul(g, graph_mean_all(g, sum), graph_scalar(g, 0.5));
}

static struct map rectified(struct map m)
{
    for (int i = 0; i < m.b * map_row(&m); i++)
        m.v[i] = fmax(m.v[i], 0);
    return m;
}

static double vid_reference(const struct method_case *c, const void *options)
{
    (void)options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_sizes(c, &s, &t);
    s = rectified(reference_convolution(c, s, "regressor.0"));
    s = rectified(reference_convolution(c, s, "regressor.1"));
    s = reference_convolution(c, s, "regressor.2");
    const double *log_scale = reference_own(c, "log_scale");
    const int n = t.b * map_row(&t);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        const double v = log1p(exp(log_scale[i / map_area(&t) % t.c])) + 1e-5;
        sum += (s.v[i] - t.v[i]) * (s.v[i] - t.v[i]) / v + log(v);
    }
    return sum / n / 2;
}

const struct method method_vid = {
    .name = "vid",
    .summary = "the map tells as much as it can about the teacher's, under a Gaussian learnt along",
    .formula = "mean ((mu(s) - t)^2 / v + log v) / 2, mu: three 1x1 convolutions, v: a variance a channel",
    .paper = "Ahn 2019, arXiv 1904.05835",
    .when =
        "Where the student is of another kind than the teacher (fewer channels, another architecture) and part of the "
        "teacher's channels is out of its reach: they get a large variance instead of spoiling the rest. Weight 1. "
        "Its value can be negative.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    METHOD_OPTIONS(vid_specs, struct vid_options),
    .batch_min = 1,
    .build = vid_build,
    .reference = vid_reference,
};
