/* samples.c: see samples.h. */
#include "data/samples.h"

#include <string.h>

void samples_free(struct context *ctx, struct samples *samples)
{
    memory_free(ctx, samples->images);
    memory_free(ctx, samples->labels);
    memset(samples, 0, sizeof *samples);
}

enum status samples_alike(struct context *ctx, const struct samples *a, const struct samples *b)
{
    if (a->count == 0 || b->count == 0)
        return STATUS_OK;
    if (a->height != b->height || a->width != b->width || a->channels != b->channels)
        return fail(ctx, STATUS_BAD_SHAPE,
                    "%s has images of %lldx%lldx%lld, but %s has images of %lldx%lldx%lld (height, width, channels): "
                    "expected the same",
                    a->images_path, (long long)a->height, (long long)a->width, (long long)a->channels, b->images_path,
                    (long long)b->height, (long long)b->width, (long long)b->channels);
    if (a->element != b->element)
        return fail(ctx, STATUS_BAD_SHAPE, "%s has values of type %s, but %s has values of type %s: expected the same",
                    a->images_path, element_text(a->element), b->images_path, element_text(b->element));
    return STATUS_OK;
}

enum status samples_label(struct context *ctx, struct samples *samples)
{
    if (samples->labels != NULL || samples->count == 0)
        return STATUS_OK;
    samples->labels = memory_new(ctx, (size_t)samples->count, sizeof samples->labels[0]);
    if (samples->labels == NULL)
        return ctx->error.status;
    for (int64_t i = 0; i < samples->count; i++)
        samples->labels[i] = -1;
    return STATUS_OK;
}

enum status samples_insert(struct context *ctx, struct samples *to, int64_t at, const struct samples *extra)
{
    struct samples all = to->count > 0 ? *to : *extra;
    const size_t image = (size_t)(all.height * all.width * all.channels) * element_size(all.element);
    const size_t first = (size_t)at * image, more = (size_t)extra->count * image;
    const int64_t rest = to->count - at;
    if (extra->count == 0)
        return STATUS_OK;
    all.count = to->count + extra->count;
    all.images = memory_new(ctx, (size_t)all.count, image);
    all.labels = memory_new(ctx, (size_t)all.count, sizeof all.labels[0]);
    if (all.images == NULL || all.labels == NULL) {
        samples_free(ctx, &all);
        return ctx->error.status;
    }
    unsigned char *images = all.images;
    memcpy(images + first, extra->images, more);
    for (int64_t i = 0; i < extra->count; i++)
        all.labels[at + i] = -1;
    if (to->count > 0) {
        const unsigned char *from = to->images;
        memcpy(images, from, first);
        memcpy(images + first + more, from + first, (size_t)rest * image);
        memcpy(all.labels, to->labels, (size_t)at * sizeof all.labels[0]);
        memcpy(all.labels + at + extra->count, to->labels + at, (size_t)rest * sizeof all.labels[0]);
    } else {
        all.labels_path = NULL; /* whatever the extra samples' labels are, they are not these */
    }
    samples_free(ctx, to);
    *to = all;
    return STATUS_OK;
}
