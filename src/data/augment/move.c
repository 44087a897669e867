/* move.c: see move.h. What comes in at the border is 0. */
#include "data/augment/move.h"

#include <string.h>

int64_t move_views(const union augment_setting *setting)
{
    int64_t side = 2 * setting->integer + 1;
    return side * side;
}

/* part: 0 … count-1 from 32 random bits. */
static int64_t part(uint32_t bits, int64_t count)
{
    return (int64_t)(((uint64_t)bits * (uint64_t)count) >> 32);
}

int64_t move_draw(const union augment_setting *setting, const struct random_key *key, int64_t sample)
{
    uint32_t bits[4];
    int64_t side = 2 * setting->integer + 1;
    random_block(key, (uint64_t)sample, bits);
    return part(bits[0], side) * side + part(bits[1], side);
}

void move_apply(const union augment_setting *setting, const struct augment_image *image, const void *from, void *to,
                int64_t view, const struct random_key *key, int64_t sample)
{
    (void)key, (void)sample;
    int64_t side = 2 * setting->integer + 1;
    int64_t down = view / side - setting->integer, right = view % side - setting->integer;
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
