/* codistillation.c: peers that learn from copies of each other, which are a little out of date.
 *
 *     labels_i + w KL(mean of the copies' softmax -> i)
 *
 * Copies of the others are made every `exchange` steps and answer in evaluation mode; at first all learn from the labels alone. Anil 2018
 * (ICLR), arXiv 1804.03235, algorithm 1. */
#include "scheme/peers.h"

#include "nn/network.h"

struct codistillation_options {
    struct peers_options peers;
    double weight, burn_in, temperature;
    int64_t exchange;
};

static const struct option_spec codistillation_specs[] = {
    PEERS_OPTIONS(struct codistillation_options, peers),
    {.name = "exchange",
     .offset = offsetof(struct codistillation_options, exchange),
     .type = OPTION_INTEGER,
     .initial = "50",
     .min = 1,
     .max = 1e9,
     .help = "steps between two copies of the peers"},
    SCHEME_NUMBER(struct codistillation_options, weight, "1", "of what a peer learns from the copies of the others"),
    SCHEME_NUMBER(struct codistillation_options, burn_in, "1",
                  "epochs at the start in which all learn from the labels alone"),
    SCHEME_TEMPERATURE(struct codistillation_options, "1", "of the same"),
};

static struct value *codistillation_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct codistillation_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

/* copy_add: of peer `index`; the learner, -1: error recorded. */
static int copy_add(const struct request *request, struct stage_list *list, struct stage *stage, int index,
                    int64_t exchange)
{
    const struct learner *peer = &stage->learners[index];
    struct value *description = network_description(list->arena, peer->network);
    struct network *network =
        description ? request->network(request, MADE_OF_DESCRIPTION, description, peer->network->name, request->seed)
                    : NULL;
    const char *name = arena_format(list->arena, "copy of %s", peer->name);
    const int copy = network && name ? stage_learner(list->arena, stage, learner_frozen(name, network)) : -1;
    const struct event event = {.when = EVENT_STEP, .what = EVENT_COPY, .every = exchange, .from = index, .to = copy};
    return copy < 0 || stage_event(list->arena, stage, event) < 0 ? -1 : copy;
}

/* others_add: who teaches peer `index`: the copy of the other, or what the copies of all others say together; -1: error recorded. */
static int others_add(const struct request *request, struct stage_list *list, struct stage *stage, int peers, int index)
{
    if (peers == 2)
        return peers + 1 - index;
    struct ensemble *ensemble = arena_take(list->arena, 1, sizeof *ensemble);
    struct member *members = arena_take(list->arena, (size_t)peers, sizeof *members);
    const char *name = arena_format(list->arena, "others of %s", stage->learners[index].name);
    if (!ensemble || !members || !name)
        return -1;
    *ensemble = (struct ensemble){COMBINE_MEAN_PROBABILITY, request->student->input.classes, 0, members};
    for (int j = 0; j < peers; j++)
        if (j != index)
            members[ensemble->n_members++] =
                (struct member){.learner = peers + j, .weight = 1, .outputs = request->student->input.classes};
    return stage_learner(list->arena, stage, (struct learner){.name = name, .ensemble = ensemble});
}

static enum status codistillation_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct codistillation_options *o = options;
    const int peers = (int)o->peers.peers;
    const struct real *factor = real_burn_in(list->arena, o->burn_in);
    struct stage *stage = stage_begin(request, list, "distilled");
    if (!stage || !factor)
        return request->ctx->error.status;
    RETURN_IF(stage_peers(request, list, stage, &o->peers));
    for (int i = 0; i < peers; i++)
        if (copy_add(request, list, stage, i, o->exchange) < 0)
            return request->ctx->error.status;
    for (int i = 0; i < peers; i++) {
        const int others = others_add(request, list, stage, peers, i);
        if (others < 0)
            return request->ctx->error.status;
        const struct lesson lesson = {
            .student = i, .n_teachers = 1, .teachers = &others, .weight = o->weight, .factor = factor};
        RETURN_IF(stage_teach(request, list, stage, &lesson));
    }
    return STATUS_OK;
}

extern const struct scheme scheme_codistillation;
const struct scheme scheme_codistillation = {
    .name = "codistillation",
    .summary = "peers learn from copies of each other that are some steps old",
    .paper = "Anil 2018, arXiv 1804.03235",
    .drawing = "labels --> student <--KL-- copy of peer1      copies (frozen, evaluation mode) every `exchange` steps\n"
               "labels --> peer1   <--KL-- copy of student",
    .teacher = TEACHER_NONE,
    .options = codistillation_specs,
    .n_options = sizeof codistillation_specs / sizeof *codistillation_specs,
    .options_size = sizeof(struct codistillation_options),
    .n_own = 1,
    .losses = codistillation_losses,
    .stages = codistillation_stages,
};
