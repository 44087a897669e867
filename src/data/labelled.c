/* labelled.c: see labelled.h. */
#include "data/labelled.h"

#include "base/random.h"
#include "format/npy.h"

#include <math.h>

enum status labelled_bind(struct context *ctx, struct arena *arena, const struct value *value, struct labelled *out)
{
    char found[VALUE_FOUND_SIZE];
    *out = (struct labelled){.at = NULL};
    if (value == NULL || value->kind == VALUE_NULL)
        return STATUS_OK;
    out->at = value;
    if (value->kind == VALUE_TEXT) {
        out->path = arena_text(arena, value->text);
        return out->path != NULL ? STATUS_OK : ctx->error.status;
    }
    const bool number = value->kind == VALUE_INTEGER || value->kind == VALUE_REAL;
    if (!number || !(value->real >= 0 && value->real <= INT32_MAX) || floor(value->real) != value->real)
        return value_fail(ctx, value, STATUS_BAD_INPUT,
                          "data, \"labelled\": expected how many training samples keep their labels (an integer, at "
                          "least 0) or an NPY file of their indices, found %s",
                          value_found(value, found));
    out->count = (int64_t)value->real;
    return STATUS_OK;
}

/* choose_of_class: `wanted` of the `found` samples in members keep their labels. order [found]: scratch. */
static void choose_of_class(const struct labelled *labelled, int64_t class, const int32_t *members, int64_t found,
                            int64_t wanted, int32_t *order, bool *kept)
{
    const struct random_key key = {labelled->seed, random_stream("labelled"), (uint64_t) class};
    random_permutation(&key, found, order);
    for (int64_t i = 0; i < wanted; i++)
        kept[members[order[i]]] = true;
}

/* members_sort: counting sort: the samples class by class, each class's in the data's order; begins [classes + 1]: where
 * each class begins, and the end. */
static void members_sort(const int32_t *labels, int64_t samples, int64_t classes, int32_t *members, int64_t *begins)
{
    for (int64_t i = 0; i < samples; i++)
        if (labels[i] >= 0 && labels[i] < classes)
            begins[labels[i]]++;
    for (int64_t k = 1; k <= classes; k++)
        begins[k] += begins[k - 1];
    for (int64_t i = samples - 1; i >= 0; i--)
        if (labels[i] >= 0 && labels[i] < classes)
            members[--begins[labels[i]]] = (int32_t)i;
}

static enum status choose_number(struct context *ctx, const struct labelled *labelled, const int32_t *labels,
                                 int64_t samples, int64_t classes, bool *kept)
{
    enum status status = STATUS_OK;
    int32_t *members = memory_new(ctx, (size_t)samples, sizeof *members);
    int32_t *order = memory_new(ctx, (size_t)samples, sizeof *order);
    int64_t *begins = memory_new(ctx, (size_t)classes + 1, sizeof *begins);
    if (members == NULL || order == NULL || begins == NULL)
        TRY(ctx->error.status);
    members_sort(labels, samples, classes, members, begins);
    for (int64_t k = 0; k < classes; k++) {
        const int64_t found = begins[k + 1] - begins[k];
        const int64_t wanted = labelled->count / classes + (k < labelled->count % classes);
        if (found < wanted)
            TRY(value_fail(ctx, labelled->at, STATUS_BAD_INPUT,
                           "labelled: %lld samples of %lld classes are %lld of class %lld, but the train split has "
                           "%lld of it; use a smaller number",
                           (long long)labelled->count, (long long)classes, (long long)wanted, (long long)k,
                           (long long)found));
        choose_of_class(labelled, k, members + begins[k], found, wanted, order, kept);
    }

cleanup:
    memory_free(ctx, members);
    memory_free(ctx, order);
    memory_free(ctx, begins);
    return status;
}

static enum status choose_row(struct context *ctx, const struct labelled *labelled, int64_t row, int64_t index,
                              const int32_t *labels, int64_t samples, bool *kept)
{
    if (index < 0 || index >= samples)
        return value_fail(ctx, labelled->at, STATUS_BAD_INPUT,
                          "labelled: %s: row %lld is %lld: expected an index into the %lld samples of the train split, "
                          "0 to %lld",
                          labelled->path, (long long)row, (long long)index, (long long)samples, (long long)samples - 1);
    if (kept[index])
        return value_fail(ctx, labelled->at, STATUS_BAD_INPUT,
                          "labelled: %s: row %lld is %lld, which stands in an earlier row, too; expected each index "
                          "once",
                          labelled->path, (long long)row, (long long)index);
    if (labels[index] < 0)
        return value_fail(ctx, labelled->at, STATUS_BAD_INPUT,
                          "labelled: %s: row %lld is %lld, and that training sample has no label to keep",
                          labelled->path, (long long)row, (long long)index);
    kept[index] = true;
    return STATUS_OK;
}

static enum status choose_file(struct context *ctx, const struct labelled *labelled, const int32_t *labels,
                               int64_t samples, bool *kept)
{
    enum status status = STATUS_OK;
    char found[SHAPE_TEXT_SIZE];
    struct npy npy = {.data = NULL};
    TRY(npy_read(ctx, labelled->path, &npy));
    if (npy.element != ELEMENT_I64 || npy.shape.rank != 1)
        TRY(value_fail(ctx, labelled->at, STATUS_BAD_INPUT, "labelled: %s: expected indices, i64 [n], found %s %s",
                       labelled->path, element_text(npy.element), shape_text(&npy.shape, found)));
    const int64_t *indices = npy.data;
    for (int64_t row = 0; row < npy.shape.dim[0]; row++)
        TRY(choose_row(ctx, labelled, row, indices[row], labels, samples, kept));

cleanup:
    npy_free(ctx, &npy);
    return status;
}

enum status labelled_choose(struct context *ctx, const struct labelled *labelled, const int32_t *labels,
                            int64_t samples, int64_t classes, bool *kept)
{
    if (labelled->path != NULL)
        return choose_file(ctx, labelled, labels, samples, kept);
    if (labelled->count == 0)
        return STATUS_OK;
    int64_t there = 0;
    for (int64_t i = 0; i < samples; i++)
        there += labels[i] >= 0;
    if (there == 0)
        return value_fail(ctx, labelled->at, STATUS_BAD_INPUT,
                          "labelled: expected %lld training samples with a label, found none; give the labels in the "
                          "data's section, or leave labelled out",
                          (long long)labelled->count);
    return choose_number(ctx, labelled, labels, samples, classes, kept);
}
