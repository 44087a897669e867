/* store_file.h: rows that lie in a file. Private to the store. */
#ifndef GRAPH_STORE_FILE_H
#define GRAPH_STORE_FILE_H

#include "graph/store.h"

/* store_file_row: one row as `element`, which may be another type than the file's. */
void store_file_row(const struct store *store, int64_t row, enum element element, void *out);
void store_file_close(struct context *ctx, struct store_file *file); /* NULL: no-op */

#endif
