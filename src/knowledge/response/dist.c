/* knowledge/response/dist.c: probabilities that correlate with the teacher's, within samples and within classes.
 *
 *     loss = T^2 (b (1 - mean over rows r(ps, pt)) + g (1 - mean over columns r(ps, pt)))
 *
 * ps, pt [B,K] = softmax(z / T) of student and teacher; r: Pearson's correlation, 0 where either is constant. Only the order and
 * the proportions are learnt. Huang 2022 (NeurIPS), arXiv 2205.10536, equations 8 to 10. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

struct dist_options {
    double beta, gamma;
    struct real temperature;
};

static const struct option_spec dist_specs[] = {
    {.name = "beta",
     .offset = offsetof(struct dist_options, beta),
     .type = OPTION_REAL,
     .initial = "1",
     .min = 0,
     .max = 1e6,
     .help = "weight of the relation between the classes of a sample"},
    {.name = "gamma",
     .offset = offsetof(struct dist_options, gamma),
     .type = OPTION_REAL,
     .initial = "1",
     .min = 0,
     .max = 1e6,
     .help = "weight of the relation between the samples of a class"},
    TEMPERATURE_OPTION(struct dist_options, "1"),
};

/* 1 - the mean of the rows' correlations. */
static struct node *apart(struct graph *g, struct node *a, struct node *b)
{
    struct node *product = graph_mul(g, graph_unit_rows(g, rows_centred(g, a)), graph_unit_rows(g, rows_centred(g, b)));
    return graph_sub(g, graph_scalar(g, 1), graph_mean_all(g, graph_sum(g, product, 2, false)));
}

static struct node *dist_build(struct graph *g, const struct method_site *site, const void *options)
{
    static const int turned[] = {1, 0};
    const struct dist_options *o = options;
    struct node *t = graph_real(g, &o->temperature);
    struct node *ps = graph_softmax(g, graph_div(g, site->student[0].node, t));
    struct node *pt = graph_softmax(g, graph_div(g, site->teacher[0].node, t));
    struct node *inter = apart(g, ps, pt);
    struct node *intra = apart(g, graph_transpose(g, ps, 2, turned), graph_transpose(g, pt, 2, turned));
    struct node *sum =
        graph_add(g, graph_mul(g, inter, graph_scalar(g, o->beta)), graph_mul(g, intra, graph_scalar(g, o->gamma)));
    return graph_mul(g, sum, graph_mul(g, t, t));
}

static double correlation(const double *a, const double *b, int n, int stride)
{
    double mean[2] = {0}, squares[2] = {0}, largest[2] = {0}, product = 0;
    for (int i = 0; i < n; i++) {
        mean[0] += a[i * stride] / n;
        mean[1] += b[i * stride] / n;
        largest[0] = fmax(largest[0], fabs(a[i * stride]));
        largest[1] = fmax(largest[1], fabs(b[i * stride]));
    }
    for (int i = 0; i < n; i++) {
        const double x = a[i * stride] - mean[0], y = b[i * stride] - mean[1];
        squares[0] += x * x;
        squares[1] += y * y;
        product += x * y;
    }
    for (int side = 0; side < 2; side++)
        if (n < 2 || sqrt(squares[side] / (n - 1)) < 1e-6 * largest[side] || sqrt(squares[side]) < 1e-12)
            return 0;
    return product / sqrt(squares[0]) / sqrt(squares[1]);
}

static double dist_reference(const struct method_case *c, const void *options)
{
    const struct dist_options *o = options;
    struct map ps = reference_student(c, 0), pt = reference_teacher(c, 0);
    double t = o->temperature.value, rows = 0, columns = 0;
    for (int b = 0; b < ps.b; b++) {
        reference_log_softmax(ps.v + b * ps.c, ps.c, t);
        reference_log_softmax(pt.v + b * ps.c, ps.c, t);
    }
    for (int i = 0; i < ps.b * ps.c; i++) {
        ps.v[i] = exp(ps.v[i]);
        pt.v[i] = exp(pt.v[i]);
    }
    for (int b = 0; b < ps.b; b++)
        rows += correlation(ps.v + b * ps.c, pt.v + b * ps.c, ps.c, 1) / ps.b;
    for (int k = 0; k < ps.c; k++)
        columns += correlation(ps.v + k, pt.v + k, ps.b, ps.c) / ps.c;
    return t * t * (o->beta * (1 - rows) + o->gamma * (1 - columns));
}

const struct method method_dist = {
    .name = "dist",
    .summary = "probabilities that correlate with the teacher's, within samples and within classes",
    .formula = "T^2 (b (1 - mean_rows r(ps,pt)) + g (1 - mean_columns r(ps,pt))), r: Pearson's correlation",
    .paper = "Huang 2022, arXiv 2205.10536",
    .when =
        "Where the teacher is much stronger than the student, or trained with heavy augmentation: matching its exact "
        "probabilities asks too much, matching their relations does not. Weight 1 beside labels 1.",
    .family = FAMILY_RESPONSE,
    METHOD_INPUTS(inputs_logits),
    METHOD_OPTIONS(dist_specs, struct dist_options),
    .batch_min = 2,
    .build = dist_build,
    .reference = dist_reference,
};
