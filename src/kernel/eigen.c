/* eigen.c: eigenvalues and eigenvectors of symmetric matrices (decompose.h). */
#include "kernel/spectrum.h"

#include <math.h>

/* The largest magnitude among the eigenvalues, which are in order. */
static double radius(const struct desk *d)
{
    return fmax(fabs(d->values[0]), fabs(d->values[d->p - 1]));
}

static void forward_one(struct desk *d, enum element element, const void *x, int64_t sample, void *values,
                        void *vectors)
{
    const int64_t p = d->p;
    numbers_read(element, x, sample * p * p, p * p, d->tall);
    for (int64_t i = 0; i < p; i++)
        for (int64_t j = 0; j < p; j++)
            d->matrix[i * p + j] = (d->tall[i * p + j] + d->tall[j * p + i]) / 2;
    spectrum_solve(d, false); /* the radius wants the smallest as well */
    for (int64_t i = 0; i < d->k; i++) {
        double *v = d->basis + i * p;
        vector_scale(v, p, radius(d) == 0 ? 0 : vector_sign(v, p));
    }
    numbers_write(element, d->values, d->k, values, sample * d->k, false);
    numbers_write(element, d->basis, d->k * p, vectors, sample * d->k * p, false);
}

static void backward_one(struct desk *d, enum element element, int64_t sample, const void *d_values,
                         const void *d_vectors, void *dx, bool add)
{
    const int64_t p = d->p;
    const double epsilon = 1e-6 * radius(d);
    numbers_read(element, d_values, sample * d->k, d->k, d->d_values);
    numbers_read(element, d_vectors, sample * d->k * p, d->k * p, d->d_near);
    spectrum_gradient(d, epsilon == 0 ? 0 : d->k, d->d_values, epsilon);
    numbers_write(element, d->matrix, p * p, dx, sample * p * p, add);
}

void eigen_forward(const struct decompose_shape *shape, const void *x, void *values, void *vectors, void *saved,
                   void *scratch, int threads)
{
    const int pieces = pieces_of(shape, threads);
#pragma omp parallel for num_threads(pieces) if (pieces > 1)
    for (int piece = 0; piece < pieces; piece++) {
        struct desk desk = desk_of(shape, scratch, piece);
        for (int64_t b = piece * shape->batch / pieces; b < (piece + 1) * shape->batch / pieces; b++) {
            desk_saved(&desk, saved, b);
            forward_one(&desk, shape->element, x, b, values, vectors);
        }
    }
}

void eigen_backward(const struct decompose_shape *shape, const void *saved, const void *d_values, const void *d_vectors,
                    void *dx, bool add, void *scratch, int threads)
{
    const int pieces = pieces_of(shape, threads);
#pragma omp parallel for num_threads(pieces) if (pieces > 1)
    for (int piece = 0; piece < pieces; piece++) {
        struct desk desk = desk_of(shape, scratch, piece);
        for (int64_t b = piece * shape->batch / pieces; b < (piece + 1) * shape->batch / pieces; b++) {
            desk_saved(&desk, (void *)(uintptr_t)saved, b); /* only read from here on */
            backward_one(&desk, shape->element, b, d_values, d_vectors, dx, add);
        }
    }
}
