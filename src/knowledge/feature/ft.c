/* knowledge/feature/ft.c: factors of the student's map become those that a paraphraser, learnt first, finds in the teacher's.
 *
 *     stage paraphraser, on the teacher alone:  loss = mean (r(t) - t)^2 or mean |r(t) - t|
 *     stage transfer:                           loss = mean |f(translator(s)) - f(paraphraser(t))|^q
 *
 * r: six 3x3 convolutions with bias, each with leaky ReLU 0.1, to C, P, P, P, C, C channels, P = floor(rate C). The paraphraser is
 * the first three, frozen in stage transfer; the translator three to Cs, P, P channels. Both are then pooled to one size. f: the
 * attention map of `at`, or the whole map as a unit vector. Kim 2018 (NeurIPS), arXiv 1802.04977, equations 1 and 2. */
#include "knowledge/feature/attention.h"
#include "knowledge/inputs.h"

enum { STAGE_TRANSFER, STAGE_PARAPHRASER };
enum { PARAPHRASER_CONV, PARAPHRASER_NONE };
enum { RECONSTRUCTION_MSE, RECONSTRUCTION_L1 };
enum { FACTOR_ATTENTION, FACTOR_WHOLE };
static const char *const stages[] = {"transfer", "paraphraser", NULL}, *const paraphrasers[] = {"conv", "none", NULL};
static const char *const reconstructions[] = {"mse", "l1", NULL}, *const factors[] = {"attention", "whole", NULL};

struct ft_options {
    int stage, paraphraser, reconstruction, factor;
    double rate, power, difference_power;
};

#define CHOICE(member, names, default_, help_)                                                                         \
    {                                                                                                                  \
        .name = #member, .offset = offsetof(struct ft_options, member), .type = OPTION_CHOICE, .initial = default_,    \
        .choices = names, .help = help_                                                                                \
    }

static const struct option_spec ft_specs[] = {
    CHOICE(stage, stages, "transfer", "first paraphraser, which learns from the teacher alone, then transfer"),
    CHOICE(paraphraser, paraphrasers, "conv", "convolutions on both sides, or none: the taps themselves are compared"),
    REAL_OPTION(struct ft_options, rate, "0.5", 0, 1, OPTION_ABOVE_MIN, "the factors' channels, of the teacher's"),
    CHOICE(reconstruction, reconstructions, "mse", "what the paraphraser minimises: squares (mse) or magnitudes (l1)"),
    CHOICE(factor, factors, "attention", "what is compared: attention maps, or (the paper) whole maps"),
    REAL_OPTION(struct ft_options, power, "2", 1, 1e6, 0, "of the magnitudes of an attention map"),
    REAL_OPTION(struct ft_options, difference_power, "1", 1, 1e6, 0, "of the magnitudes of the factors' difference"),
};

static const char *const paraphraser_names[] = {"paraphraser.0", "paraphraser.1", "paraphraser.2",
                                                "paraphraser.3", "paraphraser.4", "paraphraser.5"};
static const char *const translator_names[] = {"translator.0", "translator.1", "translator.2"};

/* misfit: what does not go together, in words; NULL: all does. */
static const char *misfit(const struct method_site *site, const struct ft_options *o, int64_t cs, int64_t c, int64_t p)
{
    if (o->stage == STAGE_PARAPHRASER && site->n_student > 0)
        return "stage paraphraser: expected no tap of the student, found one";
    if (o->stage == STAGE_TRANSFER && site->n_student == 0)
        return "stage transfer: expected a tap of the student for each of the teacher, found 0";
    if (o->stage == STAGE_PARAPHRASER && o->paraphraser == PARAPHRASER_NONE)
        return "stage paraphraser: expected paraphraser conv, found none";
    if (o->paraphraser == PARAPHRASER_CONV && p < 1)
        return "rate: expected one that leaves a channel of the teacher's map, found less";
    return o->paraphraser == PARAPHRASER_NONE && o->factor == FACTOR_WHOLE && cs != c
               ? "factor whole, paraphraser none: expected as many channels on both sides, found other numbers"
               : NULL;
}

static struct node *layers(struct graph *g, const struct method_site *site, struct node *x, const char *const *names,
                           const int64_t *widths, int n, unsigned flags)
{
    for (int i = 0; i < n; i++)
        x = graph_leaky_relu(g, part_convolution(g, site, x, names[i], widths[i], 3, flags | PART_BIAS), 0.1);
    return x;
}

static struct node *factor(struct graph *g, const struct ft_options *o, struct node *x)
{
    if (!x || o->factor == FACTOR_ATTENTION)
        return attention_map(g, x, o->power);
    return graph_unit_rows(g, graph_reshape(g, x, SHAPE(x->spec.shape.dim[0], shape_row(&x->spec.shape))));
}

static struct node *ft_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct ft_options *o = options;
    struct node *t = site->teacher[0].node, *s = site->n_student > 0 ? site->student[0].node : NULL;
    const int64_t c = t->spec.shape.dim[3], cs = s ? s->spec.shape.dim[3] : 0, p = (int64_t)(o->rate * (double)c);
    const int64_t widths[] = {c, p, p, p, c, c}, translated[] = {cs, p, p};
    const char *wrong = misfit(site, o, cs, c, p);
    if (wrong) {
        fail(g->ctx, STATUS_BAD_INPUT, "method %s: %s", site->method->name, wrong);
        return NULL;
    }
    if (o->stage == STAGE_PARAPHRASER) {
        s = layers(g, site, t, paraphraser_names, widths, 6, 0);
        return graph_mean_all(g,
                              attention_power(g, graph_sub(g, s, t), o->reconstruction == RECONSTRUCTION_MSE ? 2 : 1));
    }
    if (o->paraphraser == PARAPHRASER_CONV) {
        s = layers(g, site, s, translator_names, translated, 3, 0);
        t = layers(g, site, t, paraphraser_names, widths, 3, PART_FROZEN);
    }
    connector_sizes(g, &s, &t);
    struct node *apart = graph_sub(g, factor(g, o, s), factor(g, o, t));
    return graph_mean_all(g, attention_power(g, apart, o->difference_power));
}

static struct map reference_layers(const struct method_case *c, struct map m, const char *const *names, int n)
{
    for (int i = 0; i < n; i++) {
        m = reference_convolution(c, m, names[i]);
        for (int at = 0; at < m.b * map_row(&m); at++)
            m.v[at] *= m.v[at] < 0 ? 0.1 : 1;
    }
    return m;
}

static double ft_reference(const struct method_case *c, const void *options)
{
    const struct ft_options *o = options;
    struct map s, t = reference_teacher(c, 0);
    double sum = 0, power = o->difference_power;
    if (o->stage == STAGE_PARAPHRASER) {
        s = reference_layers(c, t, paraphraser_names, 6);
        power = o->reconstruction == RECONSTRUCTION_MSE ? 2 : 1;
    } else {
        s = reference_student(c, 0);
        if (o->paraphraser == PARAPHRASER_CONV) {
            s = reference_layers(c, s, translator_names, 3);
            t = reference_layers(c, t, paraphraser_names, 3);
        }
        reference_sizes(c, &s, &t);
        const bool whole = o->factor == FACTOR_WHOLE;
        s = whole ? reference_unit_samples(s) : reference_attention(c, s, o->power);
        t = whole ? reference_unit_samples(t) : reference_attention(c, t, o->power);
    }
    for (int i = 0; i < s.b * map_row(&s); i++)
        sum += pow(fabs(s.v[i] - t.v[i]), power);
    return sum / (s.b * map_row(&s));
}

static bool ft_teacher_alone(const void *options)
{
    return ((const struct ft_options *)options)->stage == STAGE_PARAPHRASER;
}

const struct method method_ft = {
    .name = "ft",
    .summary = "factors become those that a paraphraser, learnt first, finds in the teacher",
    .formula = "mean |f(translator(s)) - f(paraphraser(t))|^q; first mean (r(t) - t)^2, of which it is the front half",
    .paper = "Kim 2018, arXiv 1802.04977",
    .when = "Where two stages are no trouble and the student is of another architecture: neither copies the other's "
            "channels, both meet in factors. Weight 200 (whole maps 500). Without a paraphraser it is `at` with |.|.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs_or_teacher),
    METHOD_OPTIONS(ft_specs, struct ft_options),
    .batch_min = 1,
    .build = ft_build,
    .teacher_alone = ft_teacher_alone,
    .reference = ft_reference,
};
