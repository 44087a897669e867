/* op_run.c: an op's kernels against its reference, in guarded and poisoned memory. */
#include "support/compare.h"
#include "support/op_bench.h"

#include <string.h>

void bench_put(enum element element, int64_t n, const double *values, struct guarded *to)
{
    for (int64_t i = 0; i < n; i++) {
        element_write(element, to->data, i, values[i]);
    }
}

struct guarded bench_buffer(const struct tensor_spec *spec)
{
    return guarded_new((size_t)shape_elements(&spec->shape) * element_size(spec->element));
}

static void put_inputs(struct bench *b)
{
    for (int i = 0; i < b->call.n_inputs; i++) {
        bench_put(b->call.in[i].element, b->c->in_count[i], b->c->in[i], &b->in[i]);
    }
}

static bool bench_new(struct bench *b, struct op_case *c, struct kernel_context *kernels, enum element element,
                      bool backward)
{
    *b = (struct bench){.c = c, .call = c->call, .table = kernels_of(kernels, element), .threads = kernels->threads};
    b->tolerance = element == ELEMENT_F64 ? 1e-11 : c->example->tolerance > 0 ? c->example->tolerance : 1e-5;
    b->call.kernels = kernels;
    for (int i = 0; i < c->call.n_inputs; i++) {
        if (b->call.in[i].element == ELEMENT_REAL) {
            b->call.in[i].element = element;
        }
        b->in[i] = bench_buffer(&b->call.in[i]);
    }
    for (int o = 0; o < c->call.n_outputs; o++) {
        if (b->call.out[o].element == ELEMENT_REAL) {
            b->call.out[o].element = element;
        }
        b->out[o] = bench_buffer(&b->call.out[o]);
    }
    put_inputs(b);
    error_clear(c->ctx);
    if (c->op->prepare && c->op->prepare(&b->call, backward, &b->needs) != STATUS_OK) {
        op_case_fail(c, "prepare refuses: %s", c->ctx->error.message);
        error_clear(c->ctx);
        return false;
    }
    if (c->op->prepare && !b->needs.kernel) {
        op_case_fail(c, "prepare names no kernel");
    }
    b->saved = guarded_new(b->needs.saved_bytes);
    b->derived = guarded_new(b->needs.derived_bytes);
    return true;
}

static void bench_free(struct bench *b)
{
    for (int i = 0; i < OP_MAX_INPUTS; i++) {
        guarded_free(&b->in[i]);
    }
    for (int o = 0; o < OP_MAX_OUTPUTS; o++) {
        guarded_free(&b->out[o]);
    }
    guarded_free(&b->saved);
    guarded_free(&b->derived);
    if (b->c->op->release && b->needs.plan) {
        b->c->op->release(b->needs.plan);
    }
}

struct pointers bench_pointers(const struct bench *b)
{
    struct pointers p = {{NULL}, {NULL}, {NULL}, {NULL}, {false}};
    for (int i = 0; i < b->call.n_inputs; i++) {
        p.in[i] = b->in[i].data;
    }
    for (int o = 0; o < b->call.n_outputs; o++) {
        p.out[o] = b->out[o].data;
    }
    return p;
}

void bench_call(struct bench *b, void (*function)(const struct op_run *), const char *what, const struct pointers *p,
                bool keep, bool stale, size_t scratch_bytes)
{
    struct op_case *c = b->c;
    struct guarded scratch = guarded_new(scratch_bytes);
    struct guarded inputs[OP_MAX_INPUTS];
    for (int i = 0; i < b->call.n_inputs; i++) {
        inputs[i] = guarded_copy(&b->in[i]);
    }
    struct guarded saved = guarded_copy(&b->saved);
    struct op_run run = {.call = &b->call,
                         .table = b->table,
                         .plan = b->needs.plan,
                         .in = p->in,
                         .out = p->out,
                         .d_out = p->d_out,
                         .d_in = p->d_in,
                         .add = p->add,
                         .saved = b->saved.bytes && keep ? b->saved.data : NULL,
                         .scratch = scratch_bytes ? scratch.data : NULL,
                         .derived = b->derived.bytes ? b->derived.data : NULL,
                         .derived_stale = stale,
                         .keep = keep,
                         .threads = b->threads};
    function(&run);
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!guarded_intact(&b->in[i]) || !guarded_same(&b->in[i], &inputs[i])) {
            op_case_fail(c, "%s writes to input %d", what, i);
            memcpy(b->in[i].data, inputs[i].data, inputs[i].bytes);
        }
        guarded_free(&inputs[i]);
    }
    for (int o = 0; o < b->call.n_outputs; o++) {
        if (!guarded_intact(&b->out[o])) {
            op_case_fail(c, "%s writes beyond output %d", what, o);
        }
    }
    if (function != c->op->forward && !guarded_same(&b->saved, &saved)) {
        op_case_fail(c, "%s writes to saved", what);
    }
    if (!guarded_intact(&scratch)) {
        op_case_fail(c, "%s writes beyond its scratch of %zu bytes", what, scratch_bytes);
    }
    if (!guarded_intact(&b->saved) || !guarded_intact(&b->derived)) {
        op_case_fail(c, "%s writes beyond saved (%zu bytes) or derived (%zu bytes)", what, b->saved.bytes,
                     b->derived.bytes);
    }
    guarded_free(&saved);
    guarded_free(&scratch);
}

static void poison_outputs(struct bench *b)
{
    for (int o = 0; o < b->call.n_outputs; o++) {
        guarded_poison(&b->out[o]);
    }
}

static void forward(struct bench *b, const char *what, bool keep, bool stale)
{
    struct pointers p = bench_pointers(b);
    poison_outputs(b);
    bench_call(b, b->c->op->forward, what, &p, keep, stale, b->needs.forward_scratch);
}

static void compare_outputs(struct bench *b, const char *what)
{
    for (int o = 0; o < b->call.n_outputs; o++) {
        char title[96];
        snprintf(title, sizeof(title), "%s: output %d", what, o);
        if (compare_elements(b->c->out, title, b->c->out_count[o], b->c->out_values[o], b->call.out[o].element,
                             b->out[o].data, b->tolerance, 1e-3) > 0) {
            op_case_fail(b->c, "%s differs from the reference in output %d", what, o);
        }
    }
}

void bench_same_outputs(struct bench *b, const struct guarded *expected, const char *what)
{
    for (int o = 0; o < b->call.n_outputs; o++) {
        if (!guarded_same(&b->out[o], &expected[o])) {
            op_case_fail(b->c, "%s gives other bits in output %d", what, o);
        }
    }
}

/* check_one_thread: where our own kernels have more threads than the library's, one gives the same bits. */
static void check_one_thread(struct bench *b, const struct guarded *expected, bool keep)
{
    const struct kernel_context *kernels = b->call.kernels;
    if (kernels->threads == kernels->library_threads)
        return;
    b->threads = 1;
    forward(b, "forward on one thread", keep, true);
    bench_same_outputs(b, expected, "forward on one thread");
    b->threads = kernels->threads;
}

/* check_overwrite: out[0] in the memory of an input that prepare permits gives the same bits. */
static void check_overwrite(struct bench *b, const struct guarded *expected, bool keep)
{
    for (int i = 0; i < b->call.n_inputs; i++) {
        if (!(b->needs.overwrite >> i & 1U) || b->in[i].bytes < b->out[0].bytes) {
            continue;
        }
        struct guarded shared = guarded_copy(&b->in[i]);
        struct pointers p = bench_pointers(b);
        poison_outputs(b);
        p.in[i] = p.out[0] = shared.data;
        bench_call(b, b->c->op->forward, "forward in place", &p, keep, true, b->needs.forward_scratch);
        if (!guarded_intact(&shared)) {
            op_case_fail(b->c, "forward in place of input %d writes beyond it", i);
        }
        memcpy(b->out[0].data, shared.data, b->out[0].bytes);
        bench_same_outputs(b, expected, "forward in place");
        guarded_free(&shared);
    }
}

/* check_inference: without backward; repeated with what was derived from the first run, then with other inputs. */
static void check_inference(struct op_case *c, struct kernel_context *kernels, enum element element)
{
    struct bench b;
    if (bench_new(&b, c, kernels, element, false)) {
        struct guarded first[OP_MAX_OUTPUTS];
        forward(&b, "inference", false, true);
        compare_outputs(&b, "inference");
        for (int o = 0; o < b.call.n_outputs; o++) {
            first[o] = guarded_copy(&b.out[o]);
        }
        forward(&b, "inference again", false, false);
        bench_same_outputs(&b, first, "inference again");
        check_one_thread(&b, first, false);
        check_overwrite(&b, first, false);
        for (int o = 0; o < b.call.n_outputs; o++) {
            guarded_free(&first[o]);
        }
        op_case_fill(c, c->seed + 1);
        put_inputs(&b);
        forward(&b, "inference of other values", false, true);
        compare_outputs(&b, "inference of other values");
        op_case_fill(c, c->seed);
    }
    bench_free(&b);
}

/* check_training: forward that keeps, recompute, backward. */
static void check_training(struct op_case *c, struct kernel_context *kernels, enum element element)
{
    struct bench b;
    if (bench_new(&b, c, kernels, element, true)) {
        struct guarded first[OP_MAX_OUTPUTS];
        forward(&b, "training", true, true);
        compare_outputs(&b, "training");
        for (int o = 0; o < b.call.n_outputs; o++) {
            first[o] = guarded_copy(&b.out[o]);
        }
        check_one_thread(&b, first, true);
        check_overwrite(&b, first, true);
        if (b.needs.recomputes && !c->op->recompute) {
            op_case_fail(c, "prepare promises a recompute that the op does not have");
        } else if (b.needs.recomputes) {
            struct pointers p = bench_pointers(&b);
            poison_outputs(&b);
            bench_call(&b, c->op->recompute, "recompute", &p, true, false, b.needs.forward_scratch);
            bench_same_outputs(&b, first, "recompute");
        }
        for (int o = 0; o < b.call.n_outputs; o++) {
            memcpy(b.out[o].data, first[o].data, first[o].bytes);
            guarded_free(&first[o]);
        }
        bench_backward(&b);
    }
    bench_free(&b);
}

void op_case_run(struct op_case *c, struct kernel_context *kernels, enum element element)
{
    snprintf(c->where, sizeof(c->where), "%s, %d thread%s%s", element_text(element), kernels->threads,
             kernels->threads > 1 ? "s" : "", kernels->threads > kernels->library_threads ? " of ours" : "");
    check_inference(c, kernels, element);
    bool wanted = false;
    for (int i = 0; i < c->call.n_inputs; i++) {
        wanted = wanted || c->wanted[i];
    }
    if (wanted) {
        check_training(c, kernels, element);
    }
}
