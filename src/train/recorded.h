/* recorded.h: outputs of a teacher that were recorded elsewhere, in an NPZ file (docs/recorded-outputs.md), checked against
 * the data before anything learns from them: one row for each sample of the training files, in their order, before
 * validation is held out. Messages count rows from 0. */
#ifndef TRAIN_RECORDED_H
#define TRAIN_RECORDED_H

#include "data/data.h"
#include "graph/store.h"

/* A further array of the file, a row a sample: what a layer gave. */
struct recorded_feature {
    const char *name;
    struct shape shape; /* [N,…], channels first; float32 */
};

struct recorded {
    struct context *ctx;
    struct arena *arena;
    struct store
        *logits;  /* float32 [K]; row i is sample i of the train split. Probabilities are there as their logarithms */
    bool ordered; /* the file's crc32 says that its rows are in the data's order */
    int n_features;
    struct recorded_feature *features; /* in the file's order */
};

/* recorded_open: `classes`: how many the student has. `at` is where the recipe names the file: what does not fit is said with that
 * position (NULL: without one). *out is the caller's (recorded_free) and NULL on failure. STATUS_BAD_INPUT,
 * STATUS_BAD_SHAPE: it does not go with the data, or is no recording; else as npz_open. Without crc32 a warning. */
enum status recorded_open(struct context *ctx, const struct value *at, const char *path, const struct data *data,
                          int64_t classes, struct recorded **out);
void recorded_free(struct recorded *recorded); /* NULL: no-op */

#endif
