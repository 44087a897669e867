/* online_teacher.c: a large teacher and a small student learn together, both from new weights.
 *
 *     labels_t + labels_s + w KL(t -> s)          mutual: + w KL(s -> t)
 *
 * In one joint step; what one learns from is what the other says in this very step, as a constant. At first, until the teacher knows
 * something, both learn from the labels alone. After Zhang 2018 (CVPR), arXiv 1706.00384. */
#include "scheme/build.h"

struct online_options {
    double weight, burn_in, temperature;
    bool mutual;
};

static const struct option_spec online_specs[] = {
    SCHEME_NUMBER(struct online_options, weight, "1", "of what one learns from the other"),
    {.name = "mutual",
     .offset = offsetof(struct online_options, mutual),
     .type = OPTION_BOOLEAN,
     .initial = "false",
     .help = "the teacher learns from the student, too"},
    SCHEME_NUMBER(struct online_options, burn_in, "1", "epochs at the start in which both learn from the labels alone"),
    SCHEME_TEMPERATURE(struct online_options, "1", "of what one learns from the other"),
};

static struct value *online_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct online_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

static enum status online_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct online_options *o = options;
    static const int student[] = {0}, teacher[] = {1};
    if (!request->online)
        return value_fail(request->ctx, request->at, STATUS_BAD_INPUT,
                          "scheme online-teacher needs a teacher: section with a network; found none");
    struct stage *stage = stage_begin(request, list, "distilled");
    struct network *network = request->network(request, MADE_OF_RECIPE, request->online, "teacher", request->seed);
    if (!stage || !network)
        return request->ctx->error.status;
    struct learner teaches = learner_student(request, "teacher", network);
    teaches.optimiser = request->online_optimiser;
    teaches.saved_as = seeded_name(request, list, "teacher");
    teaches.role = "teacher";
    if (stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0 ||
        !teaches.saved_as || stage_learner(list->arena, stage, teaches) < 0)
        return request->ctx->error.status;
    struct lesson lesson = {.student = 0,
                            .n_teachers = 1,
                            .teachers = teacher,
                            .weight = o->weight,
                            .factor = real_burn_in(list->arena, o->burn_in)};
    RETURN_IF(stage_teach(request, list, stage, &lesson));
    if (!o->mutual)
        return stage_plain(request, list, stage, 1);
    lesson.student = 1;
    lesson.teachers = student;
    return stage_teach(request, list, stage, &lesson);
}

extern const struct scheme scheme_online_teacher;
const struct scheme scheme_online_teacher = {
    .name = "online-teacher",
    .summary = "a large teacher and the student learn together, in one step",
    .paper = "after Zhang 2018, arXiv 1706.00384",
    .drawing = "labels --> teacher --KL--> student <-- labels      mutual: teacher <==KL==> student; one joint step\n"
               "the recipe's teacher: gives its network and optimiser; epochs and batches are the student's",
    .teacher = TEACHER_LEARNS,
    .options = online_specs,
    .n_options = sizeof online_specs / sizeof *online_specs,
    .options_size = sizeof(struct online_options),
    .n_own = 1,
    .losses = online_losses,
    .stages = online_stages,
};
