/* judges.c: see judges.h. */
#include "train/judges.h"

#include <math.h>

enum { EVALUATED_AT_ONCE = 250 };

struct judge {
    int learner;
    int64_t classes;
    const char *name;
    struct evaluator *evaluator;
    double *logits;
    struct metrics metrics;
};

struct judges {
    struct context *ctx;
    const struct split *validation;
    int count;
    struct judge *items;
};

static const struct metrics unknown = {0, NAN, NAN, NAN, NAN};

static enum status judge_add(struct judges *judges, const struct judges_spec *spec, int learner, const char *name)
{
    const struct network *network = spec->stage->learners[learner].network;
    struct judge *judge = &judges->items[judges->count++];
    *judge = (struct judge){.learner = learner, .classes = network->input.classes, .name = name, .metrics = unknown};
    judge->logits =
        memory_new(judges->ctx, (size_t)(judges->validation->count * judge->classes), sizeof *judge->logits);
    judge->evaluator = evaluator_new(judges->ctx, network, judges->validation, EVALUATED_AT_ONCE, spec->precision,
                                     spec->kernels, spec->memory);
    return judge->logits && judge->evaluator ? STATUS_OK : judges->ctx->error.status;
}

static enum status judges_add(struct judges *judges, const struct judges_spec *spec)
{
    const struct stage *stage = spec->stage;
    if (judges->validation->count == 0 || judges->validation->labelled == 0 || !stage_measures(stage))
        return STATUS_OK;
    RETURN_IF(judge_add(judges, spec, stage->subject, stage->name));
    for (int i = 0; i < stage->n_learners; i++)
        if (stage->learners[i].saved_as)
            RETURN_IF(judge_add(judges, spec, i, stage->learners[i].saved_as));
    return STATUS_OK;
}

struct judges *judges_new(struct context *ctx, const struct judges_spec *spec)
{
    struct judges *judges = memory_new(ctx, 1, sizeof *judges);
    if (!judges)
        return NULL;
    judges->ctx = ctx;
    judges->validation = &spec->data->splits[SPLIT_VALIDATION];
    judges->items = memory_new(ctx, (size_t)spec->stage->n_learners + 1, sizeof *judges->items);
    if (!judges->items || judges_add(judges, spec) != STATUS_OK) {
        judges_free(judges);
        return NULL;
    }
    return judges;
}

void judges_free(struct judges *judges)
{
    if (!judges)
        return;
    for (int i = 0; i < judges->count; i++) {
        evaluator_free(judges->items[i].evaluator);
        memory_free(judges->ctx, judges->items[i].logits);
    }
    memory_free(judges->ctx, judges->items);
    memory_free(judges->ctx, judges);
}

bool judges_any(const struct judges *judges)
{
    return judges->count > 0;
}

enum status judges_look(struct judges *judges)
{
    const struct split *validation = judges->validation;
    for (int i = 0; i < judges->count; i++) {
        struct judge *judge = &judges->items[i];
        RETURN_IF(evaluator_logits(judge->evaluator, judge->logits));
        judge->metrics = metrics_of(judge->logits, validation->labels, validation->count, judge->classes);
    }
    return STATUS_OK;
}

static const struct judge *judge_of(const struct judges *judges, int learner)
{
    for (int i = 0; i < judges->count; i++)
        if (judges->items[i].learner == learner)
            return &judges->items[i];
    return NULL;
}

struct metrics judges_metrics(const struct judges *judges, int learner)
{
    const struct judge *judge = judge_of(judges, learner);
    return judge ? judge->metrics : unknown;
}

const double *judges_logits(const struct judges *judges, int learner)
{
    const struct judge *judge = judge_of(judges, learner);
    return judge ? judge->logits : NULL;
}

enum status judges_record(const struct judges *judges, struct record *record, int64_t epoch, int64_t step)
{
    for (int i = 0; i < judges->count && record; i++) {
        const struct judge *judge = &judges->items[i];
        RETURN_IF(record_metric(judges->ctx, record, judge->name, epoch, step, "validation", "accuracy",
                                judge->metrics.accuracy));
        RETURN_IF(
            record_metric(judges->ctx, record, judge->name, epoch, step, "validation", "loss", judge->metrics.loss));
    }
    return STATUS_OK;
}

enum status judges_rewind(struct context *ctx, const struct stage *stage, struct record *record, int64_t step)
{
    for (int i = 0; i < stage->n_learners; i++)
        if (stage->learners[i].saved_as)
            RETURN_IF(record_rewind(ctx, record, stage->learners[i].saved_as, step));
    return STATUS_OK;
}
