/* ema.c: mean teacher: the moving average of the student's weights teaches it.
 *
 *     teacher = a teacher + (1 - a) student     after each step, running statistics too; a = min(1 - 1/(step + 1), decay)
 *     labels + w r KL(teacher -> student)       or with `loss: mse`: labels + w r mean (softmax(student) - softmax(teacher))^2, w 100
 *
 * r = exp(-5 (1 - t/ramp)^2) in the first `ramp` epochs, then 1. The teacher answers in evaluation mode, and is saved too. Tarvainen,
 * Valpola 2017 (NeurIPS), arXiv 1703.01780. */
#include "scheme/build.h"

struct ema_options {
    double decay, weight, ramp, temperature;
    int loss;
};
enum { LOSS_KL, LOSS_MSE };
static const char *const losses[] = {"kl", "mse", NULL};
#define MSE_WEIGHT 100 /* the paper's */

static const struct option_spec ema_specs[] = {
    {.name = "decay",
     .offset = offsetof(struct ema_options, decay),
     .type = OPTION_REAL,
     .initial = "0.999",
     .min = 0,
     .max = 1,
     .flags = OPTION_BELOW_MAX,
     .help = "of the average in each step; at first it is the mean of all steps"},
    SCHEME_NUMBER(struct ema_options, weight, "1", "of what the student learns from the teacher"),
    SCHEME_NUMBER(struct ema_options, ramp, "5", "epochs in which that weight grows to its value"),
    {.name = "loss",
     .offset = offsetof(struct ema_options, loss),
     .type = OPTION_CHOICE,
     .initial = "kl",
     .choices = losses,
     .help = "kl of the probabilities, or mse: 100 times their mean square difference"},
    SCHEME_TEMPERATURE(struct ema_options, "1", "of both probabilities, with loss: kl"),
};

static struct value *ema_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct ema_options *o = options;
    struct value *list = losses_add(arena, value_list(arena), "labels", 1, NULL, 0);
    if (o->loss == LOSS_KL)
        return losses_add(arena, list, "kd", 1, "temperature", o->temperature);
    list = losses_add(arena, list, "logits-mse", MSE_WEIGHT, NULL, 0);
    if (list)
        value_set(arena, list->items[1], "of", value_text(arena, "probabilities"));
    return list;
}

static enum status ema_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct ema_options *o = options;
    static const int average[] = {1};
    struct stage *stage = stage_begin(request, list, "distilled");
    struct network *network = fresh_network(request, list, 0);
    struct learner teacher = learner_frozen("teacher", network);
    teacher.saved_as = seeded_name(request, list, "average");
    teacher.role = "average";
    if (!stage || !network || !teacher.saved_as ||
        stage_learner(list->arena, stage, learner_student(request, "student", request->student)) < 0 ||
        stage_learner(list->arena, stage, teacher) < 0)
        return request->ctx->error.status;
    const struct event event = {
        .when = EVENT_STEP, .what = EVENT_AVERAGE, .from = 0, .to = 1, .rate = o->decay, .ramp = true};
    if (stage_event(list->arena, stage, event) < 0)
        return request->ctx->error.status;
    const struct lesson lesson = {.student = 0,
                                  .n_teachers = 1,
                                  .teachers = average,
                                  .weight = o->weight,
                                  .factor = real_ramp(list->arena, o->ramp)};
    return stage_teach(request, list, stage, &lesson);
}

extern const struct scheme scheme_ema;
const struct scheme scheme_ema = {
    .name = "ema",
    .summary = "mean teacher: the average of the student's weights teaches it",
    .paper = "Tarvainen, Valpola 2017, arXiv 1703.01780",
    .drawing = "labels --> student ==average of its weights, each step==> teacher (evaluation mode) --KL--> student",
    .teacher = TEACHER_NONE,
    .options = ema_specs,
    .n_options = sizeof ema_specs / sizeof *ema_specs,
    .options_size = sizeof(struct ema_options),
    .n_own = 2,
    .losses = ema_losses,
    .stages = ema_stages,
};
