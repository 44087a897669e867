/* png.h: pixels as a PNG file in memory. */
#ifndef FORMAT_PNG_H
#define FORMAT_PNG_H

#include "base/text.h"

/* png_write: appends the file to `out` (sticky, as all of text.h). pixels u8 [height, width, channels], each dimension
 * at least 1, channels 1 (grey) or 3 (red, green, blue). It is not packed: meant for a few small images.
 * PNG, third edition, W3C 2025. */
void png_write(struct text *out, const unsigned char *pixels, uint32_t height, uint32_t width, int channels);

#endif
