/* table.c: the tables of layer types, blocks and named networks, made from the .def files. */
#include "base/additions.h"
#include "nn/block.h"
#include "nn/layer.h"

#include <string.h>

#define LAYER(identifier) extern const struct layer_type layer_##identifier;
#include "nn/layers.def"
#undef LAYER

const struct layer_type *const layer_table[] = {
#define LAYER(identifier) &layer_##identifier,
#include "nn/layers.def"
#undef LAYER
};
const size_t layer_table_count = sizeof(layer_table) / sizeof(layer_table[0]);

size_t layer_type_count(const struct context *ctx)
{
    return layer_table_count + additions_count(ctx, ADDITION_LAYER);
}

const struct layer_type *layer_type_at(const struct context *ctx, size_t index)
{
    return index < layer_table_count ? layer_table[index]
                                     : additions_at(ctx, ADDITION_LAYER, index - layer_table_count);
}

const struct layer_type *layer_find_type(const struct context *ctx, const char *name)
{
    for (size_t i = 0; i < layer_type_count(ctx); i++)
        if (strcmp(layer_type_at(ctx, i)->name, name) == 0)
            return layer_type_at(ctx, i);
    return NULL;
}

#define BLOCK(identifier) extern const struct block_type block_##identifier;
#include "nn/blocks.def"
#undef BLOCK

const struct block_type *const block_table[] = {
#define BLOCK(identifier) &block_##identifier,
#include "nn/blocks.def"
#undef BLOCK
};
const size_t block_table_count = sizeof(block_table) / sizeof(block_table[0]);

#define ZOO(identifier) extern const struct zoo_entry zoo_##identifier;
#include "nn/zoo.def"
#undef ZOO

const struct zoo_entry *const zoo_table[] = {
#define ZOO(identifier) &zoo_##identifier,
#include "nn/zoo.def"
#undef ZOO
};
const size_t zoo_table_count = sizeof(zoo_table) / sizeof(zoo_table[0]);
