/* byot.c: be your own teacher: the deepest exit of a network teaches the shallow ones.
 *
 *     deepest exit d   labels
 *     each other m     (1 - alpha) labels + alpha KL(z_d -> m) + lambda 1/B sum |f_m - f_d|^2, f_d constant; alpha 0.3, lambda 0.03, T 3
 *
 * An exit is a bottleneck, which makes features f_m as large as the deepest f_d, and a classifier. The exits are kept for early exit, or
 * left away. Zhang 2019 (ICCV), arXiv 1905.08094, equation 5. */
#include "scheme/build.h"

#include "nn/network.h"
#include "nn/with_exits.h"

struct byot_options {
    struct option_texts exits;
    int64_t width;
    double lambda, alpha, temperature;
    int keep;
};
enum { KEEP_EXITS, KEEP_LAST };
static const char *const keeps[] = {"exits", "last", NULL};

static const struct option_spec byot_specs[] = {
    {.name = "exits",
     .offset = offsetof(struct byot_options, exits),
     .type = OPTION_TEXTS,
     .help = "layers behind which there is an exit; default: the last of each resolution but the last, of an MLP each "
             "activation but the last"},
    {.name = "width",
     .offset = offsetof(struct byot_options, width),
     .type = OPTION_INTEGER,
     .initial = "0",
     .min = 0,
     .max = 1e6,
     .help = "of an exit's features; 0: as the deepest ones; another goes with lambda: 0"},
    SCHEME_NUMBER(struct byot_options, lambda, "0.03",
                  "weight of the square distance of an exit's features from the deepest"),
    {.name = "keep",
     .offset = offsetof(struct byot_options, keep),
     .type = OPTION_CHOICE,
     .initial = "exits",
     .choices = keeps,
     .help = "what is evaluated and saved: the network with its exits, or with the last alone"},
    {.name = "alpha",
     .offset = offsetof(struct byot_options, alpha),
     .type = OPTION_REAL,
     .initial = "0.3",
     .min = 0,
     .max = 1,
     .help = "the deepest exit's part in what an exit learns; the labels have the rest"},
    SCHEME_TEMPERATURE(struct byot_options, "3", "of what an exit learns from the deepest"),
};

static struct value *byot_losses(struct arena *arena, const struct budget *budget, const void *options)
{
    (void)budget;
    const struct byot_options *o = options;
    return losses_mixture(arena, 1 - o->alpha, o->alpha, o->temperature);
}

/* features_term: lambda 1/B sum |f - f_d|^2: fitnet is the mean over the features, too. */
static enum status features_term(const struct request *request, const struct byot_options *o, struct stage_list *list,
                                 struct stage *stage, const char *exit, const char *deepest)
{
    struct term term;
    const struct network *network = stage->learners[0].network;
    const char *features = arena_format(list->arena, "%s_features", exit);
    const int layer = network_layer(network, deepest, NULL),
              own = features ? network_layer(network, features, NULL) : -1;
    if (layer < 0 || own < 0)
        return request->ctx->error.status;
    const int64_t width = network->layers[layer].output.dim[1];
    if (network->layers[own].output.dim[1] != width)
        return value_fail(
            request->ctx, value_get(request->at, "width"), STATUS_BAD_INPUT,
            "width: expected the %lld of the deepest features, to which lambda compares those of an exit; "
            "leave width out, or say lambda: 0",
            (long long)width);
    RETURN_IF(method_term(request->ctx, list->arena, "fitnet", NULL, &term));
    term.name = features;
    term.student = term.teacher = 0;
    term.student_taps = arena_copy(list->arena, &features, sizeof features);
    term.teacher_taps = arena_copy(list->arena, &deepest, sizeof deepest);
    term.n_student_taps = term.n_teacher_taps = 1;
    term.weight = real_constant(o->lambda * (double)width);
    return stage_term(list->arena, stage, term);
}

/* exit_lessons: what each exit but the deepest learns. */
static enum status exit_lessons(const struct request *request, const struct byot_options *o, struct stage_list *list,
                                struct stage *stage, const char *deepest)
{
    static const int itself[] = {0};
    const struct network *network = stage->learners[0].network;
    for (int m = 1;; m++) {
        const char *exit = arena_format(list->arena, "exit%d", m);
        if (!exit)
            return request->ctx->error.status;
        if (network_output(network, exit) < 0)
            return STATUS_OK;
        const struct lesson lesson = {.student = 0,
                                      .n_teachers = 1,
                                      .teachers = itself,
                                      .weight = 1,
                                      .student_layer = exit,
                                      .teacher_layer = network->layers[network->logits].name,
                                      .name = exit};
        RETURN_IF(stage_teach(request, list, stage, &lesson));
        if (o->lambda > 0)
            RETURN_IF(features_term(request, o, list, stage, exit, deepest));
    }
}

static enum status byot_stages(const struct request *request, const void *options, struct stage_list *list)
{
    const struct byot_options *o = options;
    const struct exits_spec spec = {.layers = o->exits.values, .count = (int)o->exits.count, .width = o->width};
    struct value *description;
    RETURN_IF(network_exits(request->student, &spec, request->at, list->arena, &description));
    const char *deepest = network_deepest_features(request->student, request->at);
    struct stage *stage = stage_begin(request, list, "distilled");
    struct network *network =
        request->network(request, MADE_OF_DESCRIPTION, description, request->student->name, request->seed);
    if (!stage || !network || !deepest ||
        stage_learner(list->arena, stage, learner_student(request, "student", network)) < 0)
        return request->ctx->error.status;
    RETURN_IF(stage_plain(request, list, stage, 0));
    RETURN_IF(exit_lessons(request, o, list, stage, deepest));
    return o->keep == KEEP_EXITS ? STATUS_OK : stage_part(request, list, stage, request->student);
}

extern const struct scheme scheme_byot;
const struct scheme scheme_byot = {
    .name = "byot",
    .summary = "the deepest exit of a network teaches the shallow ones",
    .paper = "Zhang 2019, arXiv 1905.08094",
    .drawing = "block1 ------> block2 ------> block3 --> logits <-- labels\n"
               "  +-> exit1      +-> exit2                |\n"
               "       ^--------------^----- KL, features-+            labels --> each exit",
    .teacher = TEACHER_NONE,
    .options = byot_specs,
    .n_options = sizeof byot_specs / sizeof *byot_specs,
    .options_size = sizeof(struct byot_options),
    .n_own = 2,
    .losses = byot_losses,
    .stages = byot_stages,
};
