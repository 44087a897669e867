/* recorded.c: opens recorded outputs: which arrays there are, and whether they are as they should be. */
#include "train/recorded.h"

#include "base/text.h"
#include "train/recorded_file.h"

#include <string.h>

/* arrays_text: what is there, for a message: "a float32 [5,3], …"; the caller's. */
static enum status arrays_text(const struct recorded_file *file, struct text *out)
{
    struct context *ctx = file->ctx;
    text_init(out, ctx);
    for (int i = 0; i < npz_count(file->npz); i++) {
        struct tensor_spec spec;
        char shape[SHAPE_TEXT_SIZE];
        text_format(out, "%s%s", i > 0 ? ", " : "", npz_name(file->npz, i));
        if (npz_describe(file->npz, i, &spec) == STATUS_OK)
            text_format(out, " %s %s", element_text(spec.element), shape_text(&spec.shape, shape));
        else if (ctx->error.status == STATUS_NO_MEMORY)
            return ctx->error.status;
        error_clear(ctx); /* of another kind: its name is enough */
    }
    if (npz_count(file->npz) == 0)
        text_add(out, "no array");
    return out->failed ? ctx->error.status : STATUS_OK;
}

static enum status missing(const struct recorded_file *file, const char *expected)
{
    struct text there;
    enum status status = arrays_text(file, &there);
    if (status == STATUS_OK)
        status = value_fail(file->ctx, file->at, STATUS_BAD_INPUT, "%s: expected %s, found %s", file->path, expected,
                            there.bytes);
    text_free(&there);
    return status;
}

/* form_find: exactly one of logits, probabilities, and top_classes with top_probabilities. */
static enum status form_find(struct recorded_file *file)
{
    static const char *const names[] = {"logits", "probabilities", "top_classes"};
    const char *first = NULL;
    file->chosen = -1;
    for (int i = 0; i < 3; i++) {
        const int index = npz_find(file->npz, names[i]);
        if (index < 0)
            continue;
        if (first != NULL)
            return value_fail(file->ctx, file->at, STATUS_BAD_INPUT,
                              "%s: has both %s and %s; expected one of them: leave the other out", file->path, first,
                              names[i]);
        first = names[i];
        file->form = (enum recorded_form)i;
        file->values = index;
    }
    const int top = npz_find(file->npz, "top_probabilities");
    if (first == NULL)
        return missing(file, top < 0 ? "an array logits, probabilities, or top_classes with top_probabilities"
                                     : "an array top_classes beside top_probabilities");
    if (file->form == RECORDED_TOP && top < 0)
        return missing(file, "an array top_probabilities beside top_classes");
    if (file->form == RECORDED_TOP) {
        file->chosen = file->values;
        file->values = top;
    }
    file->crc = npz_find(file->npz, "crc32");
    return STATUS_OK;
}

/* describe: an element type that cannot be read is, like one that is not expected, a mistake of who made the file. */
static enum status describe(const struct recorded_file *file, int index, struct tensor_spec *out)
{
    struct context *ctx = file->ctx;
    enum status status = npz_describe(file->npz, index, out);
    if (status != STATUS_UNSUPPORTED)
        return status;
    const struct error first = ctx->error;
    error_clear(ctx);
    return value_fail(ctx, file->at, STATUS_BAD_INPUT, "%s", first.message);
}

static enum status spec_check(const struct recorded_file *file, int index, int rank, bool fits, const char *expected,
                              const struct tensor_spec *spec)
{
    char text[SHAPE_TEXT_SIZE];
    if (!fits)
        return value_fail(file->ctx, file->at, STATUS_BAD_INPUT, "%s: expected %s, found %s; convert it with astype",
                          npz_label(file->npz, index), expected, element_text(spec->element));
    if (spec->shape.rank != rank)
        return value_fail(file->ctx, file->at, STATUS_BAD_SHAPE, "%s: expected %s, found %s %s",
                          npz_label(file->npz, index), expected, element_text(spec->element),
                          shape_text(&spec->shape, text));
    return STATUS_OK;
}

/* values_check: element types and shapes of the outputs. */
static enum status values_check(struct recorded_file *file)
{
    struct tensor_spec *spec = &file->values_spec, chosen;
    const bool top = file->form == RECORDED_TOP;
    char text[SHAPE_TEXT_SIZE], other[SHAPE_TEXT_SIZE];
    RETURN_IF(describe(file, file->values, spec));
    RETURN_IF(spec_check(file, file->values, 2, spec->element == ELEMENT_F32 || spec->element == ELEMENT_F64,
                         top ? "float32 [N,k] (or float64)" : "float32 [N,K] (or float64)", spec));
    const int64_t columns = spec->shape.dim[1];
    if (!top) {
        if (columns != file->classes)
            return value_fail(file->ctx, file->at, STATUS_BAD_SHAPE,
                              "%s: %s has %lld classes a row, but the student has %lld",
                              npz_label(file->npz, file->values), shape_text(&spec->shape, text), (long long)columns,
                              (long long)file->classes);
        return STATUS_OK;
    }
    RETURN_IF(describe(file, file->chosen, &chosen));
    RETURN_IF(spec_check(file, file->chosen, 2, chosen.element == ELEMENT_I64, "int64 [N,k]", &chosen));
    if (!shape_equal(&chosen.shape, &spec->shape))
        return value_fail(file->ctx, file->at, STATUS_BAD_SHAPE,
                          "%s: top_classes %s and top_probabilities %s: expected the same shape", file->path,
                          shape_text(&chosen.shape, text), shape_text(&spec->shape, other));
    if (columns < 1 || columns > file->classes)
        return value_fail(file->ctx, file->at, STATUS_BAD_SHAPE,
                          "%s: %s has %lld classes a row: expected 1 to the student's %lld",
                          npz_label(file->npz, file->chosen), shape_text(&chosen.shape, text), (long long)columns,
                          (long long)file->classes);
    return STATUS_OK;
}

static enum status crc_check(struct recorded_file *file)
{
    struct tensor_spec spec;
    if (file->crc < 0) {
        log_line(file->ctx, LOG_WARNING,
                 "%s has no crc32: that its rows are in the order of the data's samples cannot be checked", file->path);
        return STATUS_OK;
    }
    RETURN_IF(describe(file, file->crc, &spec));
    RETURN_IF(spec_check(file, file->crc, 1, spec.element == ELEMENT_U32, "uint32 [N]", &spec));
    if (spec.shape.dim[0] != file->values_spec.shape.dim[0])
        return value_fail(file->ctx, file->at, STATUS_BAD_SHAPE, "%s has %lld rows, but %s has %lld",
                          npz_label(file->npz, file->crc), (long long)spec.shape.dim[0],
                          npz_name(file->npz, file->values), (long long)file->values_spec.shape.dim[0]);
    return STATUS_OK;
}

/* features_list: the other float32 arrays with a row a sample. */
static enum status features_list(const struct recorded_file *file, struct recorded *recorded)
{
    static const char *const taken[] = {"logits", "probabilities", "top_classes", "top_probabilities", "crc32"};
    recorded->features = arena_take(recorded->arena, (size_t)npz_count(file->npz), sizeof *recorded->features);
    if (recorded->features == NULL)
        return file->ctx->error.status;
    for (int i = 0; i < npz_count(file->npz); i++) {
        struct tensor_spec spec;
        bool other = true;
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
            other = other && strcmp(npz_name(file->npz, i), taken[k]) != 0;
        if (!other)
            continue;
        if (npz_describe(file->npz, i, &spec) != STATUS_OK) {
            if (file->ctx->error.status == STATUS_NO_MEMORY)
                return file->ctx->error.status;
            error_clear(file->ctx); /* what else a file holds is nobody's concern */
            continue;
        }
        if (spec.element != ELEMENT_F32 || spec.shape.rank < 2 || spec.shape.dim[0] != file->samples.count)
            continue;
        struct recorded_feature *feature = &recorded->features[recorded->n_features++];
        *feature = (struct recorded_feature){arena_text(recorded->arena, npz_name(file->npz, i)), spec.shape};
        if (feature->name == NULL)
            return file->ctx->error.status;
    }
    return STATUS_OK;
}

static enum status recorded_fill(struct recorded_file *file, const struct split *train, struct recorded *recorded)
{
    RETURN_IF(npz_open(file->ctx, file->path, &file->npz));
    RETURN_IF(form_find(file));
    RETURN_IF(values_check(file));
    RETURN_IF(crc_check(file));
    RETURN_IF(recorded_order_check(file, file->values_spec.shape.dim[0]));
    recorded->ordered = file->crc >= 0;
    recorded->logits = store_new(file->ctx, "recorded logits", ELEMENT_F32, train->count, SHAPE(file->classes));
    if (recorded->logits == NULL)
        return file->ctx->error.status;
    RETURN_IF(recorded_rows_read(file, train->first, recorded->logits));
    return features_list(file, recorded);
}

enum status recorded_open(struct context *ctx, const struct value *at, const char *path, const struct data *data,
                          int64_t classes, struct recorded **out)
{
    enum status status = STATUS_OK;
    struct recorded_file file = {.ctx = ctx, .at = at, .path = path, .classes = classes};
    *out = NULL;
    struct recorded *recorded = memory_new(ctx, 1, sizeof *recorded);
    if (recorded == NULL)
        return ctx->error.status;
    recorded->ctx = ctx;
    recorded->arena = arena_new(ctx);
    if (recorded->arena == NULL)
        TRY(ctx->error.status);
    TRY(data_training(ctx, data, &file.samples));
    TRY(recorded_fill(&file, &data->splits[SPLIT_TRAIN], recorded));
    *out = recorded;
    recorded = NULL;
cleanup:
    npz_free(file.npz);
    recorded_free(recorded);
    return status;
}

void recorded_free(struct recorded *recorded)
{
    if (recorded == NULL)
        return;
    store_free(recorded->logits);
    arena_free(recorded->arena);
    memory_free(recorded->ctx, recorded);
}
