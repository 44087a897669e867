/* svd: thin singular value decomposition, in float64.
 *
 *     x = sum_i s_i u_i v_i^T,  s_1 >= s_2 >= … >= 0,  |u_i| = |v_i| = 1, v_i's element of largest magnitude positive
 *
 * x [B,m,n] -> s [B,k], v [B,k,n], u [B,k,m] as rows. Where s^2 < 1e-12 s_1^2, s, u and v are 0, with zero gradient;
 * the gradient is bounded at ties (kernel/decompose.h, which has the rules). */
#include "graph/op/decomposition.h"
#include "graph/op/expect.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static enum status svd_shape(struct op_call *call)
{
    int64_t k;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 3, 3, "matrices of real numbers, [B,m,n]"));
    const int64_t *x = call->in[0].shape.dim;
    if (x[1] < 1 || x[2] < 1)
        return expect_failure(call, 0, "matrices [B,m,n] whose sides are numbers above 0");
    RETURN_IF(decomposition_leading(call, x[1] < x[2] ? x[1] : x[2], &k));
    call->out[0] = (struct tensor_spec){call->in[0].element, SHAPE(x[0], k)};
    call->out[1] = (struct tensor_spec){call->in[0].element, SHAPE(x[0], k, x[2])};
    call->out[2] = (struct tensor_spec){call->in[0].element, SHAPE(x[0], k, x[1])};
    return STATUS_OK;
}

static enum status svd_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    needs->reads_inputs = 1;
    return decomposition_prepare(call, backward, needs);
}

static void forward(const struct op_run *run)
{
    const struct decompose_shape shape = decomposition_of(run->call);
    svd_forward(&shape, run->in[0], run->out[0], run->out[1], run->out[2], run->keep ? run->saved : NULL, run->scratch,
                run->threads);
}

static void backward(const struct op_run *run)
{
    const struct decompose_shape shape = decomposition_of(run->call);
    svd_backward(&shape, run->in[0], run->saved, run->d_out[0], run->d_out[1], run->d_out[2], run->d_in[0], run->add[0],
                 run->scratch, run->threads);
}

enum { SIDE_MOST = 64, SWEEPS = 14 };

/* turn_columns: columns p and q of a [rows,columns] become orthogonal (Hestenes: Jacobi's method from one side). */
static void turn_columns(double *a, int64_t rows, int64_t columns, double *v, int64_t p, int64_t q)
{
    double pp = 0, qq = 0, pq = 0;
    for (int64_t i = 0; i < rows; i++) {
        pp += a[i * columns + p] * a[i * columns + p];
        qq += a[i * columns + q] * a[i * columns + q];
        pq += a[i * columns + p] * a[i * columns + q];
    }
    if (pq == 0)
        return;
    const double zeta = (qq - pp) / (2 * pq), t = (zeta < 0 ? -1 : 1) / (fabs(zeta) + sqrt(1 + zeta * zeta));
    const double c = 1 / sqrt(1 + t * t), s = c * t;
    for (int64_t i = 0; i < rows + columns; i++) {
        double *row = i < rows ? a + i * columns : v + (i - rows) * columns;
        const double of_p = row[p], of_q = row[q];
        row[p] = c * of_p - s * of_q;
        row[q] = s * of_p + c * of_q;
    }
}

static double column_length(const double *a, int64_t rows, int64_t columns, int64_t column)
{
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += a[i * columns + column] * a[i * columns + column];
    return sqrt(sum);
}

/* reference_one: x [m,n]: its columns are turned until they are orthogonal, so that x V = U S. Wide x: as it is, with
 * columns of nothing at the end. */
static void reference_one(const double *x, int64_t m, int64_t n, int64_t k, double *values, double *right, double *left)
{
    double a[SIDE_MOST * SIDE_MOST], v[SIDE_MOST * SIDE_MOST];
    bool taken[SIDE_MOST] = {false};
    memcpy(a, x, (size_t)(m * n) * sizeof *a);
    for (int64_t i = 0; i < n * n; i++)
        v[i] = i / n == i % n;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                turn_columns(a, m, n, v, p, q);
    for (int64_t i = 0; i < k; i++) {
        int64_t best = -1;
        for (int64_t j = 0; j < n; j++)
            if (!taken[j] && (best < 0 || column_length(a, m, n, j) > column_length(a, m, n, best)))
                best = j;
        assert(best >= 0); /* k <= n */
        taken[best] = true;
        const double length = column_length(a, m, n, best), sign = decomposition_sign(v + best, n, n);
        const bool dead = length == 0 || length * length < 1e-12 * values[0] * values[0] * (i > 0);
        values[i] = dead ? 0 : length;
        for (int64_t j = 0; j < n; j++)
            right[i * n + j] = dead ? 0 : sign * v[j * n + best];
        for (int64_t j = 0; j < m; j++)
            left[i * m + j] = dead ? 0 : sign * a[j * n + best] / length;
    }
}

static void svd_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t *x = call->in[0].shape.dim, m = x[1], n = x[2], k = call->out[0].shape.dim[1];
    for (int64_t b = 0; b < x[0]; b++)
        reference_one(in[0] + b * m * n, m, n, k, out[0] + b * k, out[1] + b * k * n, out[2] + b * k * m);
}

/* 1/s is bounded by 1e-6 (s_1/s)^2 of itself, which central differences see. */
static const struct decomposition_attributes all = {0}, one = {1}, two = {2}, three = {3};
#define MATRICES(...) .n_inputs = 1, .in = {{.rank = 3, .dim = {__VA_ARGS__}}}
static const struct op_example svd_examples[] = {
    {.name = "three of a high matrix", .attributes = &three, .tolerance = 1e-4, .bounded = 1e-4, MATRICES(2, 16, 7)},
    {.name = "three of a wide one", .attributes = &three, .tolerance = 1e-4, .bounded = 1e-4, MATRICES(2, 5, 17)},
    {.name = "all, square", .attributes = &all, .tolerance = 1e-3, .bounded = 1e-3, MATRICES(3, 3, 3)},
    {.name = "one row", .attributes = &all, .tolerance = 1e-5, .bounded = 1e-5, MATRICES(3, 1, 6)},
    {.name = "one column", .attributes = &all, .tolerance = 1e-5, .bounded = 1e-5, MATRICES(1, 6, 1)},
    {.name = "a number", .attributes = &one, .tolerance = 1e-5, .bounded = 1e-5, MATRICES(4, 1, 1)},
    {.name = "two of 9 positions, 3 channels",
     .attributes = &two,
     .tolerance = 1e-4,
     .bounded = 1e-4,
     MATRICES(4, 9, 3)},
};

extern const struct op op_svd;
const struct op op_svd = {
    .name = "svd",
    .summary = "leading singular values and vectors of matrices",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 3,
    .attributes_size = sizeof(struct decomposition_attributes),
    .shape = svd_shape,
    .prepare = svd_prepare,
    .forward = forward,
    .backward = backward,
    .reference = svd_reference,
    .examples = svd_examples,
    .n_examples = sizeof(svd_examples) / sizeof(svd_examples[0]),
};

struct node *graph_svd(struct graph *graph, struct node *x, int k)
{
    const struct decomposition_attributes attributes = {k};
    return graph_call(graph, &op_svd, &attributes, 1, &x);
}
