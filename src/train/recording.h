/* recording.h: outputs of a frozen network for every sample (and every view of it), computed once: the frontier. To a loss, recorded and
 * live values are interchangeable. */
#ifndef TRAIN_RECORDING_H
#define TRAIN_RECORDING_H

#include "data/data.h"
#include "graph/program.h"
#include "graph/store.h"
#include "nn/network.h"

/* One layer's output of one network; the store's rows are sample * views + view. */
struct recording {
    const struct network *network; /* borrowed */
    int layer;                     /* index in the network */
    int64_t views;
    struct store *store;
};

/* recording_possible: can every view of a sample be numbered (no augmentation, or flips only), and does the layer's output depend on
 * the sample alone? */
bool recording_possible(const struct network *network, int layer, const struct augmentation *augmentation);
/* recording_bytes: what it will take. */
int64_t recording_bytes(const struct network *network, int layer, const struct augmentation *augmentation,
                        int64_t samples, enum element precision);
/* recordings_make: runs the network over the split with a program of the training batch size (so that the values are those of a live
 * teacher) and fills the recordings' stores (recordings[i].store is made here; layers[i] tell which). `tick` (may be NULL) is told how far it is. */
enum status recordings_make(struct context *ctx, const struct network *network, const int *layers, int count,
                            const struct split *split, const struct augmentation *augmentation, int64_t batch,
                            enum element precision, struct kernel_context *kernels, struct program_memory *memory,
                            struct recording *recordings);
void recording_free(struct recording *recording);

#endif
