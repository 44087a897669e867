/* nn/zoo/list.h: what networks by name have in common. Lists are sticky as in nn/items.h. */
#ifndef NN_ZOO_LIST_H
#define NN_ZOO_LIST_H

#include "nn/items.h"

/* zoo_conv: a convolution without bias and a batch norm, then the activation (of activation_names). */
struct value *zoo_conv(struct arena *arena, struct value *list, int64_t out, int64_t kernel, int64_t stride,
                       int activation);

/* How a map [C,H,W] becomes a vector: its mean, or a learnt weighting of its positions, one a channel. */
enum { ZOO_HEAD_AVERAGE, ZOO_HEAD_WEIGHTING };
extern const char *const zoo_heads[]; /* the choices, NULL-terminated */
#define ZOO_HEAD_HELP                                                                                                  \
    "average: mean of each channel; weighting: a learnt weight for each position of each channel (a depthwise "        \
    "convolution over the whole map)"
/* zoo_head: the head, dropout and the linear layer to the classes. */
struct value *zoo_head(struct arena *arena, struct value *list, int head, int64_t channels, int64_t height,
                       int64_t width, double dropout, int64_t classes);
/* zoo_average_head: the head of a mean. */
struct value *zoo_average_head(struct arena *arena, struct value *list, double dropout, int64_t classes);
/* zoo_classifier: dropout and the linear layer to the classes. */
struct value *zoo_classifier(struct arena *arena, struct value *list, double dropout, int64_t classes);

/* zoo_block: appends the block of that type as block1, block2 …: `number`, from 1. */
struct value *zoo_block(struct arena *arena, struct value *list, const char *type, int64_t number,
                        struct value *options);
/* zoo_depth_rate: the rate of stochastic depth of block `number` of `blocks`, which grows evenly up to `last`. Huang 2016,
 * arXiv 1603.09382. */
double zoo_depth_rate(double last, int64_t number, int64_t blocks);
#define ZOO_DEPTH_RATE_HELP                                                                                            \
    "rate at which a sample skips the last block in training; that of the blocks before it grows evenly up to there"
#define ZOO_WIDTH_HELP "factor on the channels of every layer"

/* Where a network was made for large images: which of its strides apply. */
enum { ZOO_FORM_SMALL, ZOO_FORM_IMAGENET };
extern const char *const zoo_forms[]; /* the choices, NULL-terminated */

#endif
