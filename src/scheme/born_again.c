/* born_again.c: generations of one network, each from new weights, each taught by the one before.
 *
 *     first generation   labels
 *     then               labels + KL(the generation before -> this one), T 1
 *
 * What they say together, the mean of their probabilities, is measured as well. Furlanello 2018 (ICML), arXiv 1805.04770. */
#include "scheme/build.h"

#include "nn/network.h"

struct born_again_options {
    int64_t generations;
    double temperature;
};
enum { GENERATIONS_MAX = 32 };

static const struct option_spec born_again_specs[] = {
    {.name = "generations",
     .offset = offsetof(struct born_again_options, generations),
     .type = OPTION_INTEGER,
     .initial = "3",
     .min = 2,
     .max = GENERATIONS_MAX,
     .help = "of the network, each with all epochs of the student's training; the last is the student"},
    SCHEME_TEMPERATURE(struct born_again_options, "1", "of what a generation learns from the one before"),
};

static struct value *born_again_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct born_again_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

/* generation_stage: of a network, taught by the one before (NULL: by labels alone). */
static enum status generation_stage(const struct request *request, struct stage_list *list, const char *role,
                                    struct network *network, struct network *before)
{
    static const int teacher[] = {1};
    const struct lesson lesson = {.student = 0, .n_teachers = 1, .teachers = teacher, .weight = 1};
    struct stage *stage = role ? stage_begin(request, list, role) : NULL;
    if (!stage || stage_learner(list->arena, stage, learner_student(request, "student", network)) < 0)
        return request->ctx->error.status;
    if (network != request->student)
        stage->role = "generation";
    if (!before) {
        stage->sampler = SAMPLER_LABELLED;
        return stage_plain(request, list, stage, 0);
    }
    if (stage_learner(list->arena, stage, learner_frozen("teacher", before)) < 0)
        return request->ctx->error.status;
    return stage_teach(request, list, stage, &lesson);
}

/* together_stage: all generations as one teacher; nobody learns. */
static enum status together_stage(const struct request *request, struct stage_list *list,
                                  struct network *const *generations, int count)
{
    struct stage *stage = stage_begin(request, list, "ensemble");
    struct ensemble *ensemble = arena_take(list->arena, 1, sizeof *ensemble);
    struct member *members = arena_take(list->arena, (size_t)count, sizeof *members);
    if (!stage || !ensemble || !members)
        return request->ctx->error.status;
    const int classes = request->student->input.classes;
    *ensemble = (struct ensemble){COMBINE_MEAN_PROBABILITY, classes, count, members};
    for (int i = 0; i < count; i++) {
        members[i] = (struct member){.learner = i, .weight = 1, .outputs = classes};
        const char *name = arena_format(list->arena, "generation%d", i + 1);
        if (!name || stage_learner(list->arena, stage, learner_frozen(name, generations[i])) < 0)
            return request->ctx->error.status;
    }
    stage->subject = stage_learner(list->arena, stage, (struct learner){.name = "ensemble", .ensemble = ensemble});
    return stage->subject >= 0 ? STATUS_OK : request->ctx->error.status;
}

static enum status born_again_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct born_again_options *o = options;
    const int count = (int)o->generations;
    struct network *generations[GENERATIONS_MAX];
    for (int i = 0; i < count; i++) {
        const bool last = i == count - 1; /* has the initial weights of the student alone */
        const char *role = last ? "distilled" : arena_format(list->arena, "generation%d", i + 1);
        generations[i] = last ? request->student : fresh_network(request, list, 1000 * (int64_t)(count - 1 - i));
        if (!generations[i])
            return request->ctx->error.status;
        RETURN_IF(generation_stage(request, list, role, generations[i], i > 0 ? generations[i - 1] : NULL));
    }
    return together_stage(request, list, generations, count);
}

extern const struct scheme scheme_born_again;
const struct scheme scheme_born_again = {
    .name = "born-again",
    .summary = "generations of one network, each taught by the one before",
    .paper = "Furlanello 2018, arXiv 1805.04770",
    .drawing =
        "labels --> generation1 ==frozen==> --KL--> generation2 <-- labels ==frozen==> --KL--> student <-- labels\n"
        "and the mean of the probabilities of all: ensemble",
    .teacher = TEACHER_NONE,
    .options = born_again_specs,
    .n_options = sizeof born_again_specs / sizeof *born_again_specs,
    .options_size = sizeof(struct born_again_options),
    .n_own = 1,
    .losses = born_again_losses,
    .stages = born_again_stages,
};
