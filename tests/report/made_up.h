/* made_up.h: a run's folder that no run has made, for the tests of the page. */
#ifndef TESTS_REPORT_MADE_UP_H
#define TESTS_REPORT_MADE_UP_H

#include "base/file.h"
#include "base/random.h"
#include "base/statistics.h"
#include "format/json.h"
#include "made_up_details.h"
#include "record/record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct made_up {
    const char *name; /* of the run and of a processor; may hold what must be escaped */
    int seeds;        /* pairs; 0: a teacher alone */
    bool baseline;    /* with the students alone, and the comparison */
    double gain;      /* of the distilled students, on average */
    double noise;     /* deviation of the accuracies */
    bool undefined;   /* every figure that may be null is null */
    bool recorded, recipe;
    bool bare;   /* the record has no curves */
    int classes; /* of the record's details; 0: it has none, as an older run's */
    bool exits;  /* the distilled students have exits */
    bool named;  /* the classes have names, which hold what must be escaped */
};

enum { MADE_UP_SEEDS_MAX = 16, MADE_UP_EPOCHS = 15, MADE_UP_STEPS = 90 /* an epoch */ };

static inline double made_up_normal(const char *what, int index)
{
    struct random_key key = {.seed = 7, .stream = random_stream(what)};
    return random_normal(&key, (uint64_t)index);
}

/* made_up_file: writes or ends the test. */
static inline void made_up_file(struct context *ctx, const char *folder, const char *name, const char *bytes,
                                size_t count)
{
    char *path = path_join(ctx, folder, name);
    struct file_writer *writer = file_writer_new(ctx, path);
    if (writer == NULL || file_write(writer, bytes, count) != STATUS_OK || file_commit(writer) != STATUS_OK) {
        fprintf(stderr, "made_up.h: %s\n", ctx->error.message);
        abort();
    }
    memory_free(ctx, path);
}

/* made_up_exits: what a distilled stage's entry says of its exits, one of which has a name that must be escaped. */
static inline void made_up_exits(struct arena *arena, struct value *stage, double accuracy)
{
    static const char *const names[] = {"exit<1>", "exit2", "logits"};
    struct value *exits = value_list(arena), *early = value_map(arena);
    for (int i = 0; i < 3; i++) {
        struct value *exit = value_map(arena);
        value_set(arena, exit, "name", value_text(arena, names[i]));
        value_set(arena, exit, "macs", value_integer(arena, 210000 + 430000 * i));
        value_set(arena, exit, "accuracy", value_real(arena, accuracy - 0.06 + 0.03 * i));
        value_set(arena, exit, "loss", value_real(arena, 0.5 - 0.1 * i));
        value_append(arena, exits, exit);
    }
    value_set(arena, early, "threshold", value_real(arena, 0.9));
    value_set(arena, early, "accuracy", value_real(arena, accuracy + 0.001));
    value_set(arena, early, "macs", value_real(arena, 654321.25));
    value_set(arena, early, "saved", value_real(arena, 0.3959));
    value_set(arena, early, "plain_macs", value_integer(arena, 1083226));
    value_set(arena, stage, "exits", exits);
    value_set(arena, stage, "early_exit", early);
}

static inline struct value *made_up_stage(struct arena *arena, const struct made_up *spec, const char *role, int seed,
                                          double accuracy)
{
    bool teacher = seed < 0;
    struct value *stage = value_map(arena), *validation = value_map(arena), *test = value_map(arena);
    const char *name = teacher ? role : arena_format(arena, "%s-%d", role, seed);
    value_set(arena, stage, "name", value_text(arena, name));
    value_set(arena, stage, "role", value_text(arena, role));
    value_set(arena, stage, "seed", value_integer(arena, teacher ? 0 : seed));
    value_set(arena, stage, "model", value_text(arena, arena_format(arena, "models/%s.safetensors", name)));
    value_set(arena, stage, "parameters", value_integer(arena, teacher ? 140266 : 4810));
    value_set(arena, stage, "macs", value_integer(arena, teacher ? 19422848 : 1083226));
    value_set(arena, stage, "epochs", value_integer(arena, MADE_UP_EPOCHS));
    value_set(arena, stage, "steps", value_integer(arena, MADE_UP_EPOCHS * MADE_UP_STEPS));
    value_set(arena, stage, "seconds", value_real(arena, teacher ? 211.4 : 62.25));
    value_set(arena, stage, "samples_per_second", value_real(arena, teacher ? 2602.5 : 13253.0));
    value_set(arena, validation, "accuracy", value_real(arena, accuracy + 0.004));
    value_set(arena, validation, "loss", value_real(arena, 1.9 - 1.8 * accuracy));
    value_set(arena, test, "accuracy", value_real(arena, accuracy));
    value_set(arena, test, "top5", value_real(arena, spec->undefined ? NAN : 0.9978));
    value_set(arena, test, "loss", value_real(arena, spec->undefined ? NAN : 2 - 1.8 * accuracy));
    value_set(arena, test, "ece", value_real(arena, spec->undefined ? NAN : 0.0123));
    value_set(arena, stage, "validation", spec->undefined ? value_null(arena) : validation);
    value_set(arena, stage, "test", test);
    value_set(arena, stage, "fidelity", value_real(arena, teacher || spec->undefined ? NAN : 0.9312));
    if (spec->exits && strcmp(role, "distilled") == 0)
        made_up_exits(arena, stage, accuracy);
    return stage;
}

static inline struct value *made_up_side(struct arena *arena, const double *per_seed, int count)
{
    struct mean_std of = mean_std(per_seed, (size_t)count);
    struct value *side = value_map(arena), *list = value_list(arena);
    for (int i = 0; i < count; i++)
        value_append(arena, list, value_real(arena, per_seed[i]));
    value_set(arena, side, "mean", value_real(arena, of.mean));
    value_set(arena, side, "std", value_real(arena, of.std));
    return value_set(arena, side, "per_seed", list);
}

static inline struct value *made_up_comparison(struct arena *arena, const double *alone, const double *distilled,
                                               int count)
{
    double gains[MADE_UP_SEEDS_MAX];
    for (int i = 0; i < count; i++)
        gains[i] = distilled[i] - alone[i];
    struct interval interval = t_interval(gains, (size_t)count, 0.95);
    struct value *gain = made_up_side(arena, gains, count), *comparison = value_map(arena);
    value_set(arena, gain, "low", value_real(arena, interval.low));
    value_set(arena, gain, "high", value_real(arena, interval.high));
    value_set(arena, gain, "level", value_real(arena, 0.95));
    value_set(arena, comparison, "alone", made_up_side(arena, alone, count));
    value_set(arena, comparison, "distilled", made_up_side(arena, distilled, count));
    value_set(arena, comparison, "gain", gain);
    return value_set(arena, comparison, "verdict", value_text(arena, verdict_text(interval_verdict(&interval))));
}

/* made_up_curves: a loss a step, an accuracy an epoch, ending where the stage ends. */
static inline void made_up_curves(struct context *ctx, struct record *record, const struct value *stage)
{
    const char *name = value_get(stage, "name")->text;
    double end = value_path(stage, "test.accuracy")->real + 0.004;
    double offset = value_get(stage, "role")->text[0] == 'd' ? 0.4 : 0;
    for (int step = 1; step <= MADE_UP_EPOCHS * MADE_UP_STEPS; step++) {
        int epoch = (step - 1) / MADE_UP_STEPS + 1;
        double loss =
            offset + 0.25 + 2 * exp(-step / 60.0) + 0.5 * exp(-step / 500.0) + 0.04 * made_up_normal(name, step);
        record_metric(ctx, record, name, epoch, step, "train", "loss", loss);
        if (step % MADE_UP_STEPS == 0)
            record_metric(ctx, record, name, epoch, step, "validation", "accuracy",
                          end - 0.25 * exp(-epoch / 2.0) + 0.0015 * made_up_normal(name, -epoch));
    }
}

/* made_up_write: the folder must exist and be empty. */
static inline void made_up_write(struct context *ctx, const struct made_up *spec, const char *folder)
{
    static const char recipe[] = "data:\n  name: fashion-mnist\n  validation: 5000\n  augment: {flip: true, shift: 2}\n"
                                 "student:\n  network: {name: cnn, widths: [8, 8, 12]} # <small> & \"quick\"\n"
                                 "distill:\n  scheme: offline\n  losses:\n    - {method: labels, weight: 0.1}\n"
                                 "    - {method: kd, temperature: 1, weight: 0.9}\nseeds: [0, 1, 2, 3, 4]\n";
    struct arena *arena = arena_new(ctx);
    struct value *root = value_map(arena), *machine = value_map(arena), *stages = value_list(arena);
    double alone[MADE_UP_SEEDS_MAX], distilled[MADE_UP_SEEDS_MAX];
    value_append(arena, stages, made_up_stage(arena, spec, "teacher", -1, 0.9306));
    for (int i = 0; i < spec->seeds; i++) {
        alone[i] = 0.9021 + spec->noise * made_up_normal("alone", i);
        distilled[i] = alone[i] + spec->gain + spec->noise * made_up_normal("gain", i);
        if (spec->baseline)
            value_append(arena, stages, made_up_stage(arena, spec, "alone", i, alone[i]));
        value_append(arena, stages, made_up_stage(arena, spec, "distilled", i, distilled[i]));
    }
    value_set(arena, machine, "cpu", value_text(arena, spec->name));
    value_set(arena, machine, "cores", value_integer(arena, 2));
    value_set(arena, machine, "threads", value_integer(arena, 1));
    value_set(arena, machine, "isa", value_text(arena, "x86-64-v4"));
    value_set(arena, root, "format", value_integer(arena, 1));
    value_set(arena, root, "version", value_text(arena, "0.1.0"));
    value_set(arena, root, "recipe_sha256",
              value_text(arena, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
    value_set(arena, root, "machine", machine);
    value_set(arena, root, "seconds", value_real(arena, 541.7));
    struct value *names = value_list(arena);
    for (int i = 0; spec->named && i < spec->classes; i++)
        value_append(arena, names, value_text(arena, arena_format(arena, "<kind %c>", 'a' + i)));
    if (spec->named)
        value_set(arena, root, "class_names", names);
    value_set(arena, root, "stages", stages);
    value_set(arena, root, "comparison",
              spec->baseline ? made_up_comparison(arena, alone, distilled, spec->seeds) : value_null(arena));
    struct text text;
    text_init(&text, ctx);
    json_write(root, &text, 1);
    made_up_file(ctx, folder, "result.json", text.bytes, text.length);
    text_free(&text);
    if (spec->recipe)
        made_up_file(ctx, folder, "recipe.yaml", recipe, sizeof recipe - 1);
    if (spec->recorded) {
        struct record *record = NULL;
        char *path = path_join(ctx, folder, "record.sqlite");
        struct record_run about = {.name = spec->name, .started = "2026-01-31 12:00:00", .version = "0.1.0"};
        record_open(ctx, path, RECORD_CREATE, &record);
        record_run(ctx, record, &about);
        for (size_t i = 0; i < stages->count; i++) {
            const struct value *stage = stages->items[i];
            if (!spec->bare)
                made_up_curves(ctx, record, stage);
            if (spec->classes > 0)
                made_up_details(ctx, record, value_get(stage, "name")->text, value_get(stage, "role")->text,
                                (int)value_get(stage, "seed")->integer, spec->classes);
            if (value_get(stage, "exits") != NULL && value_get(stage, "seed")->integer == 0)
                made_up_early_exit(ctx, record, value_get(stage, "name")->text);
        }
        record_close(ctx, record);
        memory_free(ctx, path);
    }
    arena_free(arena);
    if (ctx->error.status != STATUS_OK) {
        fprintf(stderr, "made_up.h: %s\n", ctx->error.message);
        abort();
    }
}

#endif
