/* convolution.h: what a convolution and a matrix product are, to the kernels, and how much memory ours need for them.
 *
 * x [B,H,W,C], y [B,H',W',O], weight [O,C/groups,kh,kw], all as flat arrays of the table's precision. Pairs are
 * [height, width]. */
#ifndef KERNEL_CONVOLUTION_H
#define KERNEL_CONVOLUTION_H

#include "tensor/shape.h"

struct convolution_shape {
    int64_t batch;
    int64_t in, out;              /* channels; both divisible by groups */
    int64_t size[2], out_size[2]; /* of x and y */
    int64_t kernel[2], stride[2], padding[2], dilation[2];
    int64_t groups;
};

/* convolution_out_size: along one axis; less than 1 when the kernel does not fit. */
int64_t convolution_out_size(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation);
double convolution_macs(const struct convolution_shape *shape); /* multiply-accumulates of one pass over the batch */
/* convolution_depthwise: as many groups as channels in and out, so that channels never mix. */
bool convolution_depthwise(const struct convolution_shape *shape);
/* convolution_point: a 1x1 kernel that skips nothing and pads nothing. */
bool convolution_point(const struct convolution_shape *shape);
/* convolution_chunks: pieces of the batch over which a weight gradient is summed, one after the other. Depends on the shape
 * alone, so that bits do not depend on threads. */
int64_t convolution_chunks(const struct convolution_shape *shape);
/* convolution_together: samples of small maps that are summed in one go, so that the sums are seldom read and written. */
int64_t convolution_together(const struct convolution_shape *shape);

/* A map with the rows and columns of zeros that a pass reads around it. */
struct padded_map {
    int64_t before[2], size[2]; /* zeros above and left; the whole size */
    bool plain;                 /* nothing is added: no copy is needed */
};
struct padded_map convolution_padded_input(const struct convolution_shape *shape);    /* x, for forward and weights */
struct padded_map convolution_padded_gradient(const struct convolution_shape *shape); /* dy, for data */

/* Bytes that the level kernels of convolution.def need; `size` is that of the precision's element. */
size_t convolution_packed_bytes(const struct convolution_shape *shape, size_t size); /* of either direction */
size_t convolution_forward_scratch(const struct convolution_shape *shape, size_t size, int threads);
size_t convolution_data_scratch(const struct convolution_shape *shape, size_t size, int threads);
size_t convolution_weights_scratch(const struct convolution_shape *shape, size_t size, int threads);
size_t depthwise_packed_bytes(const struct convolution_shape *shape, size_t size);
enum { COLUMN_SUM_CHUNKS = 32 };
size_t column_sum_scratch(int64_t columns, size_t size);

/* A matrix product c[i][j] (+)= bias[j] + sum_p a[i * a_row + p * a_k] * b[p * b_k + j * b_n], i < m, j < n, p < k;
 * the results clipped into [0, limit] when limit >= 0. */
struct product_shape {
    int64_t m, n, k;
    int64_t a_row, a_k, b_k, b_n, c_row;
    bool add;
    double limit;
};
size_t product_packed_bytes(const struct product_shape *shape, size_t size);
/* gram_packed_bytes: of GRAM_SUMS sums at a time: what is packed then stays in the second cache. */
enum { GRAM_SUMS = 384 };
size_t gram_packed_bytes(int64_t rows, int64_t sums, size_t size);

/* channels_rounded: to the widest half vector, in elements: panels are padded to it (level/tile.h). */
static inline int64_t channels_rounded(int64_t channels)
{
    enum { HALF_MOST = 8 };
    return (channels + HALF_MOST - 1) / HALF_MOST * HALF_MOST;
}

/* Offsets of the pieces of a scratch: rounded up to a cache line. */
static inline size_t bytes_rounded(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

#endif
