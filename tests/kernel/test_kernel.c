/* The kernel context: levels are lowered by RETORT_LEVEL, kernels forced by RETORT_KERNELS, and wrong words are refused. */
#include "kernel/kernel.h"

#include "kernel/dnnl.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct kernel_context *with(struct context *ctx, const char *name, const char *value)
{
    context_init(ctx);
    setenv(name, value, 1);
    struct kernel_context *kernels = kernel_context_new(ctx, 0);
    unsetenv(name);
    return kernels;
}

static void the_lowest_level_can_always_be_asked_for(void **state)
{
    (void)state;
    struct context ctx;
    struct kernel_context *plain = with(&ctx, "RETORT_LEVEL", "");
    assert_non_null(plain);
    assert_int_equal(plain->threads, 1);
    assert_int_equal(kernels_of(plain, ELEMENT_F32)->element, ELEMENT_F32);
    assert_int_equal(kernels_of(plain, ELEMENT_F64)->element, ELEMENT_F64);
    assert_string_equal(plain->f32->level, plain->f64->level);
    kernel_context_free(plain);
#if defined(__x86_64__)
    struct kernel_context *lowest = with(&ctx, "RETORT_LEVEL", "v2");
    assert_non_null(lowest);
    assert_string_equal(lowest->f32->level, "v2");
    kernel_context_free(lowest);
#endif
    kernel_context_free(NULL);
}

/* The library's threads are the context's, whatever was made on this thread in between. */
static void the_library_has_its_context_s_threads(void **state)
{
    (void)state;
#ifdef _OPENMP
    enum { SIDE = 64 };
    static float a[SIDE * SIDE], b[SIDE * SIDE], c[SIDE * SIDE];
    const struct product_shape shape = {
        .m = SIDE, .n = SIDE, .k = SIDE, .a_row = SIDE, .a_k = 1, .b_k = SIDE, .b_n = 1, .c_row = SIDE, .limit = -1};
    struct context ctx;
    context_init(&ctx);
    struct kernel_context *all = kernel_context_new(&ctx, 3), *one = kernel_context_new(&ctx, 1);
    struct onednn_pass *passes[2];
    assert_true(all != NULL && one != NULL);
    kernel_context_widen(one, 3);
    assert_int_equal(onednn_product_new(all, &shape, false, &passes[0]), STATUS_OK);
    assert_int_equal(onednn_product_new(one, &shape, false, &passes[1]), STATUS_OK);
    for (int i = 0; i < 4; i++) {
        void *scratch = malloc(onednn_scratch_bytes(passes[i % 2]) + 64);
        onednn_product(passes[i % 2], a, b, NULL, c, (void *)(((uintptr_t)scratch + 63) / 64 * 64));
        assert_int_equal(omp_get_max_threads(), i % 2 == 0 ? 3 : 1);
        free(scratch);
    }
    for (int i = 0; i < 2; i++)
        onednn_pass_free(passes[i]);
    kernel_context_free(all);
    kernel_context_free(one);
#endif
}

static void wrong_words_are_refused(void **state)
{
    (void)state;
    struct context ctx;
    assert_null(with(&ctx, "RETORT_LEVEL", "v9"));
    assert_int_equal(ctx.error.status, STATUS_BAD_INPUT);
    assert_non_null(strstr(ctx.error.message, "RETORT_LEVEL: no level \"v9\""));
    assert_null(with(&ctx, "RETORT_KERNELS", "fast"));
    assert_string_equal(ctx.error.message, "RETORT_KERNELS: expected own or library, found \"fast\"");
}

static void kernels_can_be_forced(void **state)
{
    (void)state;
    struct context ctx;
    const char *const words[] = {"own", "library"};
    const enum kernel_choice choices[] = {KERNEL_CHOICE_OWN, KERNEL_CHOICE_LIBRARY};
    for (int i = 0; i < 2; i++) {
        struct kernel_context *kernels = with(&ctx, "RETORT_KERNELS", words[i]);
        assert_non_null(kernels);
        assert_int_equal(kernels->choice, choices[i]);
        kernel_context_free(kernels);
    }
}

static void memory_that_runs_out_is_reported(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        struct context ctx;
        context_init(&ctx);
        ctx.allocator.fail_at = n;
        assert_null(kernel_context_new(&ctx, 1));
        assert_int_equal(ctx.error.status, STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_level_can_always_be_asked_for),
        cmocka_unit_test(the_library_has_its_context_s_threads),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(kernels_can_be_forced),
        cmocka_unit_test(memory_that_runs_out_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
