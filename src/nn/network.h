/* nn: networks: layers, zoo, initialisation, taps, counts. Sees base, tensor, graph.
 *
 * network.h: a network is a list of named layers over one set of parameters. It is described by a value (a recipe's `network:` or
 * a model file's metadata), built once, and instantiated in any number of graphs and modes. */
#ifndef NN_NETWORK_H
#define NN_NETWORK_H

#include "base/option.h"
#include "graph/ops.h"

/* What a network reads: one sample's map and how many classes its logits have. */
struct network_input {
    int channels, height, width;
    int classes;
    const double *mean,
        *deviation; /* [channels] over [0,1] values of the training split, for standardise: auto; NULL: none */
};

struct network;
struct layer_type;

/* A layer of a built network. */
struct layer {
    const char *name;
    const struct layer_type *type;
    const void *options; /* the type's own struct, defaults filled in */
    int n_inputs;
    int *inputs;         /* indices of layers; -1: the network's input */
    struct shape output; /* of one batch inside: [B,H,W,C] or [B,D] */
    int64_t parameters;  /* learnable values */
    int64_t macs;        /* multiply-accumulates of one sample */
};

/* A layer whose values leave the network under a name of their own. */
struct network_output {
    const char *name; /* "logits", "exit1" … */
    int layer;
};

struct network {
    struct context *ctx; /* borrowed */
    struct arena *arena;
    const char *name; /* "teacher", "student" …: for messages */
    struct network_input input;
    int n_layers;
    struct layer *layers; /* in an order in which they can be evaluated */
    int n_outputs;
    struct network_output *outputs; /* one of them named logits */
    int logits;                     /* its layer */
    struct parameters *parameters;
};

/* network_build: from a recipe's `network:` value ({name: cnn, widths: …} of the zoo, or {layers: […]}; with `input:` {standardise: auto|none},
 * `outputs:` {logits: LAYER, NAME: LAYER …}; without outputs the last layer gives the logits). The logits must be [B, classes]. Errors carry the value's position and name the layer. The initial values of the parameters come
 * from `seed`. *network is the caller's (network_free). */
enum status network_build(struct context *ctx, const struct value *description, const char *name,
                          const struct network_input *input, enum element precision, uint64_t seed,
                          struct network **network);
void network_free(struct network *network);

/* network_description: {"layers":[…],"input":{"shape":[C,H,W],"classes":K},"outputs":{"logits":LAYER …}} with every layer resolved (names, inputs, all options, the standardise layer
 * with its numbers): network_rebuild makes the same network of it. */
struct value *network_description(struct arena *arena, const struct network *network);
enum status network_rebuild(struct context *ctx, const struct value *description, const char *name,
                            enum element precision, uint64_t seed, struct network **network);

/* network_output: the layer of the output of that name; -1: there is none; nothing is recorded. */
int network_output(const struct network *network, const char *name);
/* network_extract: a new network of the layers alone that the named outputs need, with copies of their parameters. Where
 * logits is not among the names, the first becomes the new network's logits. *extracted is the caller's (network_free). */
enum status network_extract(const struct network *network, int count, const char *const *outputs,
                            struct network **extracted);

struct instance_mode {
    bool training; /* batch statistics, dropout */
    bool frozen;   /* no gradient reaches its parameters */
};

/* A network in a graph: one node a layer, plus what a tap needs. */
struct instance {
    const struct network *network; /* borrowed */
    struct node *input;
    struct node **layers; /* n_layers, in the network's order; owned by the graph */
    struct node *logits;
};

/* network_instantiate: adds the network's nodes to the graph, on `images` ([B,H,W,C], U8 (then divided by 255) or REAL in [0,1]).
 * The calls are labelled NAME.LAYER. */
enum status network_instantiate(struct graph *graph, const struct network *network, struct node *images,
                                struct instance_mode mode, struct instance *instance);

/* A part of a network, in a graph in its place: the layers behind `from`, whose values are given, up to `to`. */
struct instance_block {
    int from;           /* layer; -1: the part begins with the images */
    int to;             /* layer */
    struct node *given; /* of `from`; NULL with -1 */
};
/* network_instantiate_block: as network_instantiate, of these layers alone: the instance's others are NULL. */
enum status network_instantiate_block(struct graph *graph, const struct network *network, struct node *images,
                                      const struct instance_block *block, struct instance_mode mode,
                                      struct instance *instance);
/* network_between: marks [n_layers] the layers that `to` is computed by out of `from` (-1: out of the network's input): `to` itself among
 * them, `from` not. Fails at `at` (may be NULL) where `to` is not computed out of `from` alone, naming the layer that needs something else. */
enum status network_between(struct context *ctx, const struct network *network, int from, int to,
                            const struct value *at, bool *marks);

/* network_needs: adds to the marks [n_layers] the layers that the marked ones are computed by. */
void network_needs(const struct network *network, bool *marks);

/* layer_tensor: what a tensor called LAYER.REST is of that layer: REST ("weight"); NULL: it is another layer's. */
const char *layer_tensor(const char *layer, const char *tensor);

/* network_layer: index of the layer of that name; -1: none, with the error (nearest name) recorded at `at` (may be NULL). */
int network_layer(const struct network *network, const char *name, const struct value *at);

int64_t network_count_parameters(const struct network *network);
int64_t network_count_macs(const struct network *network);
/* network_inspect: the document of `retort inspect --json` (CONTRACT): input, parameters, macs, bytes, layers, outputs. Shapes [C,H,W]. */
struct value *network_inspect(struct arena *arena, const struct network *network);

#endif
