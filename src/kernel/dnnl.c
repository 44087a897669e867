/* dnnl.c: see dnnl.h. Written for oneDNN 2.6, where an operation is described before its primitive descriptor is made;
 * version 3 joins the two steps and would need convolution_describe and onednn_product_new anew. */
#include "kernel/dnnl.h"

#include <dnnl.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

struct dnnl_state {
    struct context *ctx; /* borrowed */
    dnnl_engine_t engine;
    int threads;
    pthread_mutex_t failing; /* passes that run side by side have one context to fail in */
};

/* threads_take: the library asks OpenMP how many the calling thread may use, when it prepares as when it runs. */
static void threads_take(const struct dnnl_state *state)
{
#ifdef _OPENMP
    omp_set_num_threads(state->threads);
#else
    (void)state;
#endif
}

enum { ARGUMENTS_MOST = 5 };

/* One operand: which argument it is, and the library's view of it. */
struct operand {
    int argument;
    dnnl_memory_t memory;
};

struct onednn_pass {
    struct dnnl_state *state;
    dnnl_stream_t stream; /* its own: passes may run side by side */
    enum onednn_kind kind;
    dnnl_primitive_t primitive, reorder; /* reorder NULL: the weights' layout is ours */
    struct operand operands[ARGUMENTS_MOST];
    int n_operands;
    dnnl_memory_t plain, packed; /* both sides of the reorder */
    size_t packed_bytes, own_scratch, scratch_bytes;
    char name[64];
};

/* The first words of its reference implementations' names. */
static bool is_reference(const char *name)
{
    return strstr(name, "ref") != NULL;
}

static enum status refused(struct context *ctx, const char *what, dnnl_status_t result)
{
    return fail(ctx, result == dnnl_out_of_memory ? STATUS_NO_MEMORY : STATUS_UNSUPPORTED, "oneDNN %s: status %d", what,
                (int)result);
}

/* failed_in_run: in a thread of whichever pass. */
static void failed_in_run(struct dnnl_state *state, const char *what, dnnl_status_t result)
{
    pthread_mutex_lock(&state->failing);
    refused(state->ctx, what, result);
    pthread_mutex_unlock(&state->failing);
}

enum status dnnl_state_new(struct context *ctx, int threads, struct dnnl_state **out)
{
    struct dnnl_state *state = memory_new(ctx, 1, sizeof *state);
    if (!state)
        return STATUS_NO_MEMORY;
    state->ctx = ctx;
    state->threads = threads;
    pthread_mutex_init(&state->failing, NULL);
    threads_take(state);
    dnnl_status_t result = dnnl_engine_create(&state->engine, dnnl_cpu, 0);
    if (result != dnnl_success) {
        dnnl_state_free(state);
        return refused(ctx, "has no engine for this CPU", result);
    }
    *out = state;
    return STATUS_OK;
}

void dnnl_state_free(struct dnnl_state *state)
{
    if (!state)
        return;
    dnnl_engine_destroy(state->engine);
    pthread_mutex_destroy(&state->failing);
    memory_free(state->ctx, state);
}

void onednn_pass_free(struct onednn_pass *pass)
{
    if (!pass)
        return;
    for (int i = 0; i < pass->n_operands; i++)
        dnnl_memory_destroy(pass->operands[i].memory);
    dnnl_memory_destroy(pass->plain);
    dnnl_memory_destroy(pass->packed);
    dnnl_primitive_destroy(pass->reorder);
    dnnl_primitive_destroy(pass->primitive);
    dnnl_stream_destroy(pass->stream);
    memory_free(pass->state->ctx, pass);
}

const char *onednn_pass_name(const struct onednn_pass *pass)
{
    return pass->name;
}

size_t onednn_packed_bytes(const struct onednn_pass *pass)
{
    return pass->packed_bytes;
}

size_t onednn_scratch_bytes(const struct onednn_pass *pass)
{
    return pass->scratch_bytes;
}

/* pass_operand: an operand without memory yet. */
static dnnl_status_t pass_operand(struct onednn_pass *pass, int argument, const dnnl_memory_desc_t *description)
{
    struct operand *operand = &pass->operands[pass->n_operands];
    dnnl_status_t result = dnnl_memory_create(&operand->memory, description, pass->state->engine, DNNL_MEMORY_NONE);
    if (result == dnnl_success) {
        operand->argument = argument;
        pass->n_operands++;
    }
    return result;
}

/* What the options of a run come to: library-side clipping, scratch from the caller. */
static dnnl_status_t make_attributes(double limit, dnnl_primitive_attr_t *out)
{
    dnnl_post_ops_t after = NULL;
    dnnl_status_t result = dnnl_primitive_attr_create(out);
    if (result == dnnl_success)
        result = dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user);
    if (result == dnnl_success && limit >= 0) {
        result = dnnl_post_ops_create(&after);
        if (result == dnnl_success && isinf(limit))
            result = dnnl_post_ops_append_eltwise(after, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
        else if (result == dnnl_success)
            result = dnnl_post_ops_append_eltwise(after, 1.0f, dnnl_eltwise_clip, 0.0f, (float)limit);
        if (result == dnnl_success)
            result = dnnl_primitive_attr_set_post_ops(*out, after);
        dnnl_post_ops_destroy(after);
    }
    return result;
}

static dnnl_status_t pass_reorder(struct onednn_pass *pass, const dnnl_memory_desc_t *from,
                                  const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_engine_t engine = pass->state->engine;
    dnnl_status_t result = make_attributes(-1, &attributes);
    if (result == dnnl_success)
        result = dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, attributes);
    /* With scratch of its own it would have to run in the thread that made it; none here has any. */
    if (result == dnnl_success &&
        dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0)) > 0)
        result = dnnl_unimplemented;
    if (result == dnnl_success)
        result = dnnl_primitive_create(&pass->reorder, description);
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_attr_destroy(attributes);
    return result;
}

/* pass_finish: the primitive, its name and its scratch. UNSUPPORTED, nothing recorded, for a reference. */
static enum status pass_finish(struct onednn_pass *pass, const_dnnl_primitive_desc_t description)
{
    const char *name = "";
    dnnl_primitive_desc_query(description, dnnl_query_impl_info_str, 0, &name);
    if (is_reference(name))
        return STATUS_UNSUPPORTED;
    strncpy(pass->name, name, sizeof pass->name - 1);
    const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    dnnl_status_t result = dnnl_primitive_create(&pass->primitive, description);
    if (result == dnnl_success)
        result = pass_operand(pass, DNNL_ARG_SCRATCHPAD, scratch);
    if (result != dnnl_success)
        return refused(pass->state->ctx, "could not make a primitive", result);
    pass->own_scratch = bytes_rounded(dnnl_memory_desc_get_size(scratch));
    pass->scratch_bytes = pass->own_scratch;
    return STATUS_OK;
}

/* The operands' descriptions of one pass of a convolution. */
struct convolution_operands {
    dnnl_memory_desc_t x, y, weight, bias, plain;
    dnnl_dims_t stride, padding, after, dilation;
};

static dnnl_status_t describe_operands(const struct convolution_shape *s, struct convolution_operands *o)
{
    const bool grouped = s->groups > 1;
    const int rank = grouped ? 5 : 4;
    dnnl_dims_t x = {s->batch, s->in, s->size[0], s->size[1]}, y = {s->batch, s->out, s->out_size[0], s->out_size[1]};
    dnnl_dims_t single = {s->out, s->in, s->kernel[0], s->kernel[1]}, bias = {s->out};
    dnnl_dims_t groups = {s->groups, s->out / s->groups, s->in / s->groups, s->kernel[0], s->kernel[1]};
    for (int i = 0; i < 2; i++) {
        o->stride[i] = s->stride[i];
        o->padding[i] = s->padding[i];
        o->dilation[i] = s->dilation[i] - 1;
        o->after[i] =
            (s->out_size[i] - 1) * s->stride[i] + (s->kernel[i] - 1) * s->dilation[i] + 1 - s->size[i] - s->padding[i];
    }
    dnnl_status_t result = dnnl_memory_desc_init_by_tag(&o->x, 4, x, dnnl_f32, dnnl_nhwc);
    if (result == dnnl_success)
        result = dnnl_memory_desc_init_by_tag(&o->y, 4, y, dnnl_f32, dnnl_nhwc);
    if (result == dnnl_success)
        result =
            dnnl_memory_desc_init_by_tag(&o->weight, rank, grouped ? groups : single, dnnl_f32, dnnl_format_tag_any);
    if (result == dnnl_success)
        result = dnnl_memory_desc_init_by_tag(&o->plain, rank, grouped ? groups : single, dnnl_f32,
                                              grouped ? dnnl_goihw : dnnl_oihw);
    if (result == dnnl_success)
        result = dnnl_memory_desc_init_by_tag(&o->bias, 1, bias, dnnl_f32, dnnl_a);
    return result;
}

/* describe_pass: the primitive descriptor; the backward passes need the forward's as a hint. */
static dnnl_status_t describe_pass(struct dnnl_state *state, const struct convolution_operands *o,
                                   enum onednn_kind kind, bool bias, dnnl_primitive_attr_t attributes,
                                   dnnl_primitive_desc_t *out)
{
    const dnnl_memory_desc_t *with = bias ? &o->bias : NULL;
    const dnnl_alg_kind_t direct = dnnl_convolution_direct;
    dnnl_convolution_desc_t forward, back;
    dnnl_primitive_desc_t hint = NULL;
    dnnl_status_t result = dnnl_dilated_convolution_forward_desc_init(
        &forward, dnnl_forward_training, direct, &o->x, &o->weight, kind == ONEDNN_DATA ? NULL : with, &o->y, o->stride,
        o->dilation, o->padding, o->after);
    if (result == dnnl_success)
        result = dnnl_primitive_desc_create(&hint, &forward, attributes, state->engine, NULL);
    if (result != dnnl_success || kind == ONEDNN_FORWARD) {
        *out = hint;
        return result;
    }
    if (kind == ONEDNN_DATA)
        result = dnnl_dilated_convolution_backward_data_desc_init(&back, direct, &o->x, &o->weight, &o->y, o->stride,
                                                                  o->dilation, o->padding, o->after);
    else
        result = dnnl_dilated_convolution_backward_weights_desc_init(&back, direct, &o->x, &o->weight, with, &o->y,
                                                                     o->stride, o->dilation, o->padding, o->after);
    if (result == dnnl_success)
        result = dnnl_primitive_desc_create(out, &back, attributes, state->engine, hint);
    dnnl_primitive_desc_destroy(hint);
    return result;
}

/* pass_weights: the weights' operand, and the reorder where their layout is not ours. */
static dnnl_status_t pass_weights(struct onednn_pass *pass, const_dnnl_primitive_desc_t description,
                                  const dnnl_memory_desc_t *plain)
{
    const bool gradient = pass->kind == ONEDNN_WEIGHTS;
    const dnnl_memory_desc_t *wanted =
        dnnl_primitive_desc_query_md(description, gradient ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
    const size_t bytes = bytes_rounded(dnnl_memory_desc_get_size(wanted));
    dnnl_engine_t engine = pass->state->engine;
    dnnl_status_t result = pass_operand(pass, gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, wanted);
    if (result == dnnl_success)
        result = dnnl_memory_create(&pass->plain, plain, engine, DNNL_MEMORY_NONE);
    if (result == dnnl_success)
        result = dnnl_memory_create(&pass->packed, wanted, engine, DNNL_MEMORY_NONE);
    if (result == dnnl_success)
        result = gradient ? pass_reorder(pass, wanted, plain) : pass_reorder(pass, plain, wanted);
    if (gradient)
        pass->scratch_bytes += bytes;
    else
        pass->packed_bytes = bytes;
    return result;
}

static enum status pass_new(struct kernel_context *kernels, enum onednn_kind kind, struct onednn_pass **out)
{
    struct onednn_pass *pass = memory_new(kernels->ctx, 1, sizeof *pass);
    if (!pass)
        return STATUS_NO_MEMORY;
    pass->state = kernels->dnnl;
    threads_take(pass->state);
    pass->kind = kind;
    *out = pass;
    const dnnl_status_t result = dnnl_stream_create(&pass->stream, pass->state->engine, dnnl_stream_default_flags);
    return result == dnnl_success ? STATUS_OK : refused(kernels->ctx, "has no stream", result);
}

enum status onednn_convolution_new(struct kernel_context *kernels, const struct convolution_shape *shape,
                                   enum onednn_kind kind, bool bias, double limit, struct onednn_pass **out)
{
    enum status status = STATUS_OK;
    struct onednn_pass *pass = NULL;
    struct convolution_operands operands;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t description = NULL;
    TRY(pass_new(kernels, kind, &pass));
    if (describe_operands(shape, &operands) != dnnl_success || make_attributes(limit, &attributes) != dnnl_success ||
        describe_pass(kernels->dnnl, &operands, kind, bias, attributes, &description) != dnnl_success) {
        status = STATUS_UNSUPPORTED;
        goto cleanup;
    }
    TRY(pass_finish(pass, description));
    dnnl_status_t result = pass_operand(pass, kind == ONEDNN_DATA ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, &operands.x);
    if (result == dnnl_success)
        result = pass_operand(pass, kind == ONEDNN_FORWARD ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, &operands.y);
    if (result == dnnl_success && bias && kind != ONEDNN_DATA)
        result = pass_operand(pass, kind == ONEDNN_FORWARD ? DNNL_ARG_BIAS : DNNL_ARG_DIFF_BIAS, &operands.bias);
    if (result == dnnl_success)
        result = pass_weights(pass, description, &operands.plain);
    if (result != dnnl_success)
        status = result == dnnl_unimplemented ? STATUS_UNSUPPORTED
                                              : refused(kernels->ctx, "could not prepare a convolution", result);
cleanup:
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_attr_destroy(attributes);
    if (status != STATUS_OK) {
        onednn_pass_free(pass);
        pass = NULL;
    }
    *out = pass;
    return status;
}

enum status onednn_product_new(struct kernel_context *kernels, const struct product_shape *s, bool bias,
                               struct onednn_pass **out)
{
    enum status status = STATUS_OK;
    struct onednn_pass *pass = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_memory_desc_t a, b, c, start;
    dnnl_dims_t a_size = {s->m, s->k}, a_step = {s->a_row, s->a_k}, b_size = {s->k, s->n}, b_step = {s->b_k, s->b_n};
    dnnl_dims_t c_size = {s->m, s->n}, c_step = {s->c_row, 1}, start_size = {1, s->n};
    dnnl_matmul_desc_t matmul;
    TRY(pass_new(kernels, ONEDNN_PRODUCT, &pass));
    if (s->add || dnnl_memory_desc_init_by_strides(&a, 2, a_size, dnnl_f32, a_step) != dnnl_success ||
        dnnl_memory_desc_init_by_strides(&b, 2, b_size, dnnl_f32, b_step) != dnnl_success ||
        dnnl_memory_desc_init_by_strides(&c, 2, c_size, dnnl_f32, c_step) != dnnl_success ||
        dnnl_memory_desc_init_by_tag(&start, 2, start_size, dnnl_f32, dnnl_ab) != dnnl_success ||
        make_attributes(s->limit, &attributes) != dnnl_success ||
        dnnl_matmul_desc_init(&matmul, &a, &b, bias ? &start : NULL, &c) != dnnl_success ||
        dnnl_primitive_desc_create(&description, &matmul, attributes, kernels->dnnl->engine, NULL) != dnnl_success) {
        status = STATUS_UNSUPPORTED;
        goto cleanup;
    }
    TRY(pass_finish(pass, description));
    dnnl_status_t result = pass_operand(pass, DNNL_ARG_SRC, &a);
    if (result == dnnl_success)
        result = pass_operand(pass, DNNL_ARG_WEIGHTS, &b);
    if (result == dnnl_success)
        result = pass_operand(pass, DNNL_ARG_DST, &c);
    if (result == dnnl_success && bias)
        result = pass_operand(pass, DNNL_ARG_BIAS, &start);
    if (result != dnnl_success)
        status = refused(kernels->ctx, "could not prepare a matrix product", result);
cleanup:
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_attr_destroy(attributes);
    if (status != STATUS_OK) {
        onednn_pass_free(pass);
        pass = NULL;
    }
    *out = pass;
    return status;
}

/* The library's views have no const, but a source is only read. */
static void *writable(const void *memory)
{
    union {
        const void *from;
        void *to;
    } view = {memory};
    return view.to;
}

/* pass_run: with the memory of each argument (NULL for those that the pass lacks). */
static void pass_run(struct onednn_pass *pass, const int *argument, void *const *memory, int count)
{
    dnnl_exec_arg_t arguments[ARGUMENTS_MOST];
    for (int i = 0; i < pass->n_operands; i++) {
        const struct operand *operand = &pass->operands[i];
        for (int j = 0; j < count; j++)
            if (argument[j] == operand->argument)
                dnnl_memory_set_data_handle(operand->memory, memory[j]);
        arguments[i].arg = operand->argument;
        arguments[i].memory = operand->memory;
    }
    threads_take(pass->state);
    dnnl_status_t result = dnnl_primitive_execute(pass->primitive, pass->stream, pass->n_operands, arguments);
    if (result == dnnl_success)
        result = dnnl_stream_wait(pass->stream);
    if (result != dnnl_success)
        failed_in_run(pass->state, "could not run a primitive", result);
}

static void reorder_run(struct onednn_pass *pass, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    threads_take(pass->state);
    dnnl_status_t result = dnnl_primitive_execute(pass->reorder, pass->stream, 2, arguments);
    if (result == dnnl_success)
        result = dnnl_stream_wait(pass->stream);
    if (result != dnnl_success)
        failed_in_run(pass->state, "could not reorder weights", result);
}

void onednn_pack(struct onednn_pass *pass, const void *weight, void *packed)
{
    dnnl_memory_set_data_handle(pass->plain, writable(weight));
    dnnl_memory_set_data_handle(pass->packed, packed);
    reorder_run(pass, pass->plain, pass->packed);
}

#define RUN(pass, arguments, memories)                                                                                 \
    pass_run(pass, arguments, memories, (int)(sizeof(arguments) / sizeof *(arguments)))

void onednn_forward(struct onednn_pass *pass, const void *x, const void *packed, const void *bias, void *y,
                    void *scratch)
{
    const int argument[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
    void *const memory[] = {writable(x), writable(packed), writable(bias), y, scratch};
    RUN(pass, argument, memory);
}

void onednn_data(struct onednn_pass *pass, const void *dy, const void *packed, void *dx, void *scratch)
{
    const int argument[] = {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC, DNNL_ARG_SCRATCHPAD};
    void *const memory[] = {writable(dy), writable(packed), dx, scratch};
    RUN(pass, argument, memory);
}

void onednn_weights(struct onednn_pass *pass, const void *x, const void *dy, void *dw, void *db, void *scratch)
{
    void *packed = (char *)scratch + pass->own_scratch;
    const int argument[] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS,
                            DNNL_ARG_SCRATCHPAD};
    void *const memory[] = {writable(x), writable(dy), packed, db, scratch};
    RUN(pass, argument, memory);
    dnnl_memory_set_data_handle(pass->packed, packed);
    dnnl_memory_set_data_handle(pass->plain, dw);
    reorder_run(pass, pass->packed, pass->plain);
}

void onednn_product(struct onednn_pass *pass, const void *a, const void *b, const void *bias, void *c, void *scratch)
{
    const int argument[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST, DNNL_ARG_SCRATCHPAD};
    void *const memory[] = {writable(a), writable(b), writable(bias), c, scratch};
    RUN(pass, argument, memory);
}
