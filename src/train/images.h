/* images.h: images as a program reads them: bytes stay bytes; floats take the program's precision. */
#ifndef TRAIN_IMAGES_H
#define TRAIN_IMAGES_H

#include "data/data.h"

struct images;

/* images_new: for batches of at most `batch` images of the split (borrowed). NULL: error recorded. */
struct images *images_new(struct context *ctx, const struct split *split, int64_t batch, enum element precision);
void images_free(struct images *images);
/* images_element: of a graph's input: U8 or REAL. */
enum element images_element(const struct images *images);
/* images_of: `count` images in the split's element type, as the program wants them; valid until the next call. */
const void *images_of(struct images *images, const void *from, int64_t count);
/* images_of_split: images first … first+count-1 of the split. */
const void *images_of_split(struct images *images, int64_t first, int64_t count);

#endif
