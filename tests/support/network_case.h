/* network_case.h: networks from the text of a recipe's `network:`. Lacking memory ends the test. */
#ifndef SUPPORT_NETWORK_CASE_H
#define SUPPORT_NETWORK_CASE_H

#include "nn/network.h"

struct network_case {
    struct context ctx;
    struct arena *arena;
    struct network *network; /* of the last network_case_build; NULL: it failed, see ctx.error */
};

/* A context whose blocks are counted; network_case_free answers how many are left. */
void network_case_new(struct network_case *c);
int network_case_free(struct network_case *c);
/* network_case_input: images [1,28,28] of ten classes, no statistics. */
struct network_input network_case_input(void);
/* network_case_build: the network "net" of YAML text, called "recipe.yaml" in messages; frees the one before and
 * forgets its error. */
enum status network_case_build(struct network_case *c, const char *yaml, const struct network_input *input);
/* network_case_need: the same on network_case_input; a failure fails the test with the message. */
void network_case_need(struct network_case *c, const char *yaml);
/* network_case_holds: has `whole` every tensor of `part`, with the same bits? If not, the test fails and names it. */
void network_case_holds(const struct network *whole, const struct network *part);
/* network_case_same: besides, `whole` has no other layers, and each of them reads the same. */
void network_case_same(const struct network *whole, const struct network *part);

#endif
