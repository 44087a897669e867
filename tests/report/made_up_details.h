/* made_up_details.h: what a made-up run's record holds beyond its figures. */
#ifndef TESTS_REPORT_MADE_UP_DETAILS_H
#define TESTS_REPORT_MADE_UP_DETAILS_H

#include "base/random.h"
#include "record/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_UP_EACH = 8, MADE_UP_DIFFERING = 5, MADE_UP_SIDE = 28, MADE_UP_ROW = 1000, MADE_UP_CLASSES_MAX = 40 };

static inline double made_up_uniform(const char *what, int64_t index)
{
    struct random_key key = {.seed = 11, .stream = random_stream(what)};
    return random_uniform(&key, (uint64_t)index);
}

/* made_up_confusion: a hundred of the thousand samples of a class are mistakes; the last class has no sample. */
static inline void made_up_confusion(struct context *ctx, struct record *record, const char *stage, int classes)
{
    int32_t counts[MADE_UP_CLASSES_MAX * MADE_UP_CLASSES_MAX] = {0};
    for (int row = 0; row < classes - 1; row++) {
        counts[row * classes + row] = MADE_UP_ROW - 100;
        for (int i = 0; i < 100; i++)
            counts[row * classes + (int)(made_up_uniform(stage, row * 100 + i) * classes)]++;
    }
    const struct record_array array = {"confusion", RECORD_I32, 2, {classes, classes}, counts};
    record_array(ctx, record, stage, &array);
}

static inline void made_up_outcomes(struct context *ctx, struct record *record, const char *stage)
{
    const int32_t counts[] = {8400, 500, 300, 600, 200};
    const struct record_array array = {"outcomes", RECORD_I32, 1, {5}, counts};
    record_array(ctx, record, stage, &array);
}

static inline void made_up_logits(struct context *ctx, struct record *record, const char *stage, const char *name,
                                  int64_t count, int64_t classes)
{
    float logits[MADE_UP_EACH * MADE_UP_CLASSES_MAX * MADE_UP_CLASSES_MAX];
    for (int64_t i = 0; i < count * classes; i++)
        logits[i] = (float)(6 * made_up_uniform(stage, i) + (i % classes == i / classes / MADE_UP_EACH ? 5 : 0));
    const struct record_array array = {name, RECORD_F32, 2, {count, classes}, logits};
    record_array(ctx, record, stage, &array);
}

static inline void made_up_samples(struct context *ctx, struct record *record, const char *stage, int classes)
{
    int32_t labels[MADE_UP_EACH * MADE_UP_CLASSES_MAX];
    int64_t count = MADE_UP_EACH * (int64_t)classes;
    for (int64_t i = 0; i < count; i++)
        labels[i] = (int32_t)(i / MADE_UP_EACH);
    const struct record_array array = {"class_labels", RECORD_I32, 1, {count}, labels};
    record_array(ctx, record, stage, &array);
    made_up_logits(ctx, record, stage, "class_logits", count, classes);
}

static inline void made_up_differing(struct context *ctx, struct record *record, const char *stage, int classes)
{
    static unsigned char images[MADE_UP_DIFFERING * MADE_UP_SIDE * MADE_UP_SIDE];
    const int32_t samples[] = {17, 4, 9999, 123, 8}, labels[] = {3, 0, -1, 7, 9};
    for (size_t i = 0; i < sizeof images; i++)
        images[i] = (unsigned char)(i * 5);
    const struct record_array places = {"differing_samples", RECORD_I32, 1, {MADE_UP_DIFFERING}, samples};
    const struct record_array classes_of = {"differing_labels", RECORD_I32, 1, {MADE_UP_DIFFERING}, labels};
    const struct record_array pixels = {
        "differing_images", RECORD_U8, 4, {MADE_UP_DIFFERING, MADE_UP_SIDE, MADE_UP_SIDE, 1}, images};
    record_array(ctx, record, stage, &places);
    record_array(ctx, record, stage, &classes_of);
    record_array(ctx, record, stage, &pixels);
    made_up_logits(ctx, record, stage, "differing_logits", MADE_UP_DIFFERING, classes);
    made_up_logits(ctx, record, stage, "differing_teacher_logits", MADE_UP_DIFFERING, classes);
}

/* made_up_layers: a name that must be escaped among them. */
static inline void made_up_layers(struct context *ctx, struct record *record, const char *stage)
{
    static const struct record_layer layers[] = {{"stem<1>", "conv", "[12,28,28]", 108, 84672},
                                                 {"relu", "relu", "[12,28,28]", 0, 0},
                                                 {"flatten", "flatten", "[9408]", 0, 0},
                                                 {"logits", "linear", "[10]", 94090, 94080}};
    record_layers(ctx, record, stage, layers, sizeof layers / sizeof *layers);
}

/* made_up_early_exit: the curve of a network with exits. */
static inline void made_up_early_exit(struct context *ctx, struct record *record, const char *stage)
{
    enum { POINTS = 6 };
    float rows[POINTS][3];
    for (int i = 0; i < POINTS; i++) {
        rows[i][0] = 0.5f + 0.1f * (float)i;
        rows[i][1] = 0.86f + 0.01f * (float)i;
        rows[i][2] = 300000.0f + 150000.0f * (float)i;
    }
    const struct record_array array = {"early_exit", RECORD_F32, 2, {POINTS, 3}, rows};
    record_array(ctx, record, stage, &array);
}

/* made_up_details: as a run would leave them: of the teacher and the first seed more than of the others. */
static inline void made_up_details(struct context *ctx, struct record *record, const char *stage, const char *role,
                                   int seed, int classes)
{
    bool teacher = strcmp(role, "teacher") == 0;
    made_up_confusion(ctx, record, stage, classes);
    if (!teacher)
        made_up_outcomes(ctx, record, stage);
    if (!teacher && seed > 0)
        return;
    made_up_samples(ctx, record, stage, classes);
    if (!teacher)
        made_up_differing(ctx, record, stage, classes);
    made_up_layers(ctx, record, stage);
}

#endif
