/* rows.c: see rows.h. */
#include "knowledge/rows.h"

enum { LAST = 2 }; /* the last axis of a matrix, as a mask */

struct node *rows_kl(struct graph *graph, struct node *log_p, struct node *log_q)
{
    return graph_row_sum(graph, graph_mul(graph, graph_exp(graph, log_p), graph_sub(graph, log_p, log_q)));
}

struct node *rows_centred(struct graph *graph, struct node *x)
{
    struct node *size = graph_max(graph, graph_abs(graph, graph_standardise_rows(graph, x)), LAST, true);
    struct node *alive = graph_compare(graph, size, RELATION_GREATER, graph_scalar(graph, 0));
    return graph_mul(graph, graph_sub(graph, x, graph_mean(graph, x, LAST, true)), alive);
}

struct node *rows_of_channels(struct graph *graph, struct node *map)
{
    map = graph_to_chw(graph, map);
    if (!map)
        return NULL;
    const int64_t *dim = map->spec.shape.dim;
    return graph_reshape(graph, map, SHAPE(dim[0], dim[1], dim[2] * dim[3]));
}

struct node *rows_labelled_mean(struct graph *graph, struct node *rows, struct node *labels)
{
    struct node *has = graph_has_label(graph, labels);
    struct node *count = graph_maximum(graph, graph_sum_all(graph, has), graph_scalar(graph, 1));
    return graph_div(graph, graph_sum_all(graph, graph_mul(graph, rows, has)), graph_stop_gradient(graph, count));
}

struct rows_split rows_split(struct graph *graph, struct node *logits, struct node *labels, int classes)
{
    struct rows_split split;
    struct node *nothing = graph_scalar(graph, -1e30);
    /* From the largest down: the difference of two large logits keeps its digits. */
    logits = graph_sub(graph, logits, graph_stop_gradient(graph, graph_max(graph, logits, LAST, true)));
    split.label = graph_one_hot(graph, labels, classes);
    struct node *others = graph_where(graph, split.label, nothing, logits);
    split.log_among = graph_log_softmax(graph, others);
    /* log sum exp of the others: any of them, here the largest, minus its log-softmax among them. */
    struct node *largest = graph_one_hot(graph, graph_argmax(graph, others), classes);
    struct node *log_sum =
        graph_sum(graph, graph_mul(graph, largest, graph_sub(graph, logits, split.log_among)), LAST, true);
    struct node *target = graph_sum(graph, graph_mul(graph, split.label, logits), LAST, true);
    struct node *lead = graph_sub(graph, target, log_sum);
    split.log_target = graph_log_sigmoid(graph, lead);
    split.log_rest = graph_log_sigmoid(graph, graph_sub(graph, log_sum, target));
    return split;
}
