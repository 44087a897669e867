/* evaluate.c: `retort eval`. */
#include "run/evaluation.h"

#include "train/evaluate.h"

enum status run_evaluate(struct context *ctx, struct arena *arena, const struct run_evaluation *evaluation,
                         struct value **result)
{
    enum status status = STATUS_OK;
    struct evaluation made;
    *result = NULL;
    TRY(evaluation_make(ctx, arena, evaluation, true, &made));
    struct metrics metrics = metrics_of(made.logits, made.split->labels, made.split->count, made.classes);
    struct value *map = evaluation_value(arena, evaluation);
    map = value_set(arena, map, "samples", value_integer(arena, metrics.samples));
    map = value_set(arena, map, "accuracy", value_real(arena, metrics.accuracy));
    map = value_set(arena, map, "top5", value_real(arena, metrics.top5));
    map = value_set(arena, map, "loss", value_real(arena, metrics.loss));
    map = value_set(arena, map, "ece", value_real(arena, metrics.ece));
    *result = map;
    if (map == NULL)
        status = ctx->error.status;
cleanup:
    evaluation_free(ctx, &made);
    return status;
}
