/* store.c: values kept per sample. */
#include "graph/store_file.h"

#include <string.h>

struct store *store_new(struct context *ctx, const char *name, enum element element, int64_t rows, struct shape row)
{
    char text[SHAPE_TEXT_SIZE];
    int64_t elements = shape_elements(&row);
    if (elements < 0 || rows < 0) {
        fail(ctx, STATUS_BAD_SHAPE, "store \"%s\": cannot keep %lld rows of shape %s", name, (long long)rows,
             shape_text(&row, text));
        return NULL;
    }
    struct store *store = memory_new(ctx, 1, sizeof *store);
    if (!store)
        return NULL;
    *store = (struct store){
        .ctx = ctx, .name = name, .element = element, .rows = rows, .row = row, .row_elements = elements};
    store->values = memory_new(ctx, (size_t)rows * (size_t)elements, element_size(element));
    store->valid = memory_new(ctx, (size_t)rows, 1);
    if (!store->values || !store->valid) {
        store_free(store);
        return NULL;
    }
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    store_file_close(store->ctx, store->file);
    memory_free(store->ctx, store->values);
    memory_free(store->ctx, store->valid);
    memory_free(store->ctx, store);
}

void store_write(struct store *store, int64_t row, const void *values)
{
    size_t bytes = (size_t)store->row_elements * element_size(store->element);
    memcpy((char *)store->values + (size_t)row * bytes, values, bytes);
    store->valid[row] = 1;
}

bool store_complete(const struct store *store)
{
    return !store->valid || !memchr(store->valid, 0, (size_t)store->rows);
}

/* values_convert: [count] from the store's element type to `element`. */
static void values_convert(const struct store *store, const void *from, int64_t count, enum element element, void *out)
{
    if (element == store->element)
        memcpy(out, from, (size_t)count * element_size(element));
    else if (element == ELEMENT_F64)
        for (int64_t i = 0; i < count; i++)
            ((double *)out)[i] = ((const float *)from)[i];
    else
        for (int64_t i = 0; i < count; i++)
            ((float *)out)[i] = (float)((const double *)from)[i];
}

void store_rows(const struct store *store, const int32_t *rows, int64_t count, enum element element, void *out)
{
    const size_t bytes = (size_t)store->row_elements * element_size(element);
    for (int64_t b = 0; b < count; b++) {
        unsigned char *to = (unsigned char *)out + (size_t)b * bytes;
        if (rows[b] < 0 || rows[b] >= store->rows)
            memset(to, 0, bytes);
        else if (store->file)
            store_file_row(store, rows[b], element, to);
        else
            values_convert(store,
                           (const unsigned char *)store->values +
                               (size_t)rows[b] * (size_t)store->row_elements * element_size(store->element),
                           store->row_elements, element, to);
    }
}

void store_all(const struct store *store, enum element element, void *out)
{
    const size_t bytes = (size_t)store->row_elements * element_size(element);
    for (int32_t row = 0; row < store->rows; row++)
        store_rows(store, &row, 1, element, (unsigned char *)out + (size_t)row * bytes);
}
