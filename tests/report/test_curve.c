/* test_curve.c: a long series becomes a short one that says the same. */
#include "report/curve.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { LONG = 10007 };

static void short_series_stay_as_they_are(void **state)
{
    (void)state;
    struct context ctx;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    const int64_t x[] = {1, 2, 3, 4};
    const double y[] = {0.5, NAN, 0.25, INFINITY};
    struct curve curve;
    assert_int_equal(curve_thin(arena, x, y, 4, &curve), STATUS_OK);
    assert_int_equal(curve.count, 2);
    assert_true(curve.x[0] == 1 && curve.y[0] == 0.5 && curve.x[1] == 3 && curve.y[1] == 0.25);
    assert_int_equal(curve_thin(arena, NULL, NULL, 0, &curve), STATUS_OK);
    assert_int_equal(curve.count, 0);
    arena_free(arena);
}

static void long_series_keep_level_and_ends(void **state)
{
    (void)state;
    static int64_t x[LONG];
    static double y[LONG];
    struct context ctx;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    struct curve curve;
    for (int i = 0; i < LONG; i++) {
        x[i] = i + 1;
        y[i] = 3.0 * (i + 1) + (i % 2 ? 1000 : -1000); /* a line under loud noise */
    }
    assert_int_equal(curve_thin(arena, x, y, LONG, &curve), STATUS_OK);
    assert_int_equal(curve.count, CURVE_POINTS_MAX);
    assert_true(curve.x[0] < 40 && curve.x[curve.count - 1] > LONG - 40);
    for (size_t i = 0; i < curve.count; i++) {
        assert_true(i == 0 || curve.x[i] > curve.x[i - 1]);
        assert_true(fabs(curve.y[i] - 3 * curve.x[i]) < 100);
    }
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_series_stay_as_they_are),
        cmocka_unit_test(long_series_keep_level_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
