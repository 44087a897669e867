/* model.h: a network as a safetensors file: tensors LAYER.weight …, metadata retort.network (its description, JSON) and
 * retort.provenance (where it came from, JSON). */
#ifndef TRAIN_MODEL_H
#define TRAIN_MODEL_H

#include "nn/network.h"

/* model_save: atomic; float32 (a float64 network is rounded). provenance: a map, or NULL. */
enum status model_save(struct context *ctx, const struct network *network, const struct value *provenance,
                       const char *path);
/* model_load: the network (caller's, network_free) with the file's values, rebuilt from the metadata. A file that is not a model, that lacks a tensor or has
 * one of another shape, or a value that is not finite fails with the path and the tensor's name. */
enum status model_load(struct context *ctx, const char *path, enum element precision, struct network **network);
/* model_load_into: the file's values into a network of the same layers and shapes; else fails naming the first difference. */
enum status model_load_into(struct context *ctx, const char *path, struct network *network);
/* model_load_weights: the same from a file of another framework: tensors are found by our names, or by those that `names` ({ours: theirs},
 * NULL: none) gives to a tensor or a layer. Tensors that nobody wants are told of in a warning. */
enum status model_load_weights(struct context *ctx, const char *path, const struct value *names,
                               struct network *network);
/* model_is: does the file look like safetensors (not like a recipe)? */
bool model_is(const char *path);

#endif
