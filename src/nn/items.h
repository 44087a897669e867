/* items.h: writing a layer list as a recipe would, for blocks and the zoo. All sticky: NULL where memory ran out, with
 * the error recorded. */
#ifndef NN_ITEMS_H
#define NN_ITEMS_H

#include "nn/activation.h"
#include "nn/builder.h"

/* list_add: appends {type: options, name: name}; options NULL: none; name NULL: automatic. Returns the list. */
struct value *list_add(struct arena *arena, struct value *list, const char *type, const char *name,
                       struct value *options);
/* list_integer: sets key to a number in options, a map. Returns options. */
struct value *list_integer(struct arena *arena, struct value *options, const char *key, int64_t number);
/* list_pair: [height, width]. */
struct value *list_pair(struct arena *arena, struct option_pair pair);
/* list_rate: appends {type: {rate: rate}}; nothing where the rate is 0. */
struct value *list_rate(struct arena *arena, struct value *list, const char *type, double rate);
/* list_activation: appends the activation that `choice` of activation_names is; nothing for none. */
struct value *list_activation(struct arena *arena, struct value *list, int choice);
/* list_squeeze: appends {squeeze_excite: {ratio: ratio}}; nothing where the ratio is 0. */
struct value *list_squeeze(struct arena *arena, struct value *list, int64_t ratio);
/* conv_options: of a convolution without bias, padded so that stride 1 keeps the size. */
struct value *conv_options(struct arena *arena, int64_t out, int64_t kernel, struct option_pair stride, int64_t groups);

#define SQUARE(n) ((struct option_pair){(n), (n)})
#define SQUEEZE_HELP "channels of a squeeze-and-excite block are divided by this inside; 0: no such block"
#define STOCHASTIC_DEPTH_HELP "rate at which a sample skips the branch beside the shortcut in training"

#endif
