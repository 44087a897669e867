/* layer.h: what a layer type is: one file nn/layer/NAME.c and one line in nn/layers.def. */
#ifndef NN_LAYER_H
#define NN_LAYER_H

#include "nn/network.h"

/* Where a layer is being put into a graph. */
struct layer_site {
    struct graph *graph;
    const struct network *network;
    const char *name; /* of the layer: its tensors are NAME.weight … */
    struct instance_mode mode;
    int n_inputs;
    struct node *const *inputs;
    const struct layer_type *type; /* which one is being built */
};

struct layer_type {
    const char *name, *summary;
    int inputs_min, inputs_max;
    const struct option_spec *options;
    size_t n_options, options_size;
    /* build: the layer's output; its parameters by layer_parameter. NULL: error recorded. */
    struct node *(*build)(const struct layer_site *site, const void *options);
    /* macs of one sample, from the shapes inside ([B,H,W,C]); NULL: counted from the ops that it builds. */
    int64_t (*macs)(const struct shape *in, const struct shape *out, const void *options);
    /* resolved: options that an outside evaluator needs and that are not in `options` ("in" of conv); adds to the map. NULL: none. */
    void (*resolved)(struct arena *arena, struct value *map, const struct shape *in, const void *options);
};

/* layer_parameter: the parameter NAME.suffix of the site's network, frozen as the site says. layer_state: running statistics. */
struct node *layer_parameter(const struct layer_site *site, const char *suffix, struct shape shape, struct init init);
struct node *layer_state(const struct layer_site *site, const char *suffix, struct shape shape, struct init init);

extern const struct layer_type *const layer_table[];
extern const size_t layer_table_count;
/* layer_type_count, layer_type_at: those of the table, and then those that the context adds. */
size_t layer_type_count(const struct context *ctx);
const struct layer_type *layer_type_at(const struct context *ctx, size_t index);
/* layer_find_type: NULL: there is none; nothing is recorded. */
const struct layer_type *layer_find_type(const struct context *ctx, const char *name);

/* A network of the zoo: makes a layer list out of its options. One file nn/zoo/NAME.c and one line in nn/zoo.def. */
struct zoo_entry {
    const char *name, *summary, *paper;
    const struct option_spec *options;
    size_t n_options, options_size;
    /* layers: a VALUE_LIST as a recipe's `layers:` would hold it. NULL: error recorded. */
    struct value *(*layers)(struct context *ctx, struct arena *arena, const struct network_input *input,
                            const void *options);
};

extern const struct zoo_entry *const zoo_table[];
extern const size_t zoo_table_count;

#endif
