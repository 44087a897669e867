/* singular.c: see singular.h. */
#include "knowledge/relation/singular.h"

/* How many singular values a tap has a sample. */
static int64_t rank_of(const struct node *x)
{
    const int64_t *dim = x->spec.shape.dim, area = dim[1] * dim[2];
    return area < dim[3] ? area : dim[3];
}

bool singular_refused(struct graph *graph, const struct method_site *site, int64_t k)
{
    char found[SHAPE_TEXT_SIZE];
    if (site->n_student == 0)
        return fail(graph->ctx, STATUS_BAD_INPUT, "method %s: expected %d taps of the student, found 0",
                    site->method->name, site->n_teacher) != STATUS_OK;
    for (int i = 0; i < site->n_teacher; i++)
        if (rank_of(site->teacher[i].node) < k)
            return fail(graph->ctx, STATUS_BAD_SHAPE,
                        "method %s: expected teacher's maps of at least %lld channels and as many positions, one for "
                        "each singular vector, found %s",
                        site->method->name, (long long)k,
                        shape_text(&site->teacher[i].node->spec.shape, found)) != STATUS_OK;
    return false;
}

/* decomposed: the singular values of a map; the vectors are output 1. */
static struct node *decomposed(struct graph *g, struct node *x, int64_t k)
{
    if (!x)
        return NULL;
    const int64_t *dim = x->spec.shape.dim;
    return graph_svd(g, graph_reshape(g, x, SHAPE(dim[0], dim[1] * dim[2], dim[3])), (int)k);
}

struct node *singular_teacher(struct graph *g, const struct method_site *site, int i, int64_t k, struct node **values)
{
    struct node *found = decomposed(g, site->teacher[i].node, k);
    if (values)
        *values = found;
    return found ? graph_output(found, 1) : NULL;
}

struct node *singular_student(struct graph *g, const struct method_site *site, int i,
                              const struct connector_options *connector, struct node *teacher)
{
    struct node *x = connector_tap(g, site, site->student[i].node, i, connector);
    if (!x || !teacher)
        return NULL;
    const int64_t wanted = teacher->spec.shape.dim[1] + SINGULAR_MORE, most = rank_of(x);
    const int64_t n = wanted < most ? wanted : most;
    struct node *found = decomposed(g, x, n);
    struct node *vectors = found ? graph_output(found, 1) : NULL;
    struct node *cosines = graph_stop_gradient(g, graph_matmul(g, teacher, vectors, false, true)); /* [B,k,n] */
    struct node *chosen = graph_one_hot(g, graph_argmax(g, graph_abs(g, cosines)), n);
    return graph_matmul(g, graph_mul(g, chosen, graph_sign(g, cosines)), vectors, false, false);
}

/* turn: rows and columns p and q of the symmetric a [n,n] so that a_pq becomes 0; the rows of v turn along. */
static void turn(double *a, double *v, int n, int p, int q)
{
    const double apart = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    const double t = (apart < 0 ? -1 : 1) / (fabs(apart) + hypot(apart, 1)), c = 1 / hypot(t, 1), s = t * c;
    for (int i = 0; i < n; i++) {
        const double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
    for (int i = 0; i < n; i++) {
        const double x = a[p * n + i], y = a[q * n + i], of_p = v[p * n + i], of_q = v[q * n + i];
        a[p * n + i] = c * x - s * y;
        a[q * n + i] = s * x + c * y;
        v[p * n + i] = c * of_p - s * of_q;
        v[q * n + i] = s * of_p + c * of_q;
    }
}

/* jacobi: a [n,n] becomes diagonal; the rows of v are its eigenvectors. */
static void jacobi(double *a, double *v, int n)
{
    for (int i = 0; i < n * n; i++)
        v[i] = i / n == i % n;
    for (int sweep = 0; sweep < 30; sweep++)
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
                if (fabs(a[p * n + q]) > 1e-300)
                    turn(a, v, n, p, q);
}

/* signed_row: the vector to `to`, its element of largest magnitude positive. */
static void signed_row(const double *vector, int n, double *to)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fabs(vector[i]) > fabs(most) ? vector[i] : most;
    for (int i = 0; i < n; i++)
        to[i] = most < 0 ? -vector[i] : vector[i];
}

/* leading: the first k right singular vectors of each sample, from A^T A, in the order of their values (NULL: not wanted). */
static struct map leading(const struct method_case *c, struct map m, int k, double *values)
{
    const int n = m.c, area = map_area(&m);
    double *gram = reference_take(c, (int64_t)n * n), *v = reference_take(c, (int64_t)n * n);
    struct map out = reference_map(c, m.b, k, n, 1);
    for (int b = 0; b < m.b; b++) {
        double largest = 0;
        for (int at = 0; at < n * n; at++) {
            gram[at] = 0;
            for (int i = 0; i < area; i++)
                gram[at] += m.v[(b * n + at / n) * area + i] * m.v[(b * n + at % n) * area + i];
        }
        jacobi(gram, v, n);
        for (int j = 0; j < k; j++) {
            int best = 0;
            for (int i = 1; i < n; i++)
                best = gram[i * n + i] > gram[best * n + best] ? i : best;
            const double square = gram[best * n + best];
            largest = j == 0 ? square : largest;
            gram[best * n + best] = -INFINITY; /* taken */
            if (square <= 0 || square < 1e-12 * largest)
                continue;
            signed_row(v + best * n, n, out.v + (b * k + j) * n);
            if (values)
                values[b * k + j] = sqrt(square);
        }
    }
    return out;
}

struct map reference_singular_teacher(const struct method_case *c, int i, int k, double *values)
{
    return leading(c, reference_teacher(c, i), k, values);
}

struct map reference_singular_student(const struct method_case *c, int i, const struct connector_options *connector,
                                      struct map teacher)
{
    struct method_case at = *c;
    at.pair = i;
    at.pairs = c->n_student;
    struct map x = reference_student(c, i), out = reference_map(c, teacher.b, teacher.c, teacher.h, 1);
    if (reference_own(&at, "connector.weight"))
        x = reference_convolution(&at, x, "connector");
    if (connector->kind == CONNECTOR_CONV_BN)
        reference_batch_norm(&at, x, "connector");
    const int most = x.c < map_area(&x) ? x.c : map_area(&x), width = teacher.h;
    const int n = teacher.c + SINGULAR_MORE < most ? teacher.c + SINGULAR_MORE : most;
    struct map vectors = leading(&at, x, n, NULL);
    for (int row = 0; row < teacher.b * teacher.c; row++) {
        double best = 0, *to = out.v + row * width;
        for (int j = 0; j < n; j++) {
            const double *v = vectors.v + (row / teacher.c * n + j) * width;
            double cosine = 0;
            for (int e = 0; e < width; e++)
                cosine += v[e] * teacher.v[row * width + e];
            for (int e = 0; e < width && fabs(cosine) > fabs(best); e++)
                to[e] = cosine < 0 ? -v[e] : v[e];
            best = fabs(cosine) > fabs(best) ? cosine : best;
        }
    }
    return out;
}
