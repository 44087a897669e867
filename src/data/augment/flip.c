/* flip: the image or its mirror image (left and right change places), each in half of the epochs. */
#include "data/augment.h"

#include <string.h>

static int64_t flip_views(const union augment_setting *setting)
{
    return setting->boolean ? 2 : 1;
}

static int64_t flip_draw(const union augment_setting *setting, const struct random_key *key, int64_t sample)
{
    (void)setting;
    return random_u32(key, (uint64_t)sample) >> 31;
}

static void flip_apply(const union augment_setting *setting, const struct augment_image *image, const void *from,
                       void *to, int64_t view, const struct random_key *key, int64_t sample)
{
    (void)setting, (void)key, (void)sample;
    size_t pixel = (size_t)image->channels * image->element_size, row = (size_t)image->width * pixel;
    if (view == 0) {
        memcpy(to, from, (size_t)image->height * row);
        return;
    }
    for (int64_t y = 0; y < image->height; y++) {
        const unsigned char *source = (const unsigned char *)from + (size_t)y * row;
        unsigned char *target = (unsigned char *)to + (size_t)y * row + row;
        if (pixel == 1) {
            for (int64_t x = 0; x < image->width; x++)
                *--target = source[x];
        } else {
            for (int64_t x = 0; x < image->width; x++)
                memcpy(target -= pixel, source + (size_t)x * pixel, pixel);
        }
    }
}

const struct augment augment_flip = {
    .name = "flip",
    .summary = "the image or its mirror image, left to right",
    .option = {.name = "flip", .type = OPTION_BOOLEAN, .initial = "false", .help = "mirror half of the images"},
    .views = flip_views,
    .draw = flip_draw,
    .apply = flip_apply,
};
