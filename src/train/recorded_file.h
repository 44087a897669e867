/* recorded_file.h: a file of recorded outputs while it is checked; private to the files recorded*.c. */
#ifndef TRAIN_RECORDED_FILE_H
#define TRAIN_RECORDED_FILE_H

#include "format/npz.h"
#include "train/recorded.h"

/* The ways in which outputs can be recorded, and their arrays. */
enum recorded_form { RECORDED_LOGITS, RECORDED_PROBABILITIES, RECORDED_TOP };

struct recorded_file {
    struct context *ctx;
    const struct value *at; /* for messages */
    const char *path;
    struct npz *npz;
    struct split samples; /* of the training files */
    int64_t classes;
    enum recorded_form form;
    int values, chosen, crc;        /* arrays: numbers [N,K] or [N,k]; classes [N,k], else -1; crc32, -1: none */
    struct tensor_spec values_spec; /* of `values` */
};

/* recorded_order_check: `rows` of the file against the samples, by number and by crc32 where the file has one. */
enum status recorded_order_check(const struct recorded_file *file, int64_t rows);

/* recorded_rows_read: every row as logits; those of the samples from `first` on fill the store. */
enum status recorded_rows_read(const struct recorded_file *file, int64_t first, struct store *store);

#endif
