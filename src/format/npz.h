/* npz.h: named arrays in one file, as numpy.savez and numpy.savez_compressed write them: a ZIP of NPY files.
 *
 * A file may be far larger than memory: opening it reads its directory alone, an array's header is read when somebody
 * asks, and its numbers come whole or row by row (a row is what one index of axis 0 holds). Members that are not called
 * NAME.npy are left out. A name is any text; it is never taken for a path. Messages call an array "FILE: NAME". */
#ifndef FORMAT_NPZ_H
#define FORMAT_NPZ_H

#include "format/npy.h"

struct npz;

/* npz_open, npz_parse: *out is the caller's (npz_free), NULL on failure. The file stays open, `bytes` stay borrowed until then. STATUS_IO; STATUS_BAD_INPUT: no NPZ file, cut
 * short, damaged, or a name twice; STATUS_UNSUPPORTED: encrypted, or packed in another way than NumPy's. */
enum status npz_open(struct context *ctx, const char *path, struct npz **out);
enum status npz_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                      struct npz **out);
void npz_free(struct npz *npz); /* NULL: no-op */

int npz_count(const struct npz *npz);
const char *npz_name(const struct npz *npz, int index);  /* without ".npy" */
int npz_find(const struct npz *npz, const char *name);   /* -1: there is none; nothing is recorded */
const char *npz_label(const struct npz *npz, int index); /* "FILE: NAME", for messages */

/* npz_describe: element type and shape, from the array's header alone; fails as npy_parse does. The shape may have more
 * than 2^31 elements. */
enum status npz_describe(struct npz *npz, int index, struct tensor_spec *out);
/* npz_read: the whole array, as npy_read; *out is the caller's (npy_free). Fails as npy_read does, and with
 * STATUS_BAD_INPUT where the bytes are not those that were written (CRC-32). */
enum status npz_read(struct npz *npz, int index, struct npy *out);

/* An array being read row by row, from a given row on. Several may be open at a time. */
struct npz_rows;

/* npz_rows_new: from row `first` on (at most the number of rows). Stored rows before it are not read, packed ones are unpacked on the
 * way; an array in Fortran order, whose rows are scattered, is held whole. *out is the caller's. */
enum status npz_rows_new(struct npz *npz, int index, int64_t first, struct npz_rows **out);
/* npz_rows_next: the next `count` rows, C order; the caller asks for no more than there are. After the last row of an array
 * that was read from its first byte on, the CRC-32 is checked. */
enum status npz_rows_next(struct npz_rows *rows, void *to, int64_t count);
void npz_rows_free(struct npz_rows *rows); /* NULL: no-op */

/* A file being written, array after array, row by row: stored, atomic, of any size. */
struct npz_writer;

/* npz_writer_new: NULL with the error recorded. */
struct npz_writer *npz_writer_new(struct context *ctx, const char *path);
/* npz_writer_array: begins an array; the one before must be complete. The shape has rank at least 1 and no batch symbol;
 * each name comes once. */
enum status npz_writer_array(struct npz_writer *writer, const char *name, enum element element,
                             const struct shape *shape);
enum status npz_writer_rows(struct npz_writer *writer, const void *rows, int64_t count);
/* npz_writer_finish: the file takes its place; frees the writer, also on failure. Too few rows are a failure. */
enum status npz_writer_finish(struct npz_writer *writer);
void npz_writer_discard(struct npz_writer *writer); /* nothing takes its place; NULL: no-op */

#endif
