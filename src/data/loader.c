/* loader.c: batches of a split. */
#include "data/loader.h"

#include "data/sample_order.h"

#include <assert.h>
#include <string.h>

struct loader {
    struct context *ctx;
    struct loader_spec spec;
    struct augment_image image;
    size_t image_bytes;
    int64_t views;   /* 0: not numbered */
    int64_t entries; /* an epoch has: samples, or with every_view samples * views */
    int64_t steps, epoch, step;
    struct sample_order *order;                 /* NULL: every_view */
    unsigned char *images, *scratch, *mixed;    /* mixed: the other image; NULL: samples are not mixed */
    int32_t *labels, *samples, *view_of, *rows; /* [batch] */
    int32_t *others;                            /* [batch], and parts; NULL: samples are not mixed */
    double *parts;
};

struct loader *loader_new(struct context *ctx, const struct loader_spec *spec)
{
    const struct split *split = spec->split;
    assert(spec->batch >= 1 && !(spec->every_view && spec->shuffle));
    if (split->count == 0) {
        fail(ctx, STATUS_BAD_INPUT, "the %s split is empty", split->name);
        return NULL;
    }
    int64_t views = augmentation_views(spec->augmentation);
    assert(!spec->every_view || views > 0);
    if (!spec->every_view && views > INT32_MAX / split->count)
        views = 0; /* so many that nobody records them */
    if (augmentation_check(ctx, spec->augmentation, split->channels) != STATUS_OK)
        return NULL;
    if (views > INT32_MAX / split->count) {
        fail(ctx, STATUS_BAD_SHAPE, "the %s split has %lld samples with %lld views each: expected less than 2^31 rows",
             split->name, (long long)split->count, (long long)views);
        return NULL;
    }
    int64_t entries = spec->every_view ? split->count * views : split->count;
    if (spec->drop_last && spec->batch > entries) {
        fail(ctx, STATUS_BAD_INPUT, "batch: expected at most the %lld samples of the %s split, found %lld",
             (long long)split->count, split->name, (long long)spec->batch);
        return NULL;
    }
    struct loader *loader = memory_new(ctx, 1, sizeof *loader);
    if (loader == NULL)
        return NULL;
    size_t batch = (size_t)(spec->batch < entries ? spec->batch : entries); /* more are never filled */
    loader->ctx = ctx;
    loader->spec = *spec;
    loader->image = (struct augment_image){split->height, split->width, split->channels, element_size(split->element)};
    loader->image_bytes = (size_t)(split->height * split->width * split->channels) * loader->image.element_size;
    loader->views = views;
    loader->entries = entries;
    loader->steps = entries / spec->batch + (!spec->drop_last && entries % spec->batch != 0);
    loader->images = memory_new(ctx, batch, loader->image_bytes);
    loader->scratch = memory_new(ctx, 1, loader->image_bytes);
    loader->labels = memory_new(ctx, batch, sizeof loader->labels[0]);
    loader->samples = memory_new(ctx, batch, sizeof loader->samples[0]);
    loader->view_of = memory_new(ctx, batch, sizeof loader->view_of[0]);
    loader->rows = memory_new(ctx, batch, sizeof loader->rows[0]);
    if (!spec->every_view)
        loader->order = sample_order_new(ctx, spec, loader->steps);
    if (augmentation_mixes(spec->augmentation)) {
        loader->mixed = memory_new(ctx, 1, loader->image_bytes);
        loader->others = memory_new(ctx, batch, sizeof loader->others[0]);
        loader->parts = memory_new(ctx, batch, sizeof loader->parts[0]);
    }
    if (loader->images == NULL || loader->scratch == NULL || loader->labels == NULL || loader->samples == NULL ||
        loader->view_of == NULL || loader->rows == NULL || (!spec->every_view && loader->order == NULL) ||
        (augmentation_mixes(spec->augmentation) &&
         (loader->mixed == NULL || loader->others == NULL || loader->parts == NULL))) {
        loader_free(loader);
        return NULL;
    }
    loader_epoch(loader, 0);
    return loader;
}

void loader_free(struct loader *loader)
{
    if (loader == NULL)
        return;
    struct context *ctx = loader->ctx;
    memory_free(ctx, loader->images);
    memory_free(ctx, loader->scratch);
    memory_free(ctx, loader->labels);
    memory_free(ctx, loader->samples);
    memory_free(ctx, loader->view_of);
    memory_free(ctx, loader->rows);
    sample_order_free(loader->order);
    memory_free(ctx, loader->mixed);
    memory_free(ctx, loader->others);
    memory_free(ctx, loader->parts);
    memory_free(ctx, loader);
}

int64_t loader_steps(const struct loader *loader)
{
    return loader->steps;
}

int64_t loader_views(const struct loader *loader)
{
    return loader->views;
}

void loader_epoch(struct loader *loader, int64_t epoch)
{
    loader_seek(loader, epoch, 0);
}

void loader_seek(struct loader *loader, int64_t epoch, int64_t step)
{
    assert(epoch >= 0 && step >= 0 && step <= loader->steps);
    loader->epoch = epoch;
    loader->step = step;
}

/* image_make: a sample as this view of it shows it in this pass. */
static void image_make(const struct loader *loader, int64_t sample, int64_t pass, int64_t view, unsigned char *to)
{
    const unsigned char *from =
        (const unsigned char *)loader->spec.split->images + (size_t)sample * loader->image_bytes;
    augmentation_apply(loader->spec.augmentation, &loader->image, from, to, loader->scratch, pass, sample, view);
}

/* image_mix: to = part to + (1 - part) from; bytes are rounded. */
static void image_mix(const struct loader *loader, double part, const void *from_, void *to_)
{
    float keep = (float)part, rest = (float)(1 - part);
    size_t count = loader->image_bytes / loader->image.element_size;
    if (loader->spec.split->element == ELEMENT_U8) {
        const uint8_t *from = from_;
        uint8_t *to = to_;
        for (size_t i = 0; i < count; i++)
            to[i] = (uint8_t)(keep * (float)to[i] + rest * (float)from[i] + 0.5F);
    } else {
        const float *from = from_;
        float *to = to_;
        for (size_t i = 0; i < count; i++)
            to[i] = keep * to[i] + rest * from[i];
    }
}

/* sample_mix: mixes the batch's i-th image, which is there already, with another sample, of those that come at all. */
static void sample_mix(const struct loader *loader, int64_t i, struct drawn drawn, int64_t view)
{
    int64_t other = 0;
    const struct augmentation *augmentation = loader->spec.augmentation;
    const struct split *split = loader->spec.split;
    const int64_t partners = loader->order == NULL ? split->count : sample_order_partners(loader->order);
    augmentation_mix(augmentation, drawn.pass, view, drawn.sample, partners, &other, &loader->parts[i]);
    if (loader->order != NULL)
        other = sample_order_partner(loader->order, other);
    image_make(loader, other, drawn.pass, view, loader->mixed);
    image_mix(loader, loader->parts[i], loader->mixed, loader->images + (size_t)i * loader->image_bytes);
    loader->others[i] = split->labels[other];
}

bool loader_next(struct loader *loader, struct batch *batch)
{
    if (loader->step == loader->steps)
        return false;
    const struct split *split = loader->spec.split;
    int64_t first = loader->step * loader->spec.batch, left = loader->entries - first;
    int64_t count = left < loader->spec.batch ? left : loader->spec.batch;
    for (int64_t i = 0; i < count; i++) {
        struct drawn drawn = {.pass = loader->epoch};
        int64_t view;
        if (loader->spec.every_view) {
            drawn.sample = (int32_t)((first + i) / loader->views);
            view = (first + i) % loader->views;
        } else {
            drawn = sample_order_at(loader->order, loader->epoch, loader->step, i);
            view = augmentation_draw(loader->spec.augmentation, drawn.pass, drawn.sample);
        }
        image_make(loader, drawn.sample, drawn.pass, view, loader->images + (size_t)i * loader->image_bytes);
        if (loader->mixed != NULL)
            sample_mix(loader, i, drawn, view);
        loader->labels[i] = split->labels[drawn.sample];
        loader->samples[i] = drawn.sample;
        loader->view_of[i] = (int32_t)view;
        loader->rows[i] = (int32_t)(loader->views > 0 ? drawn.sample * loader->views + view : drawn.sample);
    }
    loader->step++;
    *batch = (struct batch){.element = split->element,
                            .images = loader->images,
                            .labels = loader->labels,
                            .samples = loader->samples,
                            .views = loader->view_of,
                            .rows = loader->rows,
                            .others = loader->others,
                            .parts = loader->parts,
                            .count = count};
    return true;
}
