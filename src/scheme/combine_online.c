/* combine_online.c: ensembles of networks that learn: see combine.h. */
#include "scheme/combine.h"

struct node *combine_min_logit(struct graph *graph, const struct ensemble *ensemble, struct node *const *logits,
                               struct node *labels)
{
    struct node *smallest = NULL, *hard = graph_one_hot(graph, labels, ensemble->classes);
    for (int i = 0; i < ensemble->n_members; i++) {
        struct node *right = graph_sum(graph, graph_mul(graph, logits[i], hard), 1U << 1, true); /* [B,1] */
        struct node *less = graph_sub(graph, logits[i], right);
        smallest = smallest ? graph_minimum(graph, smallest, less) : less;
    }
    return smallest;
}

struct node *combine_weighed(struct graph *graph, const struct ensemble *ensemble, struct node *const *logits,
                             struct node *weights)
{
    struct node *sum = NULL;
    for (int i = 0; i < ensemble->n_members; i++) {
        struct node *part = graph_mul(graph, logits[i], graph_slice(graph, weights, 0, i, i + 1, 1));
        sum = sum ? graph_add(graph, sum, part) : part;
    }
    return sum;
}
