/* npy.h: NumPy's array files, versions 1.0 and 2.0: f32, f64, i64, i32, u32, u8, little-endian.
 *
 * Arrays are in C order in memory; a file in Fortran order is transposed while it is read. Up to SHAPE_MAX_RANK
 * dimensions and 2^31 elements; dimensions may be 0. */
#ifndef FORMAT_NPY_H
#define FORMAT_NPY_H

#include "format/format.h"

struct npy {
    enum element element;
    struct shape shape;
    void *data; /* owned (npy_free), C order, 64-byte aligned; never NULL after a success, also with 0 elements */
};

/* npy_read, npy_parse: *out is the caller's (npy_free). On failure *out is zeroed. STATUS_IO: the file cannot be read;
 * STATUS_BAD_INPUT: not an NPY file, or cut short, or with bytes behind its end; STATUS_UNSUPPORTED: another
 * element type or rank; STATUS_BAD_SHAPE: too many elements. */
enum status npy_read(struct context *ctx, const char *path, struct npy *out);
enum status npy_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count, struct npy *out);
void npy_free(struct context *ctx, struct npy *npy); /* NULL: no-op; zeroes it */

/* npy_write: the whole array at once; atomic. `data` is borrowed, C order. */
enum status npy_write(struct context *ctx, const char *path, enum element element, const struct shape *shape,
                      const void *data);

/* A big array, written row by row: a row is what one index of axis 0 holds. */
struct npy_writer;

/* npy_writer_new: writes the header. The shape (rank at least 1, no batch symbol) is fixed from here on. NULL with the
 * error recorded. */
struct npy_writer *npy_writer_new(struct context *ctx, const char *path, enum element element,
                                  const struct shape *shape);
enum status npy_writer_rows(struct npy_writer *writer, const void *rows, int64_t count);
/* npy_writer_finish: the file takes its place; frees the writer, also on failure. Too few rows are a failure. */
enum status npy_writer_finish(struct npy_writer *writer);
void npy_writer_discard(struct npy_writer *writer); /* nothing takes its place; NULL: no-op */

#endif
