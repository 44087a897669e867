/* svd.c: thin singular value decompositions (decompose.h).
 *
 * T [q,p] is x, or x turned where it is wider than high. The smaller Gram matrix T^T T [p,p] has the near vectors d_i
 * (right ones of a high x) as eigenvectors; the far ones are f_i = unit(T d_i). */
#include "kernel/spectrum.h"

#include <math.h>
#include <string.h>

static bool is_high(const struct decompose_shape *shape)
{
    return shape->rows >= shape->columns;
}

static void turn(const double *from, int64_t rows, int64_t columns, double *to)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            to[j * rows + i] = from[i * columns + j];
}

/* tall_read: T of a sample; d_tall is overwritten. */
static void tall_read(struct desk *d, const struct decompose_shape *shape, const void *x, int64_t sample)
{
    double *to = is_high(shape) ? d->tall : d->d_tall;
    numbers_read(shape->element, x, sample * d->p * d->q, d->p * d->q, to);
    if (!is_high(shape))
        turn(to, shape->rows, shape->columns, d->tall);
}

/* gram: the half of T^T T that spectrum_solve reads, the columns from the diagonal on. */
static void gram(struct desk *d)
{
    memset(d->matrix, 0, (size_t)(d->p * d->p) * sizeof(double));
    for (int64_t r = 0; r < d->q; r++) {
        const double *row = d->tall + r * d->p;
        for (int64_t i = 0; i < d->p; i++)
            vector_add(d->matrix + i * d->p + i, row + i, d->p - i, row[i]);
    }
}

/* live_count: how many of the leading values are more than nothing. */
static int64_t live_count(const struct desk *d)
{
    int64_t live = 0;
    while (live < d->k && !(d->values[live] < 1e-12 * d->values[0]) && !(d->values[live] <= 0))
        live++;
    return live;
}

/* far_make: f_i of a near vector; returns the length of T d_i, the singular value. */
static double far_make(struct desk *d, int64_t i)
{
    double *far = d->far + i * d->q, length;
    for (int64_t r = 0; r < d->q; r++)
        far[r] = vectors_dot(d->tall + r * d->p, d->basis + i * d->p, d->p);
    length = sqrt(vectors_dot(far, far, d->q));
    vector_scale(far, d->q, 1 / length);
    return length;
}

static void forward_one(struct desk *d, const struct decompose_shape *shape, const void *x, int64_t sample,
                        bool backward, void *values, void *right, void *left)
{
    const int64_t k = d->k, p = d->p, q = d->q;
    const bool high = is_high(shape);
    tall_read(d, shape, x, sample);
    gram(d);
    spectrum_solve(d, !backward);
    const int64_t live = live_count(d);
    memset(d->d_values, 0, (size_t)k * sizeof(double));
    memset(d->far, 0, (size_t)(k * q) * sizeof(double));
    for (int64_t i = 0; i < live; i++) {
        double *near = d->basis + i * p, *far = d->far + i * q;
        d->d_values[i] = far_make(d, i);
        const double sign = high ? vector_sign(near, p) : vector_sign(far, q);
        vector_scale(near, p, sign);
        vector_scale(far, q, sign);
    }
    /* Vectors of nothing are written as 0, but stay in the basis: gradients of the others need it whole. */
    memcpy(d->d_near, d->basis, (size_t)(k * p) * sizeof(double));
    memset(d->d_near + live * p, 0, (size_t)((k - live) * p) * sizeof(double));
    numbers_write(shape->element, d->d_values, k, values, sample * k, false);
    numbers_write(shape->element, high ? d->d_near : d->far, k * shape->columns, right, sample * k * shape->columns,
                  false);
    numbers_write(shape->element, high ? d->far : d->d_near, k * shape->rows, left, sample * k * shape->rows, false);
}

/* far_gradient: f_i = unit(T d_i) and s_i = f_i . T d_i: d_tall and d_near take what comes through them. */
static void far_gradient(struct desk *d, int64_t i, double epsilon)
{
    const double sigma = far_make(d, i), bounded = sigma / (sigma * sigma + epsilon);
    double *far = d->far + i * d->q, *g = d->d_far + i * d->q, *near = d->basis + i * d->p;
    vector_add(g, far, d->q, -vectors_dot(g, far, d->q));
    vector_scale(g, d->q, bounded);
    for (int64_t r = 0; r < d->q; r++) {
        vector_add(d->d_near + i * d->p, d->tall + r * d->p, d->p, g[r]);
        vector_add(d->d_tall + r * d->p, near, d->p, g[r] + d->d_values[i] * far[r]);
    }
}

static void backward_one(struct desk *d, const struct decompose_shape *shape, const void *x, int64_t sample,
                         const void *d_values, const void *d_right, const void *d_left, void *dx, bool add)
{
    const int64_t k = d->k, p = d->p, q = d->q, live = live_count(d);
    const double epsilon = 1e-6 * d->values[0];
    const bool high = is_high(shape);
    tall_read(d, shape, x, sample);
    numbers_read(shape->element, d_values, sample * k, k, d->d_values);
    numbers_read(shape->element, high ? d_right : d_left, sample * k * p, k * p, d->d_near);
    numbers_read(shape->element, high ? d_left : d_right, sample * k * q, k * q, d->d_far);
    memset(d->d_tall, 0, (size_t)(p * q) * sizeof(double));
    for (int64_t i = 0; i < live; i++)
        far_gradient(d, i, epsilon);
    spectrum_gradient(d, live, NULL, epsilon);
    for (int64_t r = 0; r < q; r++) /* of T^T T: T (M + M^T), and M is symmetric */
        for (int64_t i = 0; i < p; i++)
            vector_add(d->d_tall + r * p, d->matrix + i * p, p, 2 * d->tall[r * p + i]);
    if (!high)
        turn(d->d_tall, q, p, d->tall);
    numbers_write(shape->element, high ? d->d_tall : d->tall, p * q, dx, sample * p * q, add);
}

void svd_forward(const struct decompose_shape *shape, const void *x, void *values, void *right, void *left, void *saved,
                 void *scratch, int threads)
{
    const int pieces = pieces_of(shape, threads);
#pragma omp parallel for num_threads(pieces) if (pieces > 1)
    for (int piece = 0; piece < pieces; piece++) {
        struct desk desk = desk_of(shape, scratch, piece);
        for (int64_t b = piece * shape->batch / pieces; b < (piece + 1) * shape->batch / pieces; b++) {
            desk_saved(&desk, saved, b);
            forward_one(&desk, shape, x, b, saved != NULL, values, right, left);
        }
    }
}

void svd_backward(const struct decompose_shape *shape, const void *x, const void *saved, const void *d_values,
                  const void *d_right, const void *d_left, void *dx, bool add, void *scratch, int threads)
{
    const int pieces = pieces_of(shape, threads);
#pragma omp parallel for num_threads(pieces) if (pieces > 1)
    for (int piece = 0; piece < pieces; piece++) {
        struct desk desk = desk_of(shape, scratch, piece);
        for (int64_t b = piece * shape->batch / pieces; b < (piece + 1) * shape->batch / pieces; b++) {
            desk_saved(&desk, (void *)(uintptr_t)saved, b); /* only read from here on */
            backward_one(&desk, shape, x, b, d_values, d_right, d_left, dx, add);
        }
    }
}
