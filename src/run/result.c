/* result.c: see result.h. */
#include "run/result.h"

#include "base/statistics.h"
#include "base/thread.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEVEL 0.95

/* cpu_name: as the system calls it; "unknown" where it does not. */
static void cpu_name(char out[128])
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    snprintf(out, 128, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, 128, "%.127s", colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

static struct value *machine_value(struct arena *arena, const struct kernel_context *kernels)
{
    char cpu[128];
    cpu_name(cpu);
    struct value *machine = value_set(arena, value_map(arena), "cpu", value_text(arena, cpu));
    machine = value_set(arena, machine, "cores", value_integer(arena, cpu_count()));
    machine = value_set(arena, machine, "threads", value_integer(arena, kernels->threads));
    return value_set(arena, machine, "isa", value_text(arena, kernels->f32->level));
}

static const char *text_of(const struct value *entry, const char *key)
{
    const struct value *value = value_get(entry, key);
    return value && value->kind == VALUE_TEXT ? value->text : "";
}

/* test_accuracy: NaN where the stage has none. */
static double test_accuracy(const struct value *entries, const char *role, int64_t seed)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct value *entry = entries->items[i], *at = value_get(entry, "seed"),
                           *accuracy = value_path(entry, "test.accuracy");
        if (strcmp(text_of(entry, "role"), role) == 0 && at && at->integer == seed)
            return accuracy && accuracy->kind != VALUE_NULL ? accuracy->real : NAN;
    }
    return NAN;
}

static struct value *numbers(struct arena *arena, const double *values, size_t count)
{
    struct value *list = value_list(arena);
    for (size_t i = 0; i < count; i++)
        list = value_append(arena, list, value_real(arena, values[i]));
    return list;
}

static struct value *side_value(struct arena *arena, const double *accuracies, size_t count)
{
    struct mean_std m = mean_std(accuracies, count);
    struct value *side = value_set(arena, value_map(arena), "mean", value_real(arena, m.mean));
    side = value_set(arena, side, "std", value_real(arena, m.std));
    return value_set(arena, side, "per_seed", numbers(arena, accuracies, count));
}

static struct value *comparison_value(struct arena *arena, const struct plan *plan, const struct value *entries)
{
    size_t n = plan->seeds.count;
    double *alone = arena_take(arena, n, sizeof *alone), *distilled = arena_take(arena, n, sizeof *distilled);
    double *gain = arena_take(arena, n, sizeof *gain);
    if (!alone || !distilled || !gain)
        return NULL;
    bool both = true;
    for (size_t i = 0; i < n; i++) {
        alone[i] = test_accuracy(entries, "alone", plan->seeds.values[i]);
        distilled[i] = test_accuracy(entries, "distilled", plan->seeds.values[i]);
        gain[i] = distilled[i] - alone[i];
        both = both && isfinite(gain[i]);
    }
    struct interval interval = t_interval(gain, n, LEVEL);
    struct value *gained = value_set(arena, value_map(arena), "mean", value_real(arena, both ? interval.mean : NAN));
    gained = value_set(arena, gained, "low", value_real(arena, both ? interval.low : NAN));
    gained = value_set(arena, gained, "high", value_real(arena, both ? interval.high : NAN));
    gained = value_set(arena, gained, "level", value_real(arena, LEVEL));
    gained = value_set(arena, gained, "per_seed", numbers(arena, gain, n));
    enum verdict verdict = both ? interval_verdict(&interval) : VERDICT_NOT_DECIDED;
    struct value *comparison = value_set(arena, value_map(arena), "alone", side_value(arena, alone, n));
    comparison = value_set(arena, comparison, "distilled", side_value(arena, distilled, n));
    comparison = value_set(arena, comparison, "gain", gained);
    return value_set(arena, comparison, "verdict", value_text(arena, verdict_text(verdict)));
}

static struct value *class_names_value(struct arena *arena, const struct data *data)
{
    struct value *list = value_list(arena);
    for (int i = 0; i < data->classes; i++)
        list = value_append(arena, list, value_text(arena, data->class_names[i]));
    return list;
}

struct value *result_make(struct arena *arena, const struct plan *plan, const char *version,
                          const struct kernel_context *kernels, struct value *entries, double seconds)
{
    struct value *result = value_set(arena, value_map(arena), "format", value_integer(arena, 1));
    result = value_set(arena, result, "version", value_text(arena, version ? version : ""));
    result = value_set(arena, result, "recipe_sha256", value_text(arena, plan->sha256));
    result = value_set(arena, result, "machine", machine_value(arena, kernels));
    result = value_set(arena, result, "seconds", value_real(arena, seconds));
    if (plan->data->class_names)
        result = value_set(arena, result, "class_names", class_names_value(arena, plan->data));
    result = value_set(arena, result, "stages", entries);
    return value_set(arena, result, "comparison", comparison_value(arena, plan, entries));
}

const char *result_best(const struct value *entries)
{
    const char *best = NULL;
    double highest = -1;
    for (size_t i = 0; i < entries->count; i++) {
        const struct value *entry = entries->items[i], *accuracy = value_path(entry, "validation.accuracy");
        double reached = accuracy && accuracy->kind != VALUE_NULL ? accuracy->real : 0;
        if (strcmp(text_of(entry, "role"), "distilled") != 0 || reached <= highest)
            continue;
        highest = reached;
        best = text_of(entry, "name");
    }
    return best;
}
