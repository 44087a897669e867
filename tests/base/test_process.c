/* test_process.c: a child gets and gives bytes in any order; however it ends is told, and nothing of it is left. */
#include "base/process.h"
#include "base/shell.h"
#include "base/thread.h"
#include "support/expect.h"
#include "support/fault_loop.h"
#include "support/left_over.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* cmocka's own would hide ours */

/* What is fed, in pieces, and what came back. */
struct talk {
    struct context *ctx;
    const char *input;
    size_t length, piece, fed;
    char *output;
    size_t got, room;
    bool refuse_feed, refuse_take;
    bool shout, heard;             /* writes to standard error; it arrived somewhere */
    volatile sig_atomic_t *cancel; /* set when something came back */
};

static enum status talk_feed(void *user, const void **bytes, size_t *count)
{
    struct talk *talk = user;
    if (talk->refuse_feed && talk->fed > 0)
        return fail(talk->ctx, STATUS_BAD_SHAPE, "no more to feed");
    if (talk->shout && write(STDERR_FILENO, "log", 3) > 0)
        talk->heard = true;
    *bytes = talk->input + talk->fed;
    *count = talk->length - talk->fed < talk->piece ? talk->length - talk->fed : talk->piece;
    talk->fed += *count;
    return STATUS_OK;
}

static enum status talk_take(void *user, const void *bytes, size_t count)
{
    struct talk *talk = user;
    if (talk->refuse_take)
        return fail(talk->ctx, STATUS_BAD_INPUT, "not to be taken");
    if (talk->cancel != NULL)
        *talk->cancel = 1;
    assert_true(count > 0 && count <= talk->room - talk->got);
    memcpy(talk->output + talk->got, bytes, count);
    talk->got += count;
    return STATUS_OK;
}

static enum status talk_run(struct context *ctx, struct talk *talk, const char *command, double timeout,
                            struct process_outcome *outcome)
{
    talk->ctx = ctx;
    const struct process_spec spec = {.name = "the child",
                                      .command = command,
                                      .timeout = timeout,
                                      .user = talk,
                                      .feed = talk_feed,
                                      .take = talk_take};
    return process_run(ctx, &spec, outcome);
}

static struct context quiet(void)
{
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    return ctx;
}

/* short_run: without input; the output is a text. */
static struct process_outcome short_run(const char *command, double timeout, char output[4096])
{
    struct context ctx = quiet();
    struct process_outcome outcome;
    struct talk talk = {.piece = 1, .output = output, .room = 4095};
    assert_int_equal(talk_run(&ctx, &talk, command, timeout, &outcome), STATUS_OK);
    output[talk.got] = '\0';
    return outcome;
}

/* process_gone: does the process whose number a child wrote to `path` not run any more? It may be waiting for init. */
static bool process_gone(const char *path)
{
    int pid = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    for (int i = 0; i < 200; i++) {
        char stat[64], state = 'Z';
        snprintf(stat, sizeof stat, "/proc/%d/stat", pid);
        file = fopen(stat, "r");
        if (file == NULL)
            return true;
        int read = fscanf(file, "%*d %*s %c", &state);
        fclose(file);
        if (read != 1 || state == 'Z' || state == 'X')
            return true;
        usleep(10000);
    }
    return false;
}

/* Each test leaves as many descriptors as there were, no child, and no SIGPIPE. */
static char *text_new(size_t length)
{
    char *text = malloc(length);
    assert_non_null(text);
    for (size_t i = 0; i < length; i++)
        text[i] = i % 64 == 63 ? '\n' : (char)('a' + i * 7 / 64 % 26);
    return text;
}

/* Much more than pipes hold, whether the child answers as it reads, after it has read everything, or before. */
static void test_both_directions_in_any_order(void **state)
{
    (void)state;
    enum { LENGTH = 1 << 21 };
    static const struct {
        const char *command;
        size_t piece;
    } cases[] = {{"cat", LENGTH}, {"cat", 100003}, {"cat >all; cat all", LENGTH}, {"cat | cat | cat", 1 << 16}};
    char *input = text_new(LENGTH), *output = malloc(LENGTH);
    assert_non_null(output);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct context ctx = quiet();
        struct process_outcome outcome;
        struct talk talk = {
            .input = input, .length = LENGTH, .piece = cases[i].piece, .output = output, .room = LENGTH};
        assert_int_equal(talk_run(&ctx, &talk, cases[i].command, 60, &outcome), STATUS_OK);
        assert_int_equal(outcome.end, PROCESS_EXITED);
        assert_int_equal(outcome.code, 0);
        assert_false(outcome.unread);
        assert_string_equal(outcome.last, "");
        assert_int_equal(talk.got, LENGTH);
        assert_memory_equal(output, input, LENGTH);
        /* and what is written before anything is read */
        test_file_put("all", input, LENGTH);
        memset(output, 0, LENGTH);
        talk.fed = talk.got = 0;
        assert_int_equal(talk_run(&ctx, &talk, "cat all; cat >back", 60, &outcome), STATUS_OK);
        assert_int_equal(talk.got, LENGTH);
        assert_int_equal(talk.fed, LENGTH);
        assert_false(outcome.unread);
    }
    free(input);
    free(output);
}

static void test_how_it_ended(void **state)
{
    (void)state;
    char output[4096];
    struct process_outcome outcome = short_run("echo one; exit 3", 60, output);
    assert_int_equal(outcome.end, PROCESS_EXITED);
    assert_int_equal(outcome.code, 3);
    assert_string_equal(output, "one\n");
    outcome = short_run("printf two; kill -9 $$", 60, output);
    assert_int_equal(outcome.end, PROCESS_SIGNALLED);
    assert_int_equal(outcome.code, SIGKILL);
    assert_string_equal(output, "two");
    outcome = short_run("./no-such-program", 60, output);
    assert_int_equal(outcome.code, 127);
    assert_non_null(strstr(outcome.last, "no-such-program"));
    /* standard output and input closed early, and work afterwards */
    outcome = short_run("echo three; exec >&- <&-; sleep 0.1; exit 4", 60, output);
    assert_int_equal(outcome.code, 4);
    assert_string_equal(output, "three\n");
}

static void test_the_last_line_of_standard_error(void **state)
{
    (void)state;
    char output[4096];
    assert_string_equal(short_run("exit 1", 60, output).last, "");
    assert_string_equal(short_run("echo first >&2; echo last >&2", 60, output).last, "last");
    assert_string_equal(short_run("printf 'no end' >&2", 60, output).last, "no end");
    assert_string_equal(short_run("printf 'last\\n\\n  \\n' >&2", 60, output).last, "last");
    assert_string_equal(short_run("printf '10%%\\r20%%\\r30%%' >&2", 60, output).last, "30%");
    assert_string_equal(short_run("printf 'a\\033[1mb\\tc\\n' >&2", 60, output).last, "a [1mb c");
    struct process_outcome outcome = short_run("i=0; while [ $i -lt 3000 ]; do printf '%09d\\n' $i >&2; i=$((i+1)); "
                                               "done; printf '%0400d' 7 >&2",
                                               60, output);
    assert_int_equal(strlen(outcome.last), PROCESS_LINE_SIZE - 1);
    assert_string_equal(outcome.last + PROCESS_LINE_SIZE - 1 - 5, "00...");
}

/* A reader that goes away is neither a signal nor a failure of ours. */
static void test_who_does_not_read(void **state)
{
    (void)state;
    enum { LENGTH = 1 << 20 };
    char *input = text_new(LENGTH), output[64];
    struct sigaction before, after;
    sigaction(SIGPIPE, NULL, &before);
    assert_true(before.sa_handler == SIG_DFL);
    static const char *const commands[] = {"exit 0", "head -c 10 >head; echo ok", "exec <&-; sleep 0.2; echo ok"};
    for (size_t i = 0; i < 3; i++) {
        struct context ctx = quiet();
        struct process_outcome outcome;
        struct talk talk = {.input = input, .length = LENGTH, .piece = LENGTH, .output = output, .room = sizeof output};
        assert_int_equal(talk_run(&ctx, &talk, commands[i], 60, &outcome), STATUS_OK);
        assert_int_equal(outcome.end, PROCESS_EXITED);
        assert_int_equal(outcome.code, 0);
        assert_true(outcome.unread);
        assert_int_equal(talk.got, i == 0 ? 0 : 3);
    }
    sigaction(SIGPIPE, NULL, &after);
    assert_true(after.sa_handler == SIG_DFL);
    /* one of the host's that waits stays: it is not ours to take */
    sigset_t broken, pending, mask;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &mask);
    raise(SIGPIPE);
    struct context ctx = quiet();
    struct process_outcome outcome;
    struct talk talk = {.input = input, .length = LENGTH, .piece = LENGTH};
    assert_int_equal(talk_run(&ctx, &talk, "exit 0", 60, &outcome), STATUS_OK);
    assert_true(outcome.unread);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGPIPE));
    assert_int_equal(sigtimedwait(&broken, NULL, &(struct timespec){0, 0}), SIGPIPE);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    free(input);
}

static void test_hanging_is_ended_with_its_children(void **state)
{
    (void)state;
    char output[4096];
    static const char *const commands[] = {
        "sleep 100 & echo $! >pid; echo waiting >&2; wait",
        "echo $$ >pid; while :; do echo waiting >&2; sleep 0.02; done", /* standard error is no progress */
        "trap '' TERM INT HUP; echo $$ >pid; echo waiting >&2; while :; do sleep 0.02; done",
    };
    for (size_t i = 0; i < 3; i++) {
        double before = clock_seconds();
        struct process_outcome outcome = short_run(commands[i], 1, output);
        double passed = clock_seconds() - before;
        assert_int_equal(outcome.end, PROCESS_TIMEOUT);
        assert_string_equal(outcome.last, "waiting");
        assert_true(passed >= 1 && passed < 30);
        assert_true(process_gone("pid"));
    }
    /* what is slow but goes on is left alone */
    struct process_outcome outcome = short_run("for i in 1 2 3 4 5 6 7 8; do sleep 0.2; echo $i; done", 1.5, output);
    assert_int_equal(outcome.end, PROCESS_EXITED);
    assert_string_equal(output, "1\n2\n3\n4\n5\n6\n7\n8\n");
}

/* The program has ended when the shell has, whoever holds its pipes. */
static void test_children_of_the_child(void **state)
{
    (void)state;
    char output[4096];
    double before = clock_seconds();
    struct process_outcome outcome = short_run("sleep 100 & echo $! >pid; echo said; exit 4", 60, output);
    assert_int_equal(outcome.end, PROCESS_EXITED);
    assert_int_equal(outcome.code, 4);
    assert_string_equal(output, "said\n");
    assert_true(process_gone("pid"));
    outcome = short_run("(while :; do echo more; done >&2) & echo $! >pid; exit 5", 60, output);
    assert_int_equal(outcome.code, 5);
    assert_true(process_gone("pid"));
    assert_true(clock_seconds() - before < 30);
}

static void test_the_child_sees_three_descriptors(void **state)
{
    (void)state;
    char output[4096];
    int ours = open("/dev/null", O_RDONLY); /* a host program's, not closed by exec */
    assert_true(ours >= 3);
    short_run("cd /proc/self/fd; for i in *; do [ -e $i ] && echo $i; done; ls -l >&2", 60, output);
    close(ours);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    assert_string_equal(output, "0\n1\n2\n");
#endif
    struct shell_child child;
    assert_int_equal(shell_start("exit 0", &child), 0);
    int *ends[] = {&child.input, &child.output, &child.error};
    for (int i = 0; i < 3; i++) {
        /* a child that the host starts meanwhile must not hold them, either */
        assert_true((fcntl(*ends[i], F_GETFD) & FD_CLOEXEC) != 0);
        assert_true((fcntl(*ends[i], F_GETFL) & O_NONBLOCK) != 0);
        shell_close(ends[i]);
        assert_int_equal(*ends[i], -1);
    }
    assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
}

/* Where this process lacks standard descriptors, the child has its own all the same, and what this process writes to what
 * it takes for its standard error does not reach the child. */
static void test_without_standard_descriptors(void **state)
{
    (void)state;
    char output[4096];
    for (int closed = 0; closed < 8; closed++) {
        struct context ctx = quiet();
        struct process_outcome outcome;
        struct talk talk = {.input = "hello", .length = 5, .piece = 2, .output = output, .room = sizeof output};
        int kept[3];
        talk.shout = (closed & 1 << STDERR_FILENO) != 0;
        fflush(stdout);
        for (int i = 0; i < 3; i++) {
            kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
            if (kept[i] >= 0 && (closed & 1 << i) != 0)
                close(i);
        }
        enum status status = talk_run(&ctx, &talk, "cat; echo said >&2", 60, &outcome);
        for (int i = 0; i < 3; i++) {
            if (kept[i] >= 0)
                dup2(kept[i], i);
            close(kept[i]);
        }
        assert_int_equal(status, STATUS_OK);
        assert_int_equal(talk.got, 5);
        assert_memory_equal(output, "hello", 5);
        assert_string_equal(outcome.last, "said");
        assert_false(talk.heard);
    }
}

/* The host's ignored and blocked signals are not the child's: yes ends by SIGPIPE without a word, sleep
 * by SIGTERM. */
static void test_signals_of_the_child(void **state)
{
    (void)state;
    char output[4096];
    sigset_t all, mask;
    sigfillset(&all);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &all, &mask);
    struct process_outcome outcome = short_run("yes 2>words | head -n 1; cat words; "
                                               "sleep 100 & kill $!; wait $!; exit $?",
                                               60, output);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    signal(SIGPIPE, SIG_DFL);
    assert_string_equal(output, "y\n");
    assert_int_equal(outcome.code, 128 + SIGTERM);
}

/* Where the host lets the system reap its children, how they ended is unknown. */
static void test_children_that_nobody_waits_for(void **state)
{
    (void)state;
    char output[4096], none[4096];
    signal(SIGCHLD, SIG_IGN);
    struct process_outcome outcome = short_run("echo said; exit 3", 60, output);
    struct process_outcome hung = short_run("sleep 100", 0.2, none);
    signal(SIGCHLD, SIG_DFL);
    assert_int_equal(outcome.end, PROCESS_UNKNOWN);
    assert_int_equal(outcome.code, 0);
    assert_string_equal(output, "said\n");
    assert_int_equal(hung.end, PROCESS_TIMEOUT);
}

static void test_failures_of_ours(void **state)
{
    (void)state;
    struct context ctx = quiet();
    struct process_outcome outcome;
    char output[4096];
    struct talk talk = {.input = "abcd", .length = 4, .piece = 2, .output = output, .room = sizeof output};
    talk.refuse_feed = true;
    expect_failure(&ctx, talk_run(&ctx, &talk, "echo said >&2; sleep 100", 60, &outcome), STATUS_BAD_SHAPE,
                   "no more to feed", NULL);
    talk.refuse_feed = false;
    talk.refuse_take = true;
    talk.fed = 0;
    expect_failure(&ctx, talk_run(&ctx, &talk, "echo said >&2; echo $$ >pid; echo one; sleep 100", 60, &outcome),
                   STATUS_BAD_INPUT, "not to be taken", NULL);
    assert_string_equal(outcome.last, "said");
    assert_true(process_gone("pid"));

    volatile sig_atomic_t cancel = 0;
    ctx.cancel = &cancel;
    talk = (struct talk){.piece = 1, .output = output, .room = sizeof output, .cancel = &cancel};
    expect_failure(&ctx, talk_run(&ctx, &talk, "echo $$ >pid; echo one; sleep 100", 60, &outcome), STATUS_CANCELLED,
                   "interrupted", NULL);
    assert_true(process_gone("pid"));
    ctx.cancel = NULL;

    enum { LONG = 1 << 20 };
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, 'x', LONG - 1);
    text[LONG - 1] = '\0';
    expect_failure(&ctx, talk_run(&ctx, &talk, text, 60, &outcome), STATUS_IO,
                   "the child: cannot be started: ", strerror(E2BIG), NULL);
    free(text);
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = before;
    for (low.rlim_cur = 3; low.rlim_cur < 9; low.rlim_cur++) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
        enum status status = talk_run(&ctx, &talk, "exit 0", 60, &outcome);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (status != STATUS_OK || low.rlim_cur < 5)
            expect_failure(&ctx, status, STATUS_IO, "the child: cannot be started: ", strerror(EMFILE), NULL);
    }
}

enum { SIDE_LENGTH = 300000, SIDES = 12 };

static enum status side_work(struct context *ctx, void *user, int i)
{
    const char *input = user;
    struct process_outcome outcome;
    struct talk talk = {.input = input, .length = SIDE_LENGTH, .piece = 10000 + (size_t)i, .room = SIDE_LENGTH};
    talk.output = malloc(SIDE_LENGTH);
    enum status status = talk_run(ctx, &talk, "cat", 20, &outcome);
    if (status == STATUS_OK &&
        (outcome.end != PROCESS_EXITED || talk.got != SIDE_LENGTH || memcmp(talk.output, input, SIDE_LENGTH) != 0))
        status = fail(ctx, STATUS_IO, "piece %d: end %d, %zu bytes", i, (int)outcome.end, talk.got);
    free(talk.output);
    return status;
}

/* A child that had another's input open, too, would keep it from ending. */
static void test_side_by_side(void **state)
{
    (void)state;
    struct context ctx = quiet();
    char *input = text_new(SIDE_LENGTH);
    enum status status = jobs_run(&ctx, 4, SIDES, side_work, input);
    free(input);
    assert_string_equal(ctx.error.message, "");
    assert_int_equal(status, STATUS_OK);
}

static enum status work(struct context *ctx, void *user)
{
    (void)user;
    char output[16];
    struct process_outcome outcome;
    struct talk talk = {.input = "abc", .length = 3, .piece = 1, .output = output, .room = sizeof output};
    RETURN_IF(talk_run(ctx, &talk, "cat", 60, &outcome));
    assert_int_equal(talk.got, 3);
    return STATUS_OK;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(fault_loop(work, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEAVES_NOTHING(test_both_directions_in_any_order),
        LEAVES_NOTHING(test_how_it_ended),
        LEAVES_NOTHING(test_the_last_line_of_standard_error),
        LEAVES_NOTHING(test_who_does_not_read),
        LEAVES_NOTHING(test_hanging_is_ended_with_its_children),
        LEAVES_NOTHING(test_children_of_the_child),
        LEAVES_NOTHING(test_the_child_sees_three_descriptors),
        LEAVES_NOTHING(test_without_standard_descriptors),
        LEAVES_NOTHING(test_signals_of_the_child),
        LEAVES_NOTHING(test_children_that_nobody_waits_for),
        LEAVES_NOTHING(test_failures_of_ours),
        LEAVES_NOTHING(test_side_by_side),
        LEAVES_NOTHING(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
