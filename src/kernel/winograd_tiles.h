/* winograd_tiles.h: kernel/winograd.h in both directions: F(4x4, 3x3), 36 multiplications in place of 144.
 *
 * A tile of 4x4 pixels of y sees 6x6 of x. With the matrices of winograd.h, for tile n and the 36 points (s, t):
 *
 *     x_st[n][c] = sum_ij B[s][i] B[t][j] x[4 down + i][4 across + j][c]
 *     u_st[c][o] = sum_ij G[s][i] G[t][j] weight[o][c][i][j]
 *     m_st[n][o] = sum_c x_st[n][c] u_st[c][o]                              36 matrix products
 *     y[4 down + i][4 across + j][o] = sum_st A[i][s] A[j][t] m_st[n][o]
 *
 * and, for the weights' gradient, dweight = G' (sum_n x_st dy_st) G with dy_st = A' dy A. A block of tiles is taken at
 * once, of one sample or of several, so that the products have enough rows. */
#ifndef KERNEL_WINOGRAD_TILES_H
#define KERNEL_WINOGRAD_TILES_H

#include "kernel/winograd.h"

enum { TILE_POINTS = WINOGRAD_POINTS * WINOGRAD_POINTS, TILE_TAPS = WINOGRAD_TAPS * WINOGRAD_TAPS };

/* winograd_tiles_suit: of a convolution that winograd_suits, was it measured to be faster so? (docs/kernels.md) */
bool winograd_tiles_suit(const struct convolution_shape *shape);

/* Where things lie, in elements. */
struct tiles_sizes {
    int64_t down, across;       /* tiles of a sample */
    int64_t width;              /* of a strip: the rows of a map that a row of tiles sees, with zeros around */
    int64_t wide;               /* out, rounded up */
    int64_t block;              /* tiles at once */
    ptrdiff_t x_apart, m_apart; /* from a block's values at one point to those at the next */
};
struct tiles_sizes winograd_tiles_forward(const struct convolution_shape *shape);
struct tiles_sizes winograd_tiles_gradient(const struct convolution_shape *shape); /* of the weights; m: dy's points */
/* winograd_tiles_chunks: as convolution_chunks, but each of enough tiles for a block. */
int64_t winograd_tiles_chunks(const struct convolution_shape *shape);
/* winograd_apart: `values`, and some more: 36 arrays an odd number of lines apart do not meet in the same sets of a cache. */
ptrdiff_t winograd_apart(int64_t values);

/* winograd_tiles_bias: values before the packed weights. */
int64_t winograd_tiles_bias(const struct convolution_shape *shape);

/* Bytes of the packed weights of one direction, of a thread's own part of a scratch, and of a whole one. */
size_t winograd_tiles_packed_bytes(const struct convolution_shape *shape, size_t size);
size_t winograd_tiles_forward_piece(const struct convolution_shape *shape, size_t size);
size_t winograd_tiles_weights_piece(const struct convolution_shape *shape, size_t size);
size_t winograd_tiles_weights_scratch(const struct convolution_shape *shape, size_t size, int threads);

#endif
