/* nn/zoo/list.h: writing a layer list as a recipe would. All sticky: NULL where memory ran out, with the error
 * recorded. */
#ifndef NN_ZOO_LIST_H
#define NN_ZOO_LIST_H

#include "nn/layer.h"

/* zoo_add: appends {type: options, name: name}; options NULL: none; name NULL: automatic. Returns the list. */
struct value *zoo_add(struct arena *arena, struct value *list, const char *type, const char *name,
                      struct value *options);
/* zoo_integer: sets key to a number in options, a map (NULL: something failed before). Returns options. */
struct value *zoo_integer(struct arena *arena, struct value *options, const char *key, int64_t number);
/* zoo_conv: a convolution without bias, batch norm and ReLU behind it. */
struct value *zoo_conv(struct arena *arena, struct value *list, int64_t out, int64_t kernel, int64_t stride);
/* zoo_dropout: nothing when the rate is 0. */
struct value *zoo_dropout(struct arena *arena, struct value *list, double rate);

/* How a map [C,H,W] becomes a vector: its mean, or a learnt weighting of its positions, one a channel. */
enum { ZOO_HEAD_AVERAGE, ZOO_HEAD_WEIGHTING };
extern const char *const zoo_heads[]; /* the choices, NULL-terminated */
#define ZOO_HEAD_HELP                                                                                                  \
    "average: mean of each channel; weighting: a learnt weight for each position of each channel (a depthwise "        \
    "convolution over the whole map)"
/* zoo_head: the head, dropout and the linear layer to the classes. */
struct value *zoo_head(struct arena *arena, struct value *list, int head, int64_t channels, int64_t height,
                       int64_t width, double dropout, int64_t classes);

#endif
