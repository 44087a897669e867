/* knowledge/response/labels.c: what the data itself says.
 *
 *     loss = 1/n  sum_b  - sum_k target_bk log softmax(zs_b)_k        target = (1 - e) one-hot(y) + e / K
 *
 * zs [B,K]: the student's logits; y [B]: labels, -1 where there is none; e: smoothing; n: samples with a label (0 of
 * them: loss 0). Soft targets [B,K], where they are given, take the place of labels and smoothing, and n is B. */
#include "knowledge/method.h"

#include <math.h>

struct labels_options {
    double smoothing;
};

static const struct option_spec labels_specs[] = {
    {.name = "smoothing",
     .offset = offsetof(struct labels_options, smoothing),
     .type = OPTION_REAL,
     .initial = "0",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX,
     .help = "the part of the target that is spread evenly over all classes (soft targets stay as they are)"},
};

static const struct method_input labels_inputs[] = {
    {"logits", ROLE_LOGITS, SIDE_STUDENT, 1, 1},
};

static struct node *labels_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct labels_options *o = options;
    struct node *zs = site->student[0].node;
    if (site->targets)
        return graph_mean_all(g, graph_cross_entropy_soft(g, zs, site->targets));
    struct node *sum = graph_sum_all(g, graph_cross_entropy(g, zs, site->labels, o->smoothing));
    struct node *n = graph_sum_all(g, graph_has_label(g, site->labels));
    struct node *missing = graph_relu(g, graph_sub(g, graph_scalar(g, 1), n)); /* 1 where n is 0: no division by it */
    return graph_div(g, sum, graph_add(g, n, missing));
}

static double labels_reference(const struct method_case *c, const void *options)
{
    const struct labels_options *o = options;
    int batch = (int)c->student_shape[0].dim[0], classes = (int)c->student_shape[0].dim[1], counted = 0;
    double total = 0;
    for (int b = 0; b < batch; b++) {
        const double *z = c->student[0] + b * classes;
        if (!c->targets && c->labels[b] < 0)
            continue;
        double largest = z[0], sum = 0;
        for (int k = 1; k < classes; k++)
            largest = fmax(largest, z[k]);
        for (int k = 0; k < classes; k++)
            sum += exp(z[k] - largest);
        for (int k = 0; k < classes; k++) {
            double target = o->smoothing / classes + (c->targets || k != c->labels[b] ? 0 : 1 - o->smoothing);
            if (c->targets)
                target = c->targets[b * classes + k];
            total -= target * (z[k] - largest - log(sum));
        }
        counted++;
    }
    return counted ? total / counted : 0;
}

const struct method method_labels = {
    .name = "labels",
    .summary = "cross-entropy with the data's labels, or with soft targets",
    .formula = "1/n sum_b -sum_k target_bk log softmax(zs_b)_k, target = (1-e) one-hot(y_b) + e/K",
    .paper = "smoothing: Szegedy 2016, arXiv 1512.00567",
    .when = "Nearly always beside a term that listens to the teacher; alone it is ordinary training. Samples without a "
            "label (-1) are left "
            "out. Smoothing makes a student calmer, but a teacher trained with it teaches less: it erases the "
            "differences between "
            "the wrong classes.",
    .family = FAMILY_RESPONSE,
    .wants = METHOD_WANTS_LABELS | METHOD_TAKES_TARGETS,
    .inputs = labels_inputs,
    .n_inputs = sizeof(labels_inputs) / sizeof(labels_inputs[0]),
    .options = labels_specs,
    .n_options = sizeof(labels_specs) / sizeof(labels_specs[0]),
    .options_size = sizeof(struct labels_options),
    .batch_min = 1,
    .build = labels_build,
    .reference = labels_reference,
};
