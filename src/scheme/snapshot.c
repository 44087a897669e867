/* snapshot.c: snapshot distillation: what the network was at the end of a cycle of the rate teaches it in the next.
 *
 *     first cycle   labels
 *     then          (1 + 1/T) labels + cross-entropy(softmax(z_teacher / T), softmax(z)), T: 2
 *
 * Each cycle is a cosine of the rate, so that the network at its end is worth learning from; the teacher is that network, frozen. The
 * optimiser begins each cycle anew. Yang 2019 (CVPR), arXiv 1812.00123, equation 2 with its asymmetric temperatures. */
#include "scheme/build.h"

struct snapshot_options {
    int64_t cycles;
    double temperature;
};

static const struct option_spec snapshot_specs[] = {
    {.name = "cycles",
     .offset = offsetof(struct snapshot_options, cycles),
     .type = OPTION_INTEGER,
     .initial = "2",
     .min = 2,
     .max = 100,
     .help = "cosines of the rate, which share the epochs"},
    SCHEME_TEMPERATURE(struct snapshot_options, "2", "of the teacher's logits; the student's are taken as they are"),
};

static struct value *snapshot_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct snapshot_options *o = options;
    const double t = o->temperature;
    struct value *list = losses_add(arena, value_list(arena), "labels", 1 + 1 / t, NULL, 0);
    list = losses_add(arena, list, "soft-ce", 1, "teacher_factor", t);
    if (list)
        value_set(arena, list->items[1], "temperature", value_real(arena, 1));
    return list;
}

/* cycle_begin: the stage of a cycle, with its part of the epochs and steps. */
static struct stage *cycle_begin(const struct request *request, struct stage_list *list, int64_t cycle, int64_t cycles)
{
    const struct budget *whole = &request->budget;
    const char *role = cycle == cycles - 1 ? "distilled" : arena_format(list->arena, "cycle%d", (int)cycle + 1);
    struct stage *stage = role ? stage_begin(request, list, role) : NULL;
    if (!stage)
        return NULL;
    if (cycle < cycles - 1)
        stage->role = "cycle";
    const int64_t first = whole->epochs * cycle / cycles;
    stage->first_epoch = first;
    stage->budget.epochs = whole->epochs * (cycle + 1) / cycles - first;
    if (whole->steps >= 0)
        stage->budget.steps = whole->steps * (cycle + 1) / cycles - whole->steps * cycle / cycles;
    stage->budget.cosine = true;
    stage->sampler = SAMPLER_LABELLED;
    return stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0 ? NULL : stage;
}

/* teacher_add: the network as it is when the stage begins, frozen. */
static enum status teacher_add(const struct request *request, struct stage_list *list, struct stage *stage,
                               struct network *network)
{
    static const int before[] = {1};
    const struct event event = {.when = EVENT_BEGIN, .what = EVENT_COPY, .from = 0, .to = 1};
    const struct lesson lesson = {.student = 0, .n_teachers = 1, .teachers = before, .weight = 1};
    if (stage_learner(list->arena, stage, learner_frozen("teacher", network)) < 0 ||
        stage_event(list->arena, stage, event) < 0)
        return request->ctx->error.status;
    return stage_teach(request, list, stage, &lesson);
}

static enum status snapshot_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct snapshot_options *o = options;
    struct network *teacher = fresh_network(request, list, 0);
    if (!teacher)
        return request->ctx->error.status;
    if (request->budget.epochs < o->cycles && request->budget.steps != 0)
        return value_fail(request->ctx, value_get(request->at, "cycles"), STATUS_BAD_INPUT,
                          "scheme snapshot: expected at least an epoch for each of the %lld cycles, found "
                          "student.train.epochs %lld",
                          (long long)o->cycles, (long long)request->budget.epochs);
    for (int64_t i = 0; i < o->cycles; i++) {
        struct stage *stage = cycle_begin(request, list, i, o->cycles);
        if (!stage)
            return request->ctx->error.status;
        RETURN_IF(i == 0 ? stage_plain(request, list, stage, 0) : teacher_add(request, list, stage, teacher));
    }
    return STATUS_OK;
}

extern const struct scheme scheme_snapshot;
const struct scheme scheme_snapshot = {
    .name = "snapshot",
    .summary = "the network at the end of a cycle of the rate teaches it in the next",
    .paper = "Yang 2019, arXiv 1812.00123",
    .drawing =
        "labels --> student (cycle 1) ==its end, frozen==> teacher --soft labels--> student (cycle 2) <-- labels …",
    .teacher = TEACHER_NONE,
    .options = snapshot_specs,
    .n_options = sizeof snapshot_specs / sizeof *snapshot_specs,
    .options_size = sizeof(struct snapshot_options),
    .n_own = 1,
    .losses = snapshot_losses,
    .stages = snapshot_stages,
};
