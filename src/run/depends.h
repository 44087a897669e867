/* depends.h: what recorded outputs follow from, for the keys of the cache. */
#ifndef RUN_DEPENDS_H
#define RUN_DEPENDS_H

#include "kernel/kernel.h"
#include "run/plan.h"

/* images_value: the map with a hash of the split's images, their shape, and what the augmentation (NULL: none) makes of them; labels are
 * nothing to a teacher. NULL: an earlier error, or no memory. */
struct value *images_value(struct arena *arena, struct value *map, const struct plan *plan, const struct split *split,
                           const struct augmentation *augmentation);

/* run_value: the map with what changes how values are rounded: precision, the program's version (NULL: unknown), instruction set. */
struct value *run_value(struct arena *arena, struct value *map, const struct plan *plan, const char *version,
                        const struct kernel_context *kernels);

/* network_sha256: of what a network is and of its values. */
enum status network_sha256(struct context *ctx, struct arena *arena, const struct network *network, char out[65]);

#endif
