/* asking.h: what a plan asks of its scheme, and the networks that the scheme then asks for. */
#ifndef RUN_ASKING_H
#define RUN_ASKING_H

#include "run/plan.h"

enum { NETWORKS_MADE_MAX = 256 };

/* Networks that a scheme asked for. */
struct networks_made {
    int count;
    struct network *items[NETWORKS_MADE_MAX]; /* owned */
};
void networks_made_free(struct networks_made *made);

/* Who is to be taught, and by whom. All borrowed. */
struct asking {
    const struct plan *plan;
    const struct network_plan *which; /* the student's, or an assistant's */
    const struct staging *staging;
    struct budget budget;
    uint64_t seed;
    struct network *student;
    const struct learner *teachers; /* of a scheme whose teachers are frozen */
    int n_teachers;
};

/* asking_stages: the scheme's stages, into the list; the networks that it asked for are `made`'s, also on failure. */
enum status asking_stages(struct context *ctx, const struct asking *asking, struct networks_made *made,
                          struct stage_list *list);

#endif
