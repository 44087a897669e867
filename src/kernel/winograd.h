/* winograd.h: 3x3 convolutions of stride 1 with fewer multiplications (Winograd's F(4, 3)): along rows of pixels, as below,
 * or in both directions (winograd_tiles.h).
 *
 * Four neighbours of an output row, and a row of three taps, are polynomials; their products are taken at six points:
 * 6 multiplications in place of 12. With tap rows kh, channels c and o, and group g of four pixels:
 *
 *     x_t[h][g][c] = sum_i B[t][i] x[h][4 g + i][c]         six from six
 *     u_t[kh][c][o] = sum_k G[t][k] weight[o][c][kh][k]     six from three
 *     m_t[h][g][o] = sum over kh, c of x_t[h + kh][g][c] u_t[kh][c][o]
 *     y[h][4 g + i][o] = sum_t A[i][t] m_t[h][g][o]         four from six
 *
 * and, for the weights' gradient, dweight = G' (sum over h, g of x_t dy_t) with dy_t = A' dy. The data gradient is such a
 * convolution of dy. The points are 0, +-sqrt(1/2), +-sqrt(2) and infinity: they keep the coefficients near 1, so the
 * error is less than twice that of plain sums. (Lavin, Gray 2016; points after Alam et al. 2022.) */
#ifndef KERNEL_WINOGRAD_H
#define KERNEL_WINOGRAD_H

#include "kernel/convolution.h"

enum { WINOGRAD_POINTS = 6, WINOGRAD_PIXELS = 4, WINOGRAD_TAPS = 3 };

/* winograd_groups: of four pixels, that cover so many. */
static inline int64_t winograd_groups(int64_t pixels)
{
    return (pixels + WINOGRAD_PIXELS - 1) / WINOGRAD_PIXELS;
}

/* winograd_suits: is the convolution of that kind, and was it measured to be faster so? (docs/kernels.md) */
bool winograd_suits(const struct convolution_shape *shape);
/* winograd_back: the convolution of dy that gives dx. */
struct convolution_shape winograd_back(const struct convolution_shape *shape);

/* Where things lie, in elements. */
struct winograd_sizes {
    int64_t groups; /* of four pixels, in a row */
    int64_t line;   /* a padded row of x, as far as its groups reach */
    int64_t strip;  /* rows of x whose points, and what they add to m_t, are made at once */
    int64_t wide;   /* out, and what a panel of the product is wider */
};
struct winograd_sizes winograd_sizes(const struct convolution_shape *shape);

/* As the functions of convolution.h. */
size_t winograd_packed_bytes(const struct convolution_shape *shape, size_t size);
size_t winograd_forward_scratch(const struct convolution_shape *shape, size_t size, int threads);
size_t winograd_weights_piece(const struct convolution_shape *shape, size_t size); /* a thread's own part of it */
size_t winograd_weights_scratch(const struct convolution_shape *shape, size_t size, int threads);

#endif
