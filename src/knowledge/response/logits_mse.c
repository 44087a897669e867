/* knowledge/response/logits_mse.c: the student's logits become the teacher's.
 *
 *     loss = 1/(B K)  sum_bk  (zs_bk - zt_bk)^2
 *
 * zs, zt [B,K]: logits of student and teacher, or their softmax. Ba and Caruana 2014, arXiv 1312.6184; of probabilities: Tarvainen,
 * Valpola 2017, arXiv 1703.01780. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { OF_LOGITS, OF_PROBABILITIES };
static const char *const what[] = {"logits", "probabilities", NULL};

struct logits_mse_options {
    int of;
};

static const struct option_spec logits_mse_specs[] = {
    {.name = "of",
     .offset = offsetof(struct logits_mse_options, of),
     .type = OPTION_CHOICE,
     .initial = "logits",
     .choices = what,
     .help = "what becomes the teacher's: the logits, or their softmax"},
};

static struct node *logits_mse_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct logits_mse_options *o = options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    if (o->of == OF_PROBABILITIES) {
        s = graph_softmax(g, s);
        t = graph_softmax(g, t);
    }
    return graph_mean_all(g, graph_square(g, graph_sub(g, s, t)));
}

static double logits_mse_reference(const struct method_case *c, const void *options)
{
    const struct logits_mse_options *o = options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    double sum = 0;
    for (int b = 0; b < s.b && o->of == OF_PROBABILITIES; b++) {
        reference_log_softmax(s.v + b * s.c, s.c, 1);
        reference_log_softmax(t.v + b * s.c, s.c, 1);
    }
    for (int i = 0; i < s.b * s.c; i++) {
        const double difference = o->of == OF_PROBABILITIES ? exp(s.v[i]) - exp(t.v[i]) : s.v[i] - t.v[i];
        sum += difference * difference;
    }
    return sum / (s.b * s.c);
}

const struct method method_logits_mse = {
    .name = "logits-mse",
    .summary = "the student's logits become the teacher's",
    .formula = "1/(BK) sum_bk (zs_bk - zt_bk)^2",
    .paper = "Ba and Caruana 2014, arXiv 1312.6184",
    .when = "Where the student is large enough to follow the teacher everywhere, or where labels are missing; it also "
            "learns the differences "
            "between improbable classes, which a very small student cannot afford.",
    .family = FAMILY_RESPONSE,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(logits_mse_specs, struct logits_mse_options),
    .batch_min = 1,
    .build = logits_mse_build,
    .reference = logits_mse_reference,
};
