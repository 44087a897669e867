/* spectrum.h: one symmetric matrix in float64, what eigen.c and svd.c of this room stand on. */
#ifndef KERNEL_SPECTRUM_H
#define KERNEL_SPECTRUM_H

#include "kernel/decompose.h"

/* A thread's scratch, and sizes: the small side p, the large side q, k leading vectors. */
struct desk {
    int64_t p, q, k;
    double *tall, *d_tall;           /* [q,p] */
    double *matrix, *values, *basis; /* [p,p], [p], [p,p]: eigenvectors are rows */
    double *far, *d_far;             /* [k,q] vectors of the large side */
    double *d_near, *mixed;          /* [k,p] gradients of the small side, and what they are mixed to */
    double *d_values;                /* [k] */
    double *work;                    /* LAPACK's, then its integers */
};

struct desk desk_of(const struct decompose_shape *shape, void *scratch, int thread);
/* desk_saved: values and basis lie in `saved` of the sample, where saved is not NULL. */
void desk_saved(struct desk *desk, void *saved, int64_t sample);

/* numbers_read: n numbers from index `from` on, 0 where x is NULL; numbers_write: the other way, adding if told. */
void numbers_read(enum element element, const void *x, int64_t from, int64_t n, double *to);
void numbers_write(enum element element, const double *from, int64_t n, void *x, int64_t to, bool add);

/* spectrum_solve: desk->matrix (its upper half is read, all is lost) -> values, descending, and basis; NaN where the
 * matrix is not finite. d_tall and mixed are lost too. leading: the k leading ones are enough, which no backward pass is. */
void spectrum_solve(struct desk *desk, bool leading);
/* vector_sign: -1 when the element of largest magnitude is negative, else 1. */
double vector_sign(const double *vector, int64_t n);
void vector_scale(double *vector, int64_t n, double factor);
double vectors_dot(const double *a, const double *b, int64_t n);
void vector_add(double *to, const double *from, int64_t n, double factor);

/* spectrum_gradient: matrix [p,p] = the symmetric gradient from d_values (NULL: zero) and d_near of the first `live`
 * values and vectors, bounded with epsilon. */
void spectrum_gradient(struct desk *desk, int64_t live, const double *d_values, double epsilon);

/* pieces_of: how many threads share the batch. */
int pieces_of(const struct decompose_shape *shape, int threads);

#endif
