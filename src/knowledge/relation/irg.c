/* knowledge/relation/irg.c: an instance relationship graph: samples are vertices, their distances edges, and from one map to the
 * next the graph is transformed.
 *
 *     loss = v mean (zs - zt)^2  +  e/3 sum_{embedding, map 1, map 2} mean (As - At)^2  +  t mean (Ds - Dt)^2
 *
 * z [B,K]: logits. A [B,B]: squared distances of samples (at least 1e-12, 0 on the diagonal) over the largest. D [B]: squared
 * distance of a sample's two maps, pooled to one size and the wider averaged to the other's channels (at least 1e-12), over the
 * largest in the batch. Both maxima are differentiated. Liu 2019 (CVPR), equations 4 to 7. */
#include "knowledge/connector/connector.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"
#include "knowledge/samples.h"

enum { MAP_1, MAP_2, EMBEDDING, LOGITS };
static const struct method_input irg_inputs[] = {
    {"map 1", ROLE_MAP, SIDE_STUDENT, 1, 1},           {"map 2", ROLE_MAP, SIDE_STUDENT, 1, 1},
    {"embedding", ROLE_EMBEDDING, SIDE_STUDENT, 1, 1}, {"logits", ROLE_LOGITS, SIDE_STUDENT, 1, 1},
    {"map 1", ROLE_MAP, SIDE_TEACHER, 1, 1},           {"map 2", ROLE_MAP, SIDE_TEACHER, 1, 1},
    {"embedding", ROLE_EMBEDDING, SIDE_TEACHER, 1, 1}, {"logits", ROLE_LOGITS, SIDE_TEACHER, 1, 1},
};

struct irg_options {
    double vertex_weight, edge_weight, transformation_weight;
};

#define IRG_WEIGHT(member, default_, text)                                                                             \
    {                                                                                                                  \
        .name = #member, .offset = offsetof(struct irg_options, member), .type = OPTION_REAL, .initial = default_,     \
        .min = 0, .max = 1e6, .help = text                                                                             \
    }
static const struct option_spec irg_specs[] = {
    IRG_WEIGHT(vertex_weight, "0.1", "weight of the difference of the logits"),
    IRG_WEIGHT(edge_weight, "5", "weight of the distances between samples"),
    IRG_WEIGHT(transformation_weight, "5", "weight of how far each sample moves from the first map to the second"),
};

static struct node *edges(struct graph *g, struct node *student, struct node *teacher)
{
    struct node *s = samples_squares(g, student), *t = samples_squares(g, teacher),
                *least = graph_scalar(g, samples_least);
    struct node *most_s = graph_max(g, s, 1 | 2, false), *most_t = graph_max(g, t, 1 | 2, false);
    struct node *apart = graph_sub(g, graph_div(g, s, most_s), graph_div(g, t, most_t));
    struct node *diagonal = graph_sub(g, graph_div(g, least, most_s), graph_div(g, least, most_t));
    return samples_mean(g, graph_square(g, apart), graph_square(g, diagonal));
}

/* x [B,H,W,C] as rows [B,HW*channels], its channels averaged down to so many. */
static struct node *folded(struct graph *g, struct node *x, int64_t channels)
{
    const int64_t *dim = x->spec.shape.dim, area = dim[1] * dim[2];
    if (dim[3] == channels)
        return samples_rows(g, x);
    if (dim[3] % channels == 0) /* bins of one size */
        return samples_rows(
            g, graph_mean(g, graph_reshape(g, x, SHAPE(dim[0], area, channels, dim[3] / channels)), 8, false));
    struct node *columns = graph_reshape(g, x, SHAPE(dim[0], area, dim[3], 1));
    return samples_rows(g, graph_adaptive_average_pool(g, columns, (int)area, (int)channels));
}

static struct node *moves(struct graph *g, const struct tap *taps)
{
    struct node *a = taps[MAP_1].node, *b = taps[MAP_2].node;
    connector_sizes(g, &a, &b);
    if (!a || !b)
        return NULL;
    const int64_t one = a->spec.shape.dim[3], other = b->spec.shape.dim[3], channels = one < other ? one : other;
    struct node *apart = graph_sub(g, folded(g, a, channels), folded(g, b, channels));
    struct node *d = graph_maximum(g, graph_row_sum(g, graph_square(g, apart)), graph_scalar(g, samples_least));
    return graph_div(g, d, graph_max(g, d, 1, false));
}

static struct node *mean_square(struct graph *g, struct node *a, struct node *b)
{
    return graph_mean_all(g, graph_square(g, graph_sub(g, a, b)));
}

static struct node *irg_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct irg_options *o = options;
    const struct tap *s = site->student, *t = site->teacher;
    struct node *vertex = mean_square(g, s[LOGITS].node, t[LOGITS].node);
    struct node *edge = edges(g, s[EMBEDDING].node, t[EMBEDDING].node);
    for (int i = MAP_1; i <= MAP_2; i++)
        edge = graph_add(g, edge, edges(g, s[i].node, t[i].node));
    struct node *sum = graph_add(g, graph_mul(g, vertex, graph_scalar(g, o->vertex_weight)),
                                 graph_mul(g, edge, graph_scalar(g, o->edge_weight / 3)));
    struct node *moved = mean_square(g, moves(g, s), moves(g, t));
    return graph_add(g, sum, graph_mul(g, moved, graph_scalar(g, o->transformation_weight)));
}

/* v over its largest element; all at least 1e-12, but 0 at every step-th from the first (0: nowhere). */
static double *over_largest(double *v, int n, int step)
{
    double largest = 0;
    for (int i = 0; i < n; i++) {
        v[i] = step && i % step == 0 ? 0 : fmax(v[i], 1e-12);
        largest = fmax(largest, v[i]);
    }
    for (int i = 0; i < n; i++)
        v[i] /= largest;
    return v;
}

static double *moving(const struct method_case *c, struct map a, struct map b)
{
    reference_sizes(c, &a, &b);
    const int channels = a.c < b.c ? a.c : b.c, area = map_area(&a), row = channels * area;
    /* A map of C rows and HW columns: pooling it averages channels. */
    a = reference_pool(c, (struct map){a.b, 1, a.c, area, a.v}, channels, area);
    b = reference_pool(c, (struct map){b.b, 1, b.c, area, b.v}, channels, area);
    double *d = reference_take(c, a.b);
    for (int i = 0; i < a.b; i++)
        d[i] = row * reference_mean_square(a.v + i * row, b.v + i * row, row);
    return over_largest(d, a.b, 0);
}

static double irg_reference(const struct method_case *c, const void *options)
{
    const struct irg_options *o = options;
    struct map s[LOGITS + 1], t[LOGITS + 1];
    for (int i = 0; i <= LOGITS; i++) {
        s[i] = reference_student(c, i);
        t[i] = reference_teacher(c, i);
    }
    const int b = s[LOGITS].b;
    double sum = o->vertex_weight * reference_mean_square(s[LOGITS].v, t[LOGITS].v, (int64_t)b * s[LOGITS].c);
    for (int i = 0; i < LOGITS; i++)
        sum += o->edge_weight / 3 *
               reference_mean_square(over_largest(reference_squares(c, s[i]), b * b, b + 1),
                                     over_largest(reference_squares(c, t[i]), b * b, b + 1), (int64_t)b * b);
    return sum + o->transformation_weight *
                     reference_mean_square(moving(c, s[MAP_1], s[MAP_2]), moving(c, t[MAP_1], t[MAP_2]), b);
}

const struct method method_irg = {
    .name = "irg",
    .summary = "samples, their distances and how they move between two layers, as the teacher has them",
    .formula = "v mean (zs - zt)^2 + e/3 sum mean (As - At)^2 + t mean (Ds - Dt)^2, A: distances, D: moves",
    .paper = "Liu, CVPR 2019",
    .when = "Where several layers are to keep their geometry at once and widths differ. Distances over their maximum "
            "follow "
            "the farthest pair of a batch: noisy in small batches. rkd-distance is simpler and often as good.",
    .family = FAMILY_RELATION,
    METHOD_INPUTS(irg_inputs),
    METHOD_OPTIONS(irg_specs, struct irg_options),
    .batch_min = 2,
    .build = irg_build,
    .reference = irg_reference,
};
