/* op_backward.c: gradients against central differences of the reference, and all the ways to ask for them. */
#include "support/compare.h"
#include "support/op_bench.h"

#include "base/random.h"

#include <math.h>
#include <string.h>

struct gradients {
    struct guarded d_out[OP_MAX_OUTPUTS], d_in[OP_MAX_INPUTS];
};

static struct gradients gradients_new(const struct bench *b)
{
    struct gradients g = {{{NULL, 0, NULL}}, {{NULL, 0, NULL}}};
    for (int o = 0; o < b->call.n_outputs; o++) {
        if (b->c->weights[o]) {
            g.d_out[o] = bench_buffer(&b->call.out[o]);
            bench_put(b->call.out[o].element, b->c->out_count[o], b->c->weights[o], &g.d_out[o]);
        }
    }
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (b->c->wanted[i]) {
            g.d_in[i] = bench_buffer(&b->call.in[i]);
        }
    }
    return g;
}

static void gradients_free(struct gradients *g)
{
    for (int o = 0; o < OP_MAX_OUTPUTS; o++) {
        guarded_free(&g->d_out[o]);
    }
    for (int i = 0; i < OP_MAX_INPUTS; i++) {
        guarded_free(&g->d_in[i]);
    }
}

static struct pointers gradient_pointers(const struct bench *b, const struct gradients *g)
{
    struct pointers p = bench_pointers(b);
    for (int o = 0; o < b->call.n_outputs; o++) {
        p.d_out[o] = g->d_out[o].data;
    }
    for (int i = 0; i < b->call.n_inputs; i++) {
        p.d_in[i] = g->d_in[i].data;
    }
    return p;
}

static void backward(struct bench *b, const char *what, const struct gradients *g, const struct pointers *p)
{
    struct guarded d_out[OP_MAX_OUTPUTS];
    for (int o = 0; o < b->call.n_outputs; o++) {
        d_out[o] = guarded_copy(&g->d_out[o]);
    }
    bench_call(b, b->c->op->backward, what, p, true, false, b->needs.backward_scratch);
    for (int o = 0; o < b->call.n_outputs; o++) {
        bool lent = false; /* as room for a gradient */
        for (int i = 0; i < b->call.n_inputs; i++) {
            lent = lent || (p->d_in[i] && p->d_in[i] == p->d_out[o]);
        }
        if (!guarded_intact(&g->d_out[o]) || (!lent && !guarded_same(&g->d_out[o], &d_out[o]))) {
            op_case_fail(b->c, "%s writes to the gradient of output %d", what, o);
        }
        guarded_free(&d_out[o]);
    }
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!guarded_intact(&g->d_in[i])) {
            op_case_fail(b->c, "%s writes beyond the gradient of input %d", what, i);
        }
    }
}

/* compare_slopes: the gradient against central differences of the reference. */
static void compare_slopes(struct bench *b, int input, const struct guarded *d_in)
{
    struct op_case *c = b->c;
    enum element element = b->call.in[input].element;
    double tolerance = element != ELEMENT_F64 ? b->tolerance : c->example->bounded > 0 ? c->example->bounded : 1e-8;
    double expected[SLOPES_EACH + SLOPES_DIRECTIONS], found[SLOPES_EACH + SLOPES_DIRECTIONS], largest = 1e-3;
    int64_t n = c->in_count[input];
    for (int64_t i = 0; i < n; i++) {
        double value = element_read(element, d_in->data, i);
        largest = fabs(value) > largest ? fabs(value) : largest;
    }
    for (int s = 0; s < c->n_slopes[input]; s++) {
        const struct slope *slope = &c->slopes[input][s];
        double sum = 0, scale = 1;
        if (slope->element >= 0) {
            sum = element_read(element, d_in->data, slope->element);
        } else {
            for (int64_t i = 0; i < n; i++) {
                sum += slope_sign(slope->direction, i) * element_read(element, d_in->data, i);
            }
            scale = 1 / sqrt((double)n); /* errors of n elements add up like this */
        }
        expected[s] = slope->value * scale;
        found[s] = sum * scale;
    }
    char title[96];
    snprintf(title, sizeof(title), "gradient of input %d", input);
    /* A gradient that is not finite must not set the scale. */
    if (compare_numbers(c->out, title, c->n_slopes[input], expected, found, tolerance,
                        isfinite(largest) ? largest : 1) > 0) {
        op_case_fail(c, "backward differs from central differences of the reference in input %d", input);
    }
}

static void compare_gradient(struct bench *b, int input, const struct guarded *found, const double *expected,
                             const char *what)
{
    char title[128];
    snprintf(title, sizeof(title), "%s: gradient of input %d", what, input);
    if (compare_elements(b->c->out, title, b->c->in_count[input], expected, b->call.in[input].element, found->data,
                         b->tolerance, 1e-3) > 0) {
        op_case_fail(b->c, "%s: the gradient of input %d is another", what, input);
    }
}

/* check_modes: input `odd` adds to what is there (or, with `without`, is not wanted) while the others overwrite. */
static void check_modes(struct bench *b, const struct gradients *plain, int odd, bool without)
{
    struct gradients g = gradients_new(b);
    struct pointers p = gradient_pointers(b, &g);
    struct random_key key = {b->c->seed, 3000, 0};
    const char *what = without ? "one gradient not wanted" : "one gradient added";
    int wanted = 0;
    if (without) {
        p.d_in[odd] = NULL;
    } else {
        p.add[odd] = true;
        for (int64_t i = 0; i < b->c->in_count[odd]; i++) {
            element_write(b->call.in[odd].element, g.d_in[odd].data, i,
                          (double)(float)random_normal(&key, (uint64_t)i));
        }
    }
    for (int i = 0; i < b->call.n_inputs; i++) {
        wanted += p.d_in[i] != NULL;
    }
    if (wanted > 0) {
        backward(b, what, &g, &p);
    }
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!p.d_in[i]) {
            continue;
        }
        struct guarded expected = guarded_new((size_t)b->c->in_count[i] * sizeof(double));
        double *numbers = expected.data;
        for (int64_t e = 0; e < b->c->in_count[i]; e++) {
            numbers[e] = element_read(b->call.in[i].element, plain->d_in[i].data, e);
            numbers[e] += i == odd ? (double)(float)random_normal(&key, (uint64_t)e) : 0;
        }
        compare_gradient(b, i, &g.d_in[i], numbers, what);
        guarded_free(&expected);
    }
    gradients_free(&g);
}

/* check_gradient_overwrite: d_in[i] in the memory of d_out[0] gives the same bits. */
static void check_gradient_overwrite(struct bench *b, const struct gradients *plain)
{
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!(b->needs.gradient_overwrite >> i & 1U) || !b->c->wanted[i] || b->in[i].bytes != b->out[0].bytes) {
            continue;
        }
        struct gradients g = gradients_new(b);
        struct pointers p = gradient_pointers(b, &g);
        p.d_in[i] = g.d_out[0].data;
        backward(b, "backward in place", &g, &p);
        for (int k = 0; k < b->call.n_inputs; k++) {
            const struct guarded *found = k == i ? &g.d_out[0] : &g.d_in[k];
            if (b->c->wanted[k] && memcmp(found->data, plain->d_in[k].data, found->bytes) != 0) {
                op_case_fail(b->c, "backward in place of output 0's gradient gives other bits for input %d", k);
            }
        }
        gradients_free(&g);
    }
}

/* check_one_thread: where our own kernels have more threads than the library's, one gives the same bits. */
static void check_one_thread(struct bench *b, const struct gradients *plain)
{
    const struct kernel_context *kernels = b->call.kernels;
    if (kernels->threads == kernels->library_threads) {
        return;
    }
    struct gradients g = gradients_new(b);
    struct pointers p = gradient_pointers(b, &g);
    b->threads = 1;
    backward(b, "backward on one thread", &g, &p);
    b->threads = kernels->threads;
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (b->c->wanted[i] && !guarded_same(&g.d_in[i], &plain->d_in[i])) {
            op_case_fail(b->c, "backward on one thread gives other bits for input %d", i);
        }
    }
    gradients_free(&g);
}

/* check_single_outputs: gradients of the outputs one at a time add up to that of all. */
static void check_single_outputs(struct bench *b, const struct gradients *plain)
{
    int with = 0;
    for (int o = 0; o < b->call.n_outputs; o++) {
        with += b->c->weights[o] != NULL;
    }
    if (with < 2) {
        return;
    }
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!b->c->wanted[i]) {
            continue;
        }
        struct guarded sum = guarded_new((size_t)b->c->in_count[i] * sizeof(double));
        double *numbers = sum.data;
        memset(numbers, 0, sum.bytes);
        for (int o = 0; o < b->call.n_outputs; o++) {
            struct gradients g = gradients_new(b);
            struct pointers p = gradient_pointers(b, &g);
            for (int other = 0; other < b->call.n_outputs; other++) {
                p.d_out[other] = other == o ? p.d_out[other] : NULL;
            }
            if (p.d_out[o]) {
                backward(b, "backward of one output", &g, &p);
            }
            for (int64_t e = 0; p.d_out[o] && e < b->c->in_count[i]; e++) {
                numbers[e] += element_read(b->call.in[i].element, g.d_in[i].data, e);
            }
            gradients_free(&g);
        }
        compare_gradient(b, i, &plain->d_in[i], numbers, "outputs one at a time");
        guarded_free(&sum);
    }
}

void bench_backward(struct bench *b)
{
    /* What backward said it does not read is not there any more. */
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!(b->needs.reads_inputs >> i & 1U)) {
            guarded_poison(&b->in[i]);
        }
    }
    for (int o = 0; o < b->call.n_outputs; o++) {
        if (!(b->needs.reads_outputs >> o & 1U)) {
            guarded_poison(&b->out[o]);
        }
    }
    struct guarded outputs[OP_MAX_OUTPUTS];
    for (int o = 0; o < b->call.n_outputs; o++) {
        outputs[o] = guarded_copy(&b->out[o]);
    }
    struct gradients plain = gradients_new(b);
    struct pointers p = gradient_pointers(b, &plain);
    backward(b, "backward", &plain, &p);
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (b->c->wanted[i]) {
            compare_slopes(b, i, &plain.d_in[i]);
            check_modes(b, &plain, i, false);
            check_modes(b, &plain, i, true);
        }
    }
    check_one_thread(b, &plain);
    check_gradient_overwrite(b, &plain);
    check_single_outputs(b, &plain);
    bench_same_outputs(b, outputs, "an output after backward");
    for (int o = 0; o < b->call.n_outputs; o++) {
        guarded_free(&outputs[o]);
    }
    gradients_free(&plain);
}
