/* eigen: eigenvalues and eigenvectors of symmetric matrices, in float64.
 *
 *     S = (x + x^T) / 2,  S v_i = l_i v_i,  l_1 >= l_2 >= …,  |v_i| = 1, v_i's element of largest magnitude positive
 *     dS = sum_i d l_i v_i v_i^T + sum_{i != j} (v_j . d v_i) / (l_i - l_j) v_j v_i^T, made symmetric
 *
 * x [B,n,n] -> l [B,k], v [B,k,n] as rows. 1 / (l_i - l_j) is bounded (kernel/decompose.h). A zero matrix: v = 0. */
#include "graph/op/decomposition.h"
#include "graph/op/expect.h"

#include <assert.h>
#include <math.h>

static enum status eigen_shape(struct op_call *call)
{
    int64_t k;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 3, 3, "square matrices of real numbers, [B,n,n]"));
    const int64_t *x = call->in[0].shape.dim;
    if (x[1] < 1 || x[1] != x[2])
        return expect_failure(call, 0, "square matrices [B,n,n]");
    RETURN_IF(decomposition_leading(call, x[1], &k));
    call->out[0] = (struct tensor_spec){call->in[0].element, SHAPE(x[0], k)};
    call->out[1] = (struct tensor_spec){call->in[0].element, SHAPE(x[0], k, x[2])};
    return STATUS_OK;
}

static void forward(const struct op_run *run)
{
    const struct decompose_shape shape = decomposition_of(run->call);
    eigen_forward(&shape, run->in[0], run->out[0], run->out[1], run->keep ? run->saved : NULL, run->scratch,
                  run->threads);
}

static void backward(const struct op_run *run)
{
    const struct decompose_shape shape = decomposition_of(run->call);
    eigen_backward(&shape, run->saved, run->d_out[0], run->d_out[1], run->d_in[0], run->add[0], run->scratch,
                   run->threads);
}

/* rotate: Jacobi's rotation that makes a[p][q] zero; the rows of v turn with it. */
static void rotate(double *a, double *v, int64_t n, int64_t p, int64_t q)
{
    if (a[p * n + q] == 0)
        return;
    const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    const double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1)), c = 1 / sqrt(t * t + 1), s = t * c;
    for (int64_t k = 0; k < n; k++) {
        const double kp = a[k * n + p], kq = a[k * n + q];
        a[k * n + p] = c * kp - s * kq;
        a[k * n + q] = s * kp + c * kq;
    }
    for (int64_t k = 0; k < n; k++) {
        const double pk = a[p * n + k], qk = a[q * n + k], vp = v[p * n + k], vq = v[q * n + k];
        a[p * n + k] = c * pk - s * qk;
        a[q * n + k] = s * pk + c * qk;
        v[p * n + k] = c * vp - s * vq;
        v[q * n + k] = s * vp + c * vq;
    }
}

enum { SIDE_MOST = 32, SWEEPS = 12 };

static void reference_one(const double *x, int64_t n, int64_t k, double *values, double *vectors)
{
    double a[SIDE_MOST * SIDE_MOST], v[SIDE_MOST * SIDE_MOST], size = 0;
    bool taken[SIDE_MOST] = {false};
    for (int64_t i = 0; i < n * n; i++) {
        a[i] = (x[i] + x[i % n * n + i / n]) / 2;
        v[i] = i % n == i / n;
        size = fmax(size, fabs(a[i]));
    }
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                rotate(a, v, n, p, q);
    for (int64_t i = 0; i < k; i++) {
        int64_t best = -1;
        for (int64_t j = 0; j < n; j++)
            if (!taken[j] && (best < 0 || a[j * n + j] > a[best * n + best]))
                best = j;
        assert(best >= 0); /* k <= n */
        taken[best] = true;
        values[i] = a[best * n + best];
        const double sign = size == 0 ? 0 : decomposition_sign(v + best * n, n, 1);
        for (int64_t j = 0; j < n; j++)
            vectors[i * n + j] = sign * v[best * n + j];
    }
}

static void eigen_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const int64_t batch = call->in[0].shape.dim[0], n = call->in[0].shape.dim[1], k = call->out[0].shape.dim[1];
    for (int64_t b = 0; b < batch; b++)
        reference_one(in[0] + b * n * n, n, k, out[0] + b * k, out[1] + b * k * n);
}

static const struct decomposition_attributes all = {0}, one = {1}, two = {2}, four = {4};
#define MATRICES(...) .n_inputs = 1, .in = {{.rank = 3, .dim = {__VA_ARGS__}}}
static const struct op_example eigen_examples[] = {
    {.name = "all of 4x4", .attributes = &all, .bounded = 1e-7, MATRICES(3, 4, 4)},
    {.name = "a number", .attributes = &all, MATRICES(2, 1, 1)},
    {.name = "2x2", .attributes = &all, .bounded = 1e-7, MATRICES(5, 2, 2)},
    {.name = "the leading one of 7", .attributes = &one, .bounded = 1e-7, MATRICES(2, 7, 7)},
    {.name = "two of 3, one sample", .attributes = &two, .bounded = 1e-7, MATRICES(1, 3, 3)},
    {.name = "four of 17", .attributes = &four, .bounded = 1e-7, MATRICES(2, 17, 17)},
};

extern const struct op op_eigen;
const struct op op_eigen = {
    .name = "eigen",
    .summary = "leading eigenvalues and eigenvectors of symmetric matrices",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 2,
    .attributes_size = sizeof(struct decomposition_attributes),
    .shape = eigen_shape,
    .prepare = decomposition_prepare,
    .forward = forward,
    .backward = backward,
    .reference = eigen_reference,
    .examples = eigen_examples,
    .n_examples = sizeof(eigen_examples) / sizeof(eigen_examples[0]),
};

struct node *graph_eigen(struct graph *graph, struct node *x, int k)
{
    const struct decomposition_attributes attributes = {k};
    return graph_call(graph, &op_eigen, &attributes, 1, &x);
}
