/* profile.c: see profile.h. */
#include "train/profile.h"

#include "base/thread.h"
#include "kernel/peak.h"

#include <stdlib.h>

void profile_begin(struct profile *profile)
{
    if (profile)
        profile->at = work_seconds(profile->threads);
}

void profile_lap(struct profile *profile, enum profile_part part)
{
    if (!profile)
        return;
    const double now = work_seconds(profile->threads);
    profile->seconds[part] += now - profile->at;
    profile->steps += part + 1 == PROFILE_PART_COUNT;
    profile->at = now;
}

/* What the nodes and parts are set against. */
struct scale {
    struct kernel_peak peak;
    double steps, step_seconds;
};

static int longest_first(const void *a, const void *b)
{
    const struct program_step_info *x = a, *y = b;
    return x->seconds > y->seconds ? -1 : x->seconds < y->seconds;
}

static struct value *rate_set(struct arena *arena, struct value *map, const char *what, double rate, double peak)
{
    const char *key = arena_format(arena, "%s_per_second", what), *share = arena_format(arena, "of_peak_%s", what);
    if (!key || !share)
        return NULL;
    map = value_set(arena, map, key, rate > 0 ? value_real(arena, rate) : value_null(arena));
    return value_set(arena, map, share, rate > 0 && peak > 0 ? value_real(arena, rate / peak) : value_null(arena));
}

static struct value *node_value(struct arena *arena, const struct scale *scale, const struct program_step_info *node)
{
    const double seconds = node->seconds / scale->steps;
    struct value *map = value_set(arena, value_map(arena), "phase", value_text(arena, node->phase));
    map = value_set(arena, map, "layer", value_text(arena, node->name));
    map = value_set(arena, map, "op", value_text(arena, node->op));
    map = value_set(arena, map, "kernel", value_text(arena, node->kernel ? node->kernel : "loop"));
    map = value_set(arena, map, "seconds", value_real(arena, seconds));
    map = value_set(arena, map, "share", value_real(arena, seconds / scale->step_seconds));
    map = rate_set(arena, map, "flops", seconds > 0 ? node->flops / seconds : 0, scale->peak.flops);
    return rate_set(arena, map, "bytes", seconds > 0 ? node->bytes / seconds : 0, scale->peak.bytes);
}

static struct value *nodes_value(struct arena *arena, const struct scale *scale, const struct program *program,
                                 double *flops)
{
    const int n = program_step_count(program);
    struct value *list = value_list(arena);
    struct program_step_info *nodes = arena_take(arena, (size_t)n, sizeof *nodes);
    if (!nodes)
        return NULL;
    for (int i = 0; i < n; i++) {
        nodes[i] = program_step(program, i);
        *flops += nodes[i].flops;
    }
    qsort(nodes, (size_t)n, sizeof *nodes, longest_first);
    for (int i = 0; i < n; i++)
        list = value_append(arena, list, node_value(arena, scale, &nodes[i]));
    return list;
}

static struct value *parts_value(struct arena *arena, const struct scale *scale, const struct profile *profile)
{
    static const char *const words[] = {
#define X(name, word, help) word,
        PROFILE_PARTS(X)
#undef X
    };
    struct value *list = value_list(arena);
    for (int i = 0; i < PROFILE_PART_COUNT; i++) {
        const double seconds = profile->seconds[i] / scale->steps;
        struct value *map = value_set(arena, value_map(arena), "part", value_text(arena, words[i]));
        map = value_set(arena, map, "seconds", value_real(arena, seconds));
        map = value_set(arena, map, "share", value_real(arena, seconds / scale->step_seconds));
        list = value_append(arena, list, map);
    }
    return list;
}

static struct value *peak_value(struct arena *arena, const struct kernel_peak *peak)
{
    struct value *map = value_set(arena, value_map(arena), "flops_per_second", value_real(arena, peak->flops));
    map = value_set(arena, map, "bytes_per_second", value_real(arena, peak->bytes));
    return value_set(arena, map, "cached_bytes_per_second", value_real(arena, peak->cached_bytes));
}

enum status profile_value(const struct profile *profile, const struct program *program, enum element precision,
                          struct kernel_context *kernels, struct arena *arena, struct value **value)
{
    double flops = 0, seconds = 0;
    struct scale scale = {.steps = profile->steps > 0 ? (double)profile->steps : 1};
    RETURN_IF(kernel_peak_measure(kernels, precision, &scale.peak));
    for (int i = 0; i < PROFILE_PART_COUNT; i++)
        seconds += profile->seconds[i];
    scale.step_seconds = seconds / scale.steps;
    struct value *nodes = nodes_value(arena, &scale, program, &flops);
    struct value *map = value_set(arena, value_map(arena), "steps", value_integer(arena, profile->steps));
    map = value_set(arena, map, "threads", value_integer(arena, kernels->threads));
    map = value_set(arena, map, "seconds", value_real(arena, scale.step_seconds));
    map = rate_set(arena, map, "flops", scale.step_seconds > 0 ? flops / scale.step_seconds : 0, scale.peak.flops);
    map = value_set(arena, map, "peak", peak_value(arena, &scale.peak));
    map = value_set(arena, map, "nodes", nodes);
    *value = value_set(arena, map, "parts", parts_value(arena, &scale, profile));
    return *value ? STATUS_OK : kernels->ctx->error.status;
}
