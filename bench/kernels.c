/* kernels.c: how near convolutions and matrix products come to the machine's peak of multiply-adds, which is measured
 * beside them: GFLOP/s and share of the peak, our own loops and the library's, each pass. One thread; CPU time, so that
 * other programs on the machine disturb less. Not a test. Argument: f32 (default) or f64. */
#include "kernel/dnnl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Chains of multiply-adds, as many as hide their latency; a function for each register width. */
#define PEAK(name, number, bytes, features)                                                                            \
    __attribute__((target(features))) static double name(void)                                                         \
    {                                                                                                                  \
        typedef number wide __attribute__((vector_size(bytes)));                                                       \
        enum { CHAINS = 12, ROUNDS = 4000000 };                                                                        \
        wide sum[CHAINS], by = (wide){0} + (number)0.999, more = (wide){0} + (number)0.001;                            \
        double best = 0;                                                                                               \
        memset(sum, 0, sizeof sum);                                                                                    \
        for (int trial = 0; trial < 5; trial++) {                                                                      \
            const double start = seconds();                                                                            \
            for (int i = 0; i < ROUNDS; i++) {                                                                         \
                _Pragma("GCC unroll 16") for (int j = 0; j < CHAINS; j++) sum[j] = sum[j] * by + more;                 \
            }                                                                                                          \
            const double rate = 2.0 * CHAINS * (bytes / sizeof(number)) * ROUNDS / (seconds() - start);                \
            best = rate > best ? rate : best;                                                                          \
        }                                                                                                              \
        volatile number used = 0;                                                                                      \
        for (int j = 0; j < CHAINS; j++)                                                                               \
            used = used + sum[j][0];                                                                                   \
        return best * 1e-9;                                                                                            \
    }

#if defined(__x86_64__)
PEAK(peak_v2_f32, float, 16, "sse4.2")
PEAK(peak_v2_f64, double, 16, "sse4.2")
PEAK(peak_v3_f32, float, 32, "avx2,fma")
PEAK(peak_v3_f64, double, 32, "avx2,fma")
PEAK(peak_v4_f32, float, 64, "avx512f")
PEAK(peak_v4_f64, double, 64, "avx512f")

static double peak_of(const char *level, bool f64)
{
    if (strcmp(level, "v2") == 0)
        return f64 ? peak_v2_f64() : peak_v2_f32();
    if (strcmp(level, "v3") == 0)
        return f64 ? peak_v3_f64() : peak_v3_f32();
    return f64 ? peak_v4_f64() : peak_v4_f32();
}
#else
static double peak_of(const char *level, bool f64)
{
    (void)level;
    (void)f64;
    return NAN;
}
#endif

struct bench {
    const struct kernels *table;
    struct kernel_context *kernels;
    size_t size;
    double peak;
    struct convolution_shape s;
    struct product_shape p;
    bool depthwise;
    void *x, *w, *y, *packed, *scratch;
    struct onednn_pass *library[3];
};

/* Memory for everything, filled with ones: no denormals, no NaN. */
static void *memory(struct bench *b, int64_t elements)
{
    const size_t bytes = bytes_rounded((size_t)elements * b->size) + 64;
    char *m = aligned_alloc(64, bytes);
    if (!m) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    memset(m, 0, bytes);
    for (int64_t i = 0; i < elements; i++) {
        if (b->size == sizeof(float))
            ((float *)(void *)m)[i] = (float)(i % 7) - 3;
        else
            ((double *)(void *)m)[i] = (double)(i % 7) - 3;
    }
    return m;
}

static void own_forward(struct bench *b)
{
    if (b->depthwise) {
        b->table->depthwise_pack(&b->s, b->w, NULL, NULL, b->packed);
        b->table->depthwise_forward(&b->s, b->x, b->packed, -1, b->y, 1);
    } else {
        b->table->convolution_pack(&b->s, b->w, NULL, NULL, b->packed);
        b->table->convolution_forward(&b->s, b->x, b->packed, -1, b->y, b->scratch, 1);
    }
}

static void own_data(struct bench *b)
{
    if (b->depthwise) {
        b->table->depthwise_pack(&b->s, b->w, NULL, NULL, b->packed);
        b->table->depthwise_data(&b->s, b->y, b->packed, false, b->x, 1);
    } else {
        b->table->convolution_pack_back(&b->s, b->w, b->packed);
        b->table->convolution_data(&b->s, b->y, b->packed, false, b->x, b->scratch, 1);
    }
}

static void own_weights(struct bench *b)
{
    if (b->depthwise)
        b->table->depthwise_weights(&b->s, b->x, b->y, false, b->w, b->scratch, 1);
    else
        b->table->convolution_weights(&b->s, b->x, b->y, false, b->w, b->scratch, 1);
}

static void library_forward(struct bench *b)
{
    onednn_pack(b->library[0], b->w, b->packed);
    onednn_forward(b->library[0], b->x, b->packed, NULL, b->y, b->scratch);
}

static void library_data(struct bench *b)
{
    onednn_pack(b->library[1], b->w, b->packed);
    onednn_data(b->library[1], b->y, b->packed, b->x, b->scratch);
}

static void library_weights(struct bench *b)
{
    onednn_weights(b->library[2], b->x, b->y, b->w, NULL, b->scratch);
}

static void own_product(struct bench *b)
{
    b->table->product_pack(&b->p, b->w, NULL, b->packed);
    b->table->product(&b->p, b->x, b->packed, b->y, 1);
}

static void library_product(struct bench *b)
{
    onednn_product(b->library[0], b->x, b->w, NULL, b->y, b->scratch);
}

/* Best of some rounds, each at least 20 ms. */
static void measure(struct bench *b, void (*work)(struct bench *), double macs)
{
    double best = 0;
    for (int round = 0; round < 5; round++) {
        const double start = seconds();
        int count = 0;
        do {
            work(b);
            count++;
        } while (seconds() - start < 0.02);
        const double rate = 2e-9 * macs * count / (seconds() - start);
        best = rate > best ? rate : best;
    }
    printf(" %6.1f %3.0f%%", best, 100 * best / b->peak);
    fflush(stdout);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void bench_convolution(struct bench *b)
{
    static const enum onednn_kind kinds[] = {ONEDNN_FORWARD, ONEDNN_DATA, ONEDNN_WEIGHTS};
    void (*const own[])(struct bench *) = {own_forward, own_data, own_weights};
    void (*const library[])(struct bench *) = {library_forward, library_data, library_weights};
    const struct convolution_shape *s = &b->s;
    const char *name = "-";
    size_t packed = larger(convolution_packed_bytes(s, b->size), depthwise_packed_bytes(s, b->size)), scratch = 0;
    b->depthwise = convolution_depthwise(s);
    for (int i = 0; i < 3; i++) {
        b->library[i] = NULL;
        if (b->size == sizeof(float) &&
            onednn_convolution_new(b->kernels, s, kinds[i], false, -1, &b->library[i]) == STATUS_OK) {
            packed = larger(packed, onednn_packed_bytes(b->library[i]));
            scratch = larger(scratch, onednn_scratch_bytes(b->library[i]));
            name = onednn_pass_name(b->library[i]);
        }
    }
    scratch = larger(scratch, convolution_forward_scratch(s, b->size, 1));
    scratch = larger(scratch, convolution_data_scratch(s, b->size, 1));
    scratch = larger(scratch, convolution_weights_scratch(s, b->size, 1));
    b->x = memory(b, s->batch * s->size[0] * s->size[1] * s->in);
    b->w = memory(b, s->out * s->in / s->groups * s->kernel[0] * s->kernel[1]);
    b->y = memory(b, s->batch * s->out_size[0] * s->out_size[1] * s->out);
    b->packed = memory(b, (int64_t)(packed / b->size));
    b->scratch = memory(b, (int64_t)(scratch / b->size));
    printf("%3d -> %3d %dx%d on %2d, stride %d, groups %3d:", (int)s->in, (int)s->out, (int)s->kernel[0],
           (int)s->kernel[1], (int)s->size[0], (int)s->stride[0], (int)s->groups);
    for (int i = 0; i < 3; i++) {
        printf("  %c", "FDW"[i]);
        measure(b, own[i], convolution_macs(s));
        if (b->library[i])
            measure(b, library[i], convolution_macs(s));
    }
    printf("  %s\n", name);
    for (int i = 0; i < 3; i++)
        onednn_pass_free(b->library[i]);
    free(b->x);
    free(b->w);
    free(b->y);
    free(b->packed);
    free(b->scratch);
}

static void bench_product(struct bench *b)
{
    const struct product_shape *p = &b->p;
    size_t scratch = 0;
    b->library[0] = NULL;
    if (b->size == sizeof(float) && onednn_product_new(b->kernels, p, false, &b->library[0]) == STATUS_OK)
        scratch = onednn_scratch_bytes(b->library[0]);
    b->x = memory(b, p->m * p->k);
    b->w = memory(b, p->k * p->n);
    b->y = memory(b, p->m * p->n);
    b->packed = memory(b, (int64_t)(product_packed_bytes(p, b->size) / b->size));
    b->scratch = memory(b, (int64_t)(scratch / b->size));
    printf("[%d,%d] x [%d,%d]%s:", (int)p->m, (int)p->k, (int)p->k, (int)p->n, p->b_n == 1 ? "" : " turned");
    measure(b, own_product, (double)p->m * (double)p->n * (double)p->k);
    if (b->library[0])
        measure(b, library_product, (double)p->m * (double)p->n * (double)p->k);
    printf("  %s\n", b->library[0] ? onednn_pass_name(b->library[0]) : "-");
    onednn_pass_free(b->library[0]);
    free(b->x);
    free(b->w);
    free(b->y);
    free(b->packed);
    free(b->scratch);
}

/* in, out, size, kernel, stride, groups; padding keeps the size, but for 7x7: none. */
static const int convolutions[][6] = {
    {1, 12, 28, 3, 1, 1},   {1, 32, 28, 3, 1, 1},   {3, 16, 32, 3, 1, 1},  {8, 8, 28, 3, 1, 1},
    {12, 12, 28, 3, 1, 1},  {12, 12, 14, 3, 1, 1},  {12, 12, 7, 3, 1, 1},  {12, 24, 14, 3, 2, 1},
    {12, 12, 14, 1, 1, 1},  {16, 16, 14, 3, 1, 1},  {17, 17, 14, 3, 1, 1}, {32, 32, 28, 3, 1, 1},
    {32, 64, 14, 3, 1, 1},  {64, 64, 14, 3, 1, 1},  {64, 128, 7, 3, 1, 1}, {128, 128, 7, 3, 1, 1},
    {32, 32, 28, 3, 2, 1},  {64, 128, 14, 1, 1, 1}, {32, 32, 14, 3, 1, 4}, {32, 32, 14, 3, 1, 32},
    {12, 12, 14, 3, 1, 12}, {12, 12, 7, 7, 1, 12}};
/* m, n, k; is b given turned, as [n,k]? */
static const int products[][4] = {{128, 10, 588, 1},  {128, 10, 128, 1},  {588, 10, 128, 0}, {128, 588, 10, 0},
                                  {128, 128, 128, 0}, {128, 512, 784, 1}, {512, 784, 128, 0}};

int main(int argc, char **argv)
{
    const bool f64 = argc > 1 && strcmp(argv[1], "f64") == 0;
    struct context ctx;
    context_init(&ctx);
    struct bench b = {.kernels = kernel_context_new(&ctx, 1), .size = f64 ? sizeof(double) : sizeof(float)};
    if (!b.kernels) {
        fprintf(stderr, "%s\n", ctx.error.message);
        return 1;
    }
    b.table = kernels_of(b.kernels, f64 ? ELEMENT_F64 : ELEMENT_F32);
    b.peak = peak_of(b.table->level, f64);
    printf("level %s, %s, multiply-add peak %.1f GFLOP/s; batch 64\nF forward, D data, W weights: own%s\n",
           b.table->level, f64 ? "f64" : "f32", b.peak, f64 ? "" : ", library");
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++) {
        const int *c = convolutions[i];
        const int64_t padding = c[3] == 7 ? 0 : c[3] / 2, out = convolution_out_size(c[2], c[3], c[4], padding, 1);
        b.s = (struct convolution_shape){.batch = 64,
                                         .in = c[0],
                                         .out = c[1],
                                         .size = {c[2], c[2]},
                                         .out_size = {out, out},
                                         .kernel = {c[3], c[3]},
                                         .stride = {c[4], c[4]},
                                         .padding = {padding, padding},
                                         .dilation = {1, 1},
                                         .groups = c[5]};
        bench_convolution(&b);
    }
    for (size_t i = 0; i < sizeof products / sizeof *products; i++) {
        const int *p = products[i];
        b.p = (struct product_shape){.m = p[0],
                                     .n = p[1],
                                     .k = p[2],
                                     .a_row = p[2],
                                     .a_k = 1,
                                     .b_k = p[3] ? 1 : p[1],
                                     .b_n = p[3] ? p[2] : 1,
                                     .c_row = p[1],
                                     .limit = -1};
        bench_product(&b);
    }
    kernel_context_free(b.kernels);
    return 0;
}
