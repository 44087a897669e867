/* box.h: a rectangle of an image set to 0, for the augments that hide a part of it. */
#ifndef DATA_AUGMENT_BOX_H
#define DATA_AUGMENT_BOX_H

#include "data/augment.h"

/* box_clear: `to` is `from` but for rows top … top+height-1, columns left … left+width-1, which are 0; what of them lies outside
 * of the image is left out. */
void box_clear(const struct augment_image *image, const void *from, void *to, int64_t top, int64_t left, int64_t height,
               int64_t width);

#endif
