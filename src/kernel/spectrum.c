/* spectrum.c: the one place that calls LAPACK, and what eigenvectors and singular vectors share. */
#include "kernel/spectrum.h"

#include "kernel/convolution.h"

#include <lapacke.h>

#include <math.h>
#include <string.h>

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What dsyevd and dsyevx ask for. */
static int64_t work_numbers(int64_t p)
{
    return 1 + 8 * p + 2 * p * p;
}

static int64_t work_integers(int64_t p)
{
    return 3 + 6 * p;
}

/* desk_lay: the pieces one behind the other; returns their size in numbers. memory NULL: only that. */
static int64_t desk_lay(const struct decompose_shape *shape, double *memory, struct desk *d)
{
    const int64_t p = least(shape->rows, shape->columns), q = shape->rows + shape->columns - p, k = shape->leading;
    int64_t used = 0;
    struct {
        double **piece;
        int64_t size;
    } pieces[] = {{&d->tall, q * p},
                  {&d->d_tall, q * p},
                  {&d->matrix, p * p},
                  {&d->values, p},
                  {&d->basis, p * p},
                  {&d->far, k * q},
                  {&d->d_far, k * q},
                  {&d->d_near, k * p},
                  {&d->mixed, k * p},
                  {&d->d_values, k},
                  {&d->work, work_numbers(p) + (work_integers(p) + 1) / 2}};
    d->p = p;
    d->q = q;
    d->k = k;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        *pieces[i].piece = memory ? memory + used : NULL;
        used += pieces[i].size;
    }
    return used;
}

struct desk desk_of(const struct decompose_shape *shape, void *scratch, int thread)
{
    struct desk desk;
    const int64_t each = desk_lay(shape, NULL, &desk);
    desk_lay(shape, (double *)scratch + thread * each, &desk);
    return desk;
}

size_t decompose_scratch_bytes(const struct decompose_shape *shape, int threads)
{
    struct desk desk;
    return bytes_rounded((size_t)desk_lay(shape, NULL, &desk) * (size_t)threads * sizeof(double));
}

static int64_t saved_numbers(int64_t p)
{
    return p + p * p;
}

size_t decompose_saved_bytes(const struct decompose_shape *shape)
{
    return (size_t)(shape->batch * saved_numbers(least(shape->rows, shape->columns))) * sizeof(double);
}

void desk_saved(struct desk *desk, void *saved, int64_t sample)
{
    if (!saved)
        return;
    desk->values = (double *)saved + sample * saved_numbers(desk->p);
    desk->basis = desk->values + desk->p;
}

int pieces_of(const struct decompose_shape *shape, int threads)
{
    enum { THREAD_WORK = 20000 }; /* multiply-accumulates below which a second thread costs more than it saves */
    const double p = (double)least(shape->rows, shape->columns), q = (double)(shape->rows + shape->columns) - p;
    const double pays = (double)shape->batch * p * p * (q + 9 * p) / THREAD_WORK;
    const int most = (int)least(threads, shape->batch);
    return pays < 1 || most < 1 ? 1 : pays < most ? (int)pays : most;
}

void numbers_read(enum element element, const void *x, int64_t from, int64_t n, double *to)
{
    if (!x)
        memset(to, 0, (size_t)n * sizeof *to);
    else if (element == ELEMENT_F64)
        memcpy(to, (const double *)x + from, (size_t)n * sizeof *to);
    else
        for (int64_t i = 0; i < n; i++)
            to[i] = (double)((const float *)x)[from + i];
}

void numbers_write(enum element element, const double *from, int64_t n, void *x, int64_t to, bool add)
{
    if (element == ELEMENT_F64) {
        double *out = (double *)x + to;
        for (int64_t i = 0; i < n; i++)
            out[i] = from[i] + (add ? out[i] : 0);
    } else {
        float *out = (float *)x + to;
        for (int64_t i = 0; i < n; i++)
            out[i] = (float)(from[i] + (add ? (double)out[i] : 0));
    }
}

double vector_sign(const double *vector, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fabs(vector[i]) > fabs(most) ? vector[i] : most;
    return most < 0 ? -1 : 1;
}

void vector_scale(double *vector, int64_t n, double factor)
{
    for (int64_t i = 0; i < n; i++)
        vector[i] *= factor;
}

double vectors_dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

void vector_add(double *to, const double *from, int64_t n, double factor)
{
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        to[i] += factor * from[i];
}

static bool all_finite(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* LAPACK, below: the matrix is symmetric, so its columns are its rows; eigenvectors are left as columns in column order,
 * which are rows to us, the smallest first. The _work interfaces allocate nothing. */

static bool solve_all(struct desk *d, double *ascending)
{
    const lapack_int p = (lapack_int)d->p;
    return LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', p, d->matrix, p, ascending, d->work,
                               (lapack_int)work_numbers(p), (lapack_int *)(d->work + work_numbers(p)),
                               (lapack_int)work_integers(p)) == 0;
}

/* solve_leading: the k leading ones alone, a third of the time. Where they do not converge the matrix is as it was. */
static bool solve_leading(struct desk *d, double *ascending)
{
    const lapack_int p = (lapack_int)d->p, first = (lapack_int)(d->p - d->k + 1);
    lapack_int *integers = (lapack_int *)(d->work + work_numbers(p)), found = 0;
    memcpy(d->basis, d->matrix, (size_t)(d->p * d->p) * sizeof(double));
    const bool solved =
        LAPACKE_dsyevx_work(LAPACK_COL_MAJOR, 'V', 'I', 'L', p, d->matrix, p, 0, 0, first, p, 0, &found, ascending,
                            d->mixed, p, d->work, (lapack_int)work_numbers(p), integers, integers + 5 * d->p) == 0 &&
        found == d->k;
    memcpy(d->matrix, solved ? d->mixed : d->basis, (size_t)((solved ? d->k : d->p) * d->p) * sizeof(double));
    return solved;
}

void spectrum_solve(struct desk *d, bool leading)
{
    const int64_t p = d->p;
    double *ascending = d->d_tall; /* free in forward; p of its p q numbers */
    const bool finite = all_finite(d->matrix, p * p);
    const bool few = finite && leading && 2 * d->k <= p && solve_leading(d, ascending);
    const bool solved = few || (finite && solve_all(d, ascending));
    const int64_t n = few ? d->k : p;
    for (int64_t i = 0; i < n; i++)
        d->values[i] = solved ? ascending[n - 1 - i] : (double)NAN;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < p; j++)
            d->basis[i * p + j] = solved ? d->matrix[(n - 1 - i) * p + j] : (double)NAN;
}

/* Where M moves by dM, v_i moves by sum over j of v_j (v_j . dM v_i) / (l_i - l_j), and l_i by v_i . dM v_i. So the
 * gradient is the sum over i of v_i times w_i = sum over j of v_j (v_j . d v_i) / (l_i - l_j) + d l_i v_i, and its
 * mirror image. */
void spectrum_gradient(struct desk *d, int64_t live, const double *d_values, double epsilon)
{
    const int64_t p = d->p;
    memset(d->matrix, 0, (size_t)(p * p) * sizeof(double));
    for (int64_t i = 0; i < live; i++) {
        double *w = d->mixed + i * p;
        memset(w, 0, (size_t)p * sizeof *w);
        for (int64_t j = 0; j < p; j++) {
            const double *v = d->basis + j * p, apart = (d->values[i] - d->values[j]) / epsilon;
            const double bounded = apart / (apart * apart + 1) / epsilon;
            const double own = d_values ? d_values[i] : 0;
            const double weight = j == i ? own : vectors_dot(v, d->d_near + i * p, p) * bounded;
            vector_add(w, v, p, weight);
        }
        for (int64_t a = 0; a < p; a++) {
            vector_add(d->matrix + a * p, w, p, d->basis[i * p + a] / 2);
            vector_add(d->matrix + a * p, d->basis + i * p, p, w[a] / 2);
        }
    }
}
