/* loader.h: batches of a split, in an order that depends on (seed, epoch) alone. Allocates nothing after loader_new.
 *
 * An epoch has as many batches as all samples of the split fill, whichever of them they are made of. Where a sample comes
 * several times in an epoch, each time counts as an epoch of its own to the augmentation. */
#ifndef DATA_LOADER_H
#define DATA_LOADER_H

#include "data/augment.h"
#include "data/data.h"

/* A batch; its memory is the loader's and stays valid until the next call. */
struct batch {
    enum element element; /* of the images: U8 or F32 */
    void *images;         /* [B,H,W,C] */
    int32_t *labels;      /* [B], -1: none */
    int32_t *samples;     /* [B], index in the split */
    int32_t *views;       /* [B], which of the sample's augmented views; 0 when there are too many to number */
    int32_t *rows; /* [B], sample * views + view: row of recorded outputs; the sample where views have no numbers */
    int32_t
        *others; /* [B], the label of the sample that this one is mixed with (-1: none); NULL: samples are not mixed */
    double *parts; /* [B], how much is the sample itself, in [0,1]; NULL with others */
    int64_t count; /* B: the batch size, smaller only in the last batch without drop_last */
};

/* Which samples the batches are made of. Where not all come once an epoch, they are gone through again and again. */
enum loader_order {
    ORDER_ALL,      /* all, each once an epoch */
    ORDER_LABELLED, /* those with a label alone */
    /* round(labelled_part * batch) with a label, but at least one, in front of at least one without; each kind is gone
     * through by itself. */
    ORDER_MIXED,
    /* In front half a batch with a label, behind it for each of them another one of its class, drawn anew; where there is
     * no other, itself as another view (CS-KD: Yun 2020, arXiv 2003.13964). */
    ORDER_PAIRS,
    /* The second half of the batch before, as other views, in front of as many that come anew; the first batch of epoch 0
     * is all new (DLB: Shen 2022, arXiv 2203.16172). */
    ORDER_REPEATED,
};

struct loader_spec {
    const struct split *split;               /* borrowed until loader_free */
    int64_t batch;                           /* at least 1 */
    bool shuffle;                            /* else in the data's order */
    bool drop_last;                          /* leaves out the last batch when it is smaller */
    const struct augmentation *augmentation; /* borrowed until loader_free; NULL: none */
    uint64_t seed;                           /* of the order */
    enum loader_order order;                 /* MIXED, PAIRS and REPEATED need a batch of at least 2, and drop_last */
    double labelled_part;                    /* of ORDER_MIXED, above 0 */
    bool every_view; /* to record: every view of sample 0, of sample 1, …; needs views that are numbered, no shuffle */
};

struct loader;

/* loader_new: NULL with the error recorded: an empty split, no batch in an epoch (drop_last with a batch greater than
 * the split), every_view with more rows than 2^31, no sample with a label, or without one, where they are asked for, PAIRS
 * or REPEATED with an odd batch or with an augmentation that mixes.
 * Starts at epoch 0, step 0. `ctx` is borrowed until loader_free. */
struct loader *loader_new(struct context *ctx, const struct loader_spec *spec);
void loader_free(struct loader *loader); /* NULL: no-op */

int64_t loader_steps(const struct loader *loader); /* batches an epoch */
int64_t loader_views(const struct loader *loader); /* augmentation_views; 0 also where rows would pass 2^31 */
/* loader_epoch: the next batch is the epoch's first. */
void loader_epoch(struct loader *loader, int64_t epoch);
/* loader_seek: the next batch is number `step` (below or equal to loader_steps) of the epoch; costs no more than
 * loader_epoch. */
void loader_seek(struct loader *loader, int64_t epoch, int64_t step);
/* loader_next: false when the epoch is over (batch is left alone); call loader_epoch to go on. */
bool loader_next(struct loader *loader, struct batch *batch);

#endif
