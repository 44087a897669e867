/* knowledge/feature/reviewkd.c: shallow teacher layers are taught to all deeper student layers at once, by fusing from deep to shallow.
 *
 *     x_l = BN(conv1(s_l));  x_l = a_0 x_l + a_1 r, a = sigmoid(attention [x_l, r]), r: the deeper tap's residual
 *     loss = sum over taps l of HCL(BN(conv2(x_l)), t_l)
 *
 * s, t: n taps each, shallow to deep, the teacher's before activation. x_l at the size of t_l is the next residual. HCL: mean squared
 * error, and that of averages over 4x4, 2x2 and 1x1 bins (those below the height) weighted 1/2, 1/4, 1/8, over the weights' sum.
 * fusion none: HCL of taps of equal shape. Chen 2021 (CVPR), arXiv 2104.09044, figures 2 to 4. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { FUSION_ATTENTION, FUSION_NONE };
static const char *const fusions[] = {"attention", "none", NULL};

struct reviewkd_options {
    int fusion;
    int64_t width;
};

static const struct option_spec reviewkd_specs[] = {
    {.name = "fusion",
     .offset = offsetof(struct reviewkd_options, fusion),
     .type = OPTION_CHOICE,
     .initial = "attention",
     .choices = fusions,
     .help = "attention: each tap is mixed with the deeper ones; none: taps of equal shape, one by one"},
    {.name = "width",
     .offset = offsetof(struct reviewkd_options, width),
     .type = OPTION_INTEGER,
     .initial = "0",
     .min = 0,
     .max = 4096,
     .help = "channels of the fused maps; 0: the deepest student tap's, at most 512"},
};

static const struct method_input reviewkd_inputs[] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 1, METHOD_TAPS},
    {"map", ROLE_MAP_BEFORE_ACTIVATION, SIDE_TEACHER, 1, METHOD_TAPS},
};

static struct node *context_loss(struct graph *g, const struct method_site *site, struct node *a, struct node *b)
{
    if (!a || !b)
        return NULL;
    char found[2][SHAPE_TEXT_SIZE];
    if (!shape_equal(&a->spec.shape, &b->spec.shape)) {
        fail(g->ctx, STATUS_BAD_SHAPE, "method %s: fusion none: expected taps of equal shape, found %s and %s",
             site->method->name, shape_text(&a->spec.shape, found[0]), shape_text(&b->spec.shape, found[1]));
        return NULL;
    }
    const int64_t height = b->spec.shape.dim[1];
    struct node *sum = graph_mean_all(g, graph_square(g, graph_sub(g, a, b)));
    double weight = 1, weights = 1;
    for (int q = 4; q >= 1; q /= 2) {
        if (q >= height)
            continue;
        weights += weight /= 2;
        struct node *d = graph_sub(g, graph_adaptive_average_pool(g, a, q, q), graph_adaptive_average_pool(g, b, q, q));
        sum = graph_add(g, sum, graph_mul(g, graph_mean_all(g, graph_square(g, d)), graph_scalar(g, weight)));
    }
    return graph_mul(g, sum, graph_scalar(g, 1 / weights));
}

static struct node *nearest(struct graph *g, struct node *x, const struct node *like)
{
    return x && like ? graph_resize(g, x, INTERPOLATION_NEAREST, like->spec.shape.dim[1], like->spec.shape.dim[2])
                     : NULL;
}

/* fused: *residual becomes the next one. */
static struct node *fused(struct graph *g, const struct method_site *site, int tap, int64_t width,
                          struct node **residual)
{
    const struct method_site at = {.own = site->own, .pair = tap, .pairs = 2}; /* always numbered */
    const struct node *t = site->teacher[tap].node;
    struct node *x = part_convolution(g, &at, site->student[tap].node, "conv1", width, 1, 0);
    x = part_batch_norm(g, &at, x, "conv1", 0);
    if (tap < site->n_student - 1) {
        struct node *both[] = {x, nearest(g, *residual, x)}, *share[2];
        struct node *a = graph_concat(g, 2, both, -1);
        a = graph_sigmoid(g, part_convolution(g, &at, a, "attention", 2, 1, PART_BIAS));
        graph_split(g, a, -1, 2, NULL, share);
        x = graph_add(g, graph_mul(g, x, share[0]), graph_mul(g, both[1], share[1]));
    }
    *residual = nearest(g, x, t);
    x = part_convolution(g, &at, *residual, "conv2", t->spec.shape.dim[3], 3, 0);
    return part_batch_norm(g, &at, x, "conv2", 0);
}

static struct node *reviewkd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct reviewkd_options *o = options;
    const int n = site->n_student;
    const int64_t deepest = site->student[n - 1].node->spec.shape.dim[3],
                  width = o->width ? o->width : (deepest < 512 ? deepest : 512);
    struct node *sum = NULL, *residual = NULL;
    for (int l = n - 1; l >= 0; l--) {
        struct node *x = o->fusion == FUSION_NONE ? site->student[l].node : fused(g, site, l, width, &residual);
        struct node *one = context_loss(g, site, x, site->teacher[l].node);
        sum = sum ? graph_add(g, sum, one) : one;
    }
    return sum;
}

static double reference_context(const struct method_case *c, struct map a, struct map b)
{
    double sum = reference_mean_square(a.v, b.v, a.b * map_row(&a)), weight = 1, weights = 1;
    for (int q = 4; q >= 1; q /= 2) {
        if (q >= a.h)
            continue;
        struct map x = reference_pool(c, a, q, q), y = reference_pool(c, b, q, q);
        weights += weight /= 2;
        sum += weight * reference_mean_square(x.v, y.v, x.b * map_row(&x));
    }
    return sum / weights;
}

/* reference_fused: the map of tap l and, in *residual, the next residual. */
static struct map reference_fused(const struct method_case *c, int l, struct map *residual)
{
    struct method_case at = *c;
    at.pair = l;
    at.pairs = 2;
    struct map x = reference_convolution(&at, reference_student(c, l), "conv1"), t = reference_teacher(c, l);
    reference_batch_norm(&at, x, "conv1");
    if (l < c->n_student - 1) {
        struct map r = reference_nearest(c, *residual, x.h, x.w), both = reference_map(c, x.b, 2 * x.c, x.h, x.w);
        const int row = map_row(&x), area = map_area(&x);
        for (int i = 0; i < 2 * x.b * row; i++)
            both.v[i] = i / row % 2 ? r.v[i / row / 2 * row + i % row] : x.v[i / row / 2 * row + i % row];
        struct map share = reference_convolution(&at, both, "attention");
        for (int i = 0; i < x.b * row; i++) {
            const double *a = share.v + i / row * 2 * area + i % area;
            x.v[i] = x.v[i] / (1 + exp(-a[0])) + r.v[i] / (1 + exp(-a[area]));
        }
    }
    *residual = reference_nearest(c, x, t.h, t.w);
    x = reference_convolution(&at, *residual, "conv2");
    reference_batch_norm(&at, x, "conv2");
    return x;
}

static double reviewkd_reference(const struct method_case *c, const void *options)
{
    const struct reviewkd_options *o = options;
    struct map residual = {0};
    double sum = 0;
    for (int l = c->n_student - 1; l >= 0; l--)
        sum +=
            reference_context(c, o->fusion == FUSION_NONE ? reference_student(c, l) : reference_fused(c, l, &residual),
                              reference_teacher(c, l));
    return sum;
}

const struct method method_reviewkd = {
    .name = "reviewkd",
    .summary = "each teacher layer is taught to that and all deeper student layers, fused from deep to shallow",
    .formula = "sum_l HCL(BN(conv2(x_l)), t_l), x_l = a_0 BN(conv1(s_l)) + a_1 residual_l+1",
    .paper = "Chen 2021, arXiv 2104.09044",
    .when = "With three or four taps at the ends of the stages, beside the labels, warmed up over some epochs; the "
            "fusion's own "
            "layers cost training time, and nothing in the student.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_SAME_NUMBER,
    METHOD_INPUTS(reviewkd_inputs),
    METHOD_OPTIONS(reviewkd_specs, struct reviewkd_options),
    .batch_min = 1,
    .build = reviewkd_build,
    .reference = reviewkd_reference,
};
