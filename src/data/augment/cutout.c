/* cutout: a square of side S is 0; its centre is any pixel, so that it may hang over the border.
 * DeVries, Taylor 2017, arXiv 1708.04552. */
#include "data/augment/box.h"

static int64_t cutout_views(const union augment_setting *setting)
{
    return setting->integer > 0 ? 0 : 1; /* one for each pixel */
}

static void cutout_apply(const union augment_setting *setting, const struct augment_image *image, const void *from,
                         void *to, int64_t view, const struct random_key *key, int64_t sample)
{
    (void)view;
    uint32_t bits[4];
    int64_t side = setting->integer;
    random_block(key, (uint64_t)sample, bits);
    int64_t y = (int64_t)(((uint64_t)bits[0] * (uint64_t)image->height) >> 32);
    int64_t x = (int64_t)(((uint64_t)bits[1] * (uint64_t)image->width) >> 32);
    box_clear(image, from, to, y - side / 2, x - side / 2, side, side);
}

const struct augment augment_cutout = {
    .name = "cutout",
    .summary = "a square at a random place is 0",
    .paper = "DeVries, Taylor 2017, arXiv 1708.04552",
    .option = {.name = "cutout",
               .type = OPTION_INTEGER,
               .initial = "0",
               .min = 0,
               .max = 1024,
               .help = "side of the square in pixels"},
    .views = cutout_views,
    .apply = cutout_apply,
};
