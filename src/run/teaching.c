/* teaching.c: see teaching.h. Making: teaching_make.c. */
#include "run/teaching.h"

#include "run/stages.h"
#include "train/model.h"

#include <string.h>

static const char ensemble_name[] = "ensemble";

/* input_check: the network reads the data's images, and its outputs are classes, or are said to be. */
static enum status input_check(struct context *ctx, const struct plan *plan, const struct teacher_plan *teacher,
                               const struct network *network)
{
    const struct network_input *input = &network->input, *data = &plan->input;
    const char *file = teacher->file ? teacher->file : teacher->name;
    if (input->channels != data->channels || input->height != data->height || input->width != data->width)
        return value_fail(ctx, teacher->at, STATUS_BAD_SHAPE,
                          "%s reads images [%d,%d,%d], but the data has [%d,%d,%d] (channels, height, width); give a "
                          "teacher of this data",
                          file, input->channels, input->height, input->width, data->channels, data->height,
                          data->width);
    if (teacher->classes && teacher->outputs != input->classes)
        return value_fail(ctx, value_get(teacher->at, "classes"), STATUS_BAD_INPUT,
                          "classes: expected one for each of the %d outputs of %s, found %d", input->classes, file,
                          teacher->outputs);
    if (!teacher->classes && input->classes != data->classes)
        return value_fail(ctx, teacher->at, STATUS_BAD_INPUT,
                          "%s has %d classes, but the data has %d; say which is which by classes: [0, …], -1 for none",
                          file, input->classes, data->classes);
    return STATUS_OK;
}

static enum status network_open(struct context *ctx, const struct plan *plan, const struct teacher_plan *teacher,
                                struct network **network)
{
    switch (teacher->kind) {
    case TEACHER_TRAINED:
        RETURN_IF(plan_network(ctx, plan, &teacher->own, teacher->name, teacher->seed, network));
        break;
    case TEACHER_WEIGHTS:
        RETURN_IF(plan_network(ctx, plan, &teacher->own, teacher->name, 0, network));
        RETURN_IF(model_load_weights(ctx, teacher->file, teacher->names, *network));
        break;
    case TEACHER_MODEL:
        RETURN_IF(model_load(ctx, teacher->file, plan->precision, network));
        break;
    case TEACHER_RECORDED:
    case TEACHER_COMMAND:
        return STATUS_OK;
    }
    return input_check(ctx, plan, teacher, *network);
}

static enum status classes_check(struct context *ctx, const struct plan *plan, const struct teaching *teaching)
{
    for (int i = 0; i < plan->teachers.count; i++) {
        const struct teacher_plan *teacher = &plan->teachers.items[i];
        for (int o = 0; o < teacher->outputs; o++)
            if (teacher->classes[o] >= plan->input.classes)
                return value_fail(ctx, value_get(teacher->at, "classes"), STATUS_BAD_INPUT,
                                  "classes: expected numbers from -1 to %d, found %d", plan->input.classes - 1,
                                  teacher->classes[o]);
    }
    const int missing = combine_class_missing(&teaching->ensemble);
    return missing < 0 ? STATUS_OK
                       : value_fail(ctx, value_get(plan->teachers.items[0].at, "classes"), STATUS_BAD_INPUT,
                                    "classes: no teacher knows class %d; add one that does", missing);
}

/* learners_make: a single teacher, or the ensemble of all and behind it its members. */
static enum status learners_make(struct context *ctx, struct arena *arena, const struct plan *plan,
                                 struct teaching *teaching)
{
    const struct teachers *teachers = &plan->teachers;
    const bool combined = teachers_combined(teachers);
    struct member *members = arena_take(arena, (size_t)teachers->count, sizeof *members);
    teaching->n_learners = teachers->count + combined;
    teaching->learners = arena_take(arena, (size_t)teaching->n_learners, sizeof *teaching->learners);
    if (!members || !teaching->learners)
        return ctx->error.status;
    for (int i = 0; i < teachers->count; i++) {
        const struct teacher_plan *teacher = &teachers->items[i];
        const int at = i + combined;
        teaching->learners[at] = (struct learner){.name = teacher->name, .network = teaching->networks[i]};
        members[i] = (struct member){.learner = 1 + at,
                                     .weight = teacher->weight,
                                     .outputs = teacher->classes ? teacher->outputs : plan->input.classes,
                                     .classes = teacher->classes};
    }
    teaching->ensemble =
        (struct ensemble){plan->combine == COMBINING_MEAN_LOGIT ? COMBINE_MEAN_LOGIT : COMBINE_MEAN_PROBABILITY,
                          plan->input.classes, teachers->count, members};
    if (!combined)
        return STATUS_OK;
    teaching->learners[0] = (struct learner){.name = ensemble_name, .ensemble = &teaching->ensemble};
    return classes_check(ctx, plan, teaching);
}

enum status teaching_open(struct context *ctx, struct arena *arena, const struct plan *plan, struct teaching *teaching)
{
    *teaching = (struct teaching){0};
    teaching->networks = arena_take(arena, (size_t)plan->teachers.count, sizeof *teaching->networks);
    teaching->outside = arena_take(arena, (size_t)plan->teachers.count, sizeof *teaching->outside);
    if (plan->teachers.count > 0 && (!teaching->networks || !teaching->outside))
        return ctx->error.status;
    teaching->count = plan->teachers.count;
    for (int i = 0; i < teaching->count; i++)
        RETURN_IF(network_open(ctx, plan, &plan->teachers.items[i], &teaching->networks[i]));
    return teaching->count > 0 ? learners_make(ctx, arena, plan, teaching) : STATUS_OK;
}

enum status teaching_of(struct context *ctx, struct arena *arena, struct network *network, const char *name,
                        struct teaching *teaching)
{
    const int classes = network->input.classes;
    struct member *member = arena_take(arena, 1, sizeof *member);
    *teaching = (struct teaching){.count = 1, .n_learners = 1};
    teaching->networks = arena_take(arena, 1, sizeof *teaching->networks);
    teaching->outside = arena_take(arena, 1, sizeof *teaching->outside);
    teaching->learners = arena_take(arena, 1, sizeof *teaching->learners);
    if (!teaching->networks || !teaching->outside || !teaching->learners || !member) {
        network_free(network);
        teaching->count = 0;
        return ctx->error.status;
    }
    teaching->networks[0] = network;
    teaching->learners[0] = (struct learner){.name = name, .network = network};
    *member = (struct member){.learner = 1, .weight = 1, .outputs = classes};
    teaching->ensemble = (struct ensemble){COMBINE_MEAN_LOGIT, classes, 1, member};
    return STATUS_OK;
}

enum status recording_add(struct context *ctx, struct teaching *teaching, struct recording recording)
{
    if (teaching->n_recordings < RECORDINGS_MAX) {
        teaching->recordings[teaching->n_recordings++] = recording;
        return STATUS_OK;
    }
    store_free(recording.store);
    return fail(ctx, STATUS_UNSUPPORTED, "at most %d layers of teachers can be recorded", RECORDINGS_MAX);
}

const struct network *teaching_network(const struct teaching *teaching)
{
    for (int i = 0; i < teaching->count; i++)
        if (teaching->networks[i])
            return teaching->networks[i];
    return NULL;
}

void teaching_close(struct context *ctx, struct teaching *teaching)
{
    for (int i = 0; i < teaching->n_recordings; i++)
        recording_free(&teaching->recordings[i]);
    for (int i = 0; i < teaching->count; i++) {
        network_free(teaching->networks[i]);
        memory_free(ctx, teaching->outside[i]);
    }
    memory_free(ctx, teaching->logits);
    *teaching = (struct teaching){0};
}

void teaching_site(const struct teaching *teaching, struct run_site *site)
{
    site->teacher_logits = teaching->logits;
    site->teacher_sha256 = teaching->sha256[0] ? teaching->sha256 : NULL;
    site->recordings = teaching->recordings;
    site->n_recordings = teaching->n_recordings;
}
