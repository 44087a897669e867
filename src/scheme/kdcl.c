/* kdcl.c: peers that all learn from what they say together.
 *
 *     sum_m [ labels_m + w KL(z_e -> m) ], T 2
 *     z_e   min-logit: each peer's logits less that of the label, the smallest a class
 *           linear:    sum_m a_m z_m, a on the simplex, as it minimises the validation loss; found anew after each epoch, even at first
 *
 * In one joint step, z_e of this very step as a constant. Guo 2020 (CVPR), "Online knowledge distillation via collaborative learning". */
#include "scheme/peers.h"

#include "nn/network.h"

struct kdcl_options {
    struct peers_options peers;
    int ensemble;
    double weight, temperature;
};
enum { ENSEMBLE_MIN_LOGIT, ENSEMBLE_LINEAR };
static const char *const ensembles[] = {"min-logit", "linear", NULL};

static const struct option_spec kdcl_specs[] = {
    PEERS_OPTIONS(struct kdcl_options, peers),
    {.name = "ensemble",
     .offset = offsetof(struct kdcl_options, ensemble),
     .type = OPTION_CHOICE,
     .initial = "min-logit",
     .choices = ensembles,
     .help = "how their logits become the teacher's; linear wants labelled validation samples"},
    SCHEME_NUMBER(struct kdcl_options, weight, "1", "of what a peer learns from all together"),
    SCHEME_TEMPERATURE(struct kdcl_options, "2", "of the same"),
};

static struct value *kdcl_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct kdcl_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

/* together_add: what the peers say together; the learner, -1: error recorded. */
static int together_add(const struct request *request, struct stage_list *list, struct stage *stage, int peers,
                        bool linear)
{
    const int classes = request->student->input.classes;
    struct ensemble *ensemble = arena_take(list->arena, 1, sizeof *ensemble);
    struct member *members = arena_take(list->arena, (size_t)peers, sizeof *members);
    if (!ensemble || !members)
        return -1;
    for (int i = 0; i < peers; i++)
        members[i] = (struct member){.learner = i, .weight = 1, .outputs = classes};
    *ensemble = (struct ensemble){linear ? COMBINE_MEAN_LOGIT : COMBINE_MIN_LOGIT, classes, peers, members};
    const int together = stage_learner(list->arena, stage,
                                       (struct learner){.name = "ensemble", .ensemble = ensemble, .weighed = linear});
    const struct event weigh = {.when = EVENT_EPOCH, .what = EVENT_WEIGH, .from = 0, .to = together};
    return together < 0 || (linear && stage_event(list->arena, stage, weigh) < 0) ? -1 : together;
}

static enum status kdcl_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct kdcl_options *o = options;
    const int peers = (int)o->peers.peers;
    const bool linear = o->ensemble == ENSEMBLE_LINEAR;
    if (linear && !request->validation)
        return value_fail(request->ctx, value_get(request->at, "ensemble"), STATUS_BAD_INPUT,
                          "ensemble: linear finds its weights on labelled validation samples, and there are none; add "
                          "`validation: 5000` to data, or say min-logit");
    struct stage *stage = stage_begin(request, list, "distilled");
    if (!stage)
        return request->ctx->error.status;
    if (!linear)
        stage->sampler = SAMPLER_LABELLED;
    RETURN_IF(stage_peers(request, list, stage, &o->peers));
    const int together = together_add(request, list, stage, peers, linear);
    if (together < 0)
        return request->ctx->error.status;
    for (int i = 0; i < peers; i++) {
        const struct lesson lesson = {.student = i, .n_teachers = 1, .teachers = &together, .weight = o->weight};
        RETURN_IF(stage_teach(request, list, stage, &lesson));
    }
    return STATUS_OK;
}

extern const struct scheme scheme_kdcl;
const struct scheme scheme_kdcl = {
    .name = "kdcl",
    .summary = "peers learn from what they say together",
    .paper = "Guo 2020, CVPR",
    .drawing = "labels --> student --+                +--KL--> student\n"
               "                     +--> ensemble ---+                  one joint step, the same batch\n"
               "labels --> peer1 ----+                +--KL--> peer1",
    .teacher = TEACHER_NONE,
    .options = kdcl_specs,
    .n_options = sizeof kdcl_specs / sizeof *kdcl_specs,
    .options_size = sizeof(struct kdcl_options),
    .n_own = 1,
    .losses = kdcl_losses,
    .stages = kdcl_stages,
};
