/* fuzz_npz.c: any bytes as an NPZ file: arrays or refusals, nothing else; read whole and row by row, they are the same. */
#include "format/npz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* read_rows: the array again, from its middle to its end, three rows at a time. */
static void read_rows(struct context *ctx, struct npz *npz, int index, const struct npy *whole)
{
    struct npz_rows *rows = NULL;
    const int64_t total = whole->shape.rank > 0 ? whole->shape.dim[0] : 0;
    int64_t at = total / 2;
    if (npz_rows_new(npz, index, at, &rows) != STATUS_OK) {
        error_clear(ctx); /* a scalar, or rows beside a dimension of 0 that could not be held */
        return;
    }
    const size_t row = (size_t)shape_row(&whole->shape) * element_size(whole->element);
    unsigned char *room = malloc(3 * row + 1);
    if (room == NULL)
        abort();
    for (int64_t part; row > 0 && at < total; at += part) {
        part = total - at < 3 ? total - at : 3;
        if (npz_rows_next(rows, room, part) != STATUS_OK ||
            memcmp(room, (const unsigned char *)whole->data + (size_t)at * row, (size_t)part * row) != 0)
            abort();
    }
    free(room);
    npz_rows_free(rows);
}

static void read_array(struct context *ctx, struct npz *npz, int index)
{
    struct tensor_spec spec;
    struct npy npy;
    enum status described = npz_describe(npz, index, &spec);
    error_clear(ctx);
    if (npz_read(npz, index, &npy) == STATUS_OK) {
        if (described != STATUS_OK || spec.element != npy.element || !shape_equal(&spec.shape, &npy.shape))
            abort();
        if (format_not_finite(npy.element, npy.data, shape_elements(&npy.shape)) >= shape_elements(&npy.shape))
            abort();
        read_rows(ctx, npz, index, &npy);
    } else if (ctx->error.message[0] == '\0' || npy.data != NULL) {
        abort();
    }
    error_clear(ctx);
    npy_free(ctx, &npy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct context ctx;
    struct npz *npz = NULL;
    if (count > 1 << 16)
        return 0;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    if (npz_parse(&ctx, "fuzz.npz", bytes, count, &npz) == STATUS_OK) {
        for (int i = 0; i < npz_count(npz); i++)
            if (npz_find(npz, npz_name(npz, i)) == i)
                read_array(&ctx, npz, i);
            else
                abort();
    } else if (ctx.error.message[0] == '\0' || npz != NULL) {
        abort();
    }
    npz_free(npz);
    return 0;
}
