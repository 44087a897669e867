/* memory_bound.c: how near the passes over maps come to the memory they stream: GB/s of each kernel, its share of a
 * memcpy of the same map (above 1: less is written than read), and its share of the machine's bandwidth: where all that
 * it streams fits into the second cache, of that cache's (the faster of kernel/peak.h and that memcpy), else of
 * memory's (kernel/peak.h); the aim is AIM. All measured in the same run. One thread; CPU time, so that other programs
 * on the machine disturb less. Not a test. Arguments: batch, height = width, channels (default 128 28 12). */
#include "kernel/elementwise.h"
#include "kernel/kernel.h"
#include "kernel/normalise.h"
#include "kernel/peak.h"
#include "kernel/pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 15, WARM = 3, SMALL = 1000000 };
#define AIM 0.6

struct bench {
    const struct kernels *table;
    int64_t batch, side, channels, rows, n;
    size_t size;
    struct pool_shape pool, global;
    void *x, *y, *dy, *dx, *small, *gamma, *beta, *kept, *coefficients, *scratch;
    double *sums;
    uint8_t *bytes;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#define WORK(name, call)                                                                                               \
    static void name(struct bench *b)                                                                                  \
    {                                                                                                                  \
        call;                                                                                                          \
    }

WORK(copy, memcpy(b->y, b->x, (size_t)b->n * b->size))
WORK(add_maps, b->table->binary_forward(BINARY_ADD, NULL, 1, b->n, b->x, ((const int64_t[]){0, 1}), b->dy,
                                        ((const int64_t[]){0, 1}), b->y, 1))
WORK(mul_channels,
     b->table->binary_forward(BINARY_MUL, NULL, b->rows, b->channels, b->x, ((const int64_t[]){b->channels, 1}),
                              b->gamma, ((const int64_t[]){0, 1}), b->y, 1))
WORK(mul_channels_back,
     b->table->binary_gradient(SLOPE_A, NULL, b->rows, b->channels, b->dy, b->x, ((const int64_t[]){b->channels, 1}),
                               NULL, ((const int64_t[]){0, 1}), b->beta, ((const int64_t[]){0, 1}), false, 1))
WORK(relu, b->table->unary_forward(UNARY_RELU, NULL, b->n, b->x, b->y, 1))
WORK(relu_back, b->table->unary_backward(UNARY_RELU, NULL, b->n, b->x, b->dy, b->dx, false, 1))
WORK(exponential, b->table->unary_forward(UNARY_EXP, NULL, b->n, b->x, b->y, 1))
WORK(standardise, b->table->bytes_standardise(b->rows, b->channels, b->bytes, b->sums, b->sums + b->channels, b->y, 1))
WORK(dropout, b->table->dropout(((const int64_t[]){1, 1, b->n}), b->x, ((const uint32_t[]){1, 2}), 3, 1 << 14, 1.25,
                                b->y, false, 1))
WORK(moments, b->table->norm_moments(b->rows, b->channels, b->x, b->sums, b->sums + b->channels, b->scratch, 1))
WORK(apply, b->table->norm_apply(b->rows, b->channels, b->x, b->coefficients, 0, HUGE_VAL, b->y, 1))
WORK(sums, b->table->norm_sums(b->rows, b->channels, b->x, b->dy, b->coefficients, 0, HUGE_VAL, b->sums, b->scratch, 1))
WORK(gradient,
     b->table->norm_gradient(b->rows, b->channels, b->x, b->dy, b->coefficients, 0, HUGE_VAL, b->dx, false, 1))
WORK(pool, b->table->max_pool_forward(&b->pool, b->x, b->small, 1))
WORK(pool_back, b->table->max_pool_backward(&b->pool, b->x, b->small, b->dx, false, 1))
WORK(average, b->table->average_pool_forward(&b->pool, b->x, b->small, 1))
WORK(average_back, b->table->average_pool_backward(&b->pool, b->small, b->dx, false, 1))
WORK(global, b->table->average_pool_forward(&b->global, b->x, b->small, 1))
WORK(global_back, b->table->average_pool_backward(&b->global, b->small, b->dx, false, 1))
WORK(norm_pool, b->table->norm_pool_apply(b->batch, b->side, b->side, b->channels, b->x, b->coefficients, 0, HUGE_VAL,
                                          b->small, 1))
WORK(norm_pool_sums, b->table->norm_pool_sums(b->batch, b->side, b->side, b->channels, b->x, b->small, b->coefficients,
                                              0, HUGE_VAL, b->sums, b->scratch, 1))
WORK(norm_pool_back, b->table->norm_pool_gradient(b->batch, b->side, b->side, b->channels, b->x, b->small,
                                                  b->coefficients, 0, HUGE_VAL, b->dx, false, 1))

/* What a kernel streams, in maps of x's size. */
static const struct {
    const char *name;
    void (*work)(struct bench *);
    double maps;
} works[] = {
    {"memcpy", copy, 2},
    {"add, equal maps", add_maps, 3},
    {"mul by channels", mul_channels, 2},
    {"  gradient of channels", mul_channels_back, 2},
    {"relu", relu, 2},
    {"  backward", relu_back, 3},
    {"exp", exponential, 2},
    {"standardise bytes", standardise, 1.25},
    {"dropout", dropout, 2},
    {"batch norm: moments", moments, 1},
    {"  apply, relu", apply, 2},
    {"  backward: sums", sums, 2},
    {"  backward: gradient", gradient, 3},
    {"max pool 2x2", pool, 1.25},
    {"  backward", pool_back, 2.25},
    {"average pool 2x2", average, 1.25},
    {"  backward", average_back, 1.25},
    {"average pool, global", global, 1},
    {"  backward", global_back, 1},
    {"batch norm, relu, pool", norm_pool, 1.25},
    {"  backward: sums", norm_pool_sums, 1.25},
    {"  backward: gradient", norm_pool_back, 2.25},
};

static double best_of(struct bench *b, void (*work)(struct bench *))
{
    double best = HUGE_VAL;
    int64_t repeats = SMALL / b->n + 1; /* a small map takes no longer than to read the clock */
    for (int i = 0; i < ROUNDS + WARM; i++) {
        double start = seconds();
        for (int64_t k = 0; k < repeats; k++)
            work(b);
        double taken = (seconds() - start) / (double)repeats;
        if (i >= WARM && taken < best)
            best = taken;
    }
    return best;
}

static void put(const struct bench *b, void *to, int64_t i, double value)
{
    if (b->table->element == ELEMENT_F64)
        ((double *)to)[i] = value;
    else
        ((float *)to)[i] = (float)value;
}

static void bench_fill(struct bench *b)
{
    uint32_t state = 1;
    for (int64_t i = 0; i < b->n; i++) {
        state = state * 1664525U + 1013904223U;
        put(b, b->x, i, (double)(state >> 8) / 8388608.0 - 1);
        put(b, b->dy, i, (double)(state >> 9) / 8388608.0 - 0.5);
        b->bytes[i] = (uint8_t)(state >> 24);
        if (i < b->n / 4)
            put(b, b->small, i, 1);
    }
    for (int64_t c = 0; c < b->channels; c++) {
        put(b, b->gamma, c, 1);
        put(b, b->beta, c, 0.1);
        b->sums[c] = b->sums[b->channels + c] = 1;
    }
    moments(b);
    b->table->norm_keep(b->channels, b->sums, b->sums + b->channels, 1e-5, b->kept);
    b->table->norm_coefficients(b->channels, b->kept, b->gamma, b->beta, b->coefficients);
}

static void works_run(struct bench *b, const struct kernel_peak *peak)
{
    const long cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
    const double map = (double)b->n * (double)b->size;
    double copied = 0;
    int below = 0, count = (int)(sizeof(works) / sizeof(works[0]));
    for (int i = 0; i < count; i++) {
        const bool fits = works[i].maps * map <= 0.9 * (double)cache;
        const double taken = best_of(b, works[i].work), speed = works[i].maps * map / taken;
        copied = i == 0 ? speed : copied;
        const double share = speed / (fits ? fmax(peak->cached_bytes, copied) : peak->bytes);
        below += share < AIM;
        printf("  %-26s %8.3f ms  %7.2f GB/s  %5.2f of memcpy  %5.2f of %s%s\n", works[i].name, taken * 1e3,
               speed / 1e9, speed / copied, share, fits ? "L2" : "memory", share < AIM ? "  below the aim" : "");
    }
    printf("  %d of %d at %.1f or more\n", count - below, count, AIM);
}

static enum status bench_run(struct context *ctx, const struct kernels *table, const struct kernel_peak *peak,
                             int64_t batch, int64_t side, int64_t channels)
{
    struct bench b = {.table = table, .batch = batch, .side = side, .channels = channels, .rows = batch * side * side};
    b.n = b.rows * channels;
    b.size = element_size(table->element);
    b.pool = (struct pool_shape){.samples = batch,
                                 .height = side,
                                 .width = side,
                                 .channels = channels,
                                 .out_height = side / 2,
                                 .out_width = side / 2,
                                 .kernel = {2, 2},
                                 .stride = {2, 2}};
    b.global = (struct pool_shape){.samples = batch,
                                   .height = side,
                                   .width = side,
                                   .channels = channels,
                                   .out_height = 1,
                                   .out_width = 1,
                                   .kernel = {side, side},
                                   .stride = {1, 1}};
    void **const maps[] = {&b.x, &b.y, &b.dy, &b.dx, &b.small};
    void **const rows[] = {&b.gamma, &b.beta, &b.kept, &b.coefficients, &b.scratch};
    for (int i = 0; i < 5; i++) {
        *maps[i] = memory_new(ctx, (size_t)b.n, b.size);
        *rows[i] = memory_new(ctx, 1, norm_sums_scratch(channels) + norm_coefficient_bytes(channels));
    }
    b.sums = memory_new(ctx, 2 * (size_t)channels, sizeof(double));
    b.bytes = memory_new(ctx, (size_t)b.n, 1);
    if (ctx->error.status == STATUS_OK) {
        printf("%s %s, map [%lld,%lld,%lld,%lld], %.1f MB\n", table->level, element_text(table->element),
               (long long)batch, (long long)side, (long long)side, (long long)channels,
               (double)b.n * (double)b.size / 1e6);
        bench_fill(&b);
        works_run(&b, peak);
    }
    for (int i = 0; i < 5; i++) {
        memory_free(ctx, *maps[i]);
        memory_free(ctx, *rows[i]);
    }
    memory_free(ctx, b.sums);
    memory_free(ctx, b.bytes);
    return ctx->error.status;
}

int main(int argc, char **argv)
{
    long size[3] = {128, 28, 12};
    for (int i = 1; i < argc && i <= 3; i++)
        size[i - 1] = strtol(argv[i], NULL, 10);
    if (size[0] < 1 || size[1] < 2 || size[2] < 1) {
        fprintf(stderr, "memory_bound: expected a batch, a side of at least 2 and channels\n");
        return 2;
    }
    struct context ctx;
    context_init(&ctx);
    struct kernel_context *kernels = kernel_context_new(&ctx, 1);
    enum status status = ctx.error.status;
    struct kernel_peak peak;
    if (status == STATUS_OK)
        status = kernel_peak_measure(kernels, ELEMENT_F32, &peak);
    if (status == STATUS_OK)
        printf("bandwidth: memory %.1f GB/s, L2 %.1f GB/s\n", peak.bytes / 1e9, peak.cached_bytes / 1e9);
    static const enum element elements[] = {ELEMENT_F32, ELEMENT_F64};
    for (int i = 0; status == STATUS_OK && i < 2; i++)
        status = bench_run(&ctx, kernels_of(kernels, elements[i]), &peak, size[0], size[1], size[2]);
    if (status != STATUS_OK)
        fprintf(stderr, "memory_bound: %s\n", ctx.error.message);
    kernel_context_free(kernels);
    return status == STATUS_OK ? 0 : 1;
}
