/* test_recorded.c: recorded outputs become the logits of the train split's samples; what does not go with the data, or is no
 * distribution, is refused with the row that says so. */
#include "format/json.h"
#include "format/npz.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/idx_files.h"
#include "train/recorded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { N = 600, HELD = 100, K = 4, SIDE = 4 };

/* The data, and arrays as a recording of it would have them. */
struct recorded_case {
    struct context ctx;
    struct arena *arena;
    struct data *data;
    float logits[N + 1][K], probabilities[N + 1][K], top_probabilities[N + 1][K];
    double wide[N][K];
    int64_t top_classes[N + 1][K];
    uint32_t crc[N + 1];
};

static struct recorded_case c; /* large, and the same for all tests; each fills it anew */

static enum status data_of(struct context *ctx, struct arena *arena, struct data **out)
{
    static const char text[] = "{\"idx\":{\"train_images\":\"images\",\"train_labels\":\"labels\"},\"validation\":100,"
                               "\"classes\":4}";
    struct value *section = NULL;
    RETURN_IF(json_parse(ctx, arena, "data", text, sizeof text - 1, &section));
    return data_open(ctx, arena, section, NULL, out);
}

/* Element k of row i: probabilities whose largest is class i % K. */
static double probability(int i, int k)
{
    static const double parts[K] = {0.6, 0.25, 0.1, 0.05};
    return parts[(k - i % K + K) % K];
}

static void case_new(void)
{
    memset(&c, 0, sizeof c);
    context_init(&c.ctx);
    c.ctx.log_level = LOG_QUIET;
    c.arena = arena_new(&c.ctx);
    idx_images_put("images", N, SIDE, SIDE, 0, 1);
    idx_labels_put("labels", N, K);
    if (data_of(&c.ctx, c.arena, &c.data) != STATUS_OK)
        fail_msg("%s", c.ctx.error.message);
    for (int i = 0; i <= N; i++) {
        unsigned char image[SIDE * SIDE];
        for (int j = 0; j < SIDE * SIDE; j++)
            image[j] = idx_byte(1, (int64_t)i * SIDE * SIDE + j);
        c.crc[i] = format_crc32(image, sizeof image);
        for (int k = 0; k < K; k++) {
            c.logits[i][k] = (float)(i * K + k) / 8 - 100;
            c.probabilities[i][k] = (float)probability(i, k);
            c.top_classes[i][k] = (i + k) % K; /* the likeliest first */
            c.top_probabilities[i][k] = (float)probability(i, (i + k) % K);
            if (i < N)
                c.wide[i][k] = probability(i, k);
        }
    }
}

static void case_free(void)
{
    data_free(&c.ctx, c.data);
    arena_free(c.arena);
}

struct array {
    const char *name;
    enum element element;
    struct shape shape;
    const void *data;
};

static void npz_put(const char *path, int count, const struct array *arrays)
{
    struct npz_writer *writer = npz_writer_new(&c.ctx, path);
    assert_non_null(writer);
    for (int i = 0; i < count; i++) {
        assert_int_equal(npz_writer_array(writer, arrays[i].name, arrays[i].element, &arrays[i].shape), STATUS_OK);
        assert_int_equal(npz_writer_rows(writer, arrays[i].data, arrays[i].shape.dim[0]), STATUS_OK);
    }
    assert_int_equal(npz_writer_finish(writer), STATUS_OK);
}

#define LOGITS(n) ((struct array){"logits", ELEMENT_F32, SHAPE(n, K), c.logits})
#define PROBABILITIES ((struct array){"probabilities", ELEMENT_F32, SHAPE(N, K), c.probabilities})
#define CRC(n) ((struct array){"crc32", ELEMENT_U32, SHAPE(n), c.crc})

/* The top arrays lie in rows of K; only the first k of each row go into the file. */
static float top_probabilities[(N + 1) * K];
static int64_t top_classes[(N + 1) * K];
static void top_put(const char *path, int k)
{
    for (int i = 0; i < N; i++)
        for (int j = 0; j < k; j++) {
            top_probabilities[i * k + j] = c.top_probabilities[i][j];
            top_classes[i * k + j] = c.top_classes[i][j];
        }
    const struct array arrays[] = {{"top_classes", ELEMENT_I64, SHAPE(N, k), top_classes},
                                   {"top_probabilities", ELEMENT_F32, SHAPE(N, k), top_probabilities},
                                   CRC(N)};
    npz_put(path, 3, arrays);
}

static struct recorded *opened(const char *path)
{
    struct recorded *recorded = NULL;
    if (recorded_open(&c.ctx, NULL, path, c.data, K, &recorded) != STATUS_OK)
        fail_msg("%s", c.ctx.error.message);
    assert_int_equal(recorded->logits->rows, N - HELD);
    assert_int_equal(recorded->logits->row_elements, K);
    assert_int_equal(recorded->logits->element, ELEMENT_F32);
    assert_true(store_complete(recorded->logits));
    return recorded;
}

static const float *row_of(const struct recorded *recorded, int i)
{
    return (const float *)recorded->logits->values + (size_t)i * K;
}

static void logits_are_kept_for_the_train_split(void **state)
{
    (void)state;
    case_new();
    static float maps[N][2][3];
    const struct array arrays[] = {{"stem", ELEMENT_F32, SHAPE(N, 2, 3), maps},
                                   LOGITS(N),
                                   CRC(N),
                                   {"note", ELEMENT_I64, SHAPE(N, K), c.top_classes},
                                   {"few", ELEMENT_F32, SHAPE(3, K), c.logits},
                                   {"flat", ELEMENT_F32, SHAPE(N, K), c.logits}};
    npz_put("a.npz", 6, arrays);
    struct recorded *recorded = opened("a.npz");
    assert_true(recorded->ordered);
    assert_memory_equal(row_of(recorded, 0), c.logits, (N - HELD) * sizeof c.logits[0]);
    assert_int_equal(recorded->n_features, 2);
    assert_string_equal(recorded->features[0].name, "stem");
    assert_int_equal(recorded->features[0].shape.rank, 3);
    assert_int_equal(recorded->features[0].shape.dim[2], 3);
    assert_string_equal(recorded->features[1].name, "flat");
    recorded_free(recorded);
    recorded_free(NULL);
    /* a split that does not begin with the file */
    struct split *train = &c.data->splits[SPLIT_TRAIN];
    const struct split whole = *train;
    train->first = 10;
    train->count = N - HELD - 10;
    c.data->splits[SPLIT_VALIDATION].count += 10; /* data_training counts both */
    assert_int_equal(recorded_open(&c.ctx, NULL, "a.npz", c.data, K, &recorded), STATUS_OK);
    assert_int_equal(recorded->logits->rows, N - HELD - 10);
    assert_memory_equal(row_of(recorded, 0), c.logits[10], (N - HELD - 10) * sizeof c.logits[0]);
    recorded_free(recorded);
    *train = whole;
    case_free();
}

static void probabilities_become_their_logarithms(void **state)
{
    (void)state;
    case_new();
    c.probabilities[2][0] = 0;
    c.probabilities[2][1] = 0;
    c.probabilities[2][2] = 1;
    c.probabilities[2][3] = 0;
    const struct array arrays[] = {PROBABILITIES, CRC(N)};
    npz_put("a.npz", 2, arrays);
    struct recorded *recorded = opened("a.npz");
    for (int i = 0; i < N - HELD; i++)
        for (int k = 0; k < K; k++)
            assert_true(fabs(row_of(recorded, i)[k] - log(i == 2 ? (k == 2 ? 1 : 1e-12) : probability(i, k))) < 1e-6);
    recorded_free(recorded);
    const struct array wide[] = {{"probabilities", ELEMENT_F64, SHAPE(N, K), c.wide}, CRC(N)};
    npz_put("a.npz", 2, wide);
    recorded = opened("a.npz");
    for (int k = 0; k < K; k++)
        assert_true(fabs(row_of(recorded, 7)[k] - log(probability(7, k))) < 1e-6);
    recorded_free(recorded);
    case_free();
}

static void the_top_classes_leave_the_rest_evenly(void **state)
{
    (void)state;
    case_new();
    const struct array dense[] = {PROBABILITIES, CRC(N)};
    npz_put("dense.npz", 2, dense);
    struct recorded *all = opened("dense.npz");
    top_put("top.npz", K);
    struct recorded *recorded = opened("top.npz");
    for (int i = 0; i < N - HELD; i++)
        for (int k = 0; k < K; k++)
            assert_true(fabs(row_of(recorded, i)[k] - row_of(all, i)[k]) < 1e-6);
    recorded_free(recorded);
    recorded_free(all);
    top_put("top.npz", 2);
    recorded = opened("top.npz");
    for (int i = 0; i < N - HELD; i++) {
        const float *row = row_of(recorded, i);
        double sum = 0;
        for (int k = 0; k < K; k++) {
            const double p = probability(i, k);
            assert_true(fabs(row[k] - log(p > 0.2 ? p : 0.075)) < 1e-6);
            sum += exp(row[k]);
        }
        assert_true(fabs(sum - 1) < 1e-6);
    }
    recorded_free(recorded);
    c.top_probabilities[5][0] = 0.75F; /* with 0.25 nothing is left */
    top_put("top.npz", 2);
    recorded = opened("top.npz");
    assert_true(fabs(row_of(recorded, 5)[3] - log(0.5e-12)) < 1e-4);
    recorded_free(recorded);
    case_free();
}

static int warnings;
static void count_warning(void *user, enum log_level level, const char *line)
{
    (void)user;
    assert_int_equal(level, LOG_WARNING);
    assert_non_null(strstr(line, "a.npz has no crc32"));
    warnings++;
}

static void without_crc_there_is_a_warning(void **state)
{
    (void)state;
    case_new();
    const struct array arrays[] = {LOGITS(N)};
    npz_put("a.npz", 1, arrays);
    c.ctx.log_level = LOG_WARNING;
    c.ctx.log = count_warning;
    struct recorded *recorded = opened("a.npz");
    assert_false(recorded->ordered);
    assert_int_equal(warnings, 1);
    recorded_free(recorded);
    const struct array both[] = {LOGITS(N), CRC(N)};
    npz_put("a.npz", 2, both);
    recorded_free(opened("a.npz"));
    assert_int_equal(warnings, 1);
    case_free();
}

/* refused: the file a.npz of these arrays is, with this message; once more where the recipe names it. */
static void refused(enum status status, const char *message, int count, const struct array *arrays)
{
    struct recorded *recorded = NULL;
    const struct value at = {.kind = VALUE_TEXT, .file = "recipe.yaml", .line = 3, .column = 14};
    npz_put("a.npz", count, arrays);
    expect_failure(&c.ctx, recorded_open(&c.ctx, NULL, "a.npz", c.data, K, &recorded), status, "a.npz", message, NULL);
    assert_null(recorded);
    expect_failure(&c.ctx, recorded_open(&c.ctx, &at, "a.npz", c.data, K, &recorded), status, "recipe.yaml:3:14: a.npz",
                   message, NULL);
}

static void rows_that_are_not_the_samples_are_refused(void **state)
{
    (void)state;
    case_new();
    refused(STATUS_BAD_SHAPE, "logits has 599 rows, but the training files have 600 samples", 1,
            (const struct array[]){LOGITS(N - 1)});
    refused(STATUS_BAD_SHAPE,
            "599 rows, but the training files have 600 samples (before validation is held out); the "
            "crc32 of the first 599 rows fit: those at the end are missing",
            2, (const struct array[]){LOGITS(N - 1), CRC(N - 1)});
    refused(STATUS_BAD_SHAPE,
            "601 rows, but the training files have 600 samples (before validation is held out); the "
            "crc32 of the first 600 rows fit: those at the end are too many",
            2, (const struct array[]){LOGITS(N + 1), CRC(N + 1)});
    refused(STATUS_BAD_SHAPE, "crc32 has 599 rows, but logits has 600", 2,
            (const struct array[]){LOGITS(N), CRC(N - 1)});
    memmove(&c.crc[17], &c.crc[18], (N - 18) * sizeof c.crc[0]); /* sample 17 was left out */
    refused(STATUS_BAD_SHAPE, "row 17 is the first whose crc32 is not that of its sample", 2,
            (const struct array[]){LOGITS(N - 1), CRC(N - 1)});
    case_free();
    case_new();
    const uint32_t swapped = c.crc[3];
    c.crc[3] = c.crc[550];
    c.crc[550] = swapped;
    refused(STATUS_BAD_INPUT, "crc32: row 3: ", 2, (const struct array[]){LOGITS(N), CRC(N)});
    refused(STATUS_BAD_INPUT, "is the CRC of sample 550, that of sample 3 is", 2,
            (const struct array[]){LOGITS(N), CRC(N)});
    case_free();
    case_new();
    c.crc[N - 1] ^= 1; /* of a sample that is held out: its row is checked all the same */
    refused(STATUS_BAD_INPUT, "crc32: row 599: expected 0x", 2, (const struct array[]){LOGITS(N), CRC(N)});
    refused(STATUS_BAD_INPUT, "which no sample has: the outputs were recorded for other data", 2,
            (const struct array[]){LOGITS(N), CRC(N)});
    struct data none = *c.data;
    struct recorded *recorded = NULL;
    none.splits[SPLIT_TRAIN].count = 0;
    expect_failure(&c.ctx, recorded_open(&c.ctx, NULL, "a.npz", &none, K, &recorded), STATUS_BAD_INPUT,
                   "has no train split", NULL);
    case_free();
}

static void numbers_that_are_no_outputs_are_refused(void **state)
{
    (void)state;
    static const struct {
        int row, column;
        float value;
        const char *message;
    } cases[] = {{599, 1, -0.1F, "probabilities: row 599, column 1: expected a probability, found -0.1"},
                 {0, 3, 0.7F, "probabilities: row 0 sums to 1.65: expected 1 (within 0.001)"},
                 {256, 0, 0.598F, "probabilities: row 256 sums to 0.998: expected 1 (within 0.001)"},
                 {257, 2, NAN, "probabilities: row 257, column 2: expected a finite float32, found nan"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        case_new();
        c.probabilities[cases[i].row][cases[i].column] = cases[i].value;
        refused(STATUS_BAD_INPUT, cases[i].message, 2, (const struct array[]){PROBABILITIES, CRC(N)});
        case_free();
    }
    case_new();
    c.logits[511][3] = -INFINITY;
    refused(STATUS_BAD_INPUT, "logits: row 511, column 3: expected a finite float32, found -inf", 2,
            (const struct array[]){LOGITS(N), CRC(N)});
    c.wide[4][2] = 1e300;
    refused(STATUS_BAD_INPUT, "logits: row 4, column 2: expected a finite float32, found 1e+300", 2,
            (const struct array[]){{"logits", ELEMENT_F64, SHAPE(N, K), c.wide}, CRC(N)});
    case_free();
}

static void top_refused(const char *message, int k)
{
    struct recorded *recorded = NULL;
    top_put("a.npz", k);
    expect_failure(&c.ctx, recorded_open(&c.ctx, NULL, "a.npz", c.data, K, &recorded), STATUS_BAD_INPUT,
                   "a.npz: ", message, NULL);
}

static void top_classes_that_are_none_are_refused(void **state)
{
    (void)state;
    case_new();
    c.top_classes[300][1] = K;
    top_refused("top_classes: row 300, column 1: expected a class from 0 to 3, found 4", 2);
    c.top_classes[300][1] = -1;
    top_refused("top_classes: row 300, column 1: expected a class from 0 to 3, found -1", 2);
    c.top_classes[300][1] = c.top_classes[300][0];
    top_refused("top_classes: row 300 has class 0 twice", 2);
    case_free();
    case_new();
    c.top_probabilities[1][0] = 0.8F;
    top_refused("top_probabilities: row 1 sums to 1.05: expected at most 1 (within 0.001)", 2);
    c.top_probabilities[1][0] = -0.25F;
    top_refused("top_probabilities: row 1, column 0: expected a probability, found -0.25", 2);
    c.top_probabilities[1][0] = 0.5F; /* all classes are there: what is missing belongs to none */
    top_refused("top_probabilities: row 1 sums to 0.9: expected 1 (within 0.001)", K);
    case_free();
}

static void files_without_outputs_are_refused(void **state)
{
    (void)state;
    case_new();
    const struct array logits = LOGITS(N), probabilities = PROBABILITIES, crc = CRC(N);
    const struct array classes = {"top_classes", ELEMENT_I64, SHAPE(N, K), c.top_classes};
    const struct array top = {"top_probabilities", ELEMENT_F32, SHAPE(N, K), c.top_probabilities};
    refused(STATUS_BAD_INPUT,
            "expected an array logits, probabilities, or top_classes with top_probabilities, found crc32 u32 [600]", 1,
            &crc);
    refused(STATUS_BAD_INPUT, "top_probabilities, found no array", 0, NULL);
    refused(STATUS_BAD_INPUT, "an array top_probabilities beside top_classes, found top_classes i64 [600,4], crc32", 2,
            (const struct array[]){classes, crc});
    refused(STATUS_BAD_INPUT, "an array top_classes beside top_probabilities, found crc32 u32 [600], top_probabilities",
            2, (const struct array[]){crc, top});
    refused(STATUS_BAD_INPUT, "has both logits and probabilities; expected one of them", 2,
            (const struct array[]){logits, probabilities});
    refused(STATUS_BAD_INPUT, "has both probabilities and top_classes", 3,
            (const struct array[]){classes, top, probabilities});
    refused(STATUS_BAD_INPUT, "logits: expected float32 [N,K] (or float64), found i64; convert it with astype", 1,
            (const struct array[]){{"logits", ELEMENT_I64, SHAPE(N, K), c.top_classes}});
    refused(STATUS_BAD_SHAPE, "logits: expected float32 [N,K] (or float64), found f32 [600,2,2]", 1,
            (const struct array[]){{"logits", ELEMENT_F32, SHAPE(N, 2, 2), c.logits}});
    refused(STATUS_BAD_SHAPE, "logits: [600,3] has 3 classes a row, but the student has 4", 1,
            (const struct array[]){{"logits", ELEMENT_F32, SHAPE(N, 3), c.logits}});
    refused(STATUS_BAD_INPUT, "top_classes: expected int64 [N,k], found f32", 2,
            (const struct array[]){{"top_classes", ELEMENT_F32, SHAPE(N, K), c.logits}, top});
    refused(STATUS_BAD_SHAPE, "top_classes [600,2] and top_probabilities [600,4]: expected the same shape", 2,
            (const struct array[]){{"top_classes", ELEMENT_I64, SHAPE(N, 2), c.top_classes}, top});
    refused(STATUS_BAD_SHAPE, "top_classes: [300,8] has 8 classes a row: expected 1 to the student's 4", 2,
            (const struct array[]){{"top_classes", ELEMENT_I64, SHAPE(N / 2, 8), c.top_classes},
                                   {"top_probabilities", ELEMENT_F32, SHAPE(N / 2, 8), c.top_probabilities}});
    refused(STATUS_BAD_INPUT, "crc32: expected uint32 [N], found f32", 2,
            (const struct array[]){logits, {"crc32", ELEMENT_F32, SHAPE(N), c.logits}});
    refused(STATUS_BAD_SHAPE, "crc32: expected uint32 [N], found u32 [300,2]", 2,
            (const struct array[]){logits, {"crc32", ELEMENT_U32, SHAPE(N / 2, 2), c.crc}});
    struct recorded *recorded = NULL;
    expect_failure(&c.ctx, recorded_open(&c.ctx, NULL, "none.npz", c.data, K, &recorded), STATUS_IO, "none.npz", NULL);
    test_file_put("text.npz", "no zip", 6);
    expect_failure(&c.ctx, recorded_open(&c.ctx, NULL, "text.npz", c.data, K, &recorded), STATUS_BAD_INPUT,
                   "text.npz: not an NPZ file", NULL);
    case_free();
}

/* What NumPy writes of other types: a name is listed, and an array that is needed is refused, as the user's mistake. */
static void arrays_of_other_types(void **state)
{
    (void)state;
    case_new();
    char path[TEST_PATH_SIZE];
    struct recorded *recorded = NULL;
    expect_failure(&c.ctx,
                   recorded_open(&c.ctx, NULL, test_source("format/fixtures/half.npz", path), c.data, K, &recorded),
                   STATUS_BAD_INPUT, "half.npz: logits: element type: expected one of", "'<f2'", NULL);
    expect_failure(&c.ctx,
                   recorded_open(&c.ctx, NULL, test_source("format/fixtures/names.npz", path), c.data, K, &recorded),
                   STATUS_BAD_INPUT, "found crc32 u32 [2], names", NULL);
    case_free();
}

static enum status work(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct data *data = NULL;
    struct recorded *recorded = NULL;
    struct arena *arena = arena_new(ctx);
    if (arena == NULL)
        return ctx->error.status;
    TRY(data_of(ctx, arena, &data));
    TRY(recorded_open(ctx, NULL, user, data, K, &recorded));
cleanup:
    recorded_free(recorded);
    data_free(ctx, data);
    arena_free(arena);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    case_new();
    top_put("top.npz", 2);
    char name[] = "top.npz";
    assert_true(fault_loop(work, name) > 20);
    case_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_are_kept_for_the_train_split),
        cmocka_unit_test(probabilities_become_their_logarithms),
        cmocka_unit_test(the_top_classes_leave_the_rest_evenly),
        cmocka_unit_test(without_crc_there_is_a_warning),
        cmocka_unit_test(rows_that_are_not_the_samples_are_refused),
        cmocka_unit_test(numbers_that_are_no_outputs_are_refused),
        cmocka_unit_test(top_classes_that_are_none_are_refused),
        cmocka_unit_test(files_without_outputs_are_refused),
        cmocka_unit_test(arrays_of_other_types),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
