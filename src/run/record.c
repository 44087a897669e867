/* record.c: `retort record`: outputs of a model, or of an ensemble, for every sample of the training files, to teach from. */
#include "format/npz.h"
#include "run/evaluation.h"
#include "train/evaluate.h"
#include "train/layer_rows.h"
#include "train/model.h"

#include <string.h>

enum { ROWS_AT_ONCE = 256 };

/* What is being recorded. */
struct recording_work {
    struct context *ctx;
    struct arena *arena;
    const struct run_recording *asked;
    const struct evaluation *made;
    struct network *network; /* of the first model */
    struct npz_writer *writer;
    struct value *arrays; /* of the document */
};

static enum status asked_check(struct context *ctx, const struct run_recording *asked)
{
    static const char *const taken[] = {"logits", "probabilities", "top_classes", "top_probabilities", "crc32"};
    if (asked->probabilities && asked->top > 0)
        return fail(ctx, STATUS_BAD_INPUT,
                    "expected either all probabilities or the top classes to be recorded, found both");
    if (asked->n_layers > 0 && asked->of.n_models != 1)
        return fail(ctx, STATUS_BAD_INPUT, "layers are those of one model, found %d models", asked->of.n_models);
    for (int i = 0; i < asked->n_layers; i++) {
        for (size_t k = 0; k < sizeof taken / sizeof taken[0]; k++)
            if (strcmp(asked->layers[i], taken[k]) == 0)
                return fail(ctx, STATUS_BAD_INPUT,
                            "a layer called %s cannot be recorded: the array of that name is another", taken[k]);
        for (int k = 0; k < i; k++)
            if (strcmp(asked->layers[i], asked->layers[k]) == 0)
                return fail(ctx, STATUS_BAD_INPUT, "layer %s is to be recorded twice", asked->layers[i]);
    }
    return STATUS_OK;
}

/* network_check: what depends on the model is known before its outputs are computed. */
static enum status network_check(struct recording_work *work)
{
    const struct run_recording *asked = work->asked;
    if (asked->of.n_models < 1)
        return STATUS_OK; /* evaluation_make says so */
    RETURN_IF(model_load(work->ctx, asked->of.models[0], ELEMENT_F32, &work->network));
    if (asked->top > work->network->input.classes)
        return fail(work->ctx, STATUS_BAD_INPUT, "top: expected at most the model's %d classes, found %lld",
                    work->network->input.classes, (long long)asked->top);
    for (int i = 0; i < asked->n_layers; i++)
        if (network_layer(work->network, asked->layers[i], NULL) < 0)
            return work->ctx->error.status;
    return STATUS_OK;
}

/* dtype_text: as NumPy calls it. */
static const char *dtype_text(enum element element)
{
    return element == ELEMENT_F32 ? "float32" : element == ELEMENT_I64 ? "int64" : "uint32";
}

/* array_begin: in the file and in the document. */
static enum status array_begin(struct recording_work *work, const char *name, enum element element, struct shape shape)
{
    struct arena *arena = work->arena;
    struct value *dims = value_list(arena);
    for (int i = 0; i < shape.rank; i++)
        dims = value_append(arena, dims, value_integer(arena, shape.dim[i]));
    struct value *entry = value_set(arena, value_map(arena), "name", value_text(arena, name));
    entry = value_set(arena, entry, "dtype", value_text(arena, dtype_text(element)));
    work->arrays = value_append(arena, work->arrays, value_set(arena, entry, "shape", dims));
    return work->arrays != NULL ? npz_writer_array(work->writer, name, element, &shape) : work->ctx->error.status;
}

/* rows_put: `count` rows from `row` on, which are finite. */
static enum status rows_put(struct recording_work *work, const char *name, enum element element, const void *rows,
                            int64_t width, int64_t row, int64_t count)
{
    const int64_t at = format_not_finite(element, rows, count * width);
    if (at < 0)
        return npz_writer_rows(work->writer, rows, count);
    const long long sample = row + at / width;
    return fail(work->ctx, STATUS_NOT_FINITE, "%s: %s of sample %lld is not finite: %s", work->asked->of.models[0],
                name, sample, format_not_finite_text(element, rows, at));
}

/* dense_write: logits or probabilities [N,K]. */
static enum status dense_write(struct recording_work *work)
{
    enum status status = STATUS_OK;
    const int64_t n = work->made->split->count, k = work->made->classes;
    const char *name = work->asked->probabilities ? "probabilities" : "logits";
    float *rows = memory_new(work->ctx, ROWS_AT_ONCE * (size_t)k, sizeof *rows);
    double *numbers = memory_new(work->ctx, (size_t)k, sizeof *numbers);
    if (rows == NULL || numbers == NULL)
        TRY(work->ctx->error.status);
    TRY(array_begin(work, name, ELEMENT_F32, SHAPE(n, k)));
    for (int64_t begin = 0; begin < n; begin += ROWS_AT_ONCE) {
        const int64_t count = n - begin < ROWS_AT_ONCE ? n - begin : ROWS_AT_ONCE;
        for (int64_t b = 0; b < count; b++) {
            const double *logits = work->made->logits + (begin + b) * k;
            if (work->asked->probabilities)
                logits_probabilities(logits, k, numbers);
            for (int64_t i = 0; i < k; i++)
                rows[b * k + i] = (float)(work->asked->probabilities ? numbers[i] : logits[i]);
        }
        TRY(rows_put(work, name, ELEMENT_F32, rows, k, begin, count));
    }
cleanup:
    memory_free(work->ctx, rows);
    memory_free(work->ctx, numbers);
    return status;
}

/* top_of: the `top` largest of probabilities [K], the largest first, the first of equal ones first; they are -1 then. */
static void top_of(double *probabilities, int64_t k, int64_t top, int64_t *classes, float *values)
{
    for (int64_t i = 0; i < top; i++) {
        const int64_t best = logits_class(probabilities, k);
        classes[i] = best;
        values[i] = (float)probabilities[best];
        probabilities[best] = -1;
    }
}

/* top_write: classes and probabilities [N,top], one array after the other. */
static enum status top_write(struct recording_work *work)
{
    enum status status = STATUS_OK;
    const int64_t n = work->made->split->count, k = work->made->classes, top = work->asked->top;
    double *numbers = memory_new(work->ctx, (size_t)k, sizeof *numbers);
    int64_t *classes = memory_new(work->ctx, (size_t)top, sizeof *classes);
    float *values = memory_new(work->ctx, (size_t)top, sizeof *values);
    if (numbers == NULL || classes == NULL || values == NULL)
        TRY(work->ctx->error.status);
    for (int pass = 0; pass < 2; pass++) {
        const char *name = pass == 0 ? "top_classes" : "top_probabilities";
        TRY(array_begin(work, name, pass == 0 ? ELEMENT_I64 : ELEMENT_F32, SHAPE(n, top)));
        for (int64_t row = 0; row < n; row++) {
            logits_probabilities(work->made->logits + row * k, k, numbers);
            top_of(numbers, k, top, classes, values);
            TRY(pass == 0 ? rows_put(work, name, ELEMENT_I64, classes, top, row, 1)
                          : rows_put(work, name, ELEMENT_F32, values, top, row, 1));
        }
    }
cleanup:
    memory_free(work->ctx, numbers);
    memory_free(work->ctx, classes);
    memory_free(work->ctx, values);
    return status;
}

/* crc_write: [N], of each sample's bytes as its file has them. */
static enum status crc_write(struct recording_work *work)
{
    const struct split *split = work->made->split;
    const size_t bytes = (size_t)(split->height * split->width * split->channels) * element_size(split->element);
    RETURN_IF(array_begin(work, "crc32", ELEMENT_U32, SHAPE(split->count)));
    for (int64_t i = 0; i < split->count; i++) {
        const uint32_t crc = format_crc32((const unsigned char *)split->images + (size_t)i * bytes, bytes);
        RETURN_IF(npz_writer_rows(work->writer, &crc, 1));
    }
    return STATUS_OK;
}

/* layer_write: [N,…], channels first. A pass for each layer: no more than it needs is computed, and nothing is kept. */
static enum status layer_write(struct recording_work *work, int layer, struct kernel_context *kernels,
                               struct program_memory *memory)
{
    enum status status = STATUS_OK;
    const struct split *split = work->made->split;
    const char *name = work->network->layers[layer].name;
    const float *values = NULL;
    int64_t count = 0, row = 0;
    struct layer_rows *rows = layer_rows_new(work->ctx, work->network, layer, split, kernels, memory);
    if (rows == NULL)
        return work->ctx->error.status;
    const struct shape one = layer_rows_shape(rows);
    struct shape all = {.rank = one.rank + 1, .dim = {split->count}};
    memcpy(all.dim + 1, one.dim, (size_t)one.rank * sizeof *one.dim);
    TRY(array_begin(work, name, ELEMENT_F32, all));
    TRY(layer_rows_next(rows, &values, &count));
    while (count > 0) {
        TRY(rows_put(work, name, ELEMENT_F32, values, shape_elements(&one), row, count));
        row += count;
        TRY(layer_rows_next(rows, &values, &count));
    }
cleanup:
    layer_rows_free(rows);
    return status;
}

static enum status layers_write(struct recording_work *work)
{
    enum status status = STATUS_OK;
    struct context *ctx = work->ctx;
    const struct run_recording *asked = work->asked;
    struct kernel_context *kernels = kernel_context_new(ctx, ctx->threads);
    struct program_memory *memory = program_memory_new(ctx);
    if (kernels == NULL || memory == NULL)
        TRY(ctx->error.status);
    for (int i = 0; i < asked->n_layers; i++)
        TRY(layer_write(work, network_layer(work->network, asked->layers[i], NULL), kernels, memory));
cleanup:
    program_memory_free(memory);
    kernel_context_free(kernels);
    return status;
}

enum status run_record(struct context *ctx, struct arena *arena, const struct run_recording *recording,
                       struct value **result)
{
    enum status status = STATUS_OK;
    struct evaluation made = {0};
    struct recording_work work = {
        .ctx = ctx, .arena = arena, .asked = recording, .made = &made, .arrays = value_list(arena)};
    *result = NULL;
    TRY(asked_check(ctx, recording));
    TRY(network_check(&work));
    TRY(evaluation_make(ctx, arena, &recording->of, 0, &made));
    work.writer = npz_writer_new(ctx, recording->out);
    if (work.writer == NULL)
        TRY(ctx->error.status);
    TRY(recording->top > 0 ? top_write(&work) : dense_write(&work));
    TRY(crc_write(&work));
    if (recording->n_layers > 0)
        TRY(layers_write(&work));
    struct npz_writer *writer = work.writer;
    work.writer = NULL; /* npz_writer_finish frees it, whatever happens */
    TRY(npz_writer_finish(writer));
    struct value *map = evaluation_value(arena, &recording->of);
    map = value_set(arena, map, "samples", value_integer(arena, made.split->count));
    map = value_set(arena, map, "classes", value_integer(arena, made.classes));
    map = value_set(arena, map, "arrays", work.arrays);
    map = value_set(arena, map, "out", value_text(arena, recording->out));
    *result = map;
    if (map == NULL)
        status = ctx->error.status;
cleanup:
    npz_writer_discard(work.writer);
    network_free(work.network);
    evaluation_free(ctx, &made);
    return status;
}
