/* early_exit.c: see early_exit.h. */
#include "run/early_exit.h"

#include "run/details.h"
#include "run/exits_value.h"
#include "train/evaluate.h"

#include <math.h>

static struct exit_logits logits_of(const struct network_exits *exits, const struct network *network,
                                    const struct split *split, const double *logits)
{
    return (struct exit_logits){exits, split->count, network->input.classes, logits, split->labels};
}

/* threshold_choose: *chosen: its place among exit_thresholds; -1: no validation sample has a label. */
static enum status threshold_choose(struct context *ctx, struct arena *arena, const struct run_site *site,
                                    const struct network *network, const struct network_exits *exits,
                                    struct kernel_context *kernels, struct program_memory *memory, int *chosen)
{
    enum status status = STATUS_OK;
    const struct split *split = &site->plan->data->splits[SPLIT_VALIDATION];
    const int64_t values = split->count * network->input.classes;
    struct exit_point *points;
    *chosen = -1;
    if (split->count == 0 || split->labelled == 0)
        return STATUS_OK;
    double *logits = memory_new(ctx, (size_t)(exits->count * values), sizeof *logits);
    if (!logits)
        return ctx->error.status;
    TRY(evaluate_layers(ctx, network, exits->layers, exits->count, split, site->plan->precision, kernels, memory,
                        logits));
    const struct exit_logits of = logits_of(exits, network, split, logits);
    TRY(exits_points(arena, &of, exit_thresholds, EXIT_THRESHOLDS, &points));
    const double *last = logits + (exits->count - 1) * values;
    const struct metrics metrics = metrics_of(last, split->labels, split->count, network->input.classes);
    *chosen = exits_choose(points, EXIT_THRESHOLDS, metrics.accuracy);
cleanup:
    memory_free(ctx, logits);
    return status;
}

static struct value *chosen_value(struct arena *arena, const struct network_exits *exits,
                                  const struct exit_point *points, int chosen)
{
    const struct exit_point none = {.threshold = NAN, .accuracy = NAN, .macs = NAN, .saved = NAN};
    const struct exit_point *point = chosen < 0 ? &none : &points[chosen];
    struct value *map = value_set(arena, value_map(arena), "threshold", value_real(arena, point->threshold));
    map = exit_point_figures(arena, map, point);
    return value_set(arena, map, "plain_macs", value_integer(arena, exits->plain_macs));
}

/* curve_record: for the stages that a page shows closely; without labels there is no curve. */
static enum status curve_record(struct context *ctx, struct arena *arena, const struct run_site *site,
                                const struct stage *stage, const struct exit_point *points)
{
    const struct details details = {.ctx = ctx, .arena = arena, .site = site, .stage = stage->name};
    float *rows = arena_take(arena, EXIT_THRESHOLDS * EXIT_CURVE_COLUMNS, sizeof *rows);
    if (!rows)
        return ctx->error.status;
    if (!details_closely(site, stage) || isnan(points[0].accuracy))
        return STATUS_OK;
    for (int i = 0; i < EXIT_THRESHOLDS; i++) {
        float *row = rows + i * EXIT_CURVE_COLUMNS;
        row[0] = (float)points[i].threshold;
        row[1] = (float)points[i].accuracy;
        row[2] = (float)points[i].macs;
    }
    return details_array(&details, "early_exit", RECORD_F32, SHAPE(EXIT_THRESHOLDS, EXIT_CURVE_COLUMNS), rows);
}

enum status early_exit_measure(struct context *ctx, struct arena *arena, const struct run_site *site,
                               const struct stage *stage, const struct network_exits *exits, const double *logits,
                               struct kernel_context *kernels, struct program_memory *memory, struct value **entry)
{
    const struct network *network = stage->learners[stage->subject].network;
    const struct exit_logits of = logits_of(exits, network, &site->plan->data->splits[SPLIT_TEST], logits);
    struct exit_point *points;
    int chosen;
    RETURN_IF(threshold_choose(ctx, arena, site, network, exits, kernels, memory, &chosen));
    RETURN_IF(exits_points(arena, &of, exit_thresholds, EXIT_THRESHOLDS, &points));
    RETURN_IF(curve_record(ctx, arena, site, stage, points));
    *entry = value_set(arena, value_map(arena), "exits", exits_value(arena, &of));
    *entry = value_set(arena, *entry, "early_exit", chosen_value(arena, exits, points, chosen));
    return *entry ? STATUS_OK : ctx->error.status;
}
