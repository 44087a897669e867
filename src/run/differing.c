/* differing.c: the samples on which student and teacher differ most, with their images. */
#include "run/details.h"

#include "train/evaluate.h"

#include <math.h>
#include <string.h>

enum {
    DIFFERING_MAX = 12,
    SIDE_MAX = 64, /* pixels */
    SIDE_MIN = 4   /* what is smaller is no image but a row of numbers */
};

/* The samples found so far, the one that differs most first. */
struct differing {
    int64_t count;
    int32_t rows[DIFFERING_MAX];
    double divergence[DIFFERING_MAX];
};

/* differing_add: where it belongs; of equals the first comes first. What is not a number is left out. */
static void differing_add(struct differing *found, int64_t row, double divergence)
{
    int64_t at = found->count;
    if (isnan(divergence))
        return;
    while (at > 0 && divergence > found->divergence[at - 1])
        at--;
    if (at == DIFFERING_MAX)
        return;
    int64_t last = found->count < DIFFERING_MAX ? found->count++ : DIFFERING_MAX - 1;
    for (int64_t i = last; i > at; i--) {
        found->rows[i] = found->rows[i - 1];
        found->divergence[i] = found->divergence[i - 1];
    }
    found->rows[at] = (int32_t)row;
    found->divergence[at] = divergence;
}

static enum status differing_find(const struct details *details, struct differing *found)
{
    int64_t k = details->classes;
    double *room = arena_take(details->arena, (size_t)(2 * k), sizeof *room);
    if (!room)
        return details->ctx->error.status;
    for (int64_t i = 0; i < details->split->count; i++) {
        const double *student = details->logits + i * k, *teacher = details->site->teacher_logits + i * k;
        if (logits_class(student, k) != logits_class(teacher, k))
            differing_add(found, i, divergence_of(student, teacher, k, room));
    }
    return STATUS_OK;
}

/* pixel_mean: of the block of `step` x `step` pixels at (row, column), as a byte; image [H,W,C]. */
static unsigned char pixel_mean(const struct split *split, const void *image, int64_t row, int64_t column,
                                int64_t channel, int64_t step)
{
    double sum = 0, count = 0;
    for (int64_t y = row * step; y < (row + 1) * step && y < split->height; y++)
        for (int64_t x = column * step; x < (column + 1) * step && x < split->width; x++) {
            int64_t at = (y * split->width + x) * split->channels + channel;
            sum += split->element == ELEMENT_U8 ? ((const unsigned char *)image)[at]
                                                : 255 * (double)((const float *)image)[at];
            count++;
        }
    double mean = sum / count;
    return mean > 0 ? (unsigned char)lround(fmin(mean, 255)) : 0; /* NaN is black, too */
}

static enum status images_record(const struct details *details, const struct differing *found)
{
    const struct split *split = details->split;
    int64_t side = split->height > split->width ? split->height : split->width, step = (side + SIDE_MAX - 1) / SIDE_MAX;
    int64_t height = (split->height + step - 1) / step, width = (split->width + step - 1) / step;
    int64_t channels = split->channels == 3 ? 3 : 1; /* of others the first alone */
    size_t bytes = (size_t)(split->height * split->width * split->channels) * element_size(split->element);
    if (split->height < SIDE_MIN || split->width < SIDE_MIN)
        return STATUS_OK;
    unsigned char *images = arena_take(details->arena, (size_t)(found->count * height * width * channels) + 1, 1), *to;
    if (!images)
        return details->ctx->error.status;
    to = images;
    for (int64_t i = 0; i < found->count; i++) {
        const char *image = (const char *)split->images + (size_t)found->rows[i] * bytes;
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++)
                for (int64_t c = 0; c < channels; c++)
                    *to++ = pixel_mean(split, image, y, x, c, step);
    }
    return details_array(details, "differing_images", RECORD_U8, SHAPE(found->count, height, width, channels), images);
}

enum status differing_record(const struct details *details)
{
    struct differing found = {0};
    int32_t labels[DIFFERING_MAX];
    RETURN_IF(differing_find(details, &found));
    for (int64_t i = 0; i < found.count; i++)
        labels[i] = details->split->labels[found.rows[i]];
    RETURN_IF(details_array(details, "differing_samples", RECORD_I32, SHAPE(found.count), found.rows));
    RETURN_IF(details_array(details, "differing_labels", RECORD_I32, SHAPE(found.count), labels));
    RETURN_IF(details_logits(details, "differing_logits", details->logits, found.rows, found.count));
    RETURN_IF(
        details_logits(details, "differing_teacher_logits", details->site->teacher_logits, found.rows, found.count));
    return images_record(details, &found);
}
