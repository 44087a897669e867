/* detail.c: see detail.h. Anybody may have written the record: nothing is taken before its shape is checked. */
#include "report/detail.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { IMAGE_SIDE_MAX = 4096, WORDS_SIZE = 128 };

struct reading {
    struct context *ctx;
    struct arena *arena;
    struct record *record;
    const char *file, *stage;
    struct report_detail *out;
};

/* What an array must look like; a dimension of -1 may be anything. */
struct expected {
    const char *name;
    enum record_element element;
    int rank;
    int64_t dim[RECORD_RANK_MAX];
};

static const char *shape_words(int rank, const int64_t *dim, char words[WORDS_SIZE])
{
    int at = snprintf(words, WORDS_SIZE, "[");
    for (int i = 0; i < rank; i++)
        at += dim[i] < 0 ? snprintf(words + at, WORDS_SIZE - (size_t)at, "%sany", i ? "," : "")
                         : snprintf(words + at, WORDS_SIZE - (size_t)at, "%s%lld", i ? "," : "", (long long)dim[i]);
    snprintf(words + at, WORDS_SIZE - (size_t)at, "]");
    return words;
}

static enum status array_wrong(const struct reading *reading, const char *name, const char *expected, int rank,
                               const int64_t *dim)
{
    char found[WORDS_SIZE];
    return fail(reading->ctx, STATUS_BAD_INPUT, "%s: array \"%s\" of stage %s: expected %s, found %s", reading->file,
                name, reading->stage, expected, shape_words(rank, dim, found));
}

/* array_get: *data NULL: there is none. dim [rank]: as found. */
static enum status array_get(const struct reading *reading, const struct expected *expected, int64_t *dim,
                             const void **data)
{
    char wanted[WORDS_SIZE], found[WORDS_SIZE];
    struct record_array array;
    *data = NULL;
    RETURN_IF(record_array_read(reading->ctx, reading->arena, reading->record, reading->stage, expected->name, &array));
    if (array.data == NULL)
        return STATUS_OK;
    bool fits = array.element == expected->element && array.rank == expected->rank;
    int64_t values = 1;
    for (int i = 0; fits && i < array.rank; i++) {
        fits = expected->dim[i] < 0 || expected->dim[i] == array.dim[i];
        dim[i] = array.dim[i];
        values *= array.dim[i];
    }
    if (!fits)
        return fail(reading->ctx, STATUS_BAD_INPUT, "%s: array \"%s\" of stage %s: expected %s %s, found %s %s",
                    reading->file, expected->name, reading->stage, record_element_text(expected->element),
                    shape_words(expected->rank, expected->dim, wanted), record_element_text(array.element),
                    shape_words(array.rank, array.dim, found));
    for (int64_t i = 0; array.element == RECORD_F32 && i < values; i++)
        if (!isfinite(((const float *)array.data)[i]))
            return fail(reading->ctx, STATUS_BAD_INPUT,
                        "%s: array \"%s\" of stage %s: expected finite numbers, found another at place %lld",
                        reading->file, expected->name, reading->stage, (long long)i);
    *data = array.data;
    return STATUS_OK;
}

static enum status read_counts(const struct reading *reading)
{
    struct report_detail *out = reading->out;
    int64_t dim[RECORD_RANK_MAX];
    const void *confusion = NULL, *outcomes = NULL;
    RETURN_IF(array_get(reading, &(struct expected){"confusion", RECORD_I32, 2, {-1, -1}}, dim, &confusion));
    if (confusion != NULL && (dim[0] != dim[1] || dim[0] == 0))
        return array_wrong(reading, "confusion", "a square", 2, dim);
    out->confusion = confusion;
    out->classes = confusion != NULL ? dim[0] : 0;
    RETURN_IF(array_get(reading, &(struct expected){"outcomes", RECORD_I32, 1, {DETAIL_OUTCOMES}}, dim, &outcomes));
    out->outcomes = outcomes;
    return STATUS_OK;
}

static enum status read_samples(const struct reading *reading)
{
    struct report_detail *out = reading->out;
    int64_t dim[RECORD_RANK_MAX] = {0};
    const void *labels = NULL, *logits = NULL;
    RETURN_IF(array_get(reading, &(struct expected){"class_labels", RECORD_I32, 1, {-1}}, dim, &labels));
    int64_t count = dim[0];
    RETURN_IF(
        array_get(reading, &(struct expected){"class_logits", RECORD_F32, 2, {count, out->classes}}, dim, &logits));
    if (labels == NULL || logits == NULL)
        return STATUS_OK;
    for (int64_t i = 0; i < count; i++)
        if (((const int32_t *)labels)[i] < 0 || ((const int32_t *)labels)[i] >= out->classes)
            return fail(reading->ctx, STATUS_BAD_INPUT,
                        "%s: array \"class_labels\" of stage %s: expected classes below %lld, found %d", reading->file,
                        reading->stage, (long long)out->classes, ((const int32_t *)labels)[i]);
    out->sample.count = count;
    out->sample.label = labels;
    out->sample.logit = logits;
    return STATUS_OK;
}

static enum status read_images(const struct reading *reading, int64_t count)
{
    struct report_detail *out = reading->out;
    int64_t dim[RECORD_RANK_MAX] = {0};
    const void *images = NULL;
    RETURN_IF(
        array_get(reading, &(struct expected){"differing_images", RECORD_U8, 4, {count, -1, -1, -1}}, dim, &images));
    bool drawn = dim[1] > 0 && dim[1] <= IMAGE_SIDE_MAX && dim[2] > 0 && dim[2] <= IMAGE_SIDE_MAX &&
                 (dim[3] == 1 || dim[3] == 3);
    if (images == NULL)
        return STATUS_OK;
    if (!drawn)
        return array_wrong(reading, "differing_images", "images of 1 or 3 channels", 4, dim);
    out->differing.image = images;
    out->differing.height = dim[1];
    out->differing.width = dim[2];
    out->differing.channels = dim[3];
    return STATUS_OK;
}

static enum status read_differing(const struct reading *reading)
{
    struct report_detail *out = reading->out;
    int64_t dim[RECORD_RANK_MAX] = {0};
    const void *samples = NULL, *labels = NULL, *student = NULL, *teacher = NULL;
    RETURN_IF(array_get(reading, &(struct expected){"differing_samples", RECORD_I32, 1, {-1}}, dim, &samples));
    int64_t count = dim[0], k = out->classes;
    RETURN_IF(array_get(reading, &(struct expected){"differing_labels", RECORD_I32, 1, {count}}, dim, &labels));
    RETURN_IF(array_get(reading, &(struct expected){"differing_logits", RECORD_F32, 2, {count, k}}, dim, &student));
    RETURN_IF(
        array_get(reading, &(struct expected){"differing_teacher_logits", RECORD_F32, 2, {count, k}}, dim, &teacher));
    if (samples == NULL || labels == NULL || student == NULL || teacher == NULL)
        return STATUS_OK;
    out->differing.count = count;
    out->differing.sample = samples;
    out->differing.label = labels;
    out->differing.student = student;
    out->differing.teacher = teacher;
    return read_images(reading, count);
}

static enum status read_early_exit(const struct reading *reading)
{
    int64_t dim[RECORD_RANK_MAX] = {0};
    const void *rows = NULL;
    RETURN_IF(
        array_get(reading, &(struct expected){"early_exit", RECORD_F32, 2, {-1, DETAIL_EXIT_COLUMNS}}, dim, &rows));
    reading->out->early_exit.count = dim[0];
    reading->out->early_exit.row = rows;
    return STATUS_OK;
}

enum status detail_read(struct context *ctx, struct arena *arena, struct record *record, const char *file,
                        const char *stage, struct report_detail *out)
{
    struct reading reading = {ctx, arena, record, file, stage, out};
    struct record_layer *layers = NULL;
    *out = (struct report_detail){0};
    RETURN_IF(read_counts(&reading));
    if (out->classes > 0) {
        RETURN_IF(read_samples(&reading));
        RETURN_IF(read_differing(&reading));
    }
    RETURN_IF(read_early_exit(&reading));
    RETURN_IF(record_layers_read(ctx, arena, record, stage, &layers, &out->layers));
    out->layer = layers;
    return STATUS_OK;
}

void detail_probabilities(const float *logit, int64_t classes, double temperature, double *out)
{
    double top = logit[0], sum = 0;
    for (int64_t i = 1; i < classes; i++)
        top = fmax(top, (double)logit[i]);
    for (int64_t i = 0; i < classes; i++)
        sum += out[i] = exp(((double)logit[i] - top) / temperature);
    for (int64_t i = 0; i < classes; i++)
        out[i] /= sum;
}
