/* Rows of samples from memory and from files, in both precisions, and float16 bit by bit. */
#include "base/random.h"
#include "graph/ops.h"
#include "graph/program.h"
#include "graph/store.h"
#include "support/compare.h"
#include "support/fault_loop.h"
#include "support/small_files.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 6, WIDTH = 4, MANY = 5000, ASKED = 7 };

static const int32_t asked[ASKED] = {5, 0, -1, 3, 6, 3, INT32_MAX}; /* in no order, twice, and none of them */
static const char path[] = "rows";

/* How the numbers lie in a file. */
struct kept {
    enum element element;
    bool half;
    size_t bytes; /* of one */
};
static const struct kept ways[] = {{ELEMENT_F32, false, 4}, {ELEMENT_F64, false, 8}, {ELEMENT_F32, true, 2}};
enum { WAYS = 3 };

/* number: element i of the rows; a float16 holds it exactly, and in float64 there is more of it where the file can hold that. */
static double number(const struct kept *kept, int64_t i)
{
    const double rough = (double)(i % 1999 - 999) / 8;
    return kept->element == ELEMENT_F64 ? rough + 1e-11 * (double)(i % 7) : rough;
}

static void number_put(const struct kept *kept, unsigned char *at, double value)
{
    const uint16_t half = half_from((float)value);
    const float single = (float)value;
    memcpy(at,
           kept->half                     ? (const void *)&half
           : kept->element == ELEMENT_F32 ? (const void *)&single
                                          : &value,
           kept->bytes);
}

static void file_make(const struct kept *kept, int64_t rows, int64_t width)
{
    unsigned char *bytes = malloc((size_t)(rows * width) * kept->bytes);
    assert_non_null(bytes);
    for (int64_t i = 0; i < rows * width; i++)
        number_put(kept, bytes + (size_t)i * kept->bytes, number(kept, i));
    file_put(path, bytes, (size_t)(rows * width) * kept->bytes);
    free(bytes);
}

static struct context ctx;

static int set_up(void **state)
{
    (void)state;
    counted_context(&ctx);
    return 0;
}

static struct store *opened(const struct kept *kept, int64_t rows, struct shape row)
{
    struct store *store = store_open(&ctx, "s", path, kept->element, kept->half, rows, row);
    if (!store)
        fail_msg("%s", ctx.error.message);
    return store;
}

/* rows_check: what is asked of the store are these numbers, in both precisions. */
static void rows_check(const struct store *store, const struct kept *kept, int64_t rows)
{
    const int64_t n = ASKED * store->row_elements;
    double *expected = calloc((size_t)n, sizeof *expected), *found = malloc((size_t)n * sizeof *found);
    assert_true(expected && found);
    for (int64_t i = 0; i < n; i++) {
        const int64_t row = asked[i / store->row_elements];
        if (row >= 0 && row < rows)
            expected[i] = number(kept, row * store->row_elements + i % store->row_elements);
    }
    memset(found, 0xff, (size_t)n * sizeof *found);
    store_rows(store, asked, ASKED, ELEMENT_F64, found);
    assert_memory_equal(expected, found, (size_t)n * sizeof *found);
    memset(found, 0xff, (size_t)n * sizeof *found);
    store_rows(store, asked, ASKED, ELEMENT_F32, found);
    for (int64_t i = 0; i < n; i++)
        assert_true(((const float *)(const void *)found)[i] == (float)expected[i]);
    free(expected);
    free(found);
}

/* refused: the last call failed so, with these words in its message. */
static void refused(enum status status, const char *words)
{
    assert_int_equal(ctx.error.status, status);
    if (!strstr(ctx.error.message, words))
        fail_msg("expected \"%s\" in: %s", words, ctx.error.message);
    error_clear(&ctx);
}

/* --- memory --- */

static void test_rows_in_memory(void **state)
{
    (void)state;
    const int before = counted_blocks();
    for (int way = 0; way < 2; way++) {
        const struct kept *kept = &ways[way];
        unsigned char row[WIDTH * sizeof(double)];
        double found[2 * WIDTH];
        struct store *store = store_new(&ctx, "s", kept->element, ROWS, SHAPE(2, WIDTH / 2));
        assert_non_null(store);
        assert_int_equal(store->row_elements, WIDTH);
        for (int r = ROWS - 1; r >= 0; r--) {
            assert_false(store_complete(store));
            store_rows(store, (int32_t[]){r, r + 1}, 2, ELEMENT_F64, found);
            for (int i = 0; i < WIDTH; i++) /* not yet written; the one before it was */
                assert_true(found[i] == 0 &&
                            found[WIDTH + i] == (r + 1 < ROWS ? number(kept, (r + 1) * WIDTH + i) : 0));
            for (int i = 0; i < WIDTH; i++)
                number_put(kept, row + (size_t)i * kept->bytes, number(kept, r * WIDTH + i));
            store_write(store, r, row);
        }
        assert_true(store_complete(store));
        rows_check(store, kept, ROWS);
        store_free(store);
    }
    store_free(NULL);
    assert_int_equal(counted_blocks(), before);
}

static void test_what_cannot_be_kept(void **state)
{
    (void)state;
    assert_null(store_new(&ctx, "s", ELEMENT_F32, 3, SHAPE(SHAPE_BATCH, 2)));
    refused(STATUS_BAD_SHAPE, "store \"s\": cannot keep 3 rows of shape [B,2]");
    assert_null(store_new(&ctx, "s", ELEMENT_F32, -1, SHAPE(2)));
    refused(STATUS_BAD_SHAPE, "cannot keep -1 rows of shape [2]");
}

/* --- files --- */

static void test_rows_in_a_file(void **state)
{
    (void)state;
    const int before = counted_blocks();
    for (int way = 0; way < WAYS; way++) {
        file_make(&ways[way], ROWS, WIDTH);
        struct store *store = opened(&ways[way], ROWS, SHAPE(2, WIDTH / 2));
        assert_true(store_complete(store));
        rows_check(store, &ways[way], ROWS);
        store_free(store);
        file_make(&ways[way], ROWS, MANY); /* more than is converted at once */
        store = opened(&ways[way], ROWS, SHAPE(MANY));
        rows_check(store, &ways[way], ROWS);
        store_free(store);
        file_put(path, "", 0); /* no rows, and rows of nothing */
        store = opened(&ways[way], 0, SHAPE(WIDTH));
        rows_check(store, &ways[way], 0);
        store_free(store);
    }
    assert_int_equal(counted_blocks(), before);
}

/* part_put: numbers of some rows of a file of holes. */
static void part_put(const struct kept *kept, int file, int64_t row, int64_t width)
{
    unsigned char bytes[WIDTH * sizeof(double)];
    for (int64_t i = 0; i < width; i++)
        number_put(kept, bytes + (size_t)i * kept->bytes, number(kept, row * width + i));
    assert_int_equal(pwrite(file, bytes, (size_t)width * kept->bytes, (off_t)(row * width) * (off_t)kept->bytes),
                     width * (int64_t)kept->bytes);
}

/* A large file is read, so that one that was cut behind our back is not a number instead of the end of the process. */
static void test_rows_in_a_large_file(void **state)
{
    (void)state;
    for (int way = 0; way < WAYS; way++) {
        const struct kept *kept = &ways[way];
        const int64_t bytes = WIDTH * (int64_t)kept->bytes, rows = (80 << 20) / bytes, last = rows - 1;
        const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
        double found[3 * WIDTH];
        float single[3 * WIDTH];
        assert_true(file >= 0);
        assert_int_equal(ftruncate(file, (off_t)(rows * bytes)), 0);
        for (int r = 0; r < ROWS; r++)
            part_put(kept, file, r, WIDTH);
        part_put(kept, file, last, WIDTH);
        struct store *store = opened(kept, rows, SHAPE(WIDTH));
        store_rows(store, (int32_t[]){(int32_t)last, (int32_t)(last - 1), 4}, 3, ELEMENT_F64, found);
        for (int i = 0; i < WIDTH; i++)
            assert_true(found[i] == number(kept, last * WIDTH + i) && found[WIDTH + i] == 0 &&
                        found[2 * WIDTH + i] == number(kept, 4 * WIDTH + i));
        assert_int_equal(ftruncate(file, (off_t)((ROWS - 1) * bytes + 1)), 0);
        store_rows(store, (int32_t[]){ROWS - 1, 4, (int32_t)last}, 3, ELEMENT_F64, found);
        store_rows(store, (int32_t[]){ROWS - 1, 4, (int32_t)last}, 3, ELEMENT_F32, single);
        for (int i = 0; i < WIDTH; i++) {
            assert_true(isnan(found[i]) && isnan(found[2 * WIDTH + i]) && isnan(single[i]) &&
                        isnan(single[2 * WIDTH + i]));
            assert_true(found[WIDTH + i] == number(kept, 4 * WIDTH + i) &&
                        (double)single[WIDTH + i] == (double)(float)found[WIDTH + i]);
        }
        store_free(store);
        close(file);
        unlink(path);
    }
}

static void test_a_file_that_does_not_fit(void **state)
{
    (void)state;
    const int before = counted_blocks();
    assert_null(store_open(&ctx, "s", "nowhere", ELEMENT_F32, false, ROWS, SHAPE(WIDTH)));
    refused(STATUS_IO, "nowhere: cannot be read: No such file");
    for (int way = 0; way < WAYS; way++)
        for (int rows = ROWS - 1; rows <= ROWS + 1; rows += 2) {
            char expected[96];
            file_make(&ways[way], rows, WIDTH);
            snprintf(expected, sizeof expected, "rows: expected %zu bytes, found %zu; remove it",
                     ROWS * WIDTH * ways[way].bytes, (size_t)rows * WIDTH * ways[way].bytes);
            assert_null(store_open(&ctx, "s", path, ways[way].element, ways[way].half, ROWS, SHAPE(WIDTH)));
            refused(STATUS_BAD_INPUT, expected);
        }
    assert_int_equal(counted_blocks(), before);
}

/* --- as ops --- */

static void test_a_graph_reads_a_file(void **state)
{
    (void)state;
    for (int way = 0; way < WAYS; way++)
        for (int element = ELEMENT_F32; element <= ELEMENT_F64; element++) {
            struct kernel_context *kernels = kernel_context_new(&ctx, 1);
            struct program_memory *memory = program_memory_new(&ctx);
            struct graph *graph = graph_new(&ctx);
            struct program *program = NULL;
            file_make(&ways[way], ROWS, WIDTH);
            struct store *store = opened(&ways[way], ROWS, SHAPE(2, WIDTH / 2));
            assert_true(kernels && memory && graph);
            struct node *rows = graph_input(graph, "rows", ELEMENT_I32, SHAPE(SHAPE_BATCH));
            struct node *outputs[] = {graph_store_read(graph, store, rows), graph_store_valid(graph, store, rows)};
            const struct program_spec spec = {
                .outputs = outputs, .n_outputs = 2, .batch = ASKED, .precision = (enum element)element};
            if (!outputs[0] || !outputs[1] || program_compile(graph, &spec, kernels, memory, &program) != STATUS_OK ||
                program_run(program, &(struct bindings){.inputs = (const void *[]){asked}}, 0) != STATUS_OK)
                fail_msg("%s", ctx.error.message);
            const struct shape expected = SHAPE(SHAPE_BATCH, 2, WIDTH / 2);
            assert_true(shape_equal(&outputs[0]->spec.shape, &expected));
            for (int i = 0; i < ASKED * WIDTH; i++) {
                const int32_t row = asked[i / WIDTH];
                const bool there = row >= 0 && row < ROWS;
                const double value = there ? number(&ways[way], row * WIDTH + i % WIDTH) : 0;
                const double found = element_read((enum element)element, program_output(program, 0), i);
                assert_true(found == (element == ELEMENT_F64 ? value : (double)(float)value));
                assert_true(element_read((enum element)element, program_output(program, 1), i / WIDTH) == there);
            }
            program_free(program);
            graph_free(graph);
            program_memory_free(memory);
            kernel_context_free(kernels);
            store_free(store);
        }
}

/* --- float16 --- */

/* half_value: what IEEE 754 says that these bits are. */
static double half_value(unsigned bits)
{
    const int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return fraction ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25));
}

/* half_nearest: the value of the float16 nearest to x, of two the even one. */
static double half_nearest(double x)
{
    int exponent;
    if (isnan(x) || isinf(x) || x == 0)
        return x;
    frexp(x, &exponent); /* x = m * 2^exponent, 1/2 <= |m| < 1 */
    const double unit = ldexp(1, exponent - 11 < -24 ? -24 : exponent - 11), rounded = nearbyint(x / unit) * unit;
    return fabs(rounded) >= 65536 ? copysign((double)INFINITY, x) : rounded;
}

static bool alike(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

static void half_check(float x)
{
    const double found = half_value(half_from(x)), expected = half_nearest((double)x);
    if (!alike(expected, found))
        fail_msg("%a: expected %a, found %a", (double)x, expected, found);
}

static void test_every_half(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 0x10000; bits++) {
        const float value = half_to((uint16_t)bits);
        if (!alike(half_value(bits), (double)value))
            fail_msg("%04x: expected %a, found %a", bits, half_value(bits), (double)value);
        if (isnan(value))
            assert_true(isnan(half_to(half_from(value))));
        else
            assert_int_equal(half_from(value), bits);
        /* Half-way to the next, and just beside that. */
        if (isinf(value) || isnan(value))
            continue;
        const double next = fabs(half_value(bits)) == 65504 ? copysign(65536, (double)value) : half_value(bits + 1);
        const float middle = (float)(((double)value + next) / 2);
        half_check(middle);
        half_check(nextafterf(middle, INFINITY));
        half_check(nextafterf(middle, -INFINITY));
    }
}

static void test_random_floats_round_to_the_nearest_half(void **state)
{
    (void)state;
    const struct random_key key = {2, random_stream("halves"), 0};
    for (uint64_t i = 0; i < 1000000; i++) {
        const uint32_t bits = random_u32(&key, i);
        float any;
        memcpy(&any, &bits, sizeof any);
        half_check(any);
        half_check((float)(ldexp((double)bits, -32) * 16 - 8)); /* of the size of logits */
        half_check(ldexpf((float)(bits >> 8), -44));            /* below 2^-14 for the most part */
    }
}

/* --- lacking memory --- */

static enum status open_work(struct context *with, void *user)
{
    const struct kept *kept = user;
    struct store *store = store_open(with, "s", path, kept->element, kept->half, ROWS, SHAPE(WIDTH));
    assert_true(store || with->error.status != STATUS_OK);
    store_free(store);
    return with->error.status;
}

static enum status new_work(struct context *with, void *user)
{
    (void)user;
    struct store *store = store_new(with, "s", ELEMENT_F32, ROWS, SHAPE(WIDTH));
    assert_true(store || with->error.status != STATUS_OK);
    store_free(store);
    return with->error.status;
}

static void test_lacking_memory(void **state)
{
    (void)state;
    assert_int_equal(fault_loop(new_work, NULL), 3);
    for (int way = 0; way < WAYS; way++) {
        struct kept kept = ways[way];
        file_make(&kept, ROWS, WIDTH);
        assert_int_equal(fault_loop(open_work, &kept), 3);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rows_in_memory),
        TEST(test_what_cannot_be_kept),
        TEST(test_rows_in_a_file),
        TEST(test_rows_in_a_large_file),
        TEST(test_a_file_that_does_not_fit),
        TEST(test_a_graph_reads_a_file),
        TEST(test_every_half),
        TEST(test_random_floats_round_to_the_nearest_half),
        TEST(test_lacking_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
