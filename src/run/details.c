/* details.c: see details.h. */
#include "run/details.h"

#include "train/evaluate.h"

#include <string.h>

enum {
    CONFUSION_CLASSES_MAX = 100,
    CLASS_VALUES_MAX = 4096, /* of class_logits: 16 kB a stage */
    CLASS_SAMPLES_MAX = 40   /* of each class */
};

enum status details_array(const struct details *details, const char *name, enum record_element element,
                          struct shape shape, const void *data)
{
    struct record_array array = {.name = name, .element = element, .rank = shape.rank, .data = data};
    memcpy(array.dim, shape.dim, (size_t)shape.rank * sizeof *array.dim);
    return record_array(details->ctx, details->site->folder->record, details->stage, &array);
}

enum status details_logits(const struct details *details, const char *name, const double *logits, const int32_t *rows,
                           int64_t count)
{
    int64_t k = details->classes;
    float *values = arena_take(details->arena, (size_t)(count * k) + 1, sizeof *values);
    if (!values)
        return details->ctx->error.status;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < k; j++)
            values[i * k + j] = (float)logits[rows[i] * k + j];
    return details_array(details, name, RECORD_F32, SHAPE(count, k), values);
}

static enum status confusion_record(const struct details *details)
{
    int64_t k = details->classes;
    int32_t *counts = arena_take(details->arena, (size_t)(k * k), sizeof *counts);
    if (!counts)
        return details->ctx->error.status;
    confusion_of(details->logits, details->split->labels, details->split->count, k, counts);
    return details_array(details, "confusion", RECORD_I32, SHAPE(k, k), counts);
}

static enum status outcomes_record(const struct details *details)
{
    int32_t counts[OUTCOMES];
    outcomes_of(details->site->teacher_logits, details->logits, details->split->labels, details->split->count,
                details->classes, counts);
    return details_array(details, "outcomes", RECORD_I32, SHAPE(OUTCOMES), counts);
}

/* class_rows: the first samples of each class, class by class, at most `each`; returns how many there are. */
static int64_t class_rows(const struct split *split, int64_t classes, int64_t each, int32_t *rows, int32_t *labels)
{
    int64_t count = 0;
    for (int32_t class = 0; class < classes; class ++) {
        int64_t found = 0;
        for (int64_t i = 0; i < split->count && found < each; i++) {
            if (split->labels[i] != class)
                continue;
            rows[count] = (int32_t)i;
            labels[count++] = class;
            found++;
        }
    }
    return count;
}

static enum status class_logits_record(const struct details *details)
{
    int64_t k = details->classes, each = CLASS_VALUES_MAX / (k * k);
    each = each < 1 ? 1 : each > CLASS_SAMPLES_MAX ? CLASS_SAMPLES_MAX : each;
    int32_t *rows = arena_take(details->arena, (size_t)(k * each), sizeof *rows);
    int32_t *labels = arena_take(details->arena, (size_t)(k * each), sizeof *labels);
    if (!rows || !labels)
        return details->ctx->error.status;
    int64_t count = class_rows(details->split, k, each, rows, labels);
    RETURN_IF(details_array(details, "class_labels", RECORD_I32, SHAPE(count), labels));
    return details_logits(details, "class_logits", details->logits, rows, count);
}

/* shape_words: "[12,28,28]" of inspect's list. */
static const char *shape_words(struct arena *arena, const struct value *list)
{
    const char *words = "";
    for (size_t i = 0; i < list->count && words; i++)
        words = arena_format(arena, "%s%s%lld", words, i ? "," : "", (long long)list->items[i]->integer);
    return words ? arena_format(arena, "[%s]", words) : NULL;
}

static enum status layers_record(const struct details *details, const struct network *network)
{
    struct arena *arena = details->arena;
    const struct value *document = network_inspect(arena, network), *list = value_get(document, "layers");
    struct record_layer *layers = list ? arena_take(arena, list->count + 1, sizeof *layers) : NULL;
    if (!layers)
        return details->ctx->error.status;
    for (size_t i = 0; i < list->count; i++) {
        const struct value *from = list->items[i];
        layers[i] = (struct record_layer){.name = value_get(from, "name")->text,
                                          .type = value_get(from, "type")->text,
                                          .output = shape_words(arena, value_get(from, "output")),
                                          .parameters = value_get(from, "parameters")->integer,
                                          .macs = value_get(from, "macs")->integer};
        if (!layers[i].output)
            return details->ctx->error.status;
    }
    return record_layers(details->ctx, details->site->folder->record, details->stage, layers, list->count);
}

bool details_closely(const struct run_site *site, const struct stage *stage)
{
    return strcmp(stage->role, "teacher") == 0 || stage->seed == (uint64_t)site->plan->seeds.values[0];
}

enum status details_record(struct context *ctx, const struct run_site *site, const struct stage *stage,
                           const struct network *network, const double *logits)
{
    enum status status = STATUS_OK;
    struct details details = {.ctx = ctx,
                              .arena = arena_new(ctx),
                              .site = site,
                              .stage = stage->name,
                              .split = &site->plan->data->splits[SPLIT_TEST],
                              .classes = network->input.classes,
                              .logits = logits};
    bool closely = details_closely(site, stage), few = details.classes <= CONFUSION_CLASSES_MAX;
    if (!details.arena)
        return ctx->error.status;
    if (few)
        TRY(confusion_record(&details));
    if (site->teacher_logits)
        TRY(outcomes_record(&details));
    if (closely && few)
        TRY(class_logits_record(&details));
    if (closely && few && site->teacher_logits)
        TRY(differing_record(&details));
    if (closely)
        TRY(layers_record(&details, network));
cleanup:
    arena_free(details.arena);
    return status;
}
