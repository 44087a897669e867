/* store.h: values kept per sample, and which rows were ever written: recorded teacher outputs, last epoch's predictions,
 * memories to contrast with. In memory, where they can be written, or in a file that others have made. */
#ifndef GRAPH_STORE_H
#define GRAPH_STORE_H

#include "tensor/shape.h"

struct store_file; /* private to store_file.c */

struct store {
    struct context *ctx;  /* borrowed */
    const char *name;     /* borrowed */
    enum element element; /* F32 or F64: of the values in memory, or of those that are read from the file */
    int64_t rows;
    struct shape row; /* shape of one row */
    int64_t row_elements;
    void *values;            /* [rows, row_elements]; NULL: they lie in the file */
    unsigned char *valid;    /* [rows]; NULL: all are */
    struct store_file *file; /* NULL: in memory */
};

struct store *store_new(struct context *ctx, const char *name, enum element element, int64_t rows, struct shape row);
/* store_open: the rows of a file, one behind another from its first byte: float64, float32, or with `half` float16 (then `element` is
 * F32). A small file (64 MB) is read once, into memory; of a large one nothing but the rows that are asked for, each time. A file of
 * another size is refused. */
struct store *store_open(struct context *ctx, const char *name, const char *path, enum element element, bool half,
                         int64_t rows, struct shape row);
void store_free(struct store *store);
void store_write(struct store *store, int64_t row, const void *values); /* in memory; of the store's element type */
bool store_complete(const struct store *store);
/* store_rows: out [count, row_elements] of `element` (F32 or F64): the rows of these numbers; zeros where there is no such row. A row of a
 * file that cannot be read any more is NaN, so that the loss is not finite. */
void store_rows(const struct store *store, const int32_t *rows, int64_t count, enum element element, void *out);

/* store_all: out [rows, row_elements] of `element`: every row. */
void store_all(const struct store *store, enum element element, void *out);

/* half_from, half_to: IEEE 754 binary16, rounded to the nearest even; what is too large becomes infinite. */
uint16_t half_from(float value);
float half_to(uint16_t half);

#endif
