/* reference.c: see reference.h. */
#include "knowledge/reference.h"

#include "base/arena.h"

#include <stdio.h>
#include <string.h>

double *reference_take(const struct method_case *c, int64_t n)
{
    return arena_take(c->arena, (size_t)n + 1, sizeof(double));
}

struct map reference_map(const struct method_case *c, int b, int channels, int h, int w)
{
    return (struct map){b, channels, h, w, reference_take(c, (int64_t)b * channels * h * w)};
}

static struct map copy_of(const struct method_case *c, const struct shape *shape, const double *values)
{
    const bool map = shape->rank == 4;
    struct map m = reference_map(c, (int)shape->dim[0], (int)shape->dim[1], map ? (int)shape->dim[2] : 1,
                                 map ? (int)shape->dim[3] : 1);
    if (m.v)
        memcpy(m.v, values, (size_t)shape_elements(shape) * sizeof *values);
    return m;
}

struct map reference_student(const struct method_case *c, int i)
{
    return copy_of(c, &c->student_shape[i], c->student[i]);
}

struct map reference_teacher(const struct method_case *c, int i)
{
    return copy_of(c, &c->teacher_shape[i], c->teacher[i]);
}

static const double *own_shaped(const struct method_case *c, const char *name, const char *suffix, struct shape *shape)
{
    char full[128];
    if (c->pairs > 1)
        snprintf(full, sizeof full, "%d.%s%s", c->pair, name, suffix);
    else
        snprintf(full, sizeof full, "%s%s", name, suffix);
    return c->own(c, full, shape);
}

const double *reference_own(const struct method_case *c, const char *name)
{
    return own_shaped(c, name, "", NULL);
}

struct map reference_pool(const struct method_case *c, struct map m, int h, int w)
{
    struct map out = reference_map(c, m.b, m.c, h, w);
    for (int plane = 0; plane < m.b * m.c; plane++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                const int y0 = y * m.h / h, y1 = ((y + 1) * m.h + h - 1) / h;
                const int x0 = x * m.w / w, x1 = ((x + 1) * m.w + w - 1) / w;
                double sum = 0;
                for (int i = y0; i < y1; i++)
                    for (int j = x0; j < x1; j++)
                        sum += m.v[(plane * m.h + i) * m.w + j];
                out.v[(plane * h + y) * w + x] = sum / ((y1 - y0) * (x1 - x0));
            }
    return out;
}

struct map reference_nearest(const struct method_case *c, struct map m, int h, int w)
{
    struct map out = reference_map(c, m.b, m.c, h, w);
    for (int i = 0; i < m.b * m.c * h * w; i++)
        out.v[i] = m.v[(i / w / h * m.h + i / w % h * m.h / h) * m.w + i % w * m.w / w];
    return out;
}

void reference_sizes(const struct method_case *c, struct map *a, struct map *b)
{
    const int h = a->h < b->h ? a->h : b->h, w = a->w < b->w ? a->w : b->w;
    *a = reference_pool(c, *a, h, w);
    *b = reference_pool(c, *b, h, w);
}

struct map reference_convolution(const struct method_case *c, struct map m, const char *name)
{
    struct shape shape;
    const double *weight = own_shaped(c, name, ".weight", &shape), *bias = own_shaped(c, name, ".bias", NULL);
    if (!weight)
        return (struct map){m.b, 0, m.h, m.w, NULL};
    const int out = (int)shape.dim[0], k = shape.rank == 4 ? (int)shape.dim[2] : 1, half = (k - 1) / 2;
    struct map y = reference_map(c, m.b, out, m.h, m.w);
    for (int at = 0; at < m.b * out * m.h * m.w; at++) {
        const int j = at % m.w, i = at / m.w % m.h, o = at / m.w / m.h % out, b = at / m.w / m.h / out;
        const double *w = weight + o * m.c * k * k;
        double sum = bias ? bias[o] : 0;
        for (int channel = 0; channel < m.c; channel++)
            for (int u = i - half; u < i - half + k; u++)
                for (int v = j - half; v < j - half + k; v++, w++)
                    if (u >= 0 && u < m.h && v >= 0 && v < m.w)
                        sum += *w * m.v[((b * m.c + channel) * m.h + u) * m.w + v];
        y.v[at] = sum;
    }
    return y;
}

/* normalise: by the batch where mean and var are NULL. */
static void normalise(const struct method_case *c, struct map m, const char *name, const double *mean,
                      const double *var)
{
    const double *gamma = own_shaped(c, name, ".bn.weight", NULL), *beta = own_shaped(c, name, ".bn.bias", NULL);
    const int area = map_area(&m), n = m.b * area;
    for (int channel = 0; channel < m.c; channel++) {
        double centre = 0, spread = 0;
        for (int i = 0; i < n; i++)
            centre += m.v[(i / area * m.c + channel) * area + i % area] / n;
        for (int i = 0; i < n; i++) {
            const double distance = m.v[(i / area * m.c + channel) * area + i % area] - centre;
            spread += distance * distance / n;
        }
        centre = mean ? mean[channel] : centre;
        spread = var ? var[channel] : spread;
        for (int i = 0; i < n; i++) {
            double *at = &m.v[(i / area * m.c + channel) * area + i % area];
            *at = gamma[channel] * (*at - centre) / sqrt(spread + 1e-5) + beta[channel];
        }
    }
}

void reference_batch_norm(const struct method_case *c, struct map m, const char *name)
{
    normalise(c, m, name, own_shaped(c, name, ".bn.running_mean", NULL), own_shaped(c, name, ".bn.running_var", NULL));
}

void reference_batch_norm_training(const struct method_case *c, struct map m, const char *name)
{
    normalise(c, m, name, NULL, NULL);
}

void reference_fit(const struct method_case *c, const struct connector_options *options, struct map *student,
                   struct map *teacher)
{
    reference_sizes(c, student, teacher);
    if (reference_own(c, "connector.weight"))
        *student = reference_convolution(c, *student, "connector");
    if (options->kind == CONNECTOR_CONV_BN)
        reference_batch_norm(c, *student, "connector");
}

void reference_unit(double *v, int n, int stride)
{
    double length = 0;
    for (int i = 0; i < n; i++)
        length = hypot(length, v[i * stride]);
    for (int i = 0; i < n; i++)
        v[i * stride] = length < 1e-12 ? 0 : v[i * stride] / length;
}

struct map reference_unit_samples(struct map m)
{
    for (int b = 0; b < m.b; b++)
        reference_unit(m.v + b * map_row(&m), map_row(&m), 1);
    return m;
}

double reference_mean_square(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum / (double)n;
}

double reference_smooth_l1(double difference)
{
    const double size = fabs(difference);
    return size < 1 ? size * size / 2 : size - 0.5;
}

void reference_log_softmax(double *z, int n, double temperature)
{
    double largest = z[0], sum = 0;
    for (int k = 1; k < n; k++)
        largest = fmax(largest, z[k]);
    for (int k = 0; k < n; k++)
        sum += exp((z[k] - largest) / temperature);
    for (int k = 0; k < n; k++)
        z[k] = (z[k] - largest) / temperature - log(sum);
}

double reference_kl(const double *log_p, const double *log_q, int n)
{
    double total = 0;
    for (int k = 0; k < n; k++)
        total += exp(log_p[k]) * (log_p[k] - log_q[k]);
    return total;
}

void reference_standardise(double *z, int n)
{
    double mean = 0, squares = 0, largest = 0;
    for (int k = 0; k < n; k++) {
        mean += z[k] / n;
        largest = fmax(largest, fabs(z[k]));
    }
    for (int k = 0; k < n; k++)
        squares += (z[k] - mean) * (z[k] - mean);
    const double std = sqrt(squares / (n - 1));
    for (int k = 0; k < n; k++)
        z[k] = n < 2 || std < 1e-6 * largest ? 0 : (z[k] - mean) / (1e-7 + std);
}

double *reference_squares(const struct method_case *c, struct map m)
{
    const int row = map_row(&m);
    double *squares = reference_take(c, (int64_t)m.b * m.b);
    for (int i = 0; i < m.b; i++)
        for (int j = 0; j < m.b; j++)
            squares[i * m.b + j] = row * reference_mean_square(m.v + i * row, m.v + j * row, row);
    return squares;
}
