#include "support/op_case.h"

#include "support/op_fill.h"

#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void op_case_fail(struct op_case *c, const char *format, ...)
{
    c->failures++;
    if (!c->out) {
        return;
    }
    fprintf(c->out, "FAIL op %s, example \"%s\", %s, seed %llu: ", c->op->name, c->example->name, c->where,
            (unsigned long long)c->seed);
    va_list list;
    va_start(list, format);
    vfprintf(c->out, format, list);
    va_end(list);
    fprintf(c->out, "\n");
}

double slope_sign(int direction, int64_t element)
{
    struct random_key key = {77, (uint32_t)direction, 0};
    return random_u32(&key, (uint64_t)element) & 1 ? 1 : -1;
}

static void run_reference(const struct op_case *c, double *const *out)
{
    const double *in[OP_MAX_INPUTS];
    for (int i = 0; i < c->call.n_inputs; i++) {
        in[i] = c->in[i];
    }
    c->op->reference(&c->call, in, out);
}

static long double loss_of(const struct op_case *c, double *const *out)
{
    run_reference(c, out);
    long double loss = 0; /* sums of many numbers, whose small differences matter */
    for (int o = 0; o < c->call.n_outputs; o++) {
        for (int64_t i = 0; c->weights[o] && i < c->out_count[o]; i++) {
            loss += (long double)c->weights[o][i] * out[o][i];
        }
    }
    return loss;
}

/* shifted_loss: the loss with the input moved by `step` along the slope. */
static long double shifted_loss(const struct op_case *c, int input, const struct slope *slope, double step,
                                double *const *out)
{
    double *values = c->in[input];
    int64_t n = c->in_count[input];
    double *kept = op_take(n, sizeof(*kept));
    memcpy(kept, values, (size_t)n * sizeof(*kept));
    if (slope->element >= 0) {
        values[slope->element] += step;
    } else {
        for (int64_t i = 0; i < n; i++) {
            values[i] += step * slope_sign(slope->direction, i);
        }
    }
    long double loss = loss_of(c, out);
    memcpy(values, kept, (size_t)n * sizeof(*kept));
    free(kept);
    return loss;
}

/* central: the difference of the loss at two opposite shifts. */
static double central(const struct op_case *c, int input, const struct slope *slope, double step, double *const *out)
{
    return (double)(shifted_loss(c, input, slope, step, out) - shifted_loss(c, input, slope, -step, out));
}

/* measure_slope: by differences of fourth order (their error is step^4 / 30 times the fifth derivative) with two steps.
 * Where the two disagree there is a kink nearby, and smaller steps are tried; NAN: there always is one. */
static double measure_slope(const struct op_case *c, int input, const struct slope *slope, double *const *out)
{
    double loss = fabs((double)loss_of(c, out));
    for (double step = 1e-3; step > 1e-6; step /= 8) {
        double whole = central(c, input, slope, step, out);
        double coarse = (8 * whole - central(c, input, slope, 2 * step, out)) / (12 * step);
        double fine = (8 * central(c, input, slope, step / 2, out) - whole) / (6 * step);
        double rounding = 2e-16 * (loss + 1) / step;
        if (fabs(coarse - fine) <= 1e-9 * (fabs(fine) + 1) + rounding) {
            return fine;
        }
    }
    return NAN;
}

/* slopes_each: fewer where each evaluation of the reference is long. */
static int slopes_each(const struct op_case *c)
{
    enum { LONG = 20000 };
    int64_t numbers = 0;
    for (int i = 0; i < c->call.n_inputs; i++) {
        numbers += c->in_count[i];
    }
    return numbers > LONG ? SLOPES_EACH / 4 : SLOPES_EACH;
}

static void measure_slopes(struct op_case *c, int input)
{
    const int each = slopes_each(c);
    struct random_key key = {c->seed, 1000U + (uint32_t)input, 0};
    int64_t n = c->in_count[input];
    bool all = n <= each;
    int count = all ? (int)n : each / 2 + SLOPES_DIRECTIONS;
    double *out[OP_MAX_OUTPUTS] = {NULL};
    for (int o = 0; o < c->call.n_outputs; o++) {
        out[o] = op_take(c->out_count[o], sizeof(double));
    }
    c->slopes[input] = op_take(count, sizeof(struct slope));
    for (int s = 0; s < count; s++) {
        struct slope slope = {.direction = s};
        slope.element = all ? s : s < each / 2 ? (int64_t)(random_u32(&key, (uint64_t)s) % (uint64_t)n) : -1;
        slope.value = measure_slope(c, input, &slope, out);
        if (isfinite(slope.value)) {
            c->slopes[input][c->n_slopes[input]++] = slope;
        }
    }
    if (2 * c->n_slopes[input] < count) {
        op_case_fail(c, "only %d of %d slopes of the reference along input %d can be measured", c->n_slopes[input],
                     count, input);
    }
    for (int o = 0; o < c->call.n_outputs; o++) {
        free(out[o]);
    }
}

void op_case_fill(struct op_case *c, uint64_t seed)
{
    for (int i = 0; i < c->call.n_inputs; i++) {
        op_fill_input(&c->example->in[i], i, seed, c->in_count[i], c->in[i]);
    }
    run_reference(c, c->out_values);
}

static bool make_call(struct op_case *c)
{
    c->call = (struct op_call){.ctx = c->ctx,
                               .op = c->op,
                               .attributes = c->example->attributes,
                               .name = c->op->name,
                               .n_inputs = c->example->n_inputs,
                               .n_outputs = c->op->outputs,
                               .random = &c->random};
    for (int i = 0; i < c->example->n_inputs; i++) {
        const struct op_example_input *input = &c->example->in[i];
        c->call.in[i].element = op_fill_element(input->fill);
        c->call.in[i].shape = shape_of(input->rank, input->dim);
        c->in_count[i] = shape_elements(&c->call.in[i].shape);
    }
    error_clear(c->ctx);
    if (c->op->shape(&c->call) != STATUS_OK) {
        op_case_fail(c, "shape refuses: %s", c->ctx->error.message);
        error_clear(c->ctx);
        return false;
    }
    if (c->call.n_outputs < 1 || c->call.n_outputs > c->op->outputs) {
        op_case_fail(c, "shape made %d outputs of at most %d", c->call.n_outputs, c->op->outputs);
        return false;
    }
    for (int o = 0; o < c->call.n_outputs; o++) {
        c->out_count[o] = shape_elements(&c->call.out[o].shape);
        if (c->out_count[o] < 1) {
            char text[SHAPE_TEXT_SIZE];
            op_case_fail(c, "output %d has the shape %s", o, shape_text(&c->call.out[o].shape, text));
            return false;
        }
    }
    return true;
}

bool op_case_new(struct op_case *c, FILE *out, struct context *ctx, const struct op *op,
                 const struct op_example *example, uint64_t seed)
{
    *c = (struct op_case){.out = out, .ctx = ctx, .op = op, .example = example, .seed = seed};
    c->random = (struct op_random){seed, 3};
    snprintf(c->where, sizeof(c->where), "described");
    if (example->n_inputs < op->inputs_min || example->n_inputs > op->inputs_max || example->n_inputs > OP_MAX_INPUTS) {
        op_case_fail(c, "%d inputs, the op takes %d to %d", example->n_inputs, op->inputs_min, op->inputs_max);
        return false;
    }
    if (!make_call(c)) {
        return false;
    }
    for (int i = 0; i < c->call.n_inputs; i++) {
        c->in[i] = op_take(c->in_count[i], sizeof(double));
    }
    struct random_key key = {seed, 2000, 0};
    for (int o = 0; o < c->call.n_outputs; o++) {
        c->out_values[o] = op_take(c->out_count[o], sizeof(double));
        if (c->call.out[o].element != ELEMENT_REAL) {
            continue;
        }
        c->weights[o] = op_take(c->out_count[o], sizeof(double));
        for (int64_t i = 0; i < c->out_count[o]; i++) {
            c->weights[o][i] = (double)(float)random_normal(&key, (uint64_t)(i * OP_MAX_OUTPUTS + o));
        }
    }
    op_case_fill(c, seed);
    for (int i = 0; op->backward && i < c->call.n_inputs; i++) {
        c->wanted[i] = c->call.in[i].element == ELEMENT_REAL && !example->in[i].constant;
        if (c->wanted[i]) {
            measure_slopes(c, i);
        }
    }
    return true;
}

void op_case_free(struct op_case *c)
{
    for (int i = 0; i < OP_MAX_INPUTS; i++) {
        free(c->in[i]);
        free(c->slopes[i]);
    }
    for (int o = 0; o < OP_MAX_OUTPUTS; o++) {
        free(c->out_values[o]);
        free(c->weights[o]);
    }
}
