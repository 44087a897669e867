/* knowledge/feature/simkd.c: the student learns to feed the teacher's own classifier.
 *
 *     loss = mean over all elements of (P(s) - t)^2
 *
 * s, t: the last maps, pooled to one size; P: 1x1, 3x3 and 1x1 convolutions, each with batch norm and ReLU, of Ct/f, Ct/f and Ct
 * channels. At the end the student is its body, P and the teacher's classifier. Chen 2022 (CVPR), arXiv 2203.14001, equation 2. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

struct simkd_options {
    int64_t bottleneck;
};

static const struct option_spec simkd_specs[] = {
    {.name = "bottleneck",
     .offset = offsetof(struct simkd_options, bottleneck),
     .type = OPTION_INTEGER,
     .initial = "2",
     .min = 1,
     .max = 1024,
     .help = "the teacher's channels over those between the projector's convolutions"},
};

static const struct method_input simkd_inputs[] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 1, 1},
    {"map", ROLE_MAP, SIDE_TEACHER, 1, 1},
};

static struct node *layer(struct graph *g, const struct method_site *site, struct node *x, const char *name,
                          int64_t out, int kernel)
{
    x = part_convolution(g, site, x, name, out, kernel, 0);
    return graph_relu(g, part_batch_norm(g, site, x, name, PART_RUNNING));
}

static struct node *simkd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct simkd_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_sizes(g, &s, &t);
    if (!s || !t)
        return NULL;
    const int64_t out = t->spec.shape.dim[3], narrow = out / o->bottleneck;
    if (narrow < 1) {
        fail(g->ctx, STATUS_BAD_INPUT,
             "method simkd: bottleneck: expected at most the teacher's %lld channels, found %lld", (long long)out,
             (long long)o->bottleneck);
        return NULL;
    }
    s = layer(g, site, s, "projector.0", narrow, 1);
    s = layer(g, site, s, "projector.1", narrow, 3);
    s = layer(g, site, s, "projector.2", out, 1);
    return graph_mean_all(g, graph_square(g, graph_sub(g, s, t)));
}

static double simkd_reference(const struct method_case *c, const void *options)
{
    static const char *const names[] = {"projector.0", "projector.1", "projector.2"};
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    (void)options;
    reference_sizes(c, &s, &t);
    for (int i = 0; i < 3; i++) {
        s = reference_convolution(c, s, names[i]);
        reference_batch_norm_training(c, s, names[i]);
        for (int j = 0; j < s.b * map_row(&s); j++)
            s.v[j] = fmax(s.v[j], 0);
    }
    return reference_mean_square(s.v, t.v, s.b * map_row(&s));
}

static void simkd_extends(const void *options, int64_t channels, struct extension *out)
{
    const int64_t narrow = channels / ((const struct simkd_options *)options)->bottleneck;
    *out = (struct extension){3, {narrow, narrow, channels}, {1, 3, 1}};
}

const struct method method_simkd = {
    .name = "simkd",
    .summary = "the student learns to feed the teacher's own classifier",
    .formula = "mean (P(s) - t)^2, P: 1x1, 3x3, 1x1 convolutions with batch norm and ReLU",
    .paper = "Chen 2022, arXiv 2203.14001",
    .when = "Alone, without labels, where the student may grow by the projector and the teacher's classifier: it often "
            "comes "
            "closest to the teacher, and costs parameters that a very small student does not have.",
    .family = FAMILY_FEATURE,
    METHOD_INPUTS(simkd_inputs),
    METHOD_OPTIONS(simkd_specs, struct simkd_options),
    .batch_min = 1,
    .build = simkd_build,
    .extends = simkd_extends,
    .reference = simkd_reference,
};
