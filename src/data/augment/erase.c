/* erase: with a probability, a rectangle is 0: its area a uniform part of 0.02 … 0.33 of the image, its height to width a
 * ratio whose logarithm is uniform in log 0.3 … log 3.3, at a uniform place inside of the image; drawn again, up to ten
 * times, where it does not fit (PyTorch's RandomErasing). Zhong 2017, arXiv 1708.04896. */
#include "data/augment/box.h"

#include <math.h>
#include <string.h>

enum { TRIES = 10, DRAWS = 16 }; /* of a sample: one number for whether, then one for each try */

static const double area_least = 0.02, area_most = 0.33, ratio_least = 0.3, ratio_most = 3.3;

static int64_t erase_views(const union augment_setting *setting)
{
    return setting->real > 0 ? 0 : 1;
}

static double unit(uint32_t bits)
{
    return bits * 0x1p-32;
}

/* erase_try: one rectangle; false: it does not fit. */
static bool erase_try(const struct augment_image *image, const uint32_t bits[4], int64_t box[4])
{
    double area = (double)(image->height * image->width) * (area_least + unit(bits[0]) * (area_most - area_least));
    double ratio = exp(log(ratio_least) + unit(bits[1]) * (log(ratio_most) - log(ratio_least)));
    int64_t height = (int64_t)floor(sqrt(area * ratio) + 0.5), width = (int64_t)floor(sqrt(area / ratio) + 0.5);
    if (height >= image->height || width >= image->width)
        return false;
    box[0] = (int64_t)(((uint64_t)bits[2] * (uint64_t)(image->height - height + 1)) >> 32);
    box[1] = (int64_t)(((uint64_t)bits[3] * (uint64_t)(image->width - width + 1)) >> 32);
    box[2] = height;
    box[3] = width;
    return true;
}

static void erase_apply(const union augment_setting *setting, const struct augment_image *image, const void *from,
                        void *to, int64_t view, const struct random_key *key, int64_t sample)
{
    (void)view;
    uint32_t bits[4];
    int64_t box[4] = {0, 0, 0, 0};
    uint64_t first = (uint64_t)sample * DRAWS;
    bool erased = random_uniform(key, first) < setting->real;
    for (uint64_t i = 1; erased && i <= TRIES; i++) {
        random_block(key, first + i, bits);
        if (erase_try(image, bits, box))
            break;
    }
    box_clear(image, from, to, box[0], box[1], box[2], box[3]);
}

const struct augment augment_erase = {
    .name = "erase",
    .summary = "a rectangle of a random size and place is 0 in a part of the images",
    .paper = "Zhong 2017, arXiv 1708.04896",
    .option = {.name = "erase",
               .type = OPTION_REAL,
               .initial = "0",
               .min = 0,
               .max = 1,
               .help = "the probability that it happens to an image"},
    .views = erase_views,
    .apply = erase_apply,
};
