/* knowledge/feature/cwd.c: each channel is spread over the places as the teacher's is.
 *
 *     loss = T^2 / (B C)  sum over samples and channels of KL(pt, ps),  p = softmax over the places of F / T
 *
 * F [B,H,W,C]: a map of student and teacher, pooled to one size, the student's through a connector; T: temperature. A constant
 * that is added to a channel changes nothing: what is learnt is where, not how much. Shu 2021 (ICCV), arXiv 2011.13256,
 * equations 4 and 5. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct cwd_options {
    struct real temperature;
    struct connector_options connector;
};

static const struct option_spec cwd_specs[] = {
    {.name = "temperature",
     .offset = offsetof(struct cwd_options, temperature),
     .type = OPTION_SCHEDULED,
     .initial = "4",
     .min = 0,
     .max = 1e6,
     .flags = OPTION_ABOVE_MIN,
     .help = "divides both maps: the larger, the more the weakly active places count"},
    CONNECTOR_OPTIONS(struct cwd_options, connector),
};

static struct node *cwd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct cwd_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_fit(g, site, &o->connector, &s, &t);
    if (!s)
        return NULL;
    struct node *temperature = graph_real(g, &o->temperature);
    struct node *log_ps = graph_log_softmax(g, graph_div(g, rows_of_channels(g, s), temperature));
    struct node *log_pt = graph_log_softmax(g, graph_div(g, rows_of_channels(g, t), temperature));
    struct node *mean = graph_mean_all(g, rows_kl(g, log_pt, log_ps)); /* of the sums over a sample's channels */
    struct node *scale =
        graph_mul(g, graph_square(g, temperature), graph_scalar(g, 1.0 / (double)s->spec.shape.dim[3]));
    return graph_mul(g, mean, scale);
}

static double cwd_reference(const struct method_case *c, const void *options)
{
    const struct cwd_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_fit(c, &o->connector, &s, &t);
    const double temperature = o->temperature.value;
    const int area = map_area(&s);
    double sum = 0;
    for (int i = 0; i < s.b * s.c; i++) {
        reference_log_softmax(s.v + i * area, area, temperature);
        reference_log_softmax(t.v + i * area, area, temperature);
        sum += reference_kl(t.v + i * area, s.v + i * area, area);
    }
    return temperature * temperature * sum / (s.b * s.c);
}

const struct method method_cwd = {
    .name = "cwd",
    .summary = "each channel is spread over the places as the teacher's is",
    .formula = "T^2 mean over samples and channels of KL(softmax(t/T), softmax(s/T)), softmax over the places",
    .paper = "Shu 2021, arXiv 2011.13256",
    .when = "Dense tasks and maps of some size, where single channels stand for things at places: the last feature map "
            "with weight 50, or the map of logits with weight 3. On maps of one or few places it teaches nothing.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    METHOD_OPTIONS(cwd_specs, struct cwd_options),
    .batch_min = 1,
    .build = cwd_build,
    .reference = cwd_reference,
};
