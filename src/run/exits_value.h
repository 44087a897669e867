/* exits_value.h: early exit as eval and result.json tell of it. */
#ifndef RUN_EXITS_VALUE_H
#define RUN_EXITS_VALUE_H

#include "base/value.h"
#include "train/exits.h"

/* exits_value: [{"name","macs","accuracy","loss"}], each exit for itself. NULL: error recorded; so below. */
struct value *exits_value(struct arena *arena, const struct exit_logits *of);
/* exit_points_value: [{"threshold","accuracy","macs","saved","left":[…]}]. */
struct value *exit_points_value(struct arena *arena, const struct exit_point *points, int count, int exits);
/* exit_point_figures: "accuracy", "macs" and "saved" into the map. */
struct value *exit_point_figures(struct arena *arena, struct value *map, const struct exit_point *point);

#endif
