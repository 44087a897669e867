/* dlb.c: self-distillation from the last mini-batch: what the network said of a sample one step ago teaches it now.
 *
 *     labels on the whole batch + alpha KL(logits of then -> now) on its first half, T 3; the first step: labels
 *
 * The first half of a batch are the new samples of the step before, as other views; the second half are new. A batch is as large as the
 * recipe says, so that a step is as much work as one alone. Shen 2022 (CVPR), arXiv 2203.16172, equations 3 and 4. */
#include "scheme/build.h"

struct dlb_options {
    double alpha, temperature;
};

static const struct option_spec dlb_specs[] = {
    SCHEME_NUMBER(struct dlb_options, alpha, "1", "weight of what is learnt from the step before"),
    SCHEME_TEMPERATURE(struct dlb_options, "3", "of the same"),
};

static struct value *dlb_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct dlb_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

static enum status dlb_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct dlb_options *o = options;
    static const struct memory memory = {.of = 0, .missing = MISSING_ITSELF};
    static const int then[] = {1};
    struct stage *stage = stage_begin(request, list, "distilled");
    if (!stage || stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0 ||
        stage_learner(list->arena, stage, (struct learner){.name = "a step ago", .memory = &memory}) < 0)
        return request->ctx->error.status;
    stage->sampler = SAMPLER_REPEATED;
    const struct lesson lesson = {
        .student = 0, .n_teachers = 1, .teachers = then, .weight = o->alpha, .rows = ROWS_FIRST};
    return stage_teach(request, list, stage, &lesson);
}

extern const struct scheme scheme_dlb;
const struct scheme scheme_dlb = {
    .name = "dlb",
    .summary = "each batch repeats half of the last, whose logits are remembered",
    .paper = "Shen 2022, arXiv 2203.16172",
    .drawing = "labels --> student --(logits, stored)--> the next step --KL on the samples that come again--> student",
    .teacher = TEACHER_NONE,
    .options = dlb_specs,
    .n_options = sizeof dlb_specs / sizeof *dlb_specs,
    .options_size = sizeof(struct dlb_options),
    .n_own = 1,
    .losses = dlb_losses,
    .stages = dlb_stages,
};
