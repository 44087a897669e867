/* loop.c: the step loop. */
#include "train/loop.h"

#include "base/file.h"
#include "base/thread.h"
#include "data/loader.h"
#include "train/checkpoint.h"
#include "train/events.h"
#include "train/images.h"
#include "train/judges.h"
#include "train/parts.h"
#include "train/shares.h"
#include "train/summary.h"
#include "train/targets.h"
#include "train/weighing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHECKPOINT_SECONDS 20.0
#define PROGRESS_SECONDS 0.1
#define SMOOTHING 0.05 /* of the loss that is shown */

struct loop {
    struct context *ctx;
    const struct loop_spec *spec;
    const struct stage *stage;
    struct stage_graph *built;
    struct program *program;
    struct learning *learning;
    struct shares *shares; /* NULL: a single term */
    bool measured;         /* this step's */
    struct loader *loader;
    struct images *images;
    struct targets *targets; /* NULL: samples are not mixed */
    struct judges *judges;
    struct augmentation augmentation; /* the data's, with the stage's views */
    int64_t steps, epoch_steps, step;
    double seconds;                 /* of training steps, earlier parts of a resumed stage included */
    double saved, shown;            /* when */
    double loss;                    /* smoothed */
    struct early_stop *best;        /* NULL: all steps are carried out */
    struct profile timed, *profile; /* profile: NULL or &timed */
};

static const struct split *split_of(const struct loop *loop, enum split_kind kind)
{
    return &loop->spec->data->splits[kind];
}

/* train_of: what is trained on. */
static const struct split *train_of(const struct loop *loop)
{
    return loop->stage->all_labels ? &loop->spec->data->all_labels : split_of(loop, SPLIT_TRAIN);
}

static enum status program_make(struct loop *loop)
{
    const struct loop_spec *spec = loop->spec;
    struct stage_graph_spec graph_spec = {.stage = loop->stage,
                                          .split = train_of(loop),
                                          .images = images_element(loop->images),
                                          .precision = spec->precision,
                                          .recordings = spec->recordings,
                                          .n_recordings = spec->n_recordings,
                                          .mixed = loop->targets != NULL};
    loop->built = stage_graph_new(loop->ctx, &graph_spec);
    if (!loop->built)
        return loop->ctx->error.status;
    struct program_spec program_spec = {.loss = loop->built->loss,
                                        .outputs = loop->built->term_values,
                                        .n_outputs = loop->stage->n_terms,
                                        .updates = true,
                                        .batch = loop->stage->budget.batch,
                                        .precision = spec->precision,
                                        .flags = spec->plan_flags};
    return program_compile(loop->built->graph, &program_spec, spec->kernels, spec->memory, &loop->program);
}

static enum status judges_make(struct loop *loop)
{
    const struct loop_spec *spec = loop->spec;
    const struct judges_spec judges = {loop->stage, spec->data, spec->precision, spec->kernels, spec->memory};
    loop->judges = judges_new(loop->ctx, &judges);
    return loop->judges ? STATUS_OK : loop->ctx->error.status;
}

static enum status best_make(struct loop *loop)
{
    const struct stage *stage = loop->stage;
    if (stage->budget.patience == 0)
        return STATUS_OK;
    if (!judges_any(loop->judges))
        return fail(loop->ctx, STATUS_BAD_INPUT,
                    "stage %s: early_stop looks at validation accuracy, and there are no labelled validation samples; "
                    "add `validation: 5000` to data",
                    stage->name);
    loop->best = early_stop_new(loop->ctx, stage->learners[stage->subject].network->parameters, stage->budget.patience);
    return loop->best ? STATUS_OK : loop->ctx->error.status;
}

static const enum loader_order orders[] = {[SAMPLER_ALL] = ORDER_ALL,
                                           [SAMPLER_LABELLED] = ORDER_LABELLED,
                                           [SAMPLER_MIXED] = ORDER_MIXED,
                                           [SAMPLER_PAIRS] = ORDER_PAIRS,
                                           [SAMPLER_REPEATED] = ORDER_REPEATED};

static enum status loop_open(struct loop *loop)
{
    struct context *ctx = loop->ctx;
    const struct budget *budget = &loop->stage->budget;
    const struct split *train;
    RETURN_IF(stage_check(ctx, loop->stage));
    RETURN_IF(data_split(ctx, loop->spec->data, SPLIT_TRAIN, false, &train));
    train = train_of(loop);
    const struct augmentation *augmentation =
        augmentation_limited(loop->spec->data->augmentation, loop->stage->views, &loop->augmentation);
    struct loader_spec loader = {.split = train,
                                 .batch = budget->batch,
                                 .shuffle = budget->shuffle,
                                 .drop_last = true,
                                 .augmentation = augmentation,
                                 .seed = loop->stage->seed,
                                 .order = orders[loop->stage->sampler],
                                 .labelled_part = loop->stage->labelled_part};
    loop->loader = loader_new(ctx, &loader);
    loop->images = images_new(ctx, train, budget->batch, loop->spec->precision);
    if (augmentation_mixes(augmentation))
        loop->targets =
            targets_new(ctx, budget->batch, loop->stage->learners[0].network->input.classes, loop->spec->precision);
    if (!loop->loader || !loop->images || ctx->error.status != STATUS_OK)
        return ctx->error.status;
    loop->epoch_steps = loader_steps(loop->loader);
    loop->steps = budget->steps >= 0 ? budget->steps : budget->epochs * loop->epoch_steps;
    RETURN_IF(program_make(loop));
    if (loop->spec->announce) {
        const struct summary summary = {loop->built, loop->program, loop->spec->recordings, loop->spec->n_recordings,
                                        loop->steps};
        RETURN_IF(summary_log(ctx, &summary));
    }
    program_profile(loop->program, loop->profile != NULL);
    RETURN_IF(judges_make(loop));
    RETURN_IF(best_make(loop));
    if (loop->stage->n_terms > 1) {
        loop->shares = shares_new(ctx, loop->built, loop->spec->kernels, loop->spec->memory);
        if (!loop->shares)
            return ctx->error.status;
    }
    for (int i = 0; i < loop->spec->n_parts_from; i++)
        RETURN_IF(parts_load(ctx, loop->spec->parts_from[i], loop->built));
    events_begin(loop->built);
    loop->learning =
        learning_new(ctx, loop->built, loop->program, kernels_of(loop->spec->kernels, loop->spec->precision));
    return loop->learning ? STATUS_OK : ctx->error.status;
}

static void loop_close(struct loop *loop)
{
    shares_free(loop->shares);
    learning_free(loop->learning);
    early_stop_free(loop->best);
    judges_free(loop->judges);
    program_free(loop->program);
    stage_graph_free(loop->built);
    images_free(loop->images);
    targets_free(loop->targets);
    loader_free(loop->loader);
}

static int64_t epoch_of(const struct loop *loop, int64_t step)
{
    return step / loop->epoch_steps;
}

static bool loop_over(const struct loop *loop)
{
    return loop->step == loop->steps || early_stop_over(loop->best);
}

static enum status loop_save(struct loop *loop)
{
    struct checkpoint at = {
        .step = loop->step, .seconds = loop->seconds, .fingerprint = loop->spec->fingerprint, .best = loop->best};
    loop->saved = clock_seconds();
    if (loop->spec->record)
        RETURN_IF(record_flush(loop->ctx, loop->spec->record));
    return loop->spec->checkpoint ? checkpoint_save(loop->ctx, loop->spec->checkpoint, loop->built, loop->learning, &at)
                                  : STATUS_OK;
}

/* loop_resume: from the checkpoint, if there is one; the record forgets what came after it. */
static enum status loop_resume(struct loop *loop)
{
    struct checkpoint at = {.fingerprint = loop->spec->fingerprint, .best = loop->best};
    if (loop->spec->checkpoint && file_exists(loop->spec->checkpoint)) {
        RETURN_IF(checkpoint_load(loop->ctx, loop->spec->checkpoint, loop->built, loop->learning, &at));
        loop->step = at.step;
        loop->seconds = at.seconds;
    }
    if (!loop->spec->record)
        return STATUS_OK;
    RETURN_IF(judges_rewind(loop->ctx, loop->stage, loop->spec->record, loop->step));
    return record_rewind(loop->ctx, loop->spec->record, loop->stage->name, loop->step);
}

static struct metrics validation_of(const struct loop *loop)
{
    return judges_metrics(loop->judges, loop->stage->subject);
}

static void show(struct loop *loop, bool epoch_end)
{
    double now = clock_seconds();
    if (!loop->spec->progress || (!epoch_end && now - loop->shown < PROGRESS_SECONDS))
        return;
    loop->shown = now;
    double samples = (double)loop->step * (double)loop->stage->budget.batch;
    double speed = loop->seconds > 0 ? samples / loop->seconds : 0;
    double left = loop->step ? (double)(loop->steps - loop->step) * loop->seconds / (double)loop->step : NAN;
    int64_t epochs = (loop->steps + loop->epoch_steps - 1) / loop->epoch_steps;
    struct loop_progress progress = {.step = loop->step,
                                     .steps = loop->steps,
                                     .epoch = epoch_of(loop, loop->step ? loop->step - 1 : 0) + 1,
                                     .epochs = epochs,
                                     .loss = loop->loss,
                                     .samples_per_second = speed,
                                     .seconds_left = left,
                                     .validation_accuracy = validation_of(loop).accuracy,
                                     .epoch_end = epoch_end,
                                     .finished = loop_over(loop)};
    loop->spec->progress(loop->spec->user, &progress);
}

static enum status metric(struct loop *loop, const char *split, const char *name, double value)
{
    if (!loop->spec->record)
        return STATUS_OK;
    return record_metric(loop->ctx, loop->spec->record, loop->stage->name, epoch_of(loop, loop->step - 1) + 1,
                         loop->step, split, name, value);
}

static struct moment moment_of(const struct loop *loop, int64_t step)
{
    return (struct moment){.progress = (double)step / (double)loop->steps,
                           .epoch = (double)step / (double)loop->epoch_steps};
}

/* shares_record: of the step that was just taken: "share.TERM" and "cosine.TERM.TERM". */
static enum status shares_record(struct loop *loop)
{
    char name[256];
    const struct stage *stage = loop->stage;
    for (int i = 0; i < stage->n_terms; i++) {
        if (!shares_shown(loop->shares, i))
            continue;
        snprintf(name, sizeof name, "share.%s", stage->terms[i].name);
        RETURN_IF(metric(loop, "train", name, shares_part(loop->shares, i, moment_of(loop, loop->step - 1))));
        for (int j = 0; j < i; j++) {
            if (!shares_shown(loop->shares, j))
                continue;
            snprintf(name, sizeof name, "cosine.%s.%s", stage->terms[j].name, stage->terms[i].name);
            RETURN_IF(metric(loop, "train", name, loop->shares->cosines[i * stage->n_terms + j]));
        }
    }
    return STATUS_OK;
}

static enum status step_record(struct loop *loop, double loss)
{
    RETURN_IF(metric(loop, "train", "loss", loss));
    for (int i = 0; loop->stage->n_terms > 1 && i < loop->stage->n_terms; i++)
        RETURN_IF(metric(loop, "train", loop->stage->terms[i].name, program_scalar(loop->program, i)));
    return loop->measured ? shares_record(loop) : STATUS_OK;
}

/* shares_log: what pulls how much at the start. */
static void shares_log(const struct loop *loop)
{
    const struct stage *stage = loop->stage;
    for (int i = 0; i < stage->n_terms; i++) {
        const struct term *term = &stage->terms[i];
        if (!shares_shown(loop->shares, i))
            continue;
        const double weight =
            term->share > 0 ? stage_weight_found(loop->built, i) : stage_weight(term, (struct moment){0});
        const double cosine = i > 0 ? loop->shares->cosines[i * stage->n_terms] : 0;
        char agreement[96] = "";
        if (i > 0)
            snprintf(agreement, sizeof agreement, ", cosine to that of %s %.2f", stage->terms[0].name, cosine);
        log_line(loop->ctx, LOG_INFO, "  %s: weight %.4g is %.0f%% of the gradients' norms at the start%s", term->name,
                 weight, 100 * shares_part(loop->shares, i, (struct moment){0}), agreement);
    }
}

/* shares_take: at the start of each epoch the terms' gradients are measured, at the stage's start weights are found by them. */
static enum status shares_take(struct loop *loop, const struct bindings *bindings)
{
    loop->measured = loop->shares && loop->step % loop->epoch_steps == 0;
    if (!loop->measured)
        return STATUS_OK;
    RETURN_IF(shares_measure(loop->shares, bindings, loop->step == 0));
    if (loop->step > 0)
        return STATUS_OK;
    RETURN_IF(shares_weigh(loop->shares, (struct moment){0}));
    if (loop->spec->announce)
        shares_log(loop);
    return STATUS_OK;
}

/* not_finite: runs the step again, looking at every value, so that the message can name the first bad one. */
static enum status not_finite(struct loop *loop, const struct bindings *bindings)
{
    struct context *ctx = loop->ctx;
    char message[sizeof ctx->error.message];
    if (program_run(loop->program, bindings, RUN_BACKWARD | RUN_CHECK) == STATUS_OK)
        return fail(ctx, STATUS_NOT_FINITE, "stage %s, step %lld: the loss is not finite; try a lower rate or clip: 1",
                    loop->stage->name, (long long)loop->step);
    snprintf(message, sizeof message, "%s", ctx->error.message);
    error_clear(ctx);
    return fail(ctx, STATUS_NOT_FINITE, "stage %s, %s", loop->stage->name, message);
}

/* weights_check: a weight that overflowed can hide behind a finite loss (ReLU makes 0 of NaN); it must not reach a file. */
static enum status weights_check(struct loop *loop)
{
    for (int i = 0; i < loop->stage->n_learners; i++) {
        const struct learner *learner = &loop->stage->learners[i];
        const struct parameters *parameters = learner->learns ? learner->network->parameters : NULL;
        for (int j = 0; parameters && j < parameters->count; j++) {
            const struct parameter *entry = &parameters->entries[j];
            const void *values = parameters_value(parameters, j);
            for (int64_t k = 0; k < entry->elements; k++)
                if (!isfinite(parameters->element == ELEMENT_F64 ? ((const double *)values)[k]
                                                                 : ((const float *)values)[k]))
                    return fail(loop->ctx, STATUS_NOT_FINITE,
                                "stage %s, step %lld: %s.%s is not finite at element %lld; try a lower rate or clip: 1",
                                loop->stage->name, (long long)loop->step, learner->name, entry->name, (long long)k);
        }
    }
    return STATUS_OK;
}

static enum status step_take(struct loop *loop, const struct batch *batch)
{
    const void *inputs[STAGE_INPUTS] = {images_of(loop->images, batch->images, batch->count), batch->labels,
                                        batch->samples, batch->rows,
                                        loop->targets ? targets_of(loop->targets, batch) : NULL};
    struct bindings bindings = {.inputs = inputs, .seed = loop->stage->seed, .step = (uint64_t)loop->step};
    graph_knobs_follow(loop->built->graph, moment_of(loop, loop->step));
    RETURN_IF(shares_take(loop, &bindings));
    profile_lap(loop->profile, PROFILE_BATCH);
    RETURN_IF(program_run(loop->program, &bindings, RUN_BACKWARD | RUN_COMMIT));
    profile_lap(loop->profile, PROFILE_PROGRAM);
    double loss = program_loss(loop->program);
    if (!isfinite(loss))
        return not_finite(loop, &bindings);
    learning_step(loop->learning, loop->step, loop->steps, loop->epoch_steps);
    events_run(loop->built, EVENT_STEP, loop->step, loop->learning->table);
    profile_lap(loop->profile, PROFILE_OPTIMISER);
    loop->loss = loop->loss > 0 ? (1 - SMOOTHING) * loop->loss + SMOOTHING * loss : loss;
    loop->step++;
    return step_record(loop, loss);
}

static enum status validate(struct loop *loop)
{
    RETURN_IF(judges_look(loop->judges));
    return loop->step == 0
               ? STATUS_OK
               : judges_record(loop->judges, loop->spec->record, epoch_of(loop, loop->step - 1) + 1, loop->step);
}

static enum status epoch_close(struct loop *loop)
{
    RETURN_IF(weights_check(loop));
    events_run(loop->built, EVENT_EPOCH, epoch_of(loop, loop->step - 1), loop->learning->table);
    RETURN_IF(validate(loop));
    RETURN_IF(weighing_run(loop->built, loop->judges, split_of(loop, SPLIT_VALIDATION)));
    if (loop->best)
        early_stop_look(loop->best, epoch_of(loop, loop->step - 1) + 1, validation_of(loop).accuracy);
    show(loop, true);
    return loop_save(loop);
}

static enum status interrupted(struct loop *loop)
{
    RETURN_IF(loop_save(loop));
    return fail(loop->ctx, STATUS_CANCELLED, "interrupted at step %lld of stage %s", (long long)loop->step,
                loop->stage->name);
}

static enum status loop_walk(struct loop *loop)
{
    struct batch batch;
    if (loop_over(loop))
        return validate(loop);
    const int64_t first = loop->stage->first_epoch;
    loader_seek(loop->loader, first + epoch_of(loop, loop->step), loop->step % loop->epoch_steps);
    while (!loop_over(loop)) {
        if (context_cancelled(loop->ctx))
            return interrupted(loop);
        double begin = clock_seconds();
        profile_begin(loop->profile);
        if (!loader_next(loop->loader, &batch)) {
            loader_epoch(loop->loader, first + epoch_of(loop, loop->step));
            continue;
        }
        RETURN_IF(step_take(loop, &batch));
        loop->seconds += clock_seconds() - begin;
        show(loop, false);
        profile_lap(loop->profile, PROFILE_RECORD);
        if (loop->step % loop->epoch_steps == 0 || loop->step == loop->steps)
            RETURN_IF(epoch_close(loop));
        else if (clock_seconds() - loop->saved > CHECKPOINT_SECONDS)
            RETURN_IF(loop_save(loop));
    }
    return STATUS_OK;
}

enum status loop_run(struct context *ctx, const struct loop_spec *spec, struct loop_result *result)
{
    enum status status = STATUS_OK;
    struct loop loop = {.ctx = ctx, .spec = spec, .stage = spec->stage, .saved = clock_seconds()};
    loop.timed.threads = spec->kernels->threads;
    loop.profile = spec->profile ? &loop.timed : NULL;
    TRY(loop_open(&loop));
    TRY(loop_resume(&loop));
    TRY(loop_walk(&loop));
    if (spec->parts_to)
        TRY(parts_save(ctx, spec->parts_to, loop.built));
    int64_t best_epoch = loop.best ? early_stop_restore(loop.best) : 0;
    if (best_epoch > 0)
        TRY(judges_look(loop.judges));
    *result = (struct loop_result){.epochs = (loop.step + loop.epoch_steps - 1) / loop.epoch_steps,
                                   .steps = loop.step,
                                   .best_epoch = best_epoch,
                                   .seconds = loop.seconds,
                                   .validation = validation_of(&loop)};
    for (int i = 0; i < spec->stage->n_learners && spec->others; i++)
        spec->others[i] = judges_metrics(loop.judges, i);
    if (loop.seconds > 0)
        result->samples_per_second = (double)loop.step * (double)spec->stage->budget.batch / loop.seconds;
    if (loop.profile)
        TRY(profile_value(loop.profile, loop.program, spec->precision, spec->kernels, spec->profile, &result->profile));
cleanup:
    loop_close(&loop);
    return status;
}
