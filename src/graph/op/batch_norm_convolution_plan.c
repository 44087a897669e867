/* batch_norm_convolution_plan.c: the passes of batch_norm_convolution. The map between is made a few samples at a time, in
 * the cache, forward and again backward: as a whole it is never written. The sums over its gradient are taken where that
 * still lies in the cache, too. Where memory is the limit (depthwise, 1x1), this takes a third off a step. */
#include "graph/op/batch_norm_convolution.h"

#include "graph/op/normalise.h"
#include "kernel/convolution.h"

#include <string.h>

/* Bytes of the map between that are made at a time, where a sample is not larger. Where so many multiply-adds meet each
 * value that memory hardly counts, pixels: each piece's weights' gradient takes the time of some hundred pixels to finish. */
static const size_t chunk_bytes = (size_t)512 << 10;
static const double wide_macs = 128;
static const int64_t wide_pixels = 8192;

struct fused_plan {
    struct context *ctx;
    struct norm_convolution_parts parts; /* the convolution's batch is one chunk */
    struct op_needs inner;               /* of a chunk's convolution */
    int64_t chunks;
    size_t x_bytes, y_bytes; /* of a chunk */
};

void norm_convolution_release(void *plan)
{
    struct fused_plan *p = plan;
    if (p == NULL)
        return;
    op_convolution.release(p->inner.plan);
    memory_free(p->ctx, p);
}

static size_t spec_bytes(const struct tensor_spec *spec)
{
    return (size_t)shape_elements(&spec->shape) * element_size(spec->element);
}

/* chunks_of: pieces of equal size. It depends on the shape alone, and with it the bits of sums over the batch. */
static int64_t chunks_of(const struct norm_convolution_parts *parts)
{
    const struct tensor_spec *x = &parts->norm.in[0];
    const int64_t batch = x->shape.dim[0], pixels = normalise_rows(&parts->norm);
    const double meeting = op_convolution.macs(&parts->convolution) / (double)shape_elements(&x->shape);
    int64_t wanted = (int64_t)((spec_bytes(x) + chunk_bytes - 1) / chunk_bytes);
    if (meeting >= wide_macs && wanted > pixels / wide_pixels)
        wanted = pixels / wide_pixels;
    wanted = wanted < 1 ? 1 : wanted > batch ? batch : wanted;
    int64_t more = wanted, fewer = wanted;
    while (batch % more != 0)
        more++;
    while (batch % fewer != 0)
        fewer--;
    return more <= 4 * wanted ? more
                              : fewer; /* a call for each sample of a small map costs more than the cache brings */
}

static size_t norm_bytes(const struct op_call *norm)
{
    return bytes_rounded(normalise_scratch(norm));
}

/* Sums of all chunks. */
static size_t total_bytes(const struct op_call *norm)
{
    return bytes_rounded(2 * (size_t)normalise_channels(norm) * sizeof(double));
}

enum status norm_convolution_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    enum status status = STATUS_OK;
    struct fused_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (p == NULL)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    p->parts = norm_convolution_parts_of(call);
    struct op_call *norm = &p->parts.norm, *convolution = &p->parts.convolution;
    const int64_t batch = call->in[0].shape.dim[0];
    p->chunks = chunks_of(&p->parts);
    convolution->in[0].shape.dim[0] = convolution->out[0].shape.dim[0] = batch / p->chunks;
    p->x_bytes = spec_bytes(&convolution->in[0]);
    p->y_bytes = spec_bytes(&convolution->out[0]);
    TRY(op_convolution.prepare(convolution, backward, &p->inner));
    TRY(training_prepare(norm, needs, false));
    needs->kernel = p->inner.kernel;
    needs->derived_bytes = p->inner.derived_bytes;
    needs->forward_scratch = norm_bytes(norm) + bytes_rounded(p->x_bytes) + p->inner.forward_scratch;
    needs->backward_scratch =
        norm_bytes(norm) + total_bytes(norm) + 2 * bytes_rounded(p->x_bytes) + p->inner.backward_scratch;
    needs->reads_inputs |= 1U << norm->n_inputs;
    needs->gradient_overwrite = 0;
    needs->recomputes = p->inner.recomputes;
    needs->plan = p;
    p = NULL;
cleanup:
    norm_convolution_release(p);
    return status;
}

static struct op_run norm_run(const struct op_run *run)
{
    const struct fused_plan *p = run->plan;
    struct op_run norm = *run;
    norm.call = &p->parts.norm;
    norm.plan = NULL;
    return norm;
}

/* between: one chunk of the map between. */
static void between(const struct op_run *run, const struct normalise_memory *m, int64_t chunk, void *z)
{
    const struct fused_plan *p = run->plan;
    const struct batch_norm_attributes *attributes = p->parts.norm.attributes;
    const int64_t rows = normalise_rows(&p->parts.convolution);
    double low, high;
    normalise_limits(attributes->activation, &low, &high);
    run->table->norm_apply(rows, normalise_channels(&p->parts.norm),
                           (const char *)run->in[0] + (size_t)chunk * p->x_bytes, m->coefficients, low, high, z,
                           run->threads);
}

static struct op_run convolution_run(const struct op_run *run, int64_t chunk, void *scratch)
{
    const struct fused_plan *p = run->plan;
    struct op_run inner = *run;
    inner.call = &p->parts.convolution;
    inner.plan = p->inner.plan;
    inner.scratch = scratch;
    inner.derived_stale = run->derived_stale && chunk == 0;
    return inner;
}

/* chunks_forward: y, where the statistics are known. */
static void chunks_forward(const struct op_run *run, const struct normalise_memory *m)
{
    const struct fused_plan *p = run->plan;
    const int n = p->parts.norm.n_inputs;
    char *z = (char *)run->scratch + norm_bytes(&p->parts.norm);
    for (int64_t chunk = 0; chunk < p->chunks; chunk++) {
        between(run, m, chunk, z);
        const void *in[OP_MAX_INPUTS] = {z};
        for (int i = 1; i < p->parts.convolution.n_inputs; i++)
            in[i] = run->in[n + i - 1];
        void *out[1] = {(char *)run->out[0] + (size_t)chunk * p->y_bytes};
        struct op_run inner = convolution_run(run, chunk, z + bytes_rounded(p->x_bytes));
        inner.in = in;
        inner.out = out;
        op_convolution.forward(&inner);
    }
}

void norm_convolution_forward(const struct op_run *run)
{
    const struct op_run norm = norm_run(run);
    struct normalise_memory m;
    training_statistics(&norm, &m);
    chunks_forward(run, &m);
}

void norm_convolution_recompute(const struct op_run *run)
{
    const struct op_run norm = norm_run(run);
    struct normalise_memory m;
    training_statistics_again(&norm, &m);
    chunks_forward(run, &m);
}

/* The scratch of backward. */
struct backward_memory {
    struct normalise_memory norm;
    double *totals;
    void *z, *dz, *inner;
};

/* chunk_backward: the gradient of the map between, into dz; those of weight and bias too, where `parameters`. */
static void chunk_backward(const struct op_run *run, const struct backward_memory *m, int64_t chunk, bool parameters,
                           void *dz)
{
    const struct fused_plan *p = run->plan;
    const int n = p->parts.norm.n_inputs;
    const void *in[OP_MAX_INPUTS] = {m->z};
    const void *d_out[1] = {(const char *)run->d_out[0] + (size_t)chunk * p->y_bytes};
    void *d_in[OP_MAX_INPUTS] = {dz};
    bool add[OP_MAX_INPUTS] = {false};
    for (int i = 1; i < p->parts.convolution.n_inputs; i++) {
        in[i] = run->in[n + i - 1];
        d_in[i] = parameters ? run->d_in[n + i - 1] : NULL;
        add[i] = chunk > 0 || run->add[n + i - 1];
    }
    if (parameters)
        between(run, &m->norm, chunk, m->z);
    struct op_run inner = convolution_run(run, chunk, m->inner);
    inner.in = in;
    inner.d_out = d_out;
    inner.d_in = d_in;
    inner.add = add;
    op_convolution.backward(&inner);
}

/* chunks_backward: gradients of weight and bias, and the sums over dz; dz goes to where dx will be, if it may. */
static void chunks_backward(const struct op_run *run, const struct backward_memory *m, bool in_place)
{
    const struct fused_plan *p = run->plan;
    const struct batch_norm_attributes *attributes = p->parts.norm.attributes;
    const int64_t channels = normalise_channels(&p->parts.norm), rows = normalise_rows(&p->parts.convolution);
    double low, high;
    normalise_limits(attributes->activation, &low, &high);
    memset(m->totals, 0, 2 * (size_t)channels * sizeof(double));
    for (int64_t chunk = 0; chunk < p->chunks; chunk++) {
        const size_t at = (size_t)chunk * p->x_bytes;
        void *dz = in_place ? (char *)run->d_in[0] + at : m->dz;
        chunk_backward(run, m, chunk, true, dz);
        run->table->norm_sums(rows, channels, (const char *)run->in[0] + at, dz, m->norm.coefficients, low, high,
                              m->norm.first, m->norm.sums, run->threads);
        for (int64_t c = 0; c < 2 * channels; c++)
            m->totals[c] += m->norm.first[c];
    }
    memcpy(m->norm.first, m->totals, 2 * (size_t)channels * sizeof(double));
}

/* x_backward: dx, when the sums are known. Where dz could not be kept, it is made again. */
static void x_backward(const struct op_run *run, const struct backward_memory *m, bool in_place)
{
    const struct fused_plan *p = run->plan;
    const struct batch_norm_attributes *attributes = p->parts.norm.attributes;
    const int64_t channels = normalise_channels(&p->parts.norm), rows = normalise_rows(&p->parts.convolution);
    double low, high;
    normalise_limits(attributes->activation, &low, &high);
    for (int64_t chunk = 0; chunk < p->chunks; chunk++) {
        const size_t at = (size_t)chunk * p->x_bytes;
        void *dx = (char *)run->d_in[0] + at, *dz = in_place ? dx : m->dz;
        if (!in_place)
            chunk_backward(run, m, chunk, false, dz);
        run->table->norm_gradient(rows, channels, (const char *)run->in[0] + at, dz, m->norm.coefficients, low, high,
                                  dx, run->add[0], run->threads);
    }
}

/* running_backward: only the running values have a gradient. */
static void running_backward(const struct op_run *run, const struct op_run *norm)
{
    training_backward(norm, false);
    for (int i = norm->call->n_inputs; i < run->call->n_inputs; i++)
        if (run->d_in[i] != NULL && !run->add[i])
            run->table->fill_values(shape_elements(&run->call->in[i].shape), 0, run->d_in[i]);
}

void norm_convolution_backward(const struct op_run *run)
{
    const struct fused_plan *p = run->plan;
    const struct op_run norm = norm_run(run);
    if (run->d_out[0] == NULL) {
        running_backward(run, &norm);
        return;
    }
    struct backward_memory m = {.norm = normalise_memory_of(&norm)};
    char *at = (char *)run->scratch + norm_bytes(&p->parts.norm);
    m.totals = (double *)(void *)at;
    m.z = at += total_bytes(&p->parts.norm);
    m.dz = at += bytes_rounded(p->x_bytes);
    m.inner = at + bytes_rounded(p->x_bytes);
    training_begin(&norm, norm.in[1], &m.norm);
    const bool in_place = run->d_in[0] != NULL && !run->add[0];
    chunks_backward(run, &m, in_place);
    training_sums_use(&norm, &m.norm);
    if (run->d_in[0] != NULL)
        x_backward(run, &m, in_place);
}
