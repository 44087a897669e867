/* outside.h: teachers that are no networks: a file of recorded outputs, or a program, which is asked once. */
#ifndef RUN_OUTSIDE_H
#define RUN_OUTSIDE_H

#include "run/cache.h"
#include "run/teaching.h"

/* outside_open: adds the recordings of the teaching's files, checked against the data; for a program a place that outside_make fills.
 * places: to look at what would be read: layers, too, have a place only, of the right shape. */
enum status outside_open(struct context *ctx, struct arena *arena, const struct plan *plan, bool places,
                         struct teaching *teaching);

/* outside_make: what the program of teacher `index` says of all training samples (each view of them) and of the test samples, from the cache
 * (NULL: there is none) where it has said so already. *test: [test samples, its outputs]; the caller's; NULL: no test split. */
enum status outside_make(struct context *ctx, struct arena *arena, const struct plan *plan, const struct cache *cache,
                         int index, struct teaching *teaching, double **test);

#endif
