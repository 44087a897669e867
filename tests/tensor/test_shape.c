/* test_shape.c: arithmetic of shapes. */
#include "tensor/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(struct shape shape, const char *expected)
{
    char text[SHAPE_TEXT_SIZE];
    assert_string_equal(shape_text(&shape, text), expected);
}

static void test_text(void **state)
{
    (void)state;
    assert_text(SHAPE_SCALAR, "[]");
    assert_text(SHAPE(SHAPE_BATCH, 28, 28, 1), "[B,28,28,1]");
    assert_text(SHAPE(-2, 3), "[2B,3]");
    assert_text(SHAPE(0), "[0]");
    struct shape widest = SHAPE(INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN);
    char text[SHAPE_TEXT_SIZE];
    assert_int_equal(strlen(shape_text(&widest, text)), SHAPE_TEXT_SIZE - 1);
}

static void test_equal(void **state)
{
    (void)state;
    struct shape a = SHAPE(2, 3), b = SHAPE(2, 3), c = SHAPE(3, 2), d = SHAPE(2, 3, 1);
    assert_true(shape_equal(&a, &b));
    assert_false(shape_equal(&a, &c));
    assert_false(shape_equal(&a, &d));
    b.dim[4] = 9; /* what lies beyond the rank does not count */
    assert_true(shape_equal(&a, &b));
}

static int64_t elements(struct shape shape)
{
    return shape_elements(&shape);
}

static int64_t row(struct shape shape)
{
    return shape_row(&shape);
}

static void test_elements(void **state)
{
    (void)state;
    assert_int_equal(elements(SHAPE_SCALAR), 1);
    assert_int_equal(elements(SHAPE(4, 5, 6)), 120);
    assert_int_equal(elements(SHAPE(4, 0, 6)), 0);
    assert_int_equal(elements(SHAPE(SHAPE_BATCH, 5)), -1);
    assert_int_equal(elements(SHAPE(0, SHAPE_BATCH)), -1);
    assert_int_equal(elements(SHAPE(1 << 16, 1 << 15)), INT64_C(1) << 31);
    assert_int_equal(elements(SHAPE(1 << 16, 1 << 15, 2)), -1);
    assert_int_equal(elements(SHAPE((INT64_C(1) << 31) + 1)), -1);
    assert_int_equal(elements(SHAPE(INT64_MAX, INT64_MAX)), -1);
    assert_int_equal(elements(SHAPE(INT64_MAX, INT64_MAX, 0)), 0);
    assert_int_equal(row(SHAPE(SHAPE_BATCH, 5, 7)), 35);
    assert_int_equal(row(SHAPE(9)), 1);
    assert_int_equal(row(SHAPE_SCALAR), 1);
    assert_int_equal(row(SHAPE(2, SHAPE_BATCH)), -1);
}

static void test_batch_is_bound(void **state)
{
    (void)state;
    struct shape symbolic = SHAPE(SHAPE_BATCH, 28, -2);
    assert_true(shape_symbolic(&symbolic));
    struct shape bound = shape_bind(&symbolic, 16), expected = SHAPE(16, 28, 32);
    assert_true(shape_equal(&bound, &expected));
    assert_false(shape_symbolic(&bound));
    bound = shape_bind(&bound, 3);
    assert_true(shape_equal(&bound, &expected));
    struct shape huge = SHAPE(INT64_MIN, 1);
    bound = shape_bind(&huge, 16);
    assert_int_equal(shape_elements(&bound), -1);
    huge = SHAPE(-(INT64_MAX / 2), 1);
    bound = shape_bind(&huge, 16);
    assert_int_equal(shape_elements(&bound), -1);
    bound = shape_bind(&huge, 0);
    assert_int_equal(shape_elements(&bound), 0);
}

static void assert_broadcast(struct shape a, struct shape b, struct shape expected)
{
    struct shape out;
    assert_true(shape_broadcast(&a, &b, &out));
    assert_true(shape_equal(&out, &expected));
    assert_true(shape_broadcast(&b, &a, &out));
    assert_true(shape_equal(&out, &expected));
}

static void assert_no_broadcast(struct shape a, struct shape b)
{
    struct shape out = SHAPE(7);
    assert_false(shape_broadcast(&a, &b, &out));
    assert_false(shape_broadcast(&b, &a, &out));
    assert_int_equal(out.dim[0], 7); /* untouched */
}

static void test_broadcast(void **state)
{
    (void)state;
    assert_broadcast(SHAPE_SCALAR, SHAPE(2, 3), SHAPE(2, 3));
    assert_broadcast(SHAPE(3), SHAPE(2, 3), SHAPE(2, 3));
    assert_broadcast(SHAPE(2, 1), SHAPE(1, 3), SHAPE(2, 3));
    assert_broadcast(SHAPE(SHAPE_BATCH, 1), SHAPE(10), SHAPE(SHAPE_BATCH, 10));
    assert_broadcast(SHAPE(SHAPE_BATCH, 4, 4, 8), SHAPE(1, 1, 1, 8), SHAPE(SHAPE_BATCH, 4, 4, 8));
    assert_broadcast(SHAPE(0), SHAPE(1), SHAPE(0));
    assert_no_broadcast(SHAPE(2), SHAPE(3));
    assert_no_broadcast(SHAPE(SHAPE_BATCH), SHAPE(16));
    assert_no_broadcast(SHAPE(SHAPE_BATCH), SHAPE(-2));
    assert_no_broadcast(SHAPE(2, 3), SHAPE(2));
    struct shape a = SHAPE(2, 1), b = SHAPE(3);
    assert_true(shape_broadcast(&a, &b, &a)); /* out may be one of them */
    assert_int_equal(a.dim[1], 3);
}

static void test_elements_have_sizes_and_names(void **state)
{
    (void)state;
    assert_int_equal(element_size(ELEMENT_REAL), 0);
    assert_int_equal(element_size(ELEMENT_F32), sizeof(float));
    assert_int_equal(element_size(ELEMENT_F64), sizeof(double));
    assert_int_equal(element_size(ELEMENT_U8), 1);
    assert_int_equal(element_size(ELEMENT_I32), sizeof(int32_t));
    assert_int_equal(element_size(ELEMENT_I64), sizeof(int64_t));
    assert_string_equal(element_text(ELEMENT_REAL), "real");
    assert_string_equal(element_text(ELEMENT_I64), "i64");
}

static void test_text_of_a_sample(void **state)
{
    const struct shape map = SHAPE(SHAPE_BATCH, 5, 7, 3), tokens = SHAPE(SHAPE_BATCH, 9, 4), row = SHAPE(8, 10);
    char text[SHAPE_TEXT_SIZE];
    (void)state;
    assert_string_equal(shape_sample_text(&map, text), "[3,5,7]");
    assert_string_equal(shape_sample_text(&tokens, text), "[9,4]");
    assert_string_equal(shape_sample_text(&row, text), "[10]");
    assert_string_equal(shape_sample_text(&SHAPE_SCALAR, text), "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_of_a_sample),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_batch_is_bound),
        cmocka_unit_test(test_broadcast),
        cmocka_unit_test(test_elements_have_sizes_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
