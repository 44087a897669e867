/* run.c: a run's folder as the report sees it. */
#include "report/run.h"

#include "base/file.h"
#include "record/record.h"
#include "report/curve.h"
#include "report/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { RECIPE_BYTES_MAX = 1 << 20 };

static enum status read_recipe(struct context *ctx, struct arena *arena, const char *file, struct report_run *run)
{
    if (!file_exists(file))
        return STATUS_OK;
    unsigned char *bytes = NULL;
    size_t count = 0;
    RETURN_IF(file_read(ctx, file, RECIPE_BYTES_MAX, &bytes, &count));
    run->recipe = arena_text(arena, (const char *)bytes);
    memory_free(ctx, bytes);
    return run->recipe != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status read_record(struct context *ctx, struct arena *arena, const char *file, struct report_run *run)
{
    if (!file_exists(file))
        return STATUS_OK;
    enum status status = STATUS_OK;
    struct record *record = NULL;
    struct record_run about = {0};
    TRY(record_open(ctx, file, RECORD_READ, &record));
    TRY(record_run_read(ctx, arena, record, &about));
    run->started = about.started;
    if (about.name != NULL)
        run->name = about.name;
    for (size_t i = 0; i < run->stages; i++) {
        struct report_stage *stage = &run->stage[i];
        TRY(curve_read(ctx, arena, record, stage->name, "train", "loss", false, &stage->train_loss));
        TRY(curve_read(ctx, arena, record, stage->name, "validation", "accuracy", true, &stage->validation));
        TRY(terms_read(ctx, arena, record, stage->name, &stage->terms));
        TRY(detail_read(ctx, arena, record, file, stage->name, &stage->detail));
    }
    run->recorded = true;
cleanup:
    if (status == STATUS_OK)
        return record_close(ctx, record);
    record_close(ctx, record); /* the first error stays */
    return status;
}

/* folder_name: the last part of a path, without the slashes behind it. */
static const char *folder_name(struct arena *arena, const char *folder)
{
    size_t end = strlen(folder);
    while (end > 1 && folder[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && folder[start - 1] != '/')
        start--;
    return arena_format(arena, "%.*s", (int)(end - start), folder + start);
}

enum status report_run_read(struct context *ctx, struct arena *arena, const char *folder, struct report_run *out)
{
    *out = (struct report_run){.folder = folder, .name = folder_name(arena, folder), .level = NAN};
    const char *result = arena_format(arena, "%s/result.json", folder);
    const char *recipe = arena_format(arena, "%s/recipe.yaml", folder);
    const char *record = arena_format(arena, "%s/record.sqlite", folder);
    if (out->name == NULL || result == NULL || recipe == NULL || record == NULL)
        return STATUS_NO_MEMORY;
    RETURN_IF(result_read(ctx, arena, result, out));
    RETURN_IF(read_recipe(ctx, arena, recipe, out));
    return read_record(ctx, arena, record, out);
}

const struct report_stage *report_role(const struct report_run *run, const char *role)
{
    for (size_t i = 0; i < run->stages; i++)
        if (strcmp(run->stage[i].role, role) == 0)
            return &run->stage[i];
    return NULL;
}

const char *report_class(const struct report_run *run, int64_t class, char number[REPORT_CLASS_NUMBER])
{
    if (class >= 0 && (uint64_t) class < run->classes)
        return run->class_names[class];
    snprintf(number, REPORT_CLASS_NUMBER, "%lld", (long long)class);
    return number;
}

const struct report_stage *report_detailed(const struct report_run *run, const char *role)
{
    for (size_t i = 0; i < run->stages; i++)
        if (strcmp(run->stage[i].role, role) == 0 && run->stage[i].detail.sample.count > 0)
            return &run->stage[i];
    return NULL;
}

double report_role_mean(const struct report_run *run, const char *role, size_t offset, double *std)
{
    double sum = 0, squares = 0, count = 0, mean = NAN;
    for (int pass = 0; pass < 2; pass++) /* the mean first, then the deviations from it */
        for (size_t i = 0; i < run->stages; i++) {
            if (strcmp(run->stage[i].role, role) != 0)
                continue;
            double figure = *(const double *)(const void *)((const char *)&run->stage[i] + offset);
            if (!isfinite(figure))
                continue;
            if (pass == 0) {
                sum += figure;
                count += 1;
                mean = sum / count;
            } else {
                squares += (figure - mean) * (figure - mean);
            }
        }
    if (std != NULL)
        *std = count > 1 ? sqrt(squares / (count - 1)) : NAN;
    return mean;
}

const char *report_student(const struct report_run *run)
{
    if (report_role(run, "distilled") != NULL)
        return "distilled";
    return report_role(run, "alone") != NULL ? "alone" : NULL;
}
