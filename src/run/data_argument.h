/* data_argument.h: DATA of the command line: a name of `retort list data`, or a YAML file with a `data:` section. */
#ifndef RUN_DATA_ARGUMENT_H
#define RUN_DATA_ARGUMENT_H

#include "data/data.h"
#include "nn/network.h"

/* data_argument_open: *out is the caller's (data_free); the arena must live as long. */
enum status data_argument_open(struct context *ctx, struct arena *arena, const char *argument, struct data **out);

/* data_argument_split: the split called `name`; labels: it must have some. */
enum status data_argument_split(struct context *ctx, const struct data *data, const char *name, bool labels,
                                const struct split **out);

/* data_network_input: what a network sees of this data, with the statistics of its training split where it has one.
 * Fails where the data does not say how many classes there are. Everything lies in the arena. */
enum status data_network_input(struct context *ctx, struct arena *arena, const struct data *data,
                               struct network_input *out);

#endif
