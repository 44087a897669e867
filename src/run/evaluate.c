/* evaluate.c: `retort eval`. */
#include "run/evaluation.h"

#include "run/exits_value.h"
#include "train/evaluate.h"

/* exits_add: what a model's exits come to: at every threshold, or at the one that was asked for. */
static enum status exits_add(struct arena *arena, const struct run_evaluation *asked, const struct evaluation *made,
                             struct value **map)
{
    struct exit_point *points;
    const struct exit_logits of = evaluation_exits(made);
    const double *thresholds = asked->early_exit ? &asked->threshold : exit_thresholds;
    const int count = asked->early_exit ? 1 : EXIT_THRESHOLDS;
    RETURN_IF(exits_points(arena, &of, thresholds, count, &points));
    *map = value_set(arena, *map, "plain_macs", value_integer(arena, made->exits.plain_macs));
    *map = value_set(arena, *map, "exits", exits_value(arena, &of));
    *map = value_set(arena, *map, "early_exit", exit_points_value(arena, points, count, made->exits.count));
    return STATUS_OK;
}

enum status run_evaluate(struct context *ctx, struct arena *arena, const struct run_evaluation *evaluation,
                         struct value **result)
{
    enum status status = STATUS_OK;
    struct evaluation made;
    *result = NULL;
    TRY(evaluation_make(ctx, arena, evaluation, EVALUATION_LABELS | EVALUATION_EXITS, &made));
    struct metrics metrics = metrics_of(made.logits, made.split->labels, made.split->count, made.classes);
    struct value *map = evaluation_value(arena, evaluation);
    map = value_set(arena, map, "samples", value_integer(arena, metrics.samples));
    map = value_set(arena, map, "accuracy", value_real(arena, metrics.accuracy));
    map = value_set(arena, map, "top5", value_real(arena, metrics.top5));
    map = value_set(arena, map, "loss", value_real(arena, metrics.loss));
    map = value_set(arena, map, "ece", value_real(arena, metrics.ece));
    if (evaluation->early_exit)
        map = value_set(arena, map, "threshold", value_real(arena, evaluation->threshold));
    if (made.exits.count > 0)
        TRY(exits_add(arena, evaluation, &made, &map));
    *result = map;
    if (map == NULL)
        status = ctx->error.status;
cleanup:
    evaluation_free(ctx, &made);
    return status;
}
