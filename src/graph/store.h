/* store.h: values kept per sample, and which rows were ever written: recorded teacher outputs, last epoch's predictions,
 * memories to contrast with. */
#ifndef GRAPH_STORE_H
#define GRAPH_STORE_H

#include "tensor/shape.h"

struct store {
    struct context *ctx;  /* borrowed */
    const char *name;     /* borrowed */
    enum element element; /* F32 or F64 */
    int64_t rows;
    struct shape row; /* shape of one row */
    int64_t row_elements;
    void *values;         /* [rows, row_elements] */
    unsigned char *valid; /* [rows] */
};

struct store *store_new(struct context *ctx, const char *name, enum element element, int64_t rows, struct shape row);
void store_free(struct store *store);
void store_write(struct store *store, int64_t row, const void *values); /* of the store's element type */
bool store_complete(const struct store *store);

#endif
