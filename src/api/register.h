/* register.h: what was registered from outside, as entries of the tables. The entry comes first, so that the build
 * function of a table finds the rest. */
#ifndef API_REGISTER_H
#define API_REGISTER_H

#include "api/own.h"

struct outside_method {
    struct method entry;
    struct retort_method given;
};

struct outside_layer {
    struct layer_type entry;
    struct retort_layer given;
};

/* The build functions of such entries. */
struct node *outside_method_build(struct graph *graph, const struct method_site *site, const void *options);
struct node *outside_layer_build(const struct layer_site *site, const void *options);

/* outside_options: the options as the tables have them, copied into the arena; `what` names their owner. Checks that
 * each default can be read and that each field lies in a struct of `size` bytes. */
enum status outside_options(struct context *ctx, struct arena *arena, const char *what,
                            const struct retort_option *given, size_t count, size_t size,
                            const struct option_spec **specs);

/* outside_name: letters, digits, _ and -. */
bool outside_name(const char *name);

/* text_copy: NULL stays NULL. NULL for a text: error recorded. */
const char *text_copy(struct arena *arena, const char *text);

#endif
