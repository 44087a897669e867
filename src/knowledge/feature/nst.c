/* knowledge/feature/nst.c: the student's channels are active at the same places as the teacher's, as distributions.
 *
 *     loss = mean k(t,t) + mean k(s,s) - 2 mean k(s,t),  k(x,y) = (x.y)^2
 *
 * s, t: the maps of single channels, pooled to one size, as unit vectors (0 for a channel of zeros); means over samples and
 * pairs of channels. This is the squared maximum mean discrepancy with the polynomial kernel. Huang 2017, arXiv 1707.01219,
 * equation 8. */
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/rows.h"

/* x, y [B,C,P] -> the mean of k over the pairs of their channels. */
static struct node *kernel(struct graph *g, struct node *x, struct node *y)
{
    return graph_mean_all(g, graph_square(g, graph_matmul(g, x, y, false, true)));
}

/* The mean over channels of x xT: [B,P,P]. */
static struct node *moment(struct graph *g, struct node *x)
{
    return x ? graph_mul(g, graph_matmul(g, x, x, true, false), graph_scalar(g, 1.0 / (double)x->spec.shape.dim[1]))
             : NULL;
}

static struct node *nst_build(struct graph *g, const struct method_site *site, const void *options)
{
    (void)options;
    struct node *s = site->student[0].node, *t = site->teacher[0].node;
    connector_sizes(g, &s, &t);
    s = graph_unit_rows(g, rows_of_channels(g, s));
    t = graph_unit_rows(g, rows_of_channels(g, t));
    if (!s || !t)
        return NULL;
    const int64_t cs = s->spec.shape.dim[1], ct = t->spec.shape.dim[1], places = s->spec.shape.dim[2];
    /* The loss is also |Ms - Mt|^2 a sample, M the mean over channels of x xT: less work where places are few. */
    if (places * (cs + ct) < cs * cs + cs * ct + ct * ct) {
        struct node *squares = graph_square(g, graph_sub(g, moment(g, s), moment(g, t)));
        return graph_mul(g, graph_mean_all(g, squares), graph_scalar(g, (double)(places * places)));
    }
    struct node *own = graph_add(g, kernel(g, t, t), kernel(g, s, s));
    return graph_sub(g, own, graph_mul(g, kernel(g, s, t), graph_scalar(g, 2)));
}

static double reference_kernel(struct map x, struct map y)
{
    const int area = map_area(&x);
    double sum = 0;
    for (int b = 0; b < x.b; b++)
        for (int i = 0; i < x.c; i++)
            for (int j = 0; j < y.c; j++) {
                double product = 0;
                for (int at = 0; at < area; at++)
                    product += x.v[(b * x.c + i) * area + at] * y.v[(b * y.c + j) * area + at];
                sum += product * product;
            }
    return sum / (x.b * x.c * y.c);
}

static double nst_reference(const struct method_case *c, const void *options)
{
    (void)options;
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    reference_sizes(c, &s, &t);
    const int area = map_area(&s);
    for (int i = 0; i < s.b * s.c; i++)
        reference_unit(s.v + i * area, area, 1);
    for (int i = 0; i < t.b * t.c; i++)
        reference_unit(t.v + i * area, area, 1);
    return reference_kernel(t, t) + reference_kernel(s, s) - 2 * reference_kernel(s, t);
}

const struct method method_nst = {
    .name = "nst",
    .summary = "channels are active at the same places as the teacher's, as distributions",
    .formula = "mean k(t,t) + mean k(s,s) - 2 mean k(s,t), k(x,y) = (x.y)^2 of the channels' maps as unit vectors",
    .paper = "Huang 2017, arXiv 1707.01219",
    .when =
        "Convolutional networks with other numbers of channels, on a deep map: it compares which patterns of places "
        "occur, not which channel has which, and has nothing to learn. Beside labels weight 50; on wide early maps "
        "it costs a product of all pairs of channels.",
    .family = FAMILY_FEATURE,
    .wants = METHOD_PAIRWISE,
    METHOD_INPUTS(inputs_map_pairs),
    .batch_min = 1,
    .build = nst_build,
    .reference = nst_reference,
};
