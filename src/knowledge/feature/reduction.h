/* reduction.h: how a sum over the elements of a pair of taps becomes its loss.
 *
 *     mean:  sum / elements
 *     paper: sum / B * scale * 2^(i-n+1) for tap i of n: the deepest counts most */
#ifndef KNOWLEDGE_FEATURE_REDUCTION_H
#define KNOWLEDGE_FEATURE_REDUCTION_H

#include "knowledge/reference.h"

extern const char *const reductions[];

#define REDUCTION_OPTION(owner)                                                                                        \
    {                                                                                                                  \
        .name = "reduction", .offset = offsetof(owner, reduction), .type = OPTION_CHOICE, .initial = "mean",           \
        .choices = reductions,                                                                                         \
        .help = "mean over the elements, or the paper's: the sum of a sample, halved for each tap above the deepest"   \
    }

/* reduction_apply: of elements [B,H,W,C] of the site's pair. */
struct node *reduction_apply(struct graph *graph, const struct method_site *site, struct node *elements, int reduction,
                             double scale);
double reference_reduction(const struct method_case *c, const struct map *like, double sum, int reduction,
                           double scale);

#endif
