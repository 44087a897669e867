/* knowledge/relation/svd.c: what leads in one map relates to what leads in the next as it does in the teacher.
 *
 *     loss = (1/B) sum over consecutive taps, i, j, m  (Rs_ijm - Rt_ijm)^2,  R_ijm = exp(-(x_im - y_jm)^2 / 8)
 *
 * x, y: of a tap and of the one before, the m-th of k right singular vectors of the map as [HW,C] a sample, times the m-th of the
 * teacher's singular values (these as a vector of length 1); the student's vectors are those nearest to the teacher's
 * (relation/singular.h). Lee 2018 (ECCV), arXiv 1807.06819. */
#include "knowledge/inputs.h"
#include "knowledge/relation/singular.h"

struct svd_options {
    int64_t k;
    struct connector_options connector;
};

static const struct option_spec svd_specs[] = {
    {.name = "k",
     .offset = offsetof(struct svd_options, k),
     .type = OPTION_INTEGER,
     .initial = "1",
     .min = 1,
     .max = 1024,
     .help = "how many singular vectors of each map are compared (the paper: 4)"},
    CONNECTOR_OPTIONS(struct svd_options, connector),
};

/* weighted: vectors [B,k,C], each times its weight [B,k]. */
static struct node *weighted(struct graph *g, struct node *vectors, struct node *weights)
{
    if (!vectors || !weights)
        return NULL;
    const int64_t *dim = weights->spec.shape.dim;
    return graph_mul(g, vectors, graph_reshape(g, weights, SHAPE(dim[0], dim[1], 1)));
}

/* relation: R [B,k,C_current,C_previous] of consecutive vectors. */
static struct node *relation(struct graph *g, struct node *current, struct node *previous)
{
    if (!current || !previous)
        return NULL;
    const int64_t *x = current->spec.shape.dim, *y = previous->spec.shape.dim;
    struct node *apart = graph_sub(g, graph_reshape(g, current, SHAPE(x[0], x[1], x[2], 1)),
                                   graph_reshape(g, previous, SHAPE(y[0], y[1], 1, y[2])));
    return graph_exp(g, graph_mul(g, graph_square(g, apart), graph_scalar(g, -0.125)));
}

static struct node *svd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct svd_options *o = options;
    struct node *sum = NULL, *before[2] = {NULL, NULL}; /* the student's, the teacher's */
    if (singular_refused(g, site, o->k))
        return NULL;
    for (int i = 0; i < site->n_teacher; i++) {
        struct node *values, *teacher = singular_teacher(g, site, i, o->k, &values), *weights;
        struct node *student = singular_student(g, site, i, &o->connector, teacher);
        weights = graph_unit_rows(g, values);
        student = weighted(g, student, weights);
        teacher = weighted(g, teacher, weights);
        if (i > 0) {
            struct node *apart = graph_sub(g, relation(g, student, before[0]), relation(g, teacher, before[1]));
            struct node *squares = graph_sum_all(g, graph_square(g, apart));
            sum = i > 1 ? graph_add(g, sum, squares) : squares;
        }
        before[0] = student;
        before[1] = teacher;
    }
    return graph_div(g, sum, graph_count(g, site->teacher[0].node, 0));
}

/* scale: each of the vectors [B,k,C] times the weight of its row. */
static void scale(struct map m, const double *weights)
{
    for (int i = 0; i < m.b * m.c * m.h; i++)
        m.v[i] *= weights[i / m.h];
}

static double reference_relation(struct map x, struct map y, int row, int i, int j)
{
    const double apart = x.v[row * x.h + i] - y.v[row * y.h + j];
    return exp(-apart * apart / 8);
}

static double svd_reference(const struct method_case *c, const void *options)
{
    const struct svd_options *o = options;
    const int k = (int)o->k, rows = (int)c->teacher_shape[0].dim[0] * k;
    struct map s = {0}, t = {0};
    double sum = 0;
    for (int tap = 0; tap < c->n_teacher; tap++) {
        double *weights = reference_take(c, rows);
        struct map x = reference_singular_teacher(c, tap, k, weights);
        struct map y = reference_singular_student(c, tap, &o->connector, x);
        for (int b = 0; b < x.b; b++)
            reference_unit(weights + b * k, k, 1);
        scale(x, weights);
        scale(y, weights);
        for (int at = 0; tap > 0 && at < rows * x.h * t.h; at++) {
            const int row = at / t.h / x.h, i = at / t.h % x.h, j = at % t.h;
            const double apart = reference_relation(y, s, row, i, j) - reference_relation(x, t, row, i, j);
            sum += apart * apart / x.b;
        }
        s = y;
        t = x;
    }
    return sum;
}

const struct method method_svd = {
    .name = "svd",
    .summary = "what leads in one map relates to what leads in the next as it does in the teacher",
    .formula = "(1/B) sum (Rs - Rt)^2, R_ijm = exp(-(x_im - y_jm)^2 / 8); x, y: singular vectors of consecutive maps",
    .paper = "Lee 2018, arXiv 1807.06819",
    .when = "Where student and teacher are of one family with stages that correspond, and maps of any sizes are to be "
            "compared by little: k vectors a map. A decomposition a sample and tap makes steps slower; wide maps cost "
            "most. Weight 1 beside labels 1.",
    .family = FAMILY_RELATION,
    .wants = METHOD_SAME_NUMBER,
    METHOD_INPUTS(inputs_maps),
    METHOD_OPTIONS(svd_specs, struct svd_options),
    .batch_min = 1,
    .bounded = SINGULAR_BOUNDED,
    .build = svd_build,
    .reference = svd_reference,
};
