/* layer_rows.h: what a layer of a network in evaluation mode gives for each sample of a split, some samples at a time. */
#ifndef TRAIN_LAYER_ROWS_H
#define TRAIN_LAYER_ROWS_H

#include "data/data.h"
#include "graph/program.h"
#include "nn/network.h"

struct layer_rows;

/* layer_rows_new: everything is borrowed until layer_rows_free. The split has at least one sample. NULL: error recorded. */
struct layer_rows *layer_rows_new(struct context *ctx, const struct network *network, int layer,
                                  const struct split *split, struct kernel_context *kernels,
                                  struct program_memory *memory);
/* layer_rows_shape: of one sample, channels first: [C,H,W], [T,C] or [D]. */
struct shape layer_rows_shape(const struct layer_rows *rows);
/* layer_rows_next: float32 of the next *count samples, valid until the next program runs; *count 0: there are no more. */
enum status layer_rows_next(struct layer_rows *rows, const float **values, int64_t *count);
void layer_rows_free(struct layer_rows *rows); /* NULL: no-op */

#endif
