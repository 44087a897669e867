/* one.c: on-the-fly native ensemble: branches of one network, whose ensemble teaches each of them.
 *
 *     z_e = sum_m g_m z_m, g = softmax(ReLU(BN(linear(pooled trunk))))
 *     sum_m labels_m + labels_e + r sum_m KL(z_e -> m), T 3          r = exp(-5 (1 - t/80)^2) in the first 80 epochs, then 1
 *
 * The layers behind the trunk stand several times; z_e learns by its labels alone. What is kept is the first branch, which is the student,
 * or the whole with its gate. Lan 2018 (NeurIPS), arXiv 1806.04606, equations 2 to 7. */
#include "scheme/build.h"

#include "nn/branches.h"
#include "nn/network.h"

struct one_options {
    int64_t branches;
    const char *trunk;
    double weight, ramp, temperature;
    int keep;
};
enum { KEEP_BRANCH, KEEP_ALL };
static const char *const keeps[] = {"branch", "all", NULL};

static const struct option_spec one_specs[] = {
    {.name = "branches",
     .offset = offsetof(struct one_options, branches),
     .type = OPTION_INTEGER,
     .initial = "3",
     .min = 2,
     .max = BRANCHES_MOST,
     .help = "how often the layers behind the trunk stand"},
    {.name = "trunk",
     .offset = offsetof(struct one_options, trunk),
     .type = OPTION_TEXT,
     .help = "its last layer; default: the last map before the last resolution, of an MLP the first activation"},
    SCHEME_NUMBER(struct one_options, weight, "1", "of what the branches learn from the ensemble"),
    SCHEME_NUMBER(struct one_options, ramp, "80", "epochs in which that weight grows to its value"),
    {.name = "keep",
     .offset = offsetof(struct one_options, keep),
     .type = OPTION_CHOICE,
     .initial = "branch",
     .choices = keeps,
     .help = "what is evaluated and saved: the first branch, or all of them with the gate"},
    SCHEME_TEMPERATURE(struct one_options, "3", "of what the branches learn from the ensemble"),
};

static struct value *one_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct one_options *o = options;
    return losses_mixture(arena, 1, 1, o->temperature);
}

static const char *output_layer(const struct network *network, const char *output)
{
    return network->layers[network_output(network, output)].name;
}

static enum status one_lessons(const struct request *request, const struct one_options *o, struct stage_list *list,
                               struct stage *stage, const struct network *network)
{
    static const int itself[] = {0};
    const char *ensemble = output_layer(network, "logits");
    struct lesson lesson = {.student = 0,
                            .n_teachers = 1,
                            .teachers = itself,
                            .weight = o->weight,
                            .factor = real_ramp(list->arena, o->ramp),
                            .teacher_layer = ensemble};
    for (int64_t i = 1; i <= o->branches; i++) {
        lesson.name = arena_format(list->arena, "branch%d", (int)i);
        if (!lesson.name)
            return request->ctx->error.status;
        lesson.student_layer = output_layer(network, lesson.name);
        RETURN_IF(stage_teach(request, list, stage, &lesson));
    }
    lesson = (struct lesson){.student = 0, .student_layer = ensemble, .name = "ensemble"};
    return stage_teach(request, list, stage, &lesson);
}

static enum status one_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct one_options *o = options;
    const struct branches_spec spec = {.from = o->trunk, .count = (int)o->branches};
    struct value *description;
    RETURN_IF(network_branches(request->student, &spec, request->at, list->arena, &description));
    struct stage *stage = stage_begin(request, list, "distilled");
    struct network *network =
        request->network(request, MADE_OF_DESCRIPTION, description, request->student->name, request->seed);
    if (!stage || !network || stage_learner(list->arena, stage, learner_student(request, "network", network)) < 0)
        return request->ctx->error.status;
    RETURN_IF(one_lessons(request, o, list, stage, network));
    return o->keep == KEEP_ALL ? STATUS_OK : stage_part(request, list, stage, request->student);
}

extern const struct scheme scheme_one;
const struct scheme scheme_one = {
    .name = "one",
    .summary = "branches of one network learn from their ensemble, which a gate weighs",
    .paper = "Lan 2018, arXiv 1806.04606",
    .drawing =
        "        +--> branch1 (the student) --+\n"
        "trunk --+--> branch2 ----------------+--> ensemble --KL--> each branch      labels --> branches, ensemble\n"
        "        +--> branch3 ----------------+\n"
        "        +--> gate -------------------+",
    .teacher = TEACHER_NONE,
    .options = one_specs,
    .n_options = sizeof one_specs / sizeof *one_specs,
    .options_size = sizeof(struct one_options),
    .n_own = 1,
    .losses = one_losses,
    .stages = one_stages,
};
