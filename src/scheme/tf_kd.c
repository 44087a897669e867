/* tf_kd.c: teacher-free distillation: from a made teacher, or from the network itself, trained alone first.
 *
 *     virtual   0.9 labels + 0.1 tf-kd                                 a made teacher: mostly right, evenly unsure, T 20
 *     self      0.1 labels + 0.9 KL(the same network, trained alone first -> student), T 20
 *
 * Yuan 2020 (CVPR), arXiv 1909.11723, sections 4.1 and 4.2. */
#include "scheme/build.h"

struct tf_kd_scheme_options {
    int teacher;
    double alpha, temperature;
};
enum { MADE_VIRTUAL, MADE_SELF };
static const char *const teachers[] = {"virtual", "self", NULL};
static const double alphas[] = {0.1, 0.9}; /* by teacher */

static const struct option_spec tf_kd_scheme_specs[] = {
    {.name = "from",
     .offset = offsetof(struct tf_kd_scheme_options, teacher),
     .type = OPTION_CHOICE,
     .initial = "virtual",
     .choices = teachers,
     .help = "virtual: a made teacher; self: the student's network, trained alone first and then frozen"},
    {.name = "alpha",
     .offset = offsetof(struct tf_kd_scheme_options, alpha),
     .type = OPTION_REAL,
     .initial = "0",
     .min = 0,
     .max = 1,
     .help = "the teacher's part, the labels have the rest; 0: 0.1 of a virtual one, 0.9 of the network itself"},
    SCHEME_TEMPERATURE(struct tf_kd_scheme_options, "20", "of what the teacher says"),
};

static struct value *tf_kd_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct tf_kd_scheme_options *o = options;
    const double alpha = o->alpha > 0 ? o->alpha : alphas[o->teacher];
    struct value *list = losses_add(arena, value_list(arena), "labels", 1 - alpha, NULL, 0);
    return losses_add(arena, list, o->teacher == MADE_SELF ? "kd" : "tf-kd", alpha, "temperature", o->temperature);
}

/* self_stage: the network alone, from other weights than the student's. */
static struct network *self_stage(const struct request *request, struct stage_list *list)
{
    struct network *network = fresh_network(request, list, 1000);
    struct stage *stage = network ? stage_begin(request, list, "self") : NULL;
    if (!stage || stage_learner(list->arena, stage, learner_student(request, "student", network)) < 0)
        return NULL;
    stage->sampler = SAMPLER_LABELLED;
    return stage_plain(request, list, stage, 0) == STATUS_OK ? network : NULL;
}

static enum status tf_kd_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct tf_kd_scheme_options *o = options;
    static const int teacher[] = {1};
    const bool self = o->teacher == MADE_SELF;
    struct network *before = self ? self_stage(request, list) : NULL;
    if (self && !before)
        return request->ctx->error.status;
    struct stage *stage = stage_begin(request, list, "distilled");
    if (!stage || stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0 ||
        (self && stage_learner(list->arena, stage, learner_frozen("teacher", before)) < 0))
        return request->ctx->error.status;
    const struct lesson lesson = {.student = 0, .n_teachers = self ? 1 : 0, .teachers = teacher, .weight = 1};
    RETURN_IF(stage_teach(request, list, stage, &lesson));
    return stage->n_terms > 0
               ? STATUS_OK
               : value_fail(request->ctx, value_get(request->at, "losses"), STATUS_BAD_INPUT,
                            "losses: scheme tf-kd has no teacher with outputs unless it says from: self; "
                            "give a loss that reads none, such as labels or tf-kd");
}

extern const struct scheme scheme_tf_kd;
const struct scheme scheme_tf_kd = {
    .name = "tf-kd",
    .summary = "from a made teacher, or from the network itself, trained alone first",
    .paper = "Yuan 2020, arXiv 1909.11723",
    .drawing = "virtual: labels and a made teacher --> student\n"
               "self:    labels --> the same network, alone ==frozen==> --KL--> student <-- labels",
    .teacher = TEACHER_NONE,
    .options = tf_kd_scheme_specs,
    .n_options = sizeof tf_kd_scheme_specs / sizeof *tf_kd_scheme_specs,
    .options_size = sizeof(struct tf_kd_scheme_options),
    .n_own = 2,
    .losses = tf_kd_losses,
    .stages = tf_kd_stages,
};
