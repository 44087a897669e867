/* npy_header.h: the text in front of an NPY array's numbers: for NPY and NPZ files, streams, and who writes to one. */
#ifndef FORMAT_NPY_HEADER_H
#define FORMAT_NPY_HEADER_H

#include "format/format.h"

#define NPY_MAGIC "\x93NUMPY"

struct npy_header {
    enum element element;
    bool fortran;
    struct shape shape;
    size_t offset; /* of the first number */
};

/* npy_header_end: where the numbers begin, as the first 12 bytes (or less, of a shorter file) say. */
size_t npy_header_end(const unsigned char *bytes, size_t count);
/* npy_header_parse: checks everything up to the numbers; each dimension is at most 2^31. */
enum status npy_header_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                             struct npy_header *out);
/* npy_header_parse_real: the same; any element type but f32 and f64 is refused. */
enum status npy_header_parse_real(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                                  struct npy_header *out);
/* npy_header_check: the `found` bytes behind the header are those that it promises. whole: the array is to be held at
 * once and has at most 2^31 elements; otherwise one row (what one index of axis 0 holds) has. */
enum status npy_header_check(struct context *ctx, const char *name, const struct npy_header *header, uint64_t found,
                             bool whole);

struct npy;
/* npy_to_c_order: numbers that were read in Fortran order (first index fastest) into C order. */
enum status npy_to_c_order(struct context *ctx, struct npy *npy);

enum { NPY_HEADER_SIZE = 256 };
/* npy_header_write: a version 1.0 header into out; returns its length, a multiple of 64. */
size_t npy_header_write(enum element element, const struct shape *shape, char out[NPY_HEADER_SIZE]);

/* npy_transpose: elements of `size` bytes, from Fortran order (first index fastest) to C order (last index fastest). At least
 * one element. */
void npy_transpose(const struct shape *shape, size_t size, const unsigned char *from, unsigned char *to);

#endif
