/* box.c: see box.h. */
#include "data/augment/box.h"

#include <string.h>

void box_clear(const struct augment_image *image, const void *from, void *to, int64_t top, int64_t left, int64_t height,
               int64_t width)
{
    size_t pixel = (size_t)image->channels * image->element_size, row = (size_t)image->width * pixel;
    int64_t bottom = top + height < image->height ? top + height : image->height;
    int64_t right = left + width < image->width ? left + width : image->width;
    top = top > 0 ? top : 0;
    left = left > 0 ? left : 0;
    memcpy(to, from, (size_t)image->height * row);
    for (int64_t y = top; y < bottom && left < right; y++)
        memset((unsigned char *)to + (size_t)y * row + (size_t)left * pixel, 0, (size_t)(right - left) * pixel);
}
