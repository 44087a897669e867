/* recordings.c: see recordings.h. */
#include "run/recordings.h"

#include "base/file.h"
#include "base/text.h"
#include "format/json.h"
#include "run/cache.h"
#include "run/depends.h"
#include "train/stage_graph.h"

#include <string.h>
#include <sys/statvfs.h>

#define DISK_SHARE 0.8 /* of the room that is left */

/* One layer of one teacher that is to be recorded. */
struct wanted {
    int layer;
    struct cache_entry entry;
    struct cache_writer *writer;
};

struct preparing {
    struct context *ctx;
    struct arena *arena;
    const struct recordings_site *site;
    struct teaching *teaching;
    struct augmentation room;
    const struct augmentation *augmentation; /* as the stages see it */
    const struct split *split;
    const struct value *images; /* what they are */
    int64_t rows;
};

/* --- keys --- */

/* dependencies: all that the values of a layer's rows follow from. */
static struct value *dependencies(const struct preparing *p, const char *network, const char *layer)
{
    struct arena *arena = p->arena;
    const struct plan *plan = p->site->plan;
    struct value *map = p->images ? value_copy(arena, p->images) : NULL;
    map = value_set(arena, map, "network", value_text(arena, network));
    map = value_set(arena, map, "layer", value_text(arena, layer));
    map = value_set(arena, map, "batch", value_integer(arena, p->site->batch));
    return run_value(arena, map, plan, p->site->version, p->site->kernels);
}

/* --- is it worth it, and is there room? --- */

static bool worth(const struct preparing *p)
{
    return p->site->plan->cache == CACHE_TRUE || (double)p->rows <= p->site->reads;
}

static enum status unrecorded(const struct preparing *p, const char *why)
{
    if (p->site->plan->cache == CACHE_TRUE)
        return fail(p->ctx, STATUS_UNSUPPORTED, "cache: true: the teacher's outputs cannot be recorded: %s", why);
    log_line(p->ctx, LOG_INFO, "the teacher's outputs are not recorded: %s; it runs in every step", why);
    return STATUS_OK;
}

/* fits: within the limit, and on the disk. */
static enum status fits(const struct preparing *p, int64_t bytes, bool *fit)
{
    struct statvfs disk;
    const char *why = NULL;
    const double limit = p->site->plan->cache_limit;
    *fit = false;
    if ((double)bytes > limit)
        why =
            arena_format(p->arena, "they would take %.2f GB, and cache_limit is %g", (double)bytes / 1e9, limit / 1e9);
    else if (statvfs(p->site->cache->folder, &disk) == 0 &&
             (double)bytes > DISK_SHARE * (double)disk.f_bavail * (double)disk.f_frsize)
        why = arena_format(p->arena, "they would take %.2f GB, and %s has room for %.2f", (double)bytes / 1e9,
                           p->site->cache->folder, (double)disk.f_bavail * (double)disk.f_frsize / 1e9);
    else
        *fit = true;
    return *fit || p->ctx->error.status != STATUS_OK ? p->ctx->error.status : unrecorded(p, why);
}

/* --- recording --- */

static enum status rows_keep(void *user, int layer, int64_t first, int64_t count, const void *values)
{
    struct wanted *wanted = user;
    return cache_writer_rows(wanted[layer].writer, first, count, values);
}

static void writers_leave(struct wanted *wanted, int count)
{
    for (int i = 0; i < count; i++) {
        cache_writer_leave(wanted[i].writer);
        wanted[i].writer = NULL;
    }
}

/* pass_run: what is not in the cache, in one pass. Entries are taken in the order of their layers, so that two runs do not wait for each
 * other. */
static enum status pass_run(struct preparing *p, const struct network *network, struct wanted *wanted, int count)
{
    enum status status = STATUS_OK;
    int layers[RECORDING_LAYERS_MAX];
    struct recording_pass pass = {.network = network,
                                  .layers = layers,
                                  .count = count,
                                  .split = p->split,
                                  .augmentation = p->augmentation,
                                  .batch = p->site->batch,
                                  .precision = p->site->plan->precision,
                                  .done = p->rows,
                                  .rows = rows_keep,
                                  .user = wanted};
    for (int i = 0; i < count; i++) {
        int64_t done = 0;
        layers[i] = wanted[i].layer;
        wanted[i].writer = cache_writer_new(p->site->cache, &wanted[i].entry, p->site->batch, &done);
        if (!wanted[i].writer)
            TRY(p->ctx->error.status);
        pass.done = done < pass.done ? done : pass.done;
    }
    if (pass.done < p->rows)
        TRY(recording_run(p->ctx, &pass, p->site->kernels, p->site->memory));
    for (int i = 0; i < count; i++) {
        struct cache_writer *writer = wanted[i].writer;
        wanted[i].writer = NULL;
        TRY(cache_writer_finish(writer));
    }
cleanup:
    writers_leave(wanted, count);
    return status;
}

/* recorded: the layer is in the cache: *found. */
static enum status recorded(struct preparing *p, const char *teacher, const struct wanted *wanted, bool *found)
{
    struct store *store = cache_store(p->site->cache, &wanted->entry);
    *found = store != NULL;
    if (!store)
        return p->ctx->error.status;
    return recording_add(p->ctx, p->teaching,
                         (struct recording){.teacher = teacher, .layer = wanted->entry.layer, .store = store});
}

static void wanted_log(const struct preparing *p, const char *teacher, const struct wanted *wanted, int count,
                       int64_t bytes)
{
    struct text text;
    text_init(&text, p->ctx);
    for (int i = 0; i < count; i++)
        text_format(&text, "%s%s", i ? ", " : "", wanted[i].entry.layer);
    if (!text.failed)
        log_line(p->ctx, LOG_INFO, "recording %s of %s: %lld samples, %lld views each, %.1f MB in %s", text.bytes,
                 teacher, (long long)p->split->count, (long long)(p->rows / p->split->count), (double)bytes / 1e6,
                 p->site->cache->folder);
    text_free(&text);
}

/* layers_wanted: what the stages read of a learner, each layer once, in the network's order. */
static int layers_wanted(struct preparing *p, int learner, int *layers)
{
    int count = 0;
    for (int i = 0; i < p->site->count; i++) {
        int of_stage[RECORDING_LAYERS_MAX];
        const int n = stage_teacher_layers(p->ctx, &p->site->stages[i], learner, of_stage, RECORDING_LAYERS_MAX);
        if (n < 0)
            return -1;
        for (int j = 0; j < n; j++) {
            int at = 0;
            while (at < count && layers[at] < of_stage[j])
                at++;
            if ((at < count && layers[at] == of_stage[j]) || count == RECORDING_LAYERS_MAX)
                continue;
            memmove(layers + at + 1, layers + at, (size_t)(count - at) * sizeof *layers);
            layers[at] = of_stage[j];
            count++;
        }
    }
    return count;
}

static enum status teacher_record(struct preparing *p, int learner)
{
    int layers[RECORDING_LAYERS_MAX], missing = 0;
    struct wanted wanted[RECORDING_LAYERS_MAX], left[RECORDING_LAYERS_MAX];
    const struct learner *who = &p->teaching->learners[learner - 1];
    char hash[65];
    int64_t bytes = 0;
    bool found, fit = true;
    const int count = who->network ? layers_wanted(p, learner, layers) : 0;
    if (count <= 0)
        return count < 0 ? p->ctx->error.status : STATUS_OK;
    RETURN_IF(network_sha256(p->ctx, p->arena, who->network, hash));
    for (int i = 0; i < count; i++) {
        const char *layer = who->network->layers[layers[i]].name;
        wanted[i] = (struct wanted){.layer = layers[i],
                                    .entry = {.teacher = who->name,
                                              .layer = layer,
                                              .on = dependencies(p, hash, layer),
                                              .rows = p->rows,
                                              .row = recording_row(who->network, layers[i]),
                                              .element = p->site->plan->precision,
                                              .half = p->site->plan->cache_half}};
        if (!wanted[i].entry.on)
            return p->ctx->error.status;
        RETURN_IF(recorded(p, who->name, &wanted[i], &found));
        bytes += found ? 0 : cache_entry_bytes(&wanted[i].entry);
        if (!found)
            left[missing++] = wanted[i];
    }
    if (missing == 0 || !worth(p))
        return STATUS_OK;
    RETURN_IF(fits(p, bytes, &fit));
    if (!fit)
        return STATUS_OK;
    wanted_log(p, who->name, left, missing, bytes);
    RETURN_IF(pass_run(p, who->network, left, missing));
    for (int i = 0; i < missing; i++) {
        RETURN_IF(recorded(p, who->name, &left[i], &found));
        if (!found)
            return fail(p->ctx, STATUS_IO, "%s: the outputs that were just recorded are gone", p->site->cache->folder);
    }
    return STATUS_OK;
}

enum status recordings_prepare(struct context *ctx, struct arena *arena, const struct recordings_site *site,
                               struct teaching *teaching)
{
    const struct plan *plan = site->plan;
    struct preparing p = {.ctx = ctx, .arena = arena, .site = site, .teaching = teaching};
    bool any = false;
    for (int i = 0; i < teaching->n_learners; i++)
        any = any || teaching->learners[i].network;
    p.split = &plan->data->splits[SPLIT_TRAIN];
    p.augmentation = augmentation_limited(plan->data->augmentation, plan->views, &p.room);
    p.rows = recording_rows(p.split, p.augmentation);
    if (!any || !site->cache || p.rows == 0 || site->reads == 0)
        return STATUS_OK;
    p.images = images_value(arena, value_map(arena), plan, p.split, p.augmentation);
    if (!p.images)
        return ctx->error.status;
    for (int i = 1; i <= teaching->n_learners; i++)
        RETURN_IF(teacher_record(&p, i));
    return STATUS_OK;
}
