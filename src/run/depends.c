/* depends.c: see depends.h. */
#include "run/depends.h"

#include "base/file.h"
#include "base/text.h"
#include "format/json.h"

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

struct value *run_value(struct arena *arena, struct value *map, const struct plan *plan, const char *version,
                        const struct kernel_context *kernels)
{
    map = value_set(arena, map, "precision", value_text(arena, element_text(plan->precision)));
    map = value_set(arena, map, "version", value_text(arena, version ? version : ""));
    return value_set(arena, map, "kernels", value_text(arena, kernels->f32->level));
}

enum status network_sha256(struct context *ctx, struct arena *arena, const struct network *network, char out[65])
{
    struct text text;
    char hash[65];
    const struct parameters *p = network->parameters;
    const struct value *description = network_description(arena, network);
    if (!description)
        return ctx->error.status;
    text_init(&text, ctx);
    json_write(description, &text, 0);
    sha256_hex(p->values, (size_t)p->n_values * element_size(p->element), hash);
    text_add(&text, hash);
    sha256_hex(p->state, (size_t)p->n_state * element_size(p->element), hash);
    text_add(&text, hash);
    if (!text.failed)
        sha256_hex(text.bytes, text.length, out);
    text_free(&text);
    return ctx->error.status;
}
