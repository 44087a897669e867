/* reduction.c: see reduction.h. */
#include "knowledge/feature/reduction.h"

enum { REDUCTION_MEAN, REDUCTION_PAPER };
const char *const reductions[] = {"mean", "paper", NULL};

struct node *reduction_apply(struct graph *graph, const struct method_site *site, struct node *elements, int reduction,
                             double scale)
{
    if (reduction == REDUCTION_MEAN)
        return graph_mean_all(graph, elements);
    struct node *sum = graph_div(graph, graph_sum_all(graph, elements), graph_count(graph, elements, 0));
    return graph_mul(graph, sum, graph_scalar(graph, ldexp(scale, site->pair - site->pairs + 1)));
}

double reference_reduction(const struct method_case *c, const struct map *like, double sum, int reduction, double scale)
{
    return reduction == REDUCTION_MEAN ? sum / like->b / map_row(like)
                                       : sum / like->b * scale * exp2(c->pair - c->pairs + 1);
}
