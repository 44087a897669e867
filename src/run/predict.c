/* predict.c: `retort predict`: logits as an array that other programs read. */
#include "run/evaluation.h"

#include "format/npy.h"

enum { ROWS_AT_ONCE = 256 };

/* rows_write: [N,K] as float32, some rows at a time. */
static enum status rows_write(struct context *ctx, struct npy_writer *writer, const struct evaluation *made)
{
    int64_t k = made->classes;
    float *rows = memory_new(ctx, ROWS_AT_ONCE * (size_t)k, sizeof *rows);
    enum status status = rows != NULL ? STATUS_OK : ctx->error.status;
    for (int64_t at = 0; at < made->split->count && status == STATUS_OK; at += ROWS_AT_ONCE) {
        int64_t left = made->split->count - at, count = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        for (int64_t i = 0; i < count * k; i++)
            rows[i] = (float)made->logits[at * k + i];
        status = npy_writer_rows(writer, rows, count);
    }
    memory_free(ctx, rows);
    return status;
}

enum status run_predict(struct context *ctx, struct arena *arena, const struct run_evaluation *evaluation,
                        const char *out, struct value **result)
{
    enum status status = STATUS_OK;
    struct evaluation made;
    struct npy_writer *writer = NULL;
    *result = NULL;
    TRY(evaluation_make(ctx, arena, evaluation, evaluation->early_exit ? EVALUATION_EXITS : 0, &made));
    struct shape shape = SHAPE(made.split->count, made.classes);
    writer = npy_writer_new(ctx, out, ELEMENT_F32, &shape);
    if (writer == NULL)
        TRY(ctx->error.status);
    TRY(rows_write(ctx, writer, &made));
    status = npy_writer_finish(writer);
    writer = NULL;
    if (status != STATUS_OK)
        goto cleanup;
    struct value *map = evaluation_value(arena, evaluation);
    map = value_set(arena, map, "samples", value_integer(arena, made.split->count));
    map = value_set(arena, map, "classes", value_integer(arena, made.classes));
    if (evaluation->early_exit)
        map = value_set(arena, map, "threshold", value_real(arena, evaluation->threshold));
    map = value_set(arena, map, "out", value_text(arena, out));
    *result = map;
    if (map == NULL)
        status = ctx->error.status;
cleanup:
    npy_writer_discard(writer);
    evaluation_free(ctx, &made);
    return status;
}
