/* decompose.h: eigenvalues and singular values of many small matrices, one a sample, in float64 through LAPACK,
 * whatever the precision of the arrays; one LAPACK call runs on one thread, and the samples' results do not depend on
 * each other.
 *
 * Vectors are rows, the leading (largest value) first; each has its element of largest magnitude, the first of equals,
 * positive. A matrix that is not finite gives NaN.
 *
 * Gradients exist at ties as well: with eigenvalues l (the squares of singular values s), every 1/d, d = l_i - l_j, is
 * d / (d^2 + e^2), and every 1/s is s / (s^2 + e), e = 1e-6 l_1 (eigen: of the largest magnitude). */
#ifndef KERNEL_DECOMPOSE_H
#define KERNEL_DECOMPOSE_H

#include "tensor/shape.h"

struct decompose_shape {
    int64_t batch, rows, columns; /* of x; eigen: rows == columns */
    int64_t leading;              /* k: how many values and vectors are wanted, at most the smaller side */
    enum element element;         /* of all arrays but saved and scratch: F32 or F64 */
};

/* Bytes of saved: the whole spectrum of each sample, for backward; and of scratch, for either direction. */
size_t decompose_saved_bytes(const struct decompose_shape *shape);
size_t decompose_scratch_bytes(const struct decompose_shape *shape, int threads);

/* eigen_forward: x [batch,n,n], made symmetric as (x + x^T) / 2 -> values [batch,k], descending, vectors [batch,k,n]; a
 * zero matrix has zero vectors. saved: NULL when no backward follows. */
void eigen_forward(const struct decompose_shape *shape, const void *x, void *values, void *vectors, void *saved,
                   void *scratch, int threads);
/* eigen_backward: dx (+)= the gradient; d_values, d_vectors: NULL means zero. */
void eigen_backward(const struct decompose_shape *shape, const void *saved, const void *d_values, const void *d_vectors,
                    void *dx, bool add, void *scratch, int threads);

/* svd_forward: x [batch,m,n] -> singular values [batch,k], descending, right vectors [batch,k,n], left vectors
 * [batch,k,m], signed by the right ones. Where s^2 < 1e-12 s_1^2 value and vectors are 0, with zero gradient. */
void svd_forward(const struct decompose_shape *shape, const void *x, void *values, void *right, void *left, void *saved,
                 void *scratch, int threads);
void svd_backward(const struct decompose_shape *shape, const void *x, const void *saved, const void *d_values,
                  const void *d_right, const void *d_left, void *dx, bool add, void *scratch, int threads);

#endif
