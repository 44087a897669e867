/* images.c: see images.h. */
#include "train/images.h"

struct images {
    struct context *ctx;
    const struct split *split;
    int64_t pixels; /* of one image, channels included */
    double *wide;   /* [batch, pixels], where floats must become doubles; else NULL */
};

struct images *images_new(struct context *ctx, const struct split *split, int64_t batch, enum element precision)
{
    struct images *images = memory_new(ctx, 1, sizeof *images);
    if (!images)
        return NULL;
    images->ctx = ctx;
    images->split = split;
    images->pixels = split->height * split->width * split->channels;
    if (split->element == ELEMENT_F32 && precision == ELEMENT_F64) {
        images->wide = memory_new(ctx, (size_t)(batch * images->pixels), sizeof *images->wide);
        if (!images->wide) {
            images_free(images);
            return NULL;
        }
    }
    return images;
}

void images_free(struct images *images)
{
    if (!images)
        return;
    memory_free(images->ctx, images->wide);
    memory_free(images->ctx, images);
}

enum element images_element(const struct images *images)
{
    return images->split->element == ELEMENT_U8 ? ELEMENT_U8 : ELEMENT_REAL;
}

const void *images_of(struct images *images, const void *from, int64_t count)
{
    if (!images->wide)
        return from;
    const float *narrow = from;
    for (int64_t i = 0; i < count * images->pixels; i++)
        images->wide[i] = narrow[i];
    return images->wide;
}

const void *images_of_split(struct images *images, int64_t first, int64_t count)
{
    size_t at = (size_t)(first * images->pixels) * element_size(images->split->element);
    return images_of(images, (const char *)images->split->images + at, count);
}
