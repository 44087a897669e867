/* cs_kd.c: class-wise self-knowledge distillation: a sample learns from another of its class.
 *
 *     labels_a + lambda KL(z_b -> a), T 4          pairs (a, b) of one class
 *
 * a is the first half of a batch, b the second, which the network sees apart and without gradient or labels. A sample that is alone in
 * its class is its own partner. A batch, both halves, is as large as the recipe says. Yun 2020 (CVPR), arXiv 2003.13964, equation 3. */
#include "scheme/build.h"

struct cs_kd_options {
    double lambda, temperature;
};

static const struct option_spec cs_kd_specs[] = {
    SCHEME_NUMBER(struct cs_kd_options, lambda, "1", "weight of what a sample learns from the other of its class"),
    SCHEME_TEMPERATURE(struct cs_kd_options, "4", "of the same"),
};

static struct value *cs_kd_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct cs_kd_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

static enum status cs_kd_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct cs_kd_options *o = options;
    static const int partner[] = {1};
    struct stage *stage = stage_begin(request, list, "distilled");
    struct learner first = learner_student(request, "student", request->student),
                   second = learner_frozen("student on the others", request->student);
    first.rows = ROWS_FIRST;
    second.rows = ROWS_SECOND;
    second.training = true;
    if (!stage || stage_learner(list->arena, stage, first) < 0 || stage_learner(list->arena, stage, second) < 0)
        return request->ctx->error.status;
    stage->sampler = SAMPLER_PAIRS;
    const struct lesson lesson = {.student = 0, .n_teachers = 1, .teachers = partner, .weight = o->lambda};
    return stage_teach(request, list, stage, &lesson);
}

extern const struct scheme scheme_cs_kd;
const struct scheme scheme_cs_kd = {
    .name = "cs-kd",
    .summary = "a sample learns from another of its class",
    .paper = "Yun 2020, arXiv 2003.13964",
    .drawing = "labels of a --> student(a) <--KL-- student(b)      pairs of one class; b without gradient",
    .teacher = TEACHER_NONE,
    .options = cs_kd_specs,
    .n_options = sizeof cs_kd_specs / sizeof *cs_kd_specs,
    .options_size = sizeof(struct cs_kd_options),
    .n_own = 1,
    .losses = cs_kd_losses,
    .stages = cs_kd_stages,
};
