/* features.h: layers of a teacher that were recorded elsewhere: further arrays of its NPZ file. */
#ifndef RUN_FEATURES_H
#define RUN_FEATURES_H

#include "run/teaching.h"
#include "train/recorded.h"

/* features_open: adds a recording for each array of the file that a loss of the plan reads as a layer of teacher `index`; maps become
 * [H,W,C] inside. Their rows are kept in the cache, or in memory where there is none; of `places` only
 * the shape is right. */
enum status features_open(struct context *ctx, struct arena *arena, const struct plan *plan, int index,
                          const struct recorded *file, bool places, struct teaching *teaching);

#endif
