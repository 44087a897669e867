/* images_value.c: see images_value.h. */
#include "run/images_value.h"

#include "base/file.h"

struct value *images_value(struct arena *arena, struct value *map, const struct plan *plan, const struct split *split,
                           const struct augmentation *augmentation)
{
    char hash[65];
    const size_t image = (size_t)(split->height * split->width * split->channels) * element_size(split->element);
    struct value *shape = value_list(arena);
    const int64_t dims[] = {split->count, split->height, split->width, split->channels};
    sha256_hex(split->images, (size_t)split->count * image, hash);
    for (int i = 0; i < 4; i++)
        shape = value_append(arena, shape, value_integer(arena, dims[i]));
    map = value_set(arena, map, "images", value_text(arena, hash));
    map = value_set(arena, map, "shape", shape);
    if (!augmentation)
        return map;
    map = value_set(arena, map, "augment", value_copy(arena, value_get(plan->data->resolved, "augment")));
    map = value_set(arena, map, "augment_seed", value_integer(arena, (int64_t)augmentation->seed));
    return value_set(arena, map, "views", value_integer(arena, augmentation->limit));
}
