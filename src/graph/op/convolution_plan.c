/* convolution_plan.c: which kernels a convolution runs, what memory they need, and its passes.
 *
 * Own loops: "winograd" (3x3 of stride 1; kernel/convolution.c chooses it), "direct" (any shape) and "depthwise". The
 * library does a pass where it was measured to be faster: with AVX-512 and many channels, and in most depthwise passes.
 * docs/kernels.md has the table.
 *
 * derived: [scale [O], shift [O] if fold] [packed weights]. Backward packs its weights into scratch: in training they change at
 * every step anyway. */
#include "graph/op/convolution.h"

#include "kernel/dnnl.h"
#include "kernel/winograd.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Fewer channels than this on either side leave the library's blocks half empty; so many channels fill its vectors. */
enum { LIBRARY_CHANNELS = 32, LIBRARY_LANES = 8 };

/* A 1x1 convolution from at most so many channels to so many times as many is made again for backward rather than kept. */
enum { WIDENED_CHANNELS = 8, WIDENED_TIMES = 4 };

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* library_faster: was the library measured to do this pass in less time than our loops? */
static bool library_faster(const struct kernel_context *kernels, const struct convolution_plan *p,
                           enum onednn_kind kind)
{
    const struct convolution_shape *s = &p->shape;
    if (p->depthwise)
        return s->out_size[0] * s->out_size[1] > 1 && (kind != ONEDNN_DATA || s->in % LIBRARY_LANES == 0);
    return strcmp(kernels->f32->level, "v4") == 0 && s->groups == 1 && s->in >= LIBRARY_CHANNELS &&
           s->out >= LIBRARY_CHANNELS;
}

/* library_pass: *out stays NULL where the library has nothing better than our loops. */
static enum status library_pass(const struct op_call *call, struct convolution_plan *p, enum onednn_kind kind,
                                struct onednn_pass **out)
{
    const enum kernel_choice choice = call->kernels->choice;
    if (call->in[0].element != ELEMENT_F32 || choice == KERNEL_CHOICE_OWN ||
        (choice == KERNEL_CHOICE_MEASURED && !library_faster(call->kernels, p, kind)))
        return STATUS_OK;
    const bool forward = kind == ONEDNN_FORWARD;
    enum status status = onednn_convolution_new(call->kernels, &p->shape, kind, forward && (p->has_bias || p->fold),
                                                forward ? p->limit : -1, out);
    if (status != STATUS_OK && status != STATUS_UNSUPPORTED)
        return status;
    /* What was measured is this kind of kernel; what the library falls back to (DNNL_MAX_CPU_ISA) is slower than ours. */
    if (*out && choice == KERNEL_CHOICE_MEASURED &&
        !strstr(onednn_pass_name(*out), p->depthwise ? "jit_dw" : "avx512")) {
        onednn_pass_free(*out);
        *out = NULL;
    }
    return STATUS_OK;
}

static void describe(const struct op_call *call, struct convolution_plan *p)
{
    const struct convolution_attributes *a = call->attributes;
    const struct shape in = convolution_map(&call->in[0].shape), out = convolution_map(&call->out[0].shape);
    const int64_t *x = in.dim, *y = out.dim;
    struct convolution_shape *s = &p->shape;
    s->batch = x[0];
    s->in = x[3];
    s->out = a->c.out;
    s->groups = a->c.groups;
    for (int i = 0; i < 2; i++) {
        s->size[i] = x[1 + i];
        s->out_size[i] = y[1 + i];
        s->kernel[i] = a->c.kernel[i];
        s->stride[i] = a->c.stride[i];
        s->padding[i] = a->c.padding[i];
        s->dilation[i] = a->c.dilation[i];
    }
    p->ctx = call->ctx;
    p->depthwise = convolution_depthwise(s);
    p->has_bias = a->has_bias;
    p->fold = a->fold;
    p->epsilon = a->epsilon;
    p->limit = a->activation == ACTIVATION_RELU ? INFINITY : a->activation == ACTIVATION_RELU6 ? 6 : -1;
    p->size = element_size(call->in[0].element);
}

/* Bytes of scale and of shift, each. */
static size_t fold_bytes(const struct convolution_plan *p)
{
    return p->fold ? bytes_rounded((size_t)p->shape.out * p->size) : 0;
}

static size_t weight_bytes(const struct convolution_plan *p)
{
    const struct convolution_shape *s = &p->shape;
    return bytes_rounded((size_t)(s->out * (s->in / s->groups) * s->kernel[0] * s->kernel[1]) * p->size);
}

static size_t packed_bytes(const struct convolution_plan *p, const struct onednn_pass *library)
{
    if (library)
        return bytes_rounded(onednn_packed_bytes(library));
    return p->depthwise ? depthwise_packed_bytes(&p->shape, p->size) : convolution_packed_bytes(&p->shape, p->size);
}

static void forward_needs(const struct convolution_plan *p, int threads, struct op_needs *needs)
{
    needs->derived_bytes = 2 * fold_bytes(p) + packed_bytes(p, p->forward);
    if (p->forward)
        needs->forward_scratch = larger(onednn_scratch_bytes(p->forward), p->fold ? weight_bytes(p) : 0);
    else if (!p->depthwise)
        needs->forward_scratch = convolution_forward_scratch(&p->shape, p->size, threads);
}

static void backward_needs(const struct convolution_plan *p, int threads, struct op_needs *needs)
{
    const struct convolution_shape *s = &p->shape;
    size_t data = packed_bytes(p, p->data), weights;
    if (p->data) /* the library overwrites: what is to be added is made beside it first */
        data += bytes_rounded(onednn_scratch_bytes(p->data)) +
                bytes_rounded((size_t)(s->batch * s->size[0] * s->size[1] * s->in) * p->size);
    else if (!p->depthwise)
        data += convolution_data_scratch(s, p->size, threads);
    if (p->weights)
        weights = bytes_rounded(onednn_scratch_bytes(p->weights)) + weight_bytes(p);
    else
        weights = convolution_weights_scratch(s, p->size, threads);
    needs->backward_scratch = larger(larger(data, weights), column_sum_scratch(s->out, p->size));
    needs->reads_inputs = 1U << 0 | 1U << 1;
}

/* widens: its output is much larger than what it is made from, and made again with a few multiply-adds a number. */
static bool widens(const struct convolution_shape *s)
{
    return convolution_point(s) && s->groups == 1 && s->in <= WIDENED_CHANNELS && s->out >= WIDENED_TIMES * s->in;
}

/* The name of the forward kernel, and of the others where they differ. */
static void name_kernels(struct convolution_plan *p, bool backward)
{
    const char *own = p->depthwise ? "depthwise" : winograd_suits(&p->shape) ? "winograd" : "direct";
    const struct onednn_pass *passes[] = {p->forward, p->data, p->weights};
    const char *names[3];
    for (int i = 0; i < 3; i++)
        names[i] = passes[i] ? onednn_pass_name(passes[i]) : own;
#define LIBRARY(i) passes[i] ? "dnnl:" : "", names[i]
    if (!backward || (strcmp(names[0], names[1]) == 0 && strcmp(names[0], names[2]) == 0))
        snprintf(p->kernel, sizeof p->kernel, "%s%s", LIBRARY(0));
    else
        snprintf(p->kernel, sizeof p->kernel, "%s%s, data %s%s, weights %s%s", LIBRARY(0), LIBRARY(1), LIBRARY(2));
#undef LIBRARY
}

enum status convolution_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    enum status status = STATUS_OK;
    struct convolution_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    describe(call, p);
    TRY(library_pass(call, p, ONEDNN_FORWARD, &p->forward));
    if (backward) {
        TRY(library_pass(call, p, ONEDNN_DATA, &p->data));
        TRY(library_pass(call, p, ONEDNN_WEIGHTS, &p->weights));
        backward_needs(p, call->kernels->threads, needs);
    }
    forward_needs(p, call->kernels->threads, needs);
    needs->recomputes = widens(&p->shape);
    name_kernels(p, backward);
    needs->kernel = p->kernel;
    needs->plan = p;
    p = NULL;
cleanup:
    convolution_release(p);
    return status;
}

void convolution_release(void *plan)
{
    struct convolution_plan *p = plan;
    if (!p)
        return;
    onednn_pass_free(p->forward);
    onednn_pass_free(p->data);
    onednn_pass_free(p->weights);
    memory_free(p->ctx, p);
}

/* derive: the packed weights, with what is folded into them. */
static void derive(const struct op_run *run, const void *bias)
{
    const struct convolution_plan *p = run->plan;
    const struct convolution_shape *s = &p->shape;
    char *scale = run->derived, *shift = scale + fold_bytes(p), *packed = shift + fold_bytes(p);
    const void *weight = run->in[1];
    if (p->fold) {
        const void *const *norm = run->in + 2 + p->has_bias; /* gamma, beta, mean, var */
        run->table->convolution_fold(s->out, bias, norm[0], norm[1], norm[2], norm[3], p->epsilon, scale, shift);
        bias = shift;
    }
    if (p->forward) {
        if (p->fold) {
            run->table->scale_rows(s->out, s->in / s->groups * s->kernel[0] * s->kernel[1], weight, scale,
                                   run->scratch);
            weight = run->scratch;
        }
        onednn_pack(p->forward, weight, packed);
    } else if (p->depthwise) {
        run->table->depthwise_pack(s, weight, p->fold ? scale : NULL, bias, packed);
    } else {
        run->table->convolution_pack(s, weight, p->fold ? scale : NULL, bias, packed);
    }
}

void convolution_forward(const struct op_run *run)
{
    const struct convolution_plan *p = run->plan;
    const void *bias = p->has_bias ? run->in[2] : NULL;
    const char *shift = (const char *)run->derived + fold_bytes(p), *packed = shift + fold_bytes(p);
    if (run->derived_stale)
        derive(run, bias);
    if (p->forward)
        onednn_forward(p->forward, run->in[0], packed, p->fold ? shift : bias, run->out[0], run->scratch);
    else if (p->depthwise)
        run->table->depthwise_forward(&p->shape, run->in[0], packed, p->limit, run->out[0], run->threads);
    else
        run->table->convolution_forward(&p->shape, run->in[0], packed, p->limit, run->out[0], run->scratch,
                                        run->threads);
}

static void data_backward(const struct op_run *run)
{
    const struct convolution_plan *p = run->plan;
    const struct convolution_shape *s = &p->shape;
    const void *dy = run->d_out[0], *weight = run->in[1];
    char *packed = run->scratch, *scratch = packed + packed_bytes(p, p->data);
    if (p->data) {
        const int64_t columns = s->size[1] * s->in, rows = s->batch * s->size[0];
        void *to = run->add[0] ? scratch + bytes_rounded(onednn_scratch_bytes(p->data)) : run->d_in[0];
        onednn_pack(p->data, weight, packed);
        onednn_data(p->data, dy, packed, to, scratch);
        if (run->add[0])
            run->table->add_rows(to, rows, columns, columns, run->d_in[0], columns);
    } else if (p->depthwise) {
        run->table->depthwise_pack(s, weight, NULL, NULL, packed);
        run->table->depthwise_data(s, dy, packed, run->add[0], run->d_in[0], run->threads);
    } else {
        run->table->convolution_pack_back(s, weight, packed);
        run->table->convolution_data(s, dy, packed, run->add[0], run->d_in[0], scratch, run->threads);
    }
}

static void weights_backward(const struct op_run *run)
{
    const struct convolution_plan *p = run->plan;
    const struct convolution_shape *s = &p->shape;
    const void *x = run->in[0], *dy = run->d_out[0];
    if (p->weights) {
        const int64_t columns = s->in / s->groups * s->kernel[0] * s->kernel[1];
        void *to = run->add[1] ? (char *)run->scratch + bytes_rounded(onednn_scratch_bytes(p->weights)) : run->d_in[1];
        onednn_weights(p->weights, x, dy, to, NULL, run->scratch);
        if (run->add[1])
            run->table->add_rows(to, s->out, columns, columns, run->d_in[1], columns);
    } else if (p->depthwise) {
        run->table->depthwise_weights(s, x, dy, run->add[1], run->d_in[1], run->scratch, run->threads);
    } else {
        run->table->convolution_weights(s, x, dy, run->add[1], run->d_in[1], run->scratch, run->threads);
    }
}

void convolution_backward(const struct op_run *run)
{
    const struct convolution_plan *p = run->plan;
    const struct convolution_shape *s = &p->shape;
    assert(!p->fold && p->limit < 0);
    if (run->d_in[0])
        data_backward(run);
    if (run->d_in[1])
        weights_backward(run);
    if (p->has_bias && run->d_in[2])
        run->table->column_sum(s->batch * s->out_size[0] * s->out_size[1], s->out, run->d_out[0], run->add[2],
                               run->d_in[2], run->scratch, run->threads);
}
