/* knowledge/feature/afd.c: every student tap is taught by every teacher tap, by as much as learnt attention finds them alike.
 *
 *     a_t = softmax over s of (q_t . k_{s,t} + p_t . p_s) / sqrt(Q),  loss = sum_t mean_b sum_s a_ts mean (V_s - V_t)^2
 *
 * q_t = BN(linear(channel means of teacher tap t)), k_s = ReLU(BN(linear(..))), k_{s,t}: rows tQ… of BN(bilinear k_s); V: attention
 * maps (at, power 2), the student's mean pooled to tap t's size. Ji 2021 (AAAI), arXiv 2102.02973, equations 1 to 5. */
#include "base/arena.h"
#include "knowledge/feature/attention.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

#include <stdio.h>

struct afd_options {
    int64_t dimension;
};

static const struct option_spec afd_specs[] = {
    {.name = "dimension",
     .offset = offsetof(struct afd_options, dimension),
     .type = OPTION_INTEGER,
     .initial = "128",
     .min = 1,
     .max = 65536,
     .help = "of queries and keys"},
};

static const struct method_input afd_inputs[] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 1, METHOD_TAPS},
    {"map", ROLE_MAP, SIDE_TEACHER, 1, METHOD_TAPS},
};

/* A linear layer and batch norm on the channel means of a tap: NAME.i.weight … */
static struct node *described(struct graph *g, const struct method_site *site, const char *name, int i,
                              struct node *map, int64_t q)
{
    name = arena_format(g->arena, "%s.%d", name, i);
    return name ? part_batch_norm(g, site, part_linear(g, site, graph_global_average_pool(g, map), name, q, PART_BIAS),
                                  name, 0)
                : NULL;
}

/* side by side, [B,n*D], of n nodes [B,D], as the given shape. */
static struct node *beside(struct graph *g, int n, struct node *const *nodes, struct shape shape)
{
    return graph_reshape(g, n > 1 ? graph_concat(g, n, nodes, 1) : nodes[0], shape);
}

/* mean (V_s - V_t)^2 a sample: [B,1], from a student's tap's attention_mean and a teacher's tap's attention_map of this size. */
static struct node *apart(struct graph *g, struct node *mean, struct node *map, const int64_t *size)
{
    if (!mean || !map)
        return NULL;
    if (mean->spec.shape.dim[1] != size[1] || mean->spec.shape.dim[2] != size[2])
        mean = graph_adaptive_average_pool(g, mean, (int)size[1], (int)size[2]);
    struct node *s = graph_unit_rows(g, graph_reshape(g, mean, SHAPE(size[0], size[1] * size[2])));
    return graph_mean(g, graph_square(g, graph_sub(g, s, map)), 2, true);
}

/* Of every student's tap from every teacher's: [nt * ns]. */
static void distances_make(struct graph *g, const struct method_site *site, struct node **distances)
{
    struct node *means[METHOD_TAPS];
    const int ns = site->n_student;
    for (int s = 0; s < ns; s++)
        means[s] = attention_mean(g, site->student[s].node, 2);
    for (int t = 0; t < site->n_teacher; t++) {
        struct node *map = attention_map(g, site->teacher[t].node, 2);
        for (int s = 0; s < ns; s++)
            distances[t * ns + s] = apart(g, means[s], map, site->teacher[t].node->spec.shape.dim);
    }
}

static struct node *afd_build(struct graph *g, const struct method_site *site, const void *options)
{
    static const int by_teacher[] = {0, 2, 1, 3};
    const int64_t q = ((const struct afd_options *)options)->dimension;
    const int ns = site->n_student, nt = site->n_teacher;
    const int64_t batch = site->student[0].node->spec.shape.dim[0], rows = batch * ns;
    struct node *queries[METHOD_TAPS], *keys[METHOD_TAPS], *distances[METHOD_TAPS * METHOD_TAPS];
    for (int t = 0; t < nt; t++)
        queries[t] = described(g, site, "query", t, site->teacher[t].node, q);
    for (int s = 0; s < ns; s++)
        keys[s] = graph_relu(g, described(g, site, "key", s, site->student[s].node, q));
    distances_make(g, site, distances);
    struct node *key = part_linear(g, site, beside(g, ns, keys, SHAPE(rows, q)), "bilinear", q * nt, PART_BIAS);
    key = graph_reshape(g, part_batch_norm(g, site, key, "bilinear", 0), SHAPE(batch, ns, nt, q));
    struct node *like =
        graph_mul(g, graph_transpose(g, key, 4, by_teacher), beside(g, nt, queries, SHAPE(batch, nt, 1, q)));
    const struct init init = {INIT_NORMAL, sqrt(2.0 / (double)q)};
    struct node *places = graph_matmul(g, part_parameter(g, site, "position.teacher", SHAPE(nt, q), init, 0),
                                       part_parameter(g, site, "position.student", SHAPE(ns, q), init, 0), false, true);
    like = graph_add(g, graph_sum(g, like, 8, false), places); /* [B,nt,ns] */
    like = graph_softmax(g, graph_mul(g, like, graph_scalar(g, 1 / sqrt((double)q))));
    struct node *weighted = graph_mul(g, like, beside(g, nt * ns, distances, SHAPE(batch, nt, ns)));
    return graph_div(g, graph_sum_all(g, weighted), graph_count(g, weighted, 0));
}

static struct map reference_described(const struct method_case *c, const char *name, int i, struct map m)
{
    char full[64];
    snprintf(full, sizeof full, "%s.%d", name, i);
    m = reference_convolution(c, reference_pool(c, m, 1, 1), full);
    reference_batch_norm(c, m, full);
    return m;
}

static double reference_apart(const struct method_case *c, int s, int t, int b)
{
    struct map vt = reference_attention(c, reference_teacher(c, t), 2);
    struct map vs = reference_pool(c, reference_attention_mean(c, reference_student(c, s), 2), vt.h, vt.w);
    const int area = map_area(&vt);
    reference_unit(vs.v + b * area, area, 1);
    return reference_mean_square(vs.v + b * area, vt.v + b * area, area);
}

static double afd_reference(const struct method_case *c, const void *options)
{
    const int q = (int)((const struct afd_options *)options)->dimension, ns = c->n_student, nt = c->n_teacher;
    const int batch = (int)c->student_shape[0].dim[0];
    const double *pt = reference_own(c, "position.teacher"), *ps = reference_own(c, "position.student");
    struct map keys = reference_map(c, batch * ns, q, 1, 1);
    double sum = 0, *logits = reference_take(c, ns);
    for (int s = 0; s < ns; s++) {
        struct map k = reference_described(c, "key", s, reference_student(c, s));
        for (int i = 0; i < batch * q; i++)
            keys.v[s * batch * q + i] = fmax(k.v[i], 0);
    }
    keys = reference_convolution(c, keys, "bilinear"); /* rows s B + b */
    reference_batch_norm(c, keys, "bilinear");
    for (int t = 0; t < nt; t++) {
        struct map query = reference_described(c, "query", t, reference_teacher(c, t));
        for (int b = 0; b < batch; b++) {
            for (int s = 0; s < ns; s++) {
                logits[s] = 0;
                for (int i = 0; i < q; i++)
                    logits[s] += (query.v[b * q + i] * keys.v[((s * batch + b) * nt + t) * q + i] +
                                  pt[t * q + i] * ps[s * q + i]) /
                                 sqrt(q);
            }
            reference_log_softmax(logits, ns, 1);
            for (int s = 0; s < ns; s++)
                sum += exp(logits[s]) * reference_apart(c, s, t, b) / batch;
        }
    }
    return sum;
}

const struct method method_afd = {
    .name = "afd",
    .summary = "every student tap is taught by every teacher tap, by as much as learnt attention finds them alike",
    .formula =
        "sum_t mean_b sum_s a_ts mean (V_s - V_t)^2, a = softmax_s (q_t.k_st + p_t.p_s)/sqrt(Q), V: attention maps",
    .paper = "Ji 2021, arXiv 2102.02973",
    .when = "Where it is not known which layers of two different networks answer to each other: the pairs are learnt. "
            "Beside labels and "
            "kd; the batch norms of its parts want batches that are not small.",
    .family = FAMILY_FEATURE,
    METHOD_INPUTS(afd_inputs),
    METHOD_OPTIONS(afd_specs, struct afd_options),
    .batch_min = 2,
    .build = afd_build,
    .reference = afd_reference,
};
