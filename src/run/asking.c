/* asking.c: see asking.h. */
#include "run/asking.h"

struct answering {
    struct context *ctx;
    struct arena *arena;
    const struct asking *asking;
    struct networks_made *made;
};

void networks_made_free(struct networks_made *made)
{
    for (int i = 0; i < made->count; i++)
        network_free(made->items[i]);
    made->count = 0;
}

/* plan_of: what to make a network of; what is like the student is the plan's own. */
static struct network_plan plan_of(const struct asking *asking, enum made_of made, const struct value *description)
{
    if (made == MADE_LIKE_STUDENT)
        return *asking->which;
    return (struct network_plan){.network = description, .described = made == MADE_OF_DESCRIPTION};
}

static struct network *network_make(const struct request *request, enum made_of made, const struct value *description,
                                    const char *name, uint64_t seed)
{
    const struct answering *a = request->user;
    struct network *network = NULL;
    const struct network_plan which = plan_of(a->asking, made, description);
    if (a->made->count == NETWORKS_MADE_MAX) {
        fail(a->ctx, STATUS_UNSUPPORTED, "a scheme can have at most %d networks", NETWORKS_MADE_MAX);
        return NULL;
    }
    if (plan_network(a->ctx, a->asking->plan, &which, name, seed, &network) != STATUS_OK)
        return NULL;
    a->made->items[a->made->count++] = network;
    return network;
}

static enum status losses_between(const struct request *request, const struct network *student,
                                  const struct network *teacher, struct term **terms, int *count)
{
    const struct answering *a = request->user;
    const struct plan *plan = a->asking->plan;
    struct value *unused;
    const struct learner who = {.name = "teacher", .network = (struct network *)(uintptr_t)teacher};
    const struct losses_site site = {student, &who, 1};
    return losses_bind(a->ctx, a->arena, plan->losses, plan->distill, &site, terms, count, &unused);
}

enum status asking_stages(struct context *ctx, const struct asking *asking, struct networks_made *made,
                          struct stage_list *list)
{
    const struct plan *plan = asking->plan;
    struct answering answering = {ctx, list->arena, asking, made};
    struct request request = {.ctx = ctx,
                              .seed = asking->seed,
                              .student = asking->student,
                              .teachers = asking->teachers,
                              .n_teachers = asking->n_teachers,
                              .optimiser = &asking->which->train.optimiser,
                              .budget = asking->budget,
                              .phases = asking->staging->phases,
                              .n_phases = asking->staging->count,
                              .at = plan->distill,
                              .validation = plan->data->splits[SPLIT_VALIDATION].labelled > 0,
                              .network = network_make,
                              .losses = losses_between,
                              .user = &answering};
    if (plan->scheme->teacher == TEACHER_LEARNS && plan->teachers.count > 0) {
        request.online = plan->teachers.items[0].own.network;
        request.online_optimiser = &plan->teachers.items[0].own.train.optimiser;
    }
    return plan->scheme->stages(&request, plan->scheme_options, list);
}
