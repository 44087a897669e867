/* knowledge/relation/crd.c: a sample's embedding tells the teacher's of the same sample from those of many others.
 *
 *     a = unit(linear(s)),  c = unit(linear(t));  x_s[b,k] = exp(memory.teacher[i_bk] a_b / T) / z.student,  x_t with memory.student, c
 *     h(x) = -1/B sum_b (log x_b0 / (x_b0 + m/N + e) + sum_k>0 log (m/N) / (x_bk + m/N + e)),  loss = h(x_s) + h(x_t)
 *
 * s, t [B,D]; i [B,1+m]: the sample itself and m others of the N; e = 1e-7. z: N times the mean of the first batch's exponentials, then
 * kept. After the step the batch's rows of the memories follow a and c. Tian 2020 (ICLR), arXiv 1910.10699, equations 17 to 19. */
#include "base/arena.h"
#include "base/random.h"
#include "knowledge/inputs.h"
#include "knowledge/reference.h"

enum { FROM_OTHER_CLASSES, FROM_ALL };
static const char *const froms[] = {"other-classes", "all", NULL};

struct crd_options {
    int64_t dimension, negatives;
    struct real temperature;
    double momentum;
    int negatives_from;
};

#define CRD_OPTION(field) .name = #field, .offset = offsetof(struct crd_options, field)
static const struct option_spec crd_specs[] = {
    {CRD_OPTION(dimension), .type = OPTION_INTEGER, .initial = "128", .min = 1, .max = 65536,
     .help = "of the space in which both are compared"},
    {CRD_OPTION(negatives), .type = OPTION_INTEGER, .initial = "16384", .min = 1, .max = 1e9,
     .help = "other samples to tell each one from; at most all of them"},
    TEMPERATURE_OPTION(struct crd_options, "0.07"),
    {CRD_OPTION(momentum), .type = OPTION_REAL, .initial = "0.5", .min = 0, .max = 1, .flags = OPTION_BELOW_MAX,
     .help = "how much of its old row a sample's memory keeps"},
    {CRD_OPTION(negatives_from), .type = OPTION_CHOICE, .initial = "other-classes", .choices = froms,
     .help = "draw the others among the samples of other labels, or among all"},
};

static const struct method_input crd_inputs[] = {
    {"embedding", ROLE_EMBEDDING, SIDE_STUDENT, 1, 1},
    {"embedding", ROLE_EMBEDDING, SIDE_TEACHER, 1, 1},
};

/* One side: its embeddings [B,D], its own memory, which follows them, and the other's, which it is compared with. */
struct side_of {
    const char *name;
    struct node *embedding, *own, *other;
};

static struct node *memory(struct graph *g, const struct method_site *site, const char *name, int64_t dimension)
{
    return graph_state(g, site->own, name, SHAPE(site->samples, dimension),
                       (struct init){INIT_UNIFORM, sqrt(3.0 / (double)dimension)});
}

static struct node *contrast(struct graph *g, const struct method_site *site, const struct side_of *side,
                             struct node *indices, const struct crd_options *o)
{
    if (!side->embedding || !side->other || !indices)
        return NULL;
    const double n = (double)site->samples, m = (double)indices->spec.shape.dim[1] - 1;
    const struct shape column = SHAPE(indices->spec.shape.dim[0], o->dimension, 1);
    struct node *rows = graph_gather(g, side->other, indices, 0); /* [B,1+m,D] */
    struct node *near = graph_matmul(g, rows, graph_reshape(g, side->embedding, column), false, false);
    near = graph_div(g, graph_reshape(g, near, indices->spec.shape), graph_real(g, &o->temperature));
    struct node *power = graph_exp(g, near);
    struct node *kept =
        graph_state(g, site->own, arena_format(g->arena, "z.%s", side->name), SHAPE(1), (struct init){INIT_ZERO, 0});
    struct node *first = graph_stop_gradient(g, graph_mul(g, graph_mean_all(g, power), graph_scalar(g, n)));
    struct node *z =
        graph_where(g, graph_compare(g, kept, RELATION_GREATER, graph_scalar(g, 0)), kept, first); /* [1] */
    struct node *old = graph_mul(g, graph_gather(g, side->own, site->sample, 0), graph_scalar(g, o->momentum));
    struct node *moved = graph_add(g, old, graph_mul(g, side->embedding, graph_scalar(g, 1 - o->momentum)));
    if (graph_update(g, kept, z) != STATUS_OK ||
        graph_update_rows(g, side->own, site->sample, graph_unit_rows(g, graph_stop_gradient(g, moved))) != STATUS_OK)
        return NULL;
    struct node *x =
        graph_log(g, graph_add(g, graph_div(g, power, z), graph_scalar(g, m / n + 1e-7))); /* log (x + m/N + e) */
    struct node *itself = graph_sub(g, graph_slice(g, near, 1, 0, 1, 1), graph_log(g, z));
    struct node *others = graph_scalar(g, m * log(m / n)); /* the same for each sample */
    struct node *told = graph_sub(g, graph_add(g, graph_sum(g, itself, 2, false), others), graph_sum(g, x, 2, false));
    return graph_sub(g, graph_scalar(g, 0), graph_mean_all(g, told));
}

static struct node *crd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct crd_options *o = options;
    const int64_t m = o->negatives < site->samples ? o->negatives : site->samples - 1;
    struct node *s = graph_flatten(g, site->student[0].node), *t = graph_flatten(g, site->teacher[0].node);
    if (!s || !t)
        return NULL;
    struct node *indices = part_given(g, site, "indices", ELEMENT_I32, SHAPE(s->spec.shape.dim[0], 1 + m));
    if (!indices && g->ctx->error.status == STATUS_OK) {
        const char *stream = arena_format(g->arena, "%s.indices", site->term);
        indices = stream
                      ? graph_other_samples(g, site->sample, o->negatives_from == FROM_ALL ? NULL : site->sample_labels,
                                            site->samples, m, random_stream(stream))
                      : NULL;
    }
    struct node *of_student = memory(g, site, "memory.student", o->dimension),
                *of_teacher = memory(g, site, "memory.teacher", o->dimension);
    struct side_of a = {"student", graph_unit_rows(g, part_linear(g, site, s, "student", o->dimension, PART_BIAS)),
                        of_student, of_teacher};
    struct side_of c = {"teacher", graph_unit_rows(g, part_linear(g, site, t, "teacher", o->dimension, PART_BIAS)),
                        of_teacher, of_student};
    return graph_add(g, contrast(g, site, &a, indices, o), contrast(g, site, &c, indices, o));
}

static double reference_contrast(const struct method_case *c, struct map m, const char *name, const char *other,
                                 const char *z_name, const struct crd_options *o)
{
    struct shape of_memory, of_indices;
    const double *memory = c->own(c, other, &of_memory), *indices = c->own(c, "indices", &of_indices),
                 *kept = reference_own(c, z_name);
    const int d = (int)o->dimension, width = (int)of_indices.dim[1];
    const double n = (double)of_memory.dim[0], share = (width - 1) / n;
    double *power = reference_take(c, (int64_t)m.b * width), mean = 0, sum = 0;
    m = reference_convolution(c, m, name);
    for (int b = 0; b < m.b; b++) {
        reference_unit(m.v + b * d, d, 1);
        for (int k = 0; k < width; k++) {
            double dot = 0;
            for (int i = 0; i < d; i++)
                dot += memory[(int)indices[b * width + k] * d + i] * m.v[b * d + i];
            power[b * width + k] = exp(dot / o->temperature.value);
            mean += power[b * width + k] / (m.b * width);
        }
    }
    const double z = kept && kept[0] > 0 ? kept[0] : n * mean;
    for (int i = 0; i < m.b * width; i++)
        sum += log((i % width == 0 ? power[i] / z : share) / (power[i] / z + share + 1e-7));
    return -sum / m.b;
}

static double crd_reference(const struct method_case *c, const void *options)
{
    struct map s = reference_student(c, 0), t = reference_teacher(c, 0);
    s = (struct map){s.b, map_row(&s), 1, 1, s.v};
    t = (struct map){t.b, map_row(&t), 1, 1, t.v};
    return reference_contrast(c, s, "student", "memory.teacher", "z.student", options) +
           reference_contrast(c, t, "teacher", "memory.student", "z.teacher", options);
}

const struct method method_crd = {
    .name = "crd",
    .summary = "an embedding tells the teacher's of the same sample from those of many others",
    .formula = "h(x_s) + h(x_t), h = -1/B sum_b (log x_b0/(x_b0 + m/N) + sum_k log (m/N)/(x_bk + m/N))",
    .paper = "Tian 2020, arXiv 1910.10699",
    .when = "Beside kd, on the embeddings before the classifiers, where training time is no matter: each step reads "
            "`negatives` rows a "
            "sample of two memories. With fewer of them it is nearly as good.",
    .family = FAMILY_RELATION,
    .wants = METHOD_WANTS_SAMPLE,
    METHOD_INPUTS(crd_inputs),
    METHOD_OPTIONS(crd_specs, struct crd_options),
    .batch_min = 1,
    .build = crd_build,
    .reference = crd_reference,
};
