/* kernel.c: which of the tables this machine can run. */
#include "kernel/kernel.h"

#include "base/crew.h"
#include "kernel/dnnl.h"

#include <stdlib.h>
#include <string.h>

/* The levels, lowest first; table.c of each build defines its two tables. */
#if defined(__x86_64__) && defined(KERNEL_WITHOUT_V4) /* cmake/Rooms.cmake: a build that only checks */
#define LEVELS(X) X(v2) X(v3)
#elif defined(__x86_64__)
#define LEVELS(X) X(v2) X(v3) X(v4)
#else
#define LEVELS(X) X(generic)
#endif

#define X(level) extern const struct kernels kernels_##level##_f32, kernels_##level##_f64;
LEVELS(X)
#undef X

static const struct {
    const char *name;
    const struct kernels *f32, *f64;
} levels[] = {
#define X(level) {#level, &kernels_##level##_f32, &kernels_##level##_f64},
    LEVELS(X)
#undef X
};

enum { LEVEL_COUNT = sizeof levels / sizeof *levels };

/* The highest level that the CPU has, or -1. */
static int level_of_cpu(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt"))
        return -1;
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2"))
        return 0;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
        return 1;
    return LEVEL_COUNT - 1;
#else
    return 0;
#endif
}

static enum status choose_level(struct context *ctx, int *level)
{
    *level = level_of_cpu();
    if (*level < 0)
        return fail(ctx, STATUS_UNSUPPORTED, "this CPU has no SSE4.2; Retort needs x86-64-v2 or later");
    const char *wanted = getenv("RETORT_LEVEL");
    if (!wanted || !*wanted)
        return STATUS_OK;
    for (int i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(wanted, levels[i].name) == 0) {
            *level = i < *level ? i : *level;
            return STATUS_OK;
        }
    }
    return fail(ctx, STATUS_BAD_INPUT, "RETORT_LEVEL: no level \"%s\"; expected one of %s to %s", wanted,
                levels[0].name, levels[LEVEL_COUNT - 1].name);
}

static enum status choose_kernels(struct context *ctx, enum kernel_choice *choice)
{
    const char *wanted = getenv("RETORT_KERNELS");
    *choice = KERNEL_CHOICE_MEASURED;
    if (!wanted || !*wanted)
        return STATUS_OK;
    if (strcmp(wanted, "own") == 0)
        *choice = KERNEL_CHOICE_OWN;
    else if (strcmp(wanted, "library") == 0)
        *choice = KERNEL_CHOICE_LIBRARY;
    else
        return fail(ctx, STATUS_BAD_INPUT, "RETORT_KERNELS: expected own or library, found \"%s\"", wanted);
    return STATUS_OK;
}

struct kernel_context *kernel_context_new(struct context *ctx, int threads)
{
    int level;
    enum kernel_choice choice;
    if (choose_level(ctx, &level) != STATUS_OK || choose_kernels(ctx, &choice) != STATUS_OK)
        return NULL;
    struct kernel_context *kernels = memory_new(ctx, 1, sizeof *kernels);
    if (!kernels)
        return NULL;
    kernels->ctx = ctx;
    kernels->choice = choice;
    kernels->f32 = levels[level].f32;
    kernels->f64 = levels[level].f64;
    kernels->threads = kernels->library_threads = threads < 1 ? 1 : threads;
    if (dnnl_state_new(ctx, kernels->library_threads, &kernels->dnnl) != STATUS_OK) {
        kernel_context_free(kernels);
        return NULL;
    }
    return kernels;
}

void kernel_context_widen(struct kernel_context *kernels, int threads)
{
    if (kernels->threads < threads)
        kernels->threads = threads;
}

enum status kernel_context_crew(struct kernel_context *kernels, int size)
{
    if (kernels->crew_size >= size)
        return STATUS_OK;
    struct crew *larger = crew_new(kernels->ctx, size);
    if (!larger)
        return kernels->ctx->error.status;
    crew_free(kernels->crew);
    kernels->crew = larger;
    kernels->crew_size = size;
    return STATUS_OK;
}

void kernel_context_free(struct kernel_context *kernels)
{
    if (!kernels)
        return;
    crew_free(kernels->crew);
    dnnl_state_free(kernels->dnnl);
    memory_free(kernels->ctx, kernels);
}

const struct kernels *kernels_of(const struct kernel_context *kernels, enum element element)
{
    return element == ELEMENT_F64 ? kernels->f64 : kernels->f32;
}
