/* shift: moves the image by up to N pixels up or down and left or right, all (2N+1)^2 moves alike likely; what comes in
 * is 0. */
#include "data/augment.h"

#include <string.h>

static int64_t shift_views(const union augment_setting *setting)
{
    return setting->integer > 0 ? 0 : 1;
}

static int64_t shift_draw(const union augment_setting *setting, const struct random_key *key, int64_t sample)
{
    (void)setting, (void)key, (void)sample;
    return 0; /* too many to number */
}

/* move: a whole number of -most … most from 32 random bits. */
static int64_t move(uint32_t bits, int64_t most)
{
    return (int64_t)(((uint64_t)bits * (uint64_t)(2 * most + 1)) >> 32) - most;
}

static void shift_apply(const union augment_setting *setting, const struct augment_image *image, const void *from,
                        void *to, int64_t view, const struct random_key *key, int64_t sample)
{
    (void)view;
    uint32_t bits[4];
    random_block(key, (uint64_t)sample, bits);
    int64_t down = move(bits[0], setting->integer), right = move(bits[1], setting->integer);
    size_t pixel = (size_t)image->channels * image->element_size, row = (size_t)image->width * pixel;
    int64_t kept = image->width - (right < 0 ? -right : right); /* columns that stay in the image */
    memset(to, 0, (size_t)image->height * row);
    for (int64_t y = 0; y < image->height && kept > 0; y++) {
        int64_t source = y - down;
        if (source < 0 || source >= image->height)
            continue;
        memcpy((unsigned char *)to + (size_t)y * row + (size_t)(right > 0 ? right : 0) * pixel,
               (const unsigned char *)from + (size_t)source * row + (size_t)(right < 0 ? -right : 0) * pixel,
               (size_t)kept * pixel);
    }
}

const struct augment augment_shift = {
    .name = "shift",
    .summary = "moves the image by up to N pixels each way; the border that comes in is 0",
    .option = {.name = "shift",
               .type = OPTION_INTEGER,
               .initial = "0",
               .min = 0,
               .max = 1024,
               .help = "the most pixels up, down, left or right"},
    .views = shift_views,
    .draw = shift_draw,
    .apply = shift_apply,
};
