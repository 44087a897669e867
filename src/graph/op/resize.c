/* resize: a map of another height and width, as PyTorch's `interpolate` with align_corners=false.
 *
 * x [B,H,W,C] -> [B,H',W',C]. Along each axis, with s = size / new size:
 *
 *     nearest   y[i] = x[min(floor(i s), size - 1)], i s in single precision
 *     bilinear  p = max(0, (i + 1/2) s - 1/2), f = p - floor p;
 *               y[i] = x[floor p] (1 - f) + x[min(floor p + 1, size - 1)] f
 */
#include "kernel/resize.h"

#include "graph/op/expect.h"
#include "graph/ops.h"

#include <math.h>

struct resize_attributes {
    enum interpolation interpolation;
    int64_t size[2]; /* [height, width] */
};

struct resize_plan {
    struct context *ctx;
    struct resize_shape shape;
    struct resize_tap taps[]; /* of the rows, then of the columns */
};

static enum status resize_op_shape(struct op_call *call)
{
    const struct resize_attributes *a = call->attributes;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 4, 4, "a map, real [B,H,W,C]"));
    const int64_t *dim = call->in[0].shape.dim;
    if (dim[1] < 1 || dim[2] < 1)
        return expect_failure(call, 0, "a map [B,H,W,C] whose height and width are numbers above 0");
    if (a->size[0] < 1 || a->size[1] < 1)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a height and a width of at least 1, found %lldx%lld",
                    call->name, (long long)a->size[0], (long long)a->size[1]);
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, {4, {dim[0], a->size[0], a->size[1], dim[3]}}};
    return STATUS_OK;
}

static struct resize_tap tap_of(enum interpolation interpolation, int64_t i, int64_t size, int64_t out)
{
    if (interpolation == INTERPOLATION_NEAREST) {
        const float scale = (float)size / (float)out;
        const int64_t from = (int64_t)floorf((float)i * scale);
        const int32_t at = (int32_t)(from < size ? from : size - 1);
        return (struct resize_tap){at, at, 0};
    }
    const double position = fmax(0, ((double)i + 0.5) * (double)size / (double)out - 0.5);
    const int64_t low = (int64_t)position;
    struct resize_tap tap = {.low = (int32_t)low, .high = (int32_t)(low + 1), .weight = position - (double)low};
    if (tap.high >= size) {
        tap.high = tap.low;
        tap.weight = 0;
    }
    return tap;
}

static void resize_release(void *plan)
{
    struct resize_plan *p = plan;
    if (p)
        memory_free(p->ctx, p);
}

static enum status resize_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    const struct resize_attributes *a = call->attributes;
    const int64_t *in = call->in[0].shape.dim;
    const int64_t taps = a->size[0] + a->size[1];
    struct resize_plan *p = memory_new(call->ctx, 1, sizeof *p + (size_t)taps * sizeof p->taps[0]);
    if (!p)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    p->shape = (struct resize_shape){.batch = in[0], .channels = in[3]};
    struct resize_tap *next = p->taps;
    for (int k = 0; k < 2; k++) {
        p->shape.in[k] = in[1 + k];
        p->shape.out[k] = a->size[k];
        p->shape.tap[k] = next;
        for (int64_t i = 0; i < a->size[k]; i++)
            *next++ = tap_of(a->interpolation, i, in[1 + k], a->size[k]);
    }
    needs->plan = p;
    needs->kernel = "loop";
    return STATUS_OK;
}

static void resize_op_forward(const struct op_run *run)
{
    const struct resize_plan *p = run->plan;
    run->table->resize_forward(&p->shape, run->in[0], run->out[0], run->threads);
}

static void resize_op_backward(const struct op_run *run)
{
    const struct resize_plan *p = run->plan;
    run->table->resize_backward(&p->shape, run->d_out[0], run->d_in[0], run->add[0], run->threads);
}

/* The share of x's index `at` in y's index i: for bilinear a hat of width 1 around the position, which stays inside. */
static double share_of(enum interpolation interpolation, int64_t at, int64_t i, int64_t size, int64_t out)
{
    if (interpolation == INTERPOLATION_NEAREST)
        return fmin(floor((double)((float)i * ((float)size / (float)out))), (double)size - 1) == (double)at;
    const double position = fmin(fmax((double)size * ((double)i + 0.5) / (double)out - 0.5, 0), (double)size - 1);
    return fmax(0, 1 - fabs((double)at - position));
}

static void resize_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct resize_attributes *a = call->attributes;
    const int64_t *d = call->out[0].shape.dim, *s = call->in[0].shape.dim;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        const int64_t c = i % d[3], column = i / d[3] % d[2], row = i / d[3] / d[2] % d[1], b = i / d[3] / d[2] / d[1];
        double sum = 0;
        for (int64_t y = 0; y < s[1]; y++) {
            for (int64_t x = 0; x < s[2]; x++) {
                const double share =
                    share_of(a->interpolation, y, row, s[1], d[1]) * share_of(a->interpolation, x, column, s[2], d[2]);
                sum += share * in[0][((b * s[1] + y) * s[2] + x) * s[3] + c];
            }
        }
        out[0][i] = sum;
    }
}

#define NEAREST(height, width) ((const struct resize_attributes){INTERPOLATION_NEAREST, {height, width}})
#define BILINEAR(height, width) ((const struct resize_attributes){INTERPOLATION_BILINEAR, {height, width}})
#define EXAMPLE(label, with, ...)                                                                                      \
    {                                                                                                                  \
        .name = label, .attributes = &with, .n_inputs = 1, .in = { {.rank = 4, .dim = __VA_ARGS__} }                   \
    }
static const struct op_example resize_examples[] = {
    EXAMPLE("nearest, twice", NEAREST(6, 10), {2, 3, 5, 3}),
    EXAMPLE("nearest, smaller and larger", NEAREST(3, 11), {3, 7, 4, 1}),
    EXAMPLE("nearest, from 1x1", NEAREST(2, 3), {1, 1, 1, 17}),
    EXAMPLE("bilinear, twice", BILINEAR(8, 6), {2, 4, 3, 17}),
    EXAMPLE("bilinear, smaller and larger", BILINEAR(3, 13), {3, 8, 5, 1}),
    EXAMPLE("bilinear, the same height", BILINEAR(4, 7), {1, 4, 3, 3}),
    EXAMPLE("bilinear, to 1x1", BILINEAR(1, 1), {3, 4, 5, 3}),
    EXAMPLE("bilinear, from 1x1", BILINEAR(3, 2), {2, 1, 1, 3}),
};

extern const struct op op_resize;
const struct op op_resize = {
    .name = "resize",
    .summary = "a map of another height and width, nearest or bilinear",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct resize_attributes),
    .shape = resize_op_shape,
    .prepare = resize_prepare,
    .release = resize_release,
    .forward = resize_op_forward,
    .backward = resize_op_backward,
    .reference = resize_reference,
    .examples = resize_examples,
    .n_examples = sizeof(resize_examples) / sizeof(resize_examples[0]),
};

struct node *graph_resize(struct graph *graph, struct node *x, enum interpolation interpolation, int64_t height,
                          int64_t width)
{
    struct resize_attributes attributes = {interpolation, {height, width}};
    return graph_call(graph, &op_resize, &attributes, 1, &x);
}
