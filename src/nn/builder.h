/* builder.h: a network under construction. Layers are added one after another to the network and to a scratch graph,
 * from which their shapes come; blocks look at those shapes and add layers in turn. Inside nn only. */
#ifndef NN_BUILDER_H
#define NN_BUILDER_H

#include "nn/layer.h"

enum { BUILDER_INPUT = -1 /* the network's input, where an index of a layer is wanted */ };

/* A list of layers being read: names inside a block carry the block's name. */
struct builder_scope {
    const struct builder_scope *outer;
    const char *prefix; /* "" or "NAME_" */
    const struct value *list;
};

struct builder {
    struct context *ctx;     /* borrowed */
    struct network *network; /* grows */
    struct graph *graph;     /* scratch */
    struct node *input;      /* of the graph: REAL [B,H,W,C] */
    struct node **nodes;     /* [capacity], one a layer */
    int capacity;
    int first; /* what a recipe's list calls "input": BUILDER_INPUT, or the standardise layer put before the list */
    const struct builder_scope *scope;
    const struct value *at;      /* where messages point when a layer has no position of its own; may be NULL */
    const struct value *outputs; /* {logits: LAYER, …}; NULL: the last layer gives the logits */
};

/* builder_open: network and builder for an empty network. On failure everything is freed again. */
enum status builder_open(struct builder *builder, struct context *ctx, const char *name,
                         const struct network_input *input, enum element precision, uint64_t seed,
                         const struct value *at);
/* builder_close: finds the outputs, checks that the logits are [B, classes] and hands the network over (*network, the caller's). In
 * any case the builder holds nothing afterwards. `status` is what building came to: not OK frees the network. */
enum status builder_close(struct builder *builder, enum status status, struct network **network);

/* builder_outputs: the network's outputs and logits, from `outputs`; builder_close calls it. network_outputs_value: them
 * as {NAME: LAYER, …}. */
enum status builder_outputs(const struct builder *builder);
struct value *network_outputs_value(struct arena *arena, const struct network *network);

/* builder_list: adds the layers of a VALUE_LIST; the first follows `input`. *last: index of the last layer. */
enum status builder_list(struct builder *builder, const char *prefix, const struct value *list, int input, int *last);
/* builder_layer: adds one layer. name, inputs: copied. options: as in a recipe, or NULL for the defaults. at: for
 * messages, may be NULL. *index: of the new layer, may be NULL. */
enum status builder_layer(struct builder *builder, const struct value *at, const struct layer_type *type,
                          const char *name, int n_inputs, const int *inputs, const struct value *options, int *index);
/* builder_macs: of one sample, in the calls that the graph got since it had `first` nodes. */
int64_t builder_macs(const struct builder *builder, int first);
/* builder_shape: what a layer gives ([B,H,W,C] or [B,D]); BUILDER_INPUT: the network's input. */
const struct shape *builder_shape(const struct builder *builder, int layer);

/* builder_locate: puts the place of `at` (may be NULL) in front of the message that is recorded; returns the status.
 * For errors of those who do not know the recipe's lines. */
enum status builder_locate(struct context *ctx, const struct value *at);

/* layer_name_legal: letters, digits, _ and -, and not "input": names of layers and outputs. */
bool layer_name_legal(const char *name);

/* layer_build: one layer's node in a graph, under the label NETWORK.LAYER. NULL: error recorded. */
struct node *layer_build(struct graph *graph, const struct network *network, const struct layer *layer,
                         struct node *const *inputs, struct instance_mode mode);
/* layer_wants_map: is input i a map [B,H,W,C]? If not, an error that names the layer. Likewise tokens [B,T,C]; positions:
 * a map or tokens; rows of the last axis: a vector [B,D] or tokens. */
bool layer_wants_map(const struct layer_site *site, int i);
bool layer_wants_tokens(const struct layer_site *site, int i);
bool layer_wants_positions(const struct layer_site *site, int i);
bool layer_wants_rows(const struct layer_site *site, int i);
/* layer_same_rank: has input i the rank of input 0? If not, an error that names the layer. */
bool layer_same_rank(const struct layer_site *site, int i);
/* layer_beside: input i as it is computed with input 0: itself where the ranks are equal, a vector [B,C] beside a map as
 * [B,1,1,C]. NULL: an error that names the layer. */
struct node *layer_beside(const struct layer_site *site, int i);

#endif
