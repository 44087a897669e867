/* connector.h: makes a student's tap fit a teacher's: first its size, then its channels.
 *
 *     none | conv: a convolution with bias | conv-bn: without bias, then batch norm | linear, for embeddings
 *     auto: none where the channels are equal, else conv or linear */
#ifndef KNOWLEDGE_CONNECTOR_CONNECTOR_H
#define KNOWLEDGE_CONNECTOR_CONNECTOR_H

#include "knowledge/parts.h"

enum connector_kind { CONNECTOR_AUTO, CONNECTOR_NONE, CONNECTOR_CONV, CONNECTOR_CONV_BN, CONNECTOR_LINEAR };
extern const char *const connector_kinds[];

struct connector_options {
    int kind; /* enum connector_kind */
    int64_t kernel;
};

/* Two entries of a method's options, in whose struct the member is a struct connector_options. */
#define CONNECTOR_OPTIONS(owner, member)                                                                               \
    {.name = "connector",                                                                                              \
     .offset = offsetof(owner, member.kind),                                                                           \
     .type = OPTION_CHOICE,                                                                                            \
     .initial = "auto",                                                                                                \
     .choices = connector_kinds,                                                                                       \
     .help = "what makes the student's channels the teacher's; auto: nothing where they fit, else conv or linear"},    \
    {                                                                                                                  \
        .name = "kernel", .offset = offsetof(owner, member.kernel), .type = OPTION_INTEGER, .initial = "1", .min = 1,  \
        .max = 15, .help = "of the connector's convolution, odd"                                                       \
    }

/* connector_sizes: both maps average-pooled to the smaller height and the smaller width. Embeddings stay as they are. */
void connector_sizes(struct graph *graph, struct node **a, struct node **b);
/* connector_channels: x [B,H,W,C] or [B,D] with as many channels as the target has; own arrays connector.*. */
struct node *connector_channels(struct graph *graph, const struct method_site *site, struct node *x,
                                const struct node *target, const struct connector_options *options);
/* connector_tap: the same for x, which is the site's i-th student tap or made of it: an own array for each tap. */
struct node *connector_tap(struct graph *graph, const struct method_site *site, struct node *x, int i,
                           const struct connector_options *options);
/* connector_fit: both steps for a pair of taps: *student then has *teacher's shape; both NULL on failure. */
void connector_fit(struct graph *graph, const struct method_site *site, const struct connector_options *options,
                   struct node **student, struct node **teacher);

#endif
