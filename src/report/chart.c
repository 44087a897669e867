/* chart.c: the figures behind the charts. */
#include "report/chart.h"

#include "base/file.h"
#include "report/html.h"

#include <string.h>

enum { LIBRARY_BYTES_MAX = 4 << 20 };

static struct value *points(struct arena *arena, const struct curve *curve, double scale)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < curve->count; i++) {
        struct value *point = value_list(arena);
        point = value_append(arena, point, html_short(arena, curve->x[i]));
        point = value_append(arena, point, html_short(arena, curve->y[i] * scale));
        list = value_append(arena, list, point);
    }
    return list;
}

struct value *chart_curves(struct arena *arena, const struct report_run *run)
{
    struct value *stages = value_list(arena);
    for (size_t i = 0; i < run->stages; i++) {
        const struct report_stage *stage = &run->stage[i];
        struct value *entry = value_map(arena);
        entry = value_set(arena, entry, "label", value_text(arena, stage->name));
        entry = value_set(arena, entry, "role", value_text(arena, stage->role));
        entry = value_set(arena, entry, "loss", points(arena, &stage->train_loss, 1));
        entry = value_set(arena, entry, "accuracy", points(arena, &stage->validation, 100));
        stages = value_append(arena, stages, entry);
    }
    return value_set(arena, value_map(arena), "stages", stages);
}

struct value *chart_pair(struct arena *arena, struct value *rows, const char *label, double alone, double distilled,
                         const struct report_figure *gain, bool summary)
{
    struct value *row = value_map(arena);
    row = value_set(arena, row, "label", value_text(arena, label));
    row = value_set(arena, row, "alone", html_short(arena, alone * 100));
    row = value_set(arena, row, "distilled", html_short(arena, distilled * 100));
    row = value_set(arena, row, "gain", html_short(arena, gain->mean * 100));
    row = value_set(arena, row, "low", html_short(arena, gain->low * 100));
    row = value_set(arena, row, "high", html_short(arena, gain->high * 100));
    row = value_set(arena, row, "summary", value_boolean(arena, summary));
    return value_append(arena, rows, row);
}

enum status chart_library(struct context *ctx, const char *path, char **source)
{
    *source = NULL;
    if (path == NULL || !file_exists(path))
        return STATUS_OK;
    unsigned char *bytes = NULL;
    size_t count = 0;
    RETURN_IF(file_read(ctx, path, LIBRARY_BYTES_MAX, &bytes, &count));
    *source = (char *)bytes;
    if (strstr(*source, "</script") != NULL || strstr(*source, "<!--") != NULL) {
        memory_free(ctx, bytes);
        *source = NULL;
    }
    return STATUS_OK;
}
