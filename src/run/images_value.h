/* images_value.h: what recorded outputs depend on of the data. */
#ifndef RUN_IMAGES_VALUE_H
#define RUN_IMAGES_VALUE_H

#include "run/plan.h"

/* images_value: the map with a hash of the split's images, their shape, and what the augmentation (NULL: none) makes of them; labels are
 * nothing to a teacher. NULL: an earlier error, or no memory. */
struct value *images_value(struct arena *arena, struct value *map, const struct plan *plan, const struct split *split,
                           const struct augmentation *augmentation);

#endif
