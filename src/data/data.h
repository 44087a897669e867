/* data: from files to batches: readers, splits, augmentation, the loader. Sees base, tensor and format.
 *
 * Images stay as they were stored (bytes stay bytes; 0 … 255 stands for [0,1]) and lie as [N,H,W,C]. Validation is
 * held out of the training samples, never of the test samples. A recipe's `data:` section is bound here:
 *
 *     data: {name: fashion-mnist, validation: 5000, augment: {flip: true, shift: 2}, augment_seed: 0, classes: 10}
 *     data: {idx: {train_images: a.gz, …}}
 *     data: {name: fashion-mnist, labelled: 400, labelled_seed: 0, extra: {idx: {train_images: b.gz}}}
 */
#ifndef DATA_DATA_H
#define DATA_DATA_H

#include "base/arena.h"
#include "base/option.h"
#include "base/value.h"
#include "tensor/shape.h"

#define SPLIT_LIST(X) X(TRAIN, "train") X(VALIDATION, "validation") X(TEST, "test")
enum split_kind {
#define X(name, text) SPLIT_##name,
    SPLIT_LIST(X)
#undef X
        SPLIT_KINDS
};

/* split_text: "train", "validation", "test". split_find: its kind, or -1. */
const char *split_text(enum split_kind kind);
int split_find(const char *text);

/* What a reader hands over: the samples of one set of files. Zeroed: the set is not there. */
struct samples {
    enum element element; /* ELEMENT_U8 or ELEMENT_F32 (already in [0,1]) */
    int64_t count, height, width, channels;
    void *images;                          /* [N,H,W,C]; owned (memory_new) */
    int32_t *labels;                       /* [N], -1: none; owned; NULL: the set has no labels */
    const char *images_path, *labels_path; /* for messages; of the arena; NULL: none */
};
void samples_free(struct context *ctx, struct samples *samples);

/* Samples that are used as one; a view into the data, which owns them. */
struct split {
    const char *name; /* as split_text */
    enum element element;
    int64_t count, height, width, channels; /* count 0: the data has no such split */
    const void *images;                     /* [N,H,W,C] */
    const int32_t *labels;                  /* [N], -1: none; never NULL unless count is 0 */
    int64_t labelled;                       /* how many have a label */
    int64_t first;                          /* the place of sample 0 in the file's order */
};

struct augmentation;
struct data {
    const char *name;               /* of the reader */
    int classes;                    /* the option, or the greatest label + 1; 0: unknown (no labels and no option) */
    const char *const *class_names; /* [classes]; of the arena; NULL: they have none */
    int64_t height, width, channels;
    struct split splits[SPLIT_KINDS];
    struct split
        all_labels; /* the train split with the labels that `labelled` takes away; without it the train split */
    int64_t extra;  /* how many samples, the train split's last ones, are of `extra` */
    const struct augmentation *augmentation; /* for training; NULL: none */
    const struct value *resolved;            /* the section with every value that applied; paths are absolute */
    struct samples train, test;              /* owned; train: the train split, and behind it validation */
    int32_t *given_labels;                   /* [N] of train, before `labelled`; owned; NULL: it has them still */
};

/* data_section_options: the section's own keys; beside them stands a reader's section. */
struct option_set data_section_options(void);

/* data_open: reads what the section says. Relative paths are relative to the folder of `recipe_path` (NULL: the
 * working directory). The arena must live as long as the data; *out is the caller's (data_free) and NULL on
 * failure. A wrong section fails with its position; a file that is broken fails with its path. */
enum status data_open(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                      struct data **out);
void data_free(struct context *ctx, struct data *data); /* NULL: no-op */

/* data_split: the split, or a failure (STATUS_BAD_INPUT) that says what to add to the section when it is empty;
 * labels: it must have at least one label, too. */
enum status data_split(struct context *ctx, const struct data *data, enum split_kind kind, bool labels,
                       const struct split **out);

/* data_training: all samples of the training files in their order, before validation is held out, as one split; a failure
 * as data_split's where there are none. */
enum status data_training(struct context *ctx, const struct data *data, struct split *out);

/* data_check_classes: a network with `outputs` outputs can learn these labels: fails, naming file and sample, when
 * a label is not below `outputs`. data_check_all_labels: the same of all_labels, with the data's classes. */
enum status data_check_classes(struct context *ctx, const struct data *data, int64_t outputs);
enum status data_check_all_labels(struct context *ctx, const struct data *data);

/* data_file_row: which row a sample of a split is where a split's files are gone through in order: the training files
 * before validation is held out, and then `extra`; or the test files. So do other programs count that know nothing of
 * splits. */
int64_t data_file_row(const struct data *data, enum split_kind kind, int64_t sample);

/* data_sha256: of all samples and labels as they are used, shapes included: of `extra`, and without the labels that
 * `labelled` takes away. Takes a while (some 0.2 s a 50 MB). */
enum status data_sha256(struct context *ctx, const struct data *data, char out[65]);

/* split_channel_statistics: mean and population deviation of each channel over [0,1] values, mean and deviation
 * [C] of the caller. A constant channel has deviation 0: who divides by it must decide. An empty split: zeros. */
void split_channel_statistics(const struct split *split, double *mean, double *deviation);

#endif
