/* peak.c: see peak.h. */
#include "kernel/peak.h"

#include "base/thread.h"
#include "kernel/dnnl.h"

#define SECONDS 0.15 /* for each of the three */
enum { SIDE = 1024, STREAMED = 10 << 20, CACHED = 32 << 10 };

/* A large product, by whoever the ops would ask. */
struct peak_product {
    struct product_shape shape;
    struct onednn_pass *library; /* NULL: our own loops */
    const struct kernels *table;
    void *a, *b, *c, *packed, *scratch;
    int threads;
};

static void product_once(const struct peak_product *p)
{
    if (p->library)
        onednn_product(p->library, p->a, p->b, NULL, p->c, p->scratch);
    else
        p->table->product(&p->shape, p->a, p->packed, p->c, p->threads);
}

static enum status product_rate(struct kernel_context *kernels, enum element element, double *rate)
{
    enum status status = STATUS_OK;
    struct context *ctx = kernels->ctx;
    const size_t size = element_size(element), side = SIDE;
    struct peak_product p = {.table = kernels_of(kernels, element), .threads = kernels->threads};
    p.shape = (struct product_shape){.m = SIDE, .n = SIDE, .k = SIDE, .a_row = SIDE, .a_k = 1, .b_k = SIDE, .b_n = 1};
    p.shape.c_row = SIDE;
    p.shape.limit = -1;
    if (element == ELEMENT_F32 && kernels->choice != KERNEL_CHOICE_OWN) {
        status = onednn_product_new(kernels, &p.shape, false, &p.library);
        if (status != STATUS_OK && status != STATUS_UNSUPPORTED)
            goto cleanup;
        status = STATUS_OK;
    }
    p.a = memory_new(ctx, side * side, size);
    p.b = memory_new(ctx, side * side, size);
    p.c = memory_new(ctx, side * side, size);
    p.packed = memory_new(ctx, product_packed_bytes(&p.shape, size), 1);
    p.scratch = memory_new(ctx, p.library ? onednn_scratch_bytes(p.library) : 0, 1);
    if (!p.a || !p.b || !p.c || !p.packed || !p.scratch)
        TRY(ctx->error.status);
    p.table->fill_values(SIDE * SIDE, 0.5, p.a);
    p.table->fill_values(SIDE * SIDE, 0.25, p.b);
    p.table->product_pack(&p.shape, p.b, NULL, p.packed);
    double best = 0, start = work_seconds(p.threads), now = start;
    while (now - start < SECONDS) {
        const double begin = now;
        product_once(&p);
        now = work_seconds(p.threads);
        best = 1 / (now - begin) > best ? 1 / (now - begin) : best;
    }
    *rate = 2.0 * SIDE * SIDE * SIDE * best;
cleanup:
    onednn_pass_free(p.library);
    memory_free(ctx, p.a);
    memory_free(ctx, p.b);
    memory_free(ctx, p.c);
    memory_free(ctx, p.packed);
    memory_free(ctx, p.scratch);
    return status;
}

/* add_streams: to = a + b, in pieces that threads share. */
static void add_streams(int64_t n, const float *a, const float *b, float *to, int threads)
{
    (void)threads; /* unused without OpenMP */
#pragma omp parallel for simd num_threads(threads) if (threads > 1 && n > CACHED) schedule(static)
    for (int64_t i = 0; i < n; i++)
        to[i] = a[i] + b[i];
}

/* stream_rate: bytes a second over three arrays of n numbers; `rounds` passes are timed together. */
static double stream_rate(int64_t n, int rounds, float *memory, int threads)
{
    double best = 0, start = work_seconds(threads), now = start;
    while (now - start < SECONDS) {
        const double begin = now;
        for (int i = 0; i < rounds; i++)
            add_streams(n, memory, memory + n, memory + 2 * n, threads);
        now = work_seconds(threads);
        best = rounds / (now - begin) > best ? rounds / (now - begin) : best;
    }
    return 3.0 * (double)n * sizeof(float) * best;
}

enum status kernel_peak_measure(struct kernel_context *kernels, enum element element, struct kernel_peak *peak)
{
    float *memory = memory_new(kernels->ctx, (size_t)3 * STREAMED, sizeof *memory);
    if (!memory)
        return kernels->ctx->error.status;
    kernels->f32->fill_values((int64_t)3 * STREAMED, 1, memory);
    peak->bytes = stream_rate(STREAMED, 1, memory, kernels->threads);
    peak->cached_bytes = stream_rate(CACHED, 100, memory, 1);
    memory_free(kernels->ctx, memory);
    return product_rate(kernels, element, &peak->flops);
}
