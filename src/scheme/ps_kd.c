/* ps_kd.c: progressive self-knowledge distillation: what the network said of a sample one epoch ago softens its label.
 *
 *     ps-kd with a_t = alpha t / epochs in epoch t = 1, 2 …
 *
 * on the logits that the training pass of the epoch before gave, of the view that the sample had then; a sample without such (in the
 * first epoch, or left out with the last, smaller batch) has its label. Kim 2021 (ICCV), arXiv 2006.12000, section 3. */
#include "scheme/build.h"

struct ps_kd_scheme_options {
    double alpha;
};

static const struct option_spec ps_kd_scheme_specs[] = {
    {.name = "alpha",
     .offset = offsetof(struct ps_kd_scheme_options, alpha),
     .type = OPTION_REAL,
     .initial = "0.8",
     .min = 0,
     .max = 1,
     .help = "the part of the earlier predictions in the target of the last epoch; it grows with each epoch"},
};

/* ps_kd_losses: in E epochs alpha is alpha/E, 2 alpha/E … alpha. */
static struct value *ps_kd_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    const struct ps_kd_scheme_options *o = options;
    const double epochs = budget->epochs > 1 ? (double)budget->epochs : 1;
    struct value *list = losses_add(arena, value_list(arena), "ps-kd", 1, NULL, 0);
    struct value *course = value_set(arena, value_map(arena), "from", value_real(arena, o->alpha / epochs));
    course = value_set(arena, course, "to", value_real(arena, o->alpha));
    course = value_set(arena, course, "epochs", value_real(arena, epochs - 1));
    course = value_set(arena, course, "whole", value_boolean(arena, true));
    return list && value_set(arena, list->items[0], "alpha", course) ? list : NULL;
}

static enum status ps_kd_stages(const struct request *request, const void *options, struct stage_list *list)
{
    (void)options;
    static const struct memory memory = {.of = 0, .missing = MISSING_LABEL};
    static const int past[] = {1};
    struct stage *stage = stage_begin(request, list, "distilled");
    if (!stage || stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0 ||
        stage_learner(list->arena, stage, (struct learner){.name = "an epoch ago", .memory = &memory}) < 0)
        return request->ctx->error.status;
    stage->sampler = SAMPLER_LABELLED;
    const struct lesson lesson = {.student = 0, .n_teachers = 1, .teachers = past, .weight = 1};
    return stage_teach(request, list, stage, &lesson);
}

extern const struct scheme scheme_ps_kd;
const struct scheme scheme_ps_kd = {
    .name = "ps-kd",
    .summary = "the predictions of the last epoch soften the labels",
    .paper = "Kim 2021, arXiv 2006.12000",
    .drawing =
        "labels, softened by what the student said of each sample an epoch ago --> student --(stored)--> next epoch",
    .teacher = TEACHER_NONE,
    .options = ps_kd_scheme_specs,
    .n_options = sizeof ps_kd_scheme_specs / sizeof *ps_kd_scheme_specs,
    .options_size = sizeof(struct ps_kd_scheme_options),
    .n_own = 1,
    .losses = ps_kd_losses,
    .stages = ps_kd_stages,
};
