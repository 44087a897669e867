/* block.h: a block is a shorthand in a layer list that becomes plain layers while the network is built, so that model
 * files hold plain layers only. One file nn/block/NAME.c and one line in nn/blocks.def.
 *
 * The layers of a block NAME are called NAME_…; its last one is called NAME, so that a tap or `inputs` can use the
 * block's name. */
#ifndef NN_BLOCK_H
#define NN_BLOCK_H

#include "nn/items.h"

/* Where a block is being put. */
struct block_site {
    struct builder *builder;
    const struct value *at; /* the block in the recipe, for messages; may be NULL */
    const char *name;
    int input; /* index of the layer that the block reads; BUILDER_INPUT: the network's input */
};

struct block_type {
    const char *name, *summary;
    const struct option_spec *options;
    size_t n_options, options_size;
    /* expand: adds the block's layers; the last one added is called site->name. */
    enum status (*expand)(const struct block_site *site, const void *options);
};

extern const struct block_type *const block_table[];
extern const size_t block_table_count;

/* block_add: adds the layer NAME_suffix (suffix NULL: NAME) of a layer type on one input. `options` as in a recipe;
 * NULL: defaults. *layer becomes its index, so that calls chain. block_join: on two inputs. */
enum status block_add(const struct block_site *site, const char *type, const char *suffix, struct value *options,
                      int *layer);
enum status block_join(const struct block_site *site, const char *type, const char *suffix, int a, int b,
                       struct value *options, int *layer);
/* block_list: adds a VALUE_LIST of layers and blocks behind *layer, called NAME_…; *layer becomes the last one. */
enum status block_list(const struct block_site *site, const struct value *list, int *layer);
/* block_sum: NAME_suffix (NULL: NAME): branch + shortcut. rate > 0: in training the branch is dropped for whole samples
 * (NAME_stochastic_depth). *layer: the sum. */
enum status block_sum(const struct block_site *site, const char *suffix, int branch, int shortcut, double rate,
                      int *layer);
/* block_map: the shape [B,H,W,C] that the block reads; anything else is an error. */
enum status block_map(const struct block_site *site, const char *type, struct shape *shape);
/* block_at: where the block's messages point; may be NULL. */
const struct value *block_at(const struct block_site *site);

#endif
