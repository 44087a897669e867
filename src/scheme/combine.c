/* combine.c: see combine.h. */
#include "scheme/combine.h"

#include <math.h>
#include <string.h>

#define LEAST_F32 1e-30   /* of a probability, whose logarithm must stay finite */
#define LEAST_ROWS 1e-300 /* the same in double */
#define LEFT_OUT (-1e30)  /* added to logits that are no class of ours */

static double weights_sum(const struct ensemble *ensemble)
{
    double sum = 0;
    for (int i = 0; i < ensemble->n_members; i++)
        sum += ensemble->members[i].weight;
    return sum;
}

static bool member_knows(const struct member *member, int class)
{
    bool knows = !member->classes;
    for (int o = 0; !knows && o < member->outputs; o++)
        knows = member->classes[o] == class;
    return knows;
}

static int known_count(const struct ensemble *ensemble, const struct member *member)
{
    int count = 0;
    for (int k = 0; k < ensemble->classes; k++)
        count += member_knows(member, k);
    return count;
}

/* all_known: does every member know every class? */
static bool all_known(const struct ensemble *ensemble)
{
    bool all = true;
    for (int i = 0; all && i < ensemble->n_members; i++)
        all = known_count(ensemble, &ensemble->members[i]) == ensemble->classes;
    return all;
}

int combine_class_missing(const struct ensemble *ensemble)
{
    for (int k = 0; k < ensemble->classes; k++) {
        bool known = false;
        for (int i = 0; !known && i < ensemble->n_members; i++)
            known = member_knows(&ensemble->members[i], k);
        if (!known)
            return k;
    }
    return -1;
}

/* centring: [K,K]: a row of log-probabilities times it has its mean over the member's classes taken away, 0 where the member knows
 * nothing, and is weighted by the member's part among those that know a class. */
static void centring(const struct ensemble *ensemble, int index, double *matrix)
{
    const int k = ensemble->classes;
    const struct member *member = &ensemble->members[index];
    const double known = known_count(ensemble, member);
    for (int to = 0; to < k; to++) {
        double sum = 0;
        for (int i = 0; i < ensemble->n_members; i++)
            sum += member_knows(&ensemble->members[i], to) ? ensemble->members[i].weight : 0;
        for (int from = 0; from < k; from++) {
            const bool both = member_knows(member, from) && member_knows(member, to);
            matrix[from * k + to] = both ? ((from == to) - 1 / known) * member->weight / sum : 0;
        }
    }
}

/* --- as nodes --- */

/* probabilities_node: of our classes, [B,K]. */
static struct node *probabilities_node(struct graph *graph, const struct ensemble *ensemble,
                                       const struct member *member, struct node *logits)
{
    if (!member->classes)
        return graph_softmax(graph, logits);
    struct context *ctx = graph->ctx;
    double *mask = memory_new(ctx, (size_t)member->outputs, sizeof *mask);
    double *map = memory_new(ctx, (size_t)member->outputs * (size_t)ensemble->classes, sizeof *map);
    struct node *mapped = NULL;
    for (int o = 0; mask && map && o < member->outputs; o++) {
        const int class = member->classes[o];
        mask[o] = class < 0 ? LEFT_OUT : 0;
        if (class >= 0)
            map[o * ensemble->classes + class] = 1;
    }
    if (mask && map) {
        struct node *left = graph_add(graph, logits, graph_constant(graph, SHAPE(member->outputs), mask));
        struct node *to = graph_constant(graph, SHAPE(member->outputs, ensemble->classes), map);
        mapped = graph_matmul(graph, graph_softmax(graph, left), to, false, false);
    }
    memory_free(ctx, mask);
    memory_free(ctx, map);
    return mapped;
}

static struct node *log_node(struct graph *graph, struct node *probabilities)
{
    return graph_log(graph, graph_maximum(graph, probabilities, graph_scalar(graph, LEAST_F32)));
}

/* logits_node: the member's own, or as log-probabilities of our classes. */
static struct node *logits_node(struct graph *graph, const struct ensemble *ensemble, const struct member *member,
                                struct node *logits)
{
    return member->classes ? log_node(graph, probabilities_node(graph, ensemble, member, logits)) : logits;
}

static struct node *centred_node(struct graph *graph, const struct ensemble *ensemble, int index, struct node *logits)
{
    const int64_t k = ensemble->classes;
    double *matrix = memory_new(graph->ctx, (size_t)(k * k), sizeof *matrix);
    if (!matrix)
        return NULL;
    centring(ensemble, index, matrix);
    struct node *by = graph_constant(graph, SHAPE(k, k), matrix);
    memory_free(graph->ctx, matrix);
    return graph_matmul(graph, logits_node(graph, ensemble, &ensemble->members[index], logits), by, false, false);
}

struct node *combine_nodes(struct graph *graph, const struct ensemble *ensemble, struct node *const *logits)
{
    const bool comparable = all_known(ensemble), mean_logit = ensemble->how == COMBINE_MEAN_LOGIT;
    const double all = weights_sum(ensemble);
    struct node *sum = NULL;
    if (ensemble->n_members == 1 && comparable)
        return logits_node(graph, ensemble, &ensemble->members[0], logits[0]);
    for (int i = 0; i < ensemble->n_members; i++) {
        const struct member *member = &ensemble->members[i];
        struct node *part = !comparable  ? centred_node(graph, ensemble, i, logits[i])
                            : mean_logit ? logits_node(graph, ensemble, member, logits[i])
                                         : probabilities_node(graph, ensemble, member, logits[i]);
        if (comparable)
            part = graph_mul(graph, part, graph_scalar(graph, member->weight / all));
        sum = i == 0 ? part : graph_add(graph, sum, part);
    }
    return comparable && !mean_logit ? log_node(graph, sum) : sum;
}

/* --- as numbers --- */

/* probabilities_row: softmax of a row over the outputs that are classes of ours, added up by class. */
static void probabilities_row(const struct ensemble *ensemble, const struct member *member, const double *logits,
                              double *out)
{
    double largest = -INFINITY, sum = 0;
    for (int k = 0; k < ensemble->classes; k++)
        out[k] = 0;
    for (int o = 0; o < member->outputs; o++)
        if (!member->classes || member->classes[o] >= 0)
            largest = fmax(largest, logits[o]);
    for (int o = 0; o < member->outputs; o++) {
        const int class = member->classes ? member->classes[o] : o;
        const double p = class >= 0 ? exp(logits[o] - largest) : 0;
        if (class >= 0)
            out[class] += p;
        sum += p;
    }
    for (int k = 0; k < ensemble->classes; k++)
        out[k] /= sum;
}

static void logits_row(const struct ensemble *ensemble, const struct member *member, const double *logits, double *out)
{
    if (member->classes)
        probabilities_row(ensemble, member, logits, out);
    for (int k = 0; k < ensemble->classes; k++)
        out[k] = member->classes ? log(fmax(out[k], LEAST_ROWS)) : logits[k];
}

/* row_add: the member's part of one row. */
static void row_add(const struct ensemble *ensemble, const struct member *member, const double *matrix, double part,
                    const double *logits, double *row, double *out)
{
    const int k = ensemble->classes;
    if (!matrix && ensemble->how == COMBINE_MEAN_PROBABILITY && ensemble->n_members > 1)
        probabilities_row(ensemble, member, logits, row);
    else
        logits_row(ensemble, member, logits, row);
    for (int to = 0; to < k; to++)
        for (int from = 0; matrix && from < k; from++)
            out[to] += row[from] * matrix[from * k + to];
    for (int to = 0; !matrix && to < k; to++)
        out[to] += part * row[to];
}

static bool adds_probabilities(const struct ensemble *ensemble)
{
    return all_known(ensemble) && ensemble->how == COMBINE_MEAN_PROBABILITY && ensemble->n_members > 1;
}

enum status combine_rows_add(struct context *ctx, const struct ensemble *ensemble, int index, const double *logits,
                             int64_t rows, double *out)
{
    const int k = ensemble->classes;
    const struct member *member = &ensemble->members[index];
    const bool comparable = all_known(ensemble);
    const double part = member->weight / weights_sum(ensemble);
    double *matrix = comparable ? NULL : memory_new(ctx, (size_t)k * (size_t)k, sizeof *matrix);
    double *row = memory_new(ctx, (size_t)k, sizeof *row);
    const enum status status = row && (comparable || matrix) ? STATUS_OK : ctx->error.status;
    if (status == STATUS_OK && !comparable)
        centring(ensemble, index, matrix);
    for (int64_t b = 0; b < rows && status == STATUS_OK; b++)
        row_add(ensemble, member, matrix, part, logits + b * member->outputs, row, out + b * k);
    memory_free(ctx, matrix);
    memory_free(ctx, row);
    return status;
}

void combine_rows_finish(const struct ensemble *ensemble, int64_t rows, double *out)
{
    const int64_t count = adds_probabilities(ensemble) ? rows * ensemble->classes : 0;
    for (int64_t i = 0; i < count; i++)
        out[i] = log(fmax(out[i], LEAST_ROWS));
}

enum status combine_rows(struct context *ctx, const struct ensemble *ensemble, const double *const *logits,
                         int64_t rows, double *out)
{
    memset(out, 0, (size_t)rows * (size_t)ensemble->classes * sizeof *out);
    for (int m = 0; m < ensemble->n_members; m++)
        RETURN_IF(combine_rows_add(ctx, ensemble, m, logits[m], rows, out));
    combine_rows_finish(ensemble, rows, out);
    return STATUS_OK;
}
