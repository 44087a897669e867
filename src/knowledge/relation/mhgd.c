/* knowledge/relation/mhgd.c: how the samples of a batch attend to each other from one map to the next, as in the teacher.
 *
 *     transfer:  loss = sum over i, heads, rows  KL(softmax tanh Gs || softmax tanh Gt)
 *     attention: loss = sum over i  mean_b (1 - u . v_current), which is how the heads of i are learnt
 *
 * Of the i-th two consecutive taps: their first right singular vectors, v_previous and v_current [B,C] (relation/singular.h), and
 * from these the graphs G [heads,B,B] and the guess u [B,C] of v_current (relation/heads.h). Stage attention is of the teacher
 * alone; stage transfer has its heads frozen. Lee 2019 (BMVC), arXiv 1907.02226. */
#include "knowledge/inputs.h"
#include "knowledge/relation/heads.h"
#include "knowledge/relation/singular.h"
#include "knowledge/rows.h"

enum { STAGE_TRANSFER, STAGE_ATTENTION };
static const char *const stages[] = {"transfer", "attention", NULL};

struct mhgd_options {
    int stage;
    int64_t heads;
    struct connector_options connector;
};

static const struct option_spec mhgd_specs[] = {
    {.name = "stage",
     .offset = offsetof(struct mhgd_options, stage),
     .type = OPTION_CHOICE,
     .initial = "transfer",
     .choices = stages,
     .help = "attention: first, the teacher's heads are learnt, without a student's tap; transfer: with them frozen"},
    {.name = "heads",
     .offset = offsetof(struct mhgd_options, heads),
     .type = OPTION_INTEGER,
     .initial = "8",
     .min = 1,
     .max = 1024,
     .help = "graphs for each two consecutive maps; one alone learns nothing in stage attention: it is never kept"},
    CONNECTOR_OPTIONS(struct mhgd_options, connector),
};

static const struct method_input mhgd_inputs[] = {
    {"map", ROLE_MAP, SIDE_STUDENT, 0, METHOD_TAPS},
    {"map", ROLE_MAP, SIDE_TEACHER, 2, METHOD_TAPS},
};

static struct node *transfer(struct graph *g, const struct method_site *site, struct step student, struct step teacher,
                             int64_t heads)
{
    struct node *s = graph_tanh(g, heads_graphs(g, site, student, heads, PART_FROZEN));
    struct node *t = graph_tanh(g, heads_graphs(g, site, teacher, heads, PART_FROZEN));
    return graph_sum_all(g, rows_kl(g, graph_log_softmax(g, s), graph_log_softmax(g, t)));
}

static struct node *mhgd_build(struct graph *g, const struct method_site *site, const void *options)
{
    const struct mhgd_options *o = options;
    const bool learn = o->stage == STAGE_ATTENTION;
    struct node *sum = NULL;
    struct step s = {NULL, NULL}, t = {NULL, NULL};
    if (learn && site->n_student > 0) {
        fail(g->ctx, STATUS_BAD_INPUT,
             "method %s: stage attention is of the teacher alone: expected 0 taps of the student, found %d",
             site->method->name, site->n_student);
        return NULL;
    }
    if (!learn && singular_refused(g, site, 1))
        return NULL;
    for (int i = 0; i < site->n_teacher; i++) {
        struct node *vectors = singular_teacher(g, site, i, 1, NULL);
        t = (struct step){t.current, graph_flatten(g, vectors)};
        s = learn ? t
                  : (struct step){s.current, graph_flatten(g, singular_student(g, site, i, &o->connector, vectors))};
        if (!s.current || !t.current)
            return NULL;
        if (i == 0)
            continue;
        const struct method_site at = part_at(site, i - 1, site->n_teacher);
        struct node *term = learn ? heads_attention(g, &at, t, o->heads) : transfer(g, &at, s, t, o->heads);
        sum = i > 1 ? graph_add(g, sum, term) : term;
    }
    return sum;
}

static double reference_heads_transfer(const struct method_case *c, const double *s, const double *t, int n, int heads)
{
    double *rows[2] = {reference_take(c, n), reference_take(c, n)}, loss = 0;
    for (int row = 0; row < heads * n; row++) {
        for (int j = 0; j < n; j++) {
            rows[0][j] = tanh(s[row * n + j]);
            rows[1][j] = tanh(t[row * n + j]);
        }
        reference_log_softmax(rows[0], n, 1);
        reference_log_softmax(rows[1], n, 1);
        loss += reference_kl(rows[0], rows[1], n);
    }
    return loss;
}

/* flat: the first vectors [B,1,C] as maps [B,C,1,1]. */
static struct map flat(struct map m)
{
    return (struct map){m.b, m.h, 1, 1, m.v};
}

static double mhgd_reference(const struct method_case *c, const void *options)
{
    const struct mhgd_options *o = options;
    const bool learn = o->stage == STAGE_ATTENTION;
    const int heads = (int)o->heads;
    struct map s = {0}, t = {0};
    double sum = 0;
    for (int i = 0; i < c->n_teacher; i++) {
        struct method_case at = *c;
        at.pair = i - 1;
        at.pairs = c->n_teacher;
        struct map vectors = reference_singular_teacher(c, i, 1, NULL), x = flat(vectors), y = x;
        if (!learn)
            y = flat(reference_singular_student(c, i, &o->connector, vectors));
        if (i > 0)
            sum += learn ? reference_heads_attention(&at, t, x, heads)
                         : reference_heads_transfer(&at, reference_graphs(&at, s, y, heads, false),
                                                    reference_graphs(&at, t, x, heads, false), x.b, heads);
        s = y;
        t = x;
    }
    return sum;
}

static bool mhgd_teacher_alone(const void *options)
{
    return ((const struct mhgd_options *)options)->stage == STAGE_ATTENTION;
}

const struct method method_mhgd = {
    .name = "mhgd",
    .summary = "samples attend to each other from map to map as in the teacher, by heads that the teacher learnt",
    .formula = "sum KL(softmax tanh Gs || softmax tanh Gt); G_h = a_h b_h^T of the maps' first singular vectors",
    .paper = "Lee 2019, arXiv 1907.02226",
    .when = "With a stage before it that learns the heads on the teacher alone (stage: attention). For batches of one "
            "fixed size: "
            "the sum grows with the batch. Where a step may take a decomposition a sample and tap.",
    .family = FAMILY_RELATION,
    .wants = METHOD_SAME_NUMBER,
    METHOD_INPUTS(mhgd_inputs),
    METHOD_OPTIONS(mhgd_specs, struct mhgd_options),
    .batch_min = 2,
    .bounded = SINGULAR_BOUNDED,
    .build = mhgd_build,
    .teacher_alone = mhgd_teacher_alone,
    .reference = mhgd_reference,
};
