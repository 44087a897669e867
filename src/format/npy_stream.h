/* npy_stream.h: NPY arrays of real numbers that follow each other in a stream, which arrives in pieces of any size.
 *
 * Who reads says which shape comes next, so that no bytes, whatever they are, can ask for more memory than that. */
#ifndef FORMAT_NPY_STREAM_H
#define FORMAT_NPY_STREAM_H

#include "format/format.h"

struct npy_stream;

/* npy_stream_new: for arrays of at most `most` numbers. NULL with the error recorded. `ctx` is borrowed until
 * npy_stream_free. */
struct npy_stream *npy_stream_new(struct context *ctx, int64_t most);
void npy_stream_free(struct npy_stream *stream); /* NULL: no-op */

/* npy_stream_expect: the next array has this shape, of no more than `most` numbers, in float32 or float64. `name` is what
 * messages call it, borrowed until the array is complete. What is there of an array before it is forgotten. */
void npy_stream_expect(struct npy_stream *stream, const char *name, const struct shape *shape);

/* npy_stream_take: takes from `bytes` what belongs to the array; *taken is less than count only when that is complete, and
 * then further calls take nothing. STATUS_BAD_INPUT: it is no NPY array, told as soon as a byte shows it;
 * STATUS_BAD_SHAPE: another shape; STATUS_UNSUPPORTED: another element type or version. After a failure only
 * npy_stream_expect goes on. */
enum status npy_stream_take(struct npy_stream *stream, const unsigned char *bytes, size_t count, size_t *taken);

bool npy_stream_begun(const struct npy_stream *stream); /* has a byte of the array arrived? */
/* npy_stream_numbers: the array as float32 in C order, whatever its type and order were; NULL until it is complete. Valid
 * until npy_stream_expect. A float64 beyond the range of float32 becomes infinite. */
const float *npy_stream_numbers(const struct npy_stream *stream);

#endif
