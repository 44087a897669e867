/* graft.h: a network's description with further layers and outputs, for network_rebuild. All is sticky: the first failure is recorded,
 * and graft_close returns it. Inside nn only. */
#ifndef NN_GRAFT_H
#define NN_GRAFT_H

#include "nn/items.h"

struct graft {
    const struct network *network; /* borrowed */
    struct arena *arena;           /* owns the description */
    const struct value *at;        /* for messages; may be NULL */
    struct value *description, *layers, *outputs;
};

struct graft graft_open(const struct network *network, const struct value *at, struct arena *arena);
/* graft_add: a layer or a block behind all others; options NULL: the defaults. Its name, and those that begin with it and _, must not
 * be taken in the network. graft_follow: on one input. */
void graft_add(struct graft *graft, const char *type, const char *name, const struct value *inputs,
               struct value *options);
void graft_follow(struct graft *graft, const char *type, const char *name, const char *input, struct value *options);
/* graft_output: NAME: LAYER, which the network must not have; graft_logits: another layer gives the logits. */
void graft_output(struct graft *graft, const char *name, const char *layer);
void graft_logits(struct graft *graft, const char *layer);
enum status graft_close(struct graft *graft, struct value **description);

#endif
