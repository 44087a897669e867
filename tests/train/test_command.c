/* test_command.c: a program is a teacher: it sees each view of each sample once, as [0,1] in [n,C,H,W], its rows come back
 * in order, and whatever it does wrong is told in one message. */
#include "train/command.h"

#include "base/thread.h"
#include "format/npy_header.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/left_over.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours */

enum { TRAIN = 23, TEST = 7, H = 3, W = 4, C = 2, PIXELS = H * W * C, BATCH = 5, VIEWS = 2 };

/* Images whose places can all be told from each other, by whoever mixes up axes. */
struct case_data {
    uint8_t train_images[TRAIN][H][W][C];
    float test_images[TEST][H][W][C];
    int32_t labels[TRAIN];
    struct split train, test;
    struct augmentation flips;
};

static void case_make(struct case_data *c)
{
    for (int i = 0; i < TRAIN * PIXELS; i++)
        (&c->train_images[0][0][0][0])[i] = (uint8_t)(i * 89 + i / 256);
    for (int i = 0; i < TEST * PIXELS; i++)
        (&c->test_images[0][0][0][0])[i] = (float)i / (TEST * PIXELS);
    memset(c->labels, 0, sizeof c->labels);
    c->train = (struct split){.name = "train",
                              .element = ELEMENT_U8,
                              .count = TRAIN,
                              .height = H,
                              .width = W,
                              .channels = C,
                              .images = c->train_images,
                              .labels = c->labels,
                              .labelled = TRAIN};
    c->test = c->train;
    c->test.name = "test";
    c->test.element = ELEMENT_F32;
    c->test.count = c->test.labelled = TEST;
    c->test.images = c->test_images;
    c->flips = (struct augmentation){.count = 1};
    size_t count;
    for (const struct augment *const *augment = augment_table(&count); count-- > 0; augment++)
        if (strcmp((*augment)->name, "flip") == 0)
            c->flips.steps[0] = (struct augmentation_step){.augment = *augment, .setting.boolean = true};
    assert_int_equal(augmentation_views(&c->flips), VIEWS);
}

/* What a pass gave: a whole image for each row, as its logits. */
struct rows {
    int64_t next;
    float logits[TRAIN * VIEWS][PIXELS];
    struct context *ctx; /* refuse, or cancel, at the second batch; NULL: do not */
    volatile sig_atomic_t *cancel;
};

static enum status rows_take(void *user, int64_t first, int64_t count, const float *logits)
{
    struct rows *rows = user;
    assert_int_equal(first, rows->next);
    assert_true(count >= 1 && count <= BATCH && first + count <= TRAIN * VIEWS);
    memcpy(rows->logits[first], logits, (size_t)count * sizeof rows->logits[0]);
    rows->next += count;
    if (rows->next > BATCH && rows->cancel != NULL)
        *rows->cancel = 1;
    else if (rows->next > BATCH && rows->ctx != NULL)
        return fail(rows->ctx, STATUS_IO, "rows.bin: no space");
    return STATUS_OK;
}

static struct context quiet(void)
{
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    return ctx;
}

static struct command_spec spec_of(const char *command)
{
    return (struct command_spec){
        .command = command, .timeout = 60, .classes = PIXELS, .batch = BATCH, .label = "teacher"};
}

/* What the children have in common: arrays are read and written by NumPy, `answer` is the image itself. */
static const char base_py[] = "import io, os, signal, sys, time\n"
                              "import numpy as np\n"
                              "def read():\n"
                              "    head = sys.stdin.buffer.read(10)\n"
                              "    if not head: return None\n"
                              "    head += sys.stdin.buffer.read(head[8] + 256 * head[9])\n"
                              "    shape = eval(head[10:])['shape']\n"
                              "    assert b\"'<f4'\" in head and b'False' in head and len(shape) == 4\n"
                              "    data = sys.stdin.buffer.read(4 * int(np.prod(shape)))\n"
                              "    return np.frombuffer(data, '<f4').reshape(shape)\n"
                              "def write(array):\n"
                              "    out = io.BytesIO()\n"
                              "    np.save(out, array)\n"
                              "    sys.stdout.buffer.write(out.getvalue())\n"
                              "    sys.stdout.buffer.flush()\n"
                              "def answer(x):\n"
                              "    return x.reshape(len(x), -1)\n";

static void child_put(const char *path, const char *body)
{
    char text[4096];
    int length = snprintf(text, sizeof text, "%s%s", base_py, body);
    assert_true(length > 0 && length < (int)sizeof text);
    test_file_put(path, text, (size_t)length);
}

static void rows_are(const struct case_data *c, const struct rows *train, const struct rows *test, int views)
{
    assert_int_equal(train->next, TRAIN * views);
    for (int i = 0; i < TRAIN; i++)
        for (int view = 0; view < views; view++)
            for (int p = 0; p < PIXELS; p++) {
                int channel = p / (H * W), y = p / W % H, x = p % W;
                float found = train->logits[i * views + view][p];
                float expected = (float)c->train_images[i][y][view == 1 ? W - 1 - x : x][channel] / 255.0F;
                if (found != expected)
                    print_error("sample %d, view %d, channel %d, y %d, x %d\n", i, view, channel, y, x);
                assert_true(found == expected);
            }
    assert_int_equal(test->next, TEST);
    for (int i = 0; i < TEST; i++)
        for (int p = 0; p < PIXELS; p++)
            assert_true(test->logits[i][p] == c->test_images[i][p / W % H][p % W][p / (H * W)]);
}

/* One start for both passes, whenever and in whichever type and order it answers. */
static void test_rows_in_order(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "while (x := read()) is not None: write(answer(x))",
        "while (x := read()) is not None: write(answer(x).astype('f8'))",
        "while (x := read()) is not None: write(np.asfortranarray(answer(x)))",
        "all = []\nwhile (x := read()) is not None: all.append(answer(x))\nfor x in all: write(x)",
        "while (x := read()) is not None: write(answer(x)); print('warning', file=sys.stderr)",
    };
    static struct case_data c;
    static struct rows train, test;
    case_make(&c);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        for (int views = 1; views <= VIEWS; views++) {
            struct context ctx = quiet();
            struct split none = c.test;
            none.count = 0;
            train = test = (struct rows){.next = 0};
            const struct command_pass passes[] = {
                {&none, NULL, rows_take, NULL},
                {&c.train, views == 2 ? &c.flips : NULL, rows_take, &train},
                {&none, NULL, rows_take, NULL},
                {&c.test, NULL, rows_take, &test},
            };
            child_put("child.py", bodies[i]);
            remove("starts");
            const struct command_spec spec = spec_of("echo x >>starts; python3 child.py");
            enum status status = command_logits(&ctx, &spec, passes, 4);
            assert_string_equal(ctx.error.message, "");
            assert_int_equal(status, STATUS_OK);
            rows_are(&c, &train, &test, views);
            FILE *starts = fopen("starts", "r");
            char text[8] = "";
            assert_int_equal(fread(text, 1, sizeof text - 1, starts), 2);
            fclose(starts);
            if (i > 0)
                break; /* views do not depend on how it answers */
        }
    }
}

static const struct {
    const char *name, *body;
    enum status status;
    const char *texts[4];
} failures[] = {
    {"dies at once",
     "sys.exit(3)",
     STATUS_IO,
     {"teacher: command \"python3 child.py\": expected 23 rows of logits for the train split, found 0: it ended with "
      "status 3"}},
    {"dies half-way",
     "write(answer(read())); write(answer(read()))\nprint('some\\nMemoryError: no more\\n', "
     "file=sys.stderr)\nsys.exit(1)",
     STATUS_IO,
     {"expected 23 rows of logits for the train split, found 10: it ended with status 1; last line of its standard "
      "error: "
      "MemoryError: no more"}},
    {"dies within an array",
     "sys.stdout.buffer.write(b'\\x93NUMPY\\x01')",
     STATUS_IO,
     {"found 0 and a part of an array: it ended with status 0"}},
    {"dies in the second pass",
     "for i in range(6): write(answer(read()))\nos.kill(os.getpid(), signal.SIGKILL)",
     STATUS_IO,
     {"expected 7 rows of logits for the test split, found 5: it ", "1"}},
    {"too narrow",
     "write(answer(read())); write(answer(read())[:, :9])",
     STATUS_BAD_SHAPE,
     {"command \"python3 child.py\": answer for rows 5 to 9 of the train split: expected an array [5,24], found "
      "[5,9]"}},
    {"a row less",
     "write(answer(read())[1:])",
     STATUS_BAD_SHAPE,
     {"answer for rows 0 to 4 of the train split: expected an array [5,24], found [4,24]"}},
    {"the last batch too large",
     "while (x := read()) is not None: write(np.zeros((5, 24)))",
     STATUS_BAD_SHAPE,
     {"rows 20 to 22 of the train split: expected an array [3,24], found [5,24]"}},
    {"another type",
     "write(answer(read()).astype('i8'))",
     STATUS_UNSUPPORTED,
     {"answer for rows 0 to 4", "expected one of <f4, <f8, found '<i8'"}},
    {"text",
     "print('Loading weights')\nsys.stdout.flush(); time.sleep(100)",
     STATUS_BAD_INPUT,
     {"command \"python3 child.py\": answer for rows 0 to 4 of the train split: expected an NPY array",
      "found \"Loading weights\"; nothing but arrays may be written there"}},
    {"not finite",
     "print('dividing', file=sys.stderr, flush=True)\nwrite(answer(read()))\nx = answer(read()).copy()\n"
     "x[2, 3] = np.nan\nwrite(x)",
     STATUS_NOT_FINITE,
     {"expected logits that are finite in float32, found NaN in row 7 of the train split, class 3; last line of its "
      "standard error: dividing"}},
    {"beyond float32", "write(answer(read()) - 1e39)", STATUS_NOT_FINITE, {"found -inf in row 0", "class 0"}},
    {"ignores its input", "sys.exit(0)", STATUS_IO, {"found 0: it ended with status 0"}},
    {"too many answers",
     "while (x := read()) is not None: write(answer(x))\nwrite(np.zeros((1, 24)))",
     STATUS_BAD_INPUT,
     {"expected nothing behind its last answer, found more"}},
    {"status at the end",
     "while (x := read()) is not None: write(answer(x))\nsys.exit('cannot clean up')",
     STATUS_IO,
     {"expected status 0 behind its last answer, found that it ended with status 1; last line of its standard error: "
      "cannot clean up"}},
};

static enum status fail_run(struct context *ctx, const char *command, double timeout)
{
    static struct case_data c;
    static struct rows train, test;
    case_make(&c);
    train = test = (struct rows){.next = 0};
    const struct command_pass passes[] = {{&c.train, NULL, rows_take, &train}, {&c.test, NULL, rows_take, &test}};
    struct command_spec spec = spec_of(command);
    spec.timeout = timeout;
    return command_logits(ctx, &spec, passes, 2);
}

static void test_failures_say_what_was_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        struct context ctx = quiet();
        child_put("child.py", failures[i].body);
        double before = clock_seconds();
        enum status status = fail_run(&ctx, "python3 child.py", 60);
        if (status != failures[i].status)
            print_error("%s: %s\n", failures[i].name, ctx.error.message);
        expect_failure(&ctx, status, failures[i].status, failures[i].texts[0], failures[i].texts[1],
                       failures[i].texts[2], NULL);
        assert_true(clock_seconds() - before < 50); /* none of them waited for its timeout */
    }
}

static void test_the_shell_s_failures(void **state)
{
    (void)state;
    struct context ctx = quiet();
    expect_failure(&ctx, fail_run(&ctx, "./no-such-teacher --fast", 60), STATUS_IO,
                   "teacher: command \"./no-such-teacher --fast\": expected 23 rows",
                   "found 0: it ended with status 127",
                   "a command that it does not find); last line of its standard error: ", "no-such-teacher", NULL);
    test_file_put("plain", "text\n", 5);
    expect_failure(&ctx, fail_run(&ctx, "./plain", 60), STATUS_IO, "status 126", "may not run", NULL);
    expect_failure(&ctx, fail_run(&ctx, "kill -9 $$", 60), STATUS_IO,
                   "it was ended by signal 9 (as when memory runs out)", NULL);
    expect_failure(&ctx, fail_run(&ctx, "kill -11 $$", 60), STATUS_IO, "it was ended by signal 11", NULL);
    expect_failure(&ctx, fail_run(&ctx, "sh -c 'kill -11 $$'; exit $?", 60), STATUS_IO,
                   "status 139 (128 and the signal that ended it)", NULL);
    /* a long command of two lines is cut, and does not break the message */
    expect_failure(&ctx,
                   fail_run(&ctx,
                            "exit\n3; echo 0123456789012345678901234567890123456789012345678901234567890123456789"
                            "0123456789012345678901234567890123456789012345678901234567890123456789",
                            60),
                   STATUS_IO, "teacher: command \"exit 3; echo 0123", "...\": expected 23 rows", NULL);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    memset(text, 'x', (1 << 20) - 1);
    text[(1 << 20) - 1] = '\0';
    expect_failure(&ctx, fail_run(&ctx, text, 60), STATUS_IO, "teacher: command \"xxx", "cannot be started: ", NULL);
    free(text);
}

/* answers_put: the first `count` of the seven arrays that fail_run wants. */
static void answers_put(const char *path, int count)
{
    static const int64_t rows[] = {5, 5, 5, 5, 3, 5, 2};
    static const float zeros[BATCH * PIXELS];
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < count; i++) {
        char header[NPY_HEADER_SIZE];
        const struct shape shape = SHAPE(rows[i], PIXELS);
        size_t length = npy_header_write(ELEMENT_F32, &shape, header);
        assert_int_equal(fwrite(header, 1, length, file), length);
        assert_int_equal(fwrite(zeros, sizeof zeros[0] * PIXELS, (size_t)rows[i], file), rows[i]);
    }
    assert_int_equal(fclose(file), 0);
}

/* Whoever says nothing for so long is ended: at the start, half-way, or when it should end. A process that the shell leaves
 * behind holds nobody up. */
static void test_hanging(void **state)
{
    (void)state;
    struct context ctx = quiet();
    double before = clock_seconds();
    expect_failure(&ctx, fail_run(&ctx, "echo waiting for a licence >&2; sleep 100", 1), STATUS_IO,
                   "teacher: command \"echo waiting",
                   "expected 23 rows of logits for the train split, found 0 and then nothing for 1 s; raise timeout:",
                   "standard error: waiting for a licence", NULL);
    answers_put("answers", 1);
    expect_failure(&ctx, fail_run(&ctx, "cat answers; printf '\\223NUM'; sleep 100", 1), STATUS_IO,
                   "found 5 and a part of an array and then nothing for 1 s", NULL);
    answers_put("answers", 7);
    expect_failure(&ctx, fail_run(&ctx, "cat answers; cat >all; sleep 100", 1), STATUS_IO,
                   "expected it to end when its standard input does, found it running 1 s later; raise timeout:", NULL);
    assert_int_equal(fail_run(&ctx, "cat answers; cat >all; sleep 100 &", 60), STATUS_OK);
    expect_failure(&ctx, fail_run(&ctx, "sleep 100 & echo gone >&2; exit 3", 60), STATUS_IO,
                   "found 0: it ended with status 3; last line of its standard error: gone", NULL);
    assert_true(clock_seconds() - before < 50);
}

static enum status count_rows(void *user, int64_t first, int64_t count, const float *logits)
{
    (void)logits;
    int64_t *next = user;
    assert_int_equal(first, *next);
    *next += count;
    return STATUS_OK;
}

/* What is not read cannot have been looked at. */
static void test_answers_without_reading_all(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    static uint8_t images[MANY * PIXELS];
    static struct case_data c;
    case_make(&c);
    struct context ctx = quiet();
    struct split many = c.train;
    many.count = MANY;
    many.images = images;
    static int32_t labels[MANY];
    many.labels = labels;
    int64_t next = 0;
    const struct command_pass pass = {&many, NULL, count_rows, &next};
    struct command_spec spec = spec_of("python3 child.py");
    spec.batch = MANY;
    spec.classes = 1;
    child_put("child.py", "write(np.zeros((20000, 1)))");
    expect_failure(&ctx, command_logits(&ctx, &spec, &pass, 1), STATUS_IO,
                   "expected it to read its standard input to the end, found that it answered without", NULL);
    spec.classes = INT64_C(1) << 20;
    expect_failure(&ctx, command_logits(&ctx, &spec, &pass, 1), STATUS_BAD_SHAPE, "batches of 20000; take a smaller",
                   NULL);
}

/* The caller's own failures, and an interruption, are passed on as they are. */
static void test_failures_of_the_sink(void **state)
{
    (void)state;
    static struct case_data c;
    static struct rows rows;
    case_make(&c);
    struct context ctx = quiet();
    volatile sig_atomic_t cancel = 0;
    child_put("child.py",
              "print('said', file=sys.stderr, flush=True)\nwhile (x := read()) is not None: write(answer(x))\n"
              "time.sleep(100)");
    const struct command_spec spec = spec_of("python3 child.py");
    const struct command_pass pass = {&c.train, NULL, rows_take, &rows};
    rows = (struct rows){.ctx = &ctx};
    assert_int_equal(command_logits(&ctx, &spec, &pass, 1), STATUS_IO);
    assert_string_equal(ctx.error.message, "rows.bin: no space");
    assert_int_equal(rows.next, 2 * BATCH);
    error_clear(&ctx);
    ctx.cancel = &cancel;
    rows = (struct rows){.cancel = &cancel};
    assert_int_equal(command_logits(&ctx, &spec, &pass, 1), STATUS_CANCELLED);
    assert_string_equal(ctx.error.message, "interrupted");
}

static enum status work(struct context *ctx, void *user)
{
    static struct rows rows;
    const struct case_data *c = user;
    rows = (struct rows){.next = 0};
    const struct command_pass pass = {&c->train, &c->flips, rows_take, &rows};
    const struct command_spec spec = spec_of("python3 child.py");
    return command_logits(ctx, &spec, &pass, 1);
}

static void test_no_memory(void **state)
{
    (void)state;
    static struct case_data c;
    case_make(&c);
    child_put("child.py", "while (x := read()) is not None: write(np.asfortranarray(answer(x)))");
    assert_true(fault_loop(work, &c) > 8);
}

/* The program in the documentation is one. */
static void test_documented_teacher(void **state)
{
    (void)state;
    static char page[16384];
    char path[TEST_PATH_SIZE];
    FILE *file = fopen(test_source("../docs/command-teacher.md", path), "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *program = strstr(page, "```python\n");
    assert_non_null(program);
    program += strlen("```python\n");
    char *end = strstr(program, "```");
    assert_non_null(end);
    test_file_put("teacher.py", program, (size_t)(end - program));
    static struct case_data c;
    static struct rows train, test;
    case_make(&c);
    train = test = (struct rows){.next = 0};
    const struct command_pass passes[] = {{&c.train, &c.flips, rows_take, &train}, {&c.test, NULL, rows_take, &test}};
    const struct command_spec spec =
        spec_of("python3 -c 'import numpy; numpy.save(\"weight.npy\", numpy.eye(24))' && python3 teacher.py");
    struct context ctx = quiet();
    enum status status = command_logits(&ctx, &spec, passes, 2);
    assert_string_equal(ctx.error.message, "");
    assert_int_equal(status, STATUS_OK);
    rows_are(&c, &train, &test, VIEWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEAVES_NOTHING(test_rows_in_order),
        LEAVES_NOTHING(test_failures_say_what_was_wrong),
        LEAVES_NOTHING(test_the_shell_s_failures),
        LEAVES_NOTHING(test_hanging),
        LEAVES_NOTHING(test_answers_without_reading_all),
        LEAVES_NOTHING(test_failures_of_the_sink),
        LEAVES_NOTHING(test_no_memory),
        LEAVES_NOTHING(test_documented_teacher),
    };
    setenv("PATH", "/usr/bin:/bin", 1); /* Debian's Python has NumPy */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
