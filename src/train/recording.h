/* recording.h: outputs of a frozen teacher for every sample (and every view of it), computed once: the frontier. To a loss, recorded and
 * live values are interchangeable. */
#ifndef TRAIN_RECORDING_H
#define TRAIN_RECORDING_H

#include "data/data.h"
#include "graph/program.h"
#include "graph/store.h"
#include "nn/network.h"

/* What a teacher's layer gave. */
struct recording {
    const char *teacher; /* the learner's name; borrowed */
    const char *layer;   /* its layer's name, "logits" where it is no network; borrowed */
    bool by_sample;      /* the store has a row a sample; else one for each view of it: sample * views + view */
    struct store *store;
};
void recording_free(struct recording *recording);
/* recording_find: NULL: that layer is not recorded. */
const struct recording *recording_find(const struct recording *recordings, int count, const char *teacher,
                                       const char *layer);

enum { RECORDING_LAYERS_MAX = 16 };

/* A pass of a network over all views of all samples of a split, in order: row sample * views + view. */
struct recording_pass {
    const struct network *network;
    const int *layers; /* [count]: what is recorded, at most RECORDING_LAYERS_MAX */
    int count;
    const struct split *split;
    const struct augmentation *augmentation; /* NULL: none */
    int64_t batch; /* of the steps that will read it: a program of another size may round differently */
    enum element precision;
    int64_t done; /* rows that are there already: a multiple of the batch, or all */
    /* rows: takes the next rows of layers[layer], of the precision; in order. */
    enum status (*rows)(void *user, int layer, int64_t first, int64_t count, const void *values);
    void *user;
};
/* recording_row: the shape of a row of that layer. recording_rows: how many rows a pass has; 0: views have no numbers. */
struct shape recording_row(const struct network *network, int layer);
int64_t recording_rows(const struct split *split, const struct augmentation *augmentation);
/* recording_run: carries the pass out. STATUS_CANCELLED between two batches. */
enum status recording_run(struct context *ctx, const struct recording_pass *pass, struct kernel_context *kernels,
                          struct program_memory *memory);
/* recordings_make: a pass from its beginning (rows and user are not used) into memory: recordings [count] of the layers. */
enum status recordings_make(struct context *ctx, const struct recording_pass *pass, struct kernel_context *kernels,
                            struct program_memory *memory, struct recording *recordings);

#endif
