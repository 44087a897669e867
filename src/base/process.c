/* process.c: a shell command as a child process: one poll for all that it may read and write, in any order. */
#include "base/process.h"

#include "base/shell.h"
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 1 << 16,
    DRAIN_READS = 64, /* of a buffer: more than a pipe holds */
    TICK_MAX = 50,    /* ms: how late we notice an interruption, or that the shell ended while a pipe is held open */
};

/* The last line that is not blank, of a text that comes in pieces. */
struct last_line {
    char line[PROCESS_LINE_SIZE]; /* the one that is being written */
    size_t length;                /* of it, also of what is cut off */
    bool blank;
    char *last; /* [PROCESS_LINE_SIZE] */
};

struct process {
    struct context *ctx;
    const struct process_spec *spec;
    struct process_outcome *outcome;
    struct shell_child child; /* pid 0: reaped */
    const char *piece;        /* of the input, not taken yet; there is one as long as `input` is open */
    size_t piece_left;
    double progress; /* when the last byte was taken or given */
    struct last_line lines;
    char buffer[BUFFER_SIZE];
};

static void line_keep(struct last_line *lines)
{
    if (!lines->blank) {
        size_t length = lines->length;
        if (length >= PROCESS_LINE_SIZE) {
            length = PROCESS_LINE_SIZE - 1;
            memcpy(lines->line + length - 3, "...", 3);
        }
        memcpy(lines->last, lines->line, length);
        lines->last[length] = '\0';
    }
    lines->length = 0;
    lines->blank = true;
}

/* lines_add: a progress bar's carriage return ends a line too; control characters have no place in a message. */
static void lines_add(struct last_line *lines, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        if (byte == '\n' || byte == '\r') {
            line_keep(lines);
            continue;
        }
        if (byte < 0x20 || byte == 0x7f)
            byte = ' ';
        if (lines->length < PROCESS_LINE_SIZE)
            lines->line[lines->length] = (char)byte;
        lines->length++;
        lines->blank = lines->blank && byte == ' ';
    }
}

static enum status process_start(struct process *process)
{
    int reason = shell_start(process->spec->command, &process->child);
    if (reason == 0)
        return STATUS_OK;
    return fail(process->ctx, STATUS_IO, "%s: cannot be started: %s", process->spec->name, strerror(reason));
}

/* process_feed: the next piece of input; closes the input where there is none. */
static enum status process_feed(struct process *process)
{
    const void *bytes = NULL;
    RETURN_IF(process->spec->feed(process->spec->user, &bytes, &process->piece_left));
    process->piece = bytes;
    if (process->piece_left == 0)
        shell_close(&process->child.input);
    return STATUS_OK;
}

/* write_quietly: write without its SIGPIPE. What this process does about signals is not ours to change, but the signal
 * goes to the thread that writes: it is blocked there and taken back. */
static ssize_t write_quietly(int descriptor, const void *bytes, size_t count)
{
    sigset_t broken, pending, before;
    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    sigemptyset(&pending);
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE)) /* so it is blocked already, and a second one makes no difference */
        return write(descriptor, bytes, count);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    ssize_t written = write(descriptor, bytes, count);
    int reason = errno;
    if (written < 0 && reason == EPIPE) {
        const struct timespec now = {0, 0};
        while (sigtimedwait(&broken, NULL, &now) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return written;
}

static enum status process_write(struct process *process)
{
    ssize_t written = write_quietly(process->child.input, process->piece, process->piece_left);
    if (written < 0) {
        if (errno != EAGAIN && errno != EINTR) { /* EPIPE: nobody will read it */
            process->outcome->unread = true;
            shell_close(&process->child.input);
        }
        return STATUS_OK;
    }
    process->piece += written;
    process->piece_left -= (size_t)written;
    process->progress = clock_seconds();
    if (process->piece_left > 0)
        return STATUS_OK;
    return process_feed(process);
}

/* process_read: one buffer of the output; *more: there may be further bytes now. */
static enum status process_read(struct process *process, bool *more)
{
    errno = 0;
    ssize_t count = read(process->child.output, process->buffer, BUFFER_SIZE);
    *more = count > 0 || errno == EINTR;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return STATUS_OK;
    if (count <= 0) {
        shell_close(&process->child.output);
        return STATUS_OK;
    }
    enum status status = process->spec->take(process->spec->user, process->buffer, (size_t)count);
    process->progress = clock_seconds(); /* afterwards: the time that take needs is not the child's */
    return status;
}

/* error_read: one buffer of standard error; false: there is no more now. */
static bool error_read(struct process *process)
{
    ssize_t count = read(process->child.error, process->buffer, BUFFER_SIZE);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (count <= 0) {
        shell_close(&process->child.error);
        return false;
    }
    lines_add(&process->lines, process->buffer, (size_t)count);
    return true;
}

/* process_ended: has the shell ended? It stays unreaped, so that its number, and its group's, is still its own. */
static bool process_ended(const struct process *process)
{
    siginfo_t info = {.si_pid = 0};
    return waitid(P_PID, (id_t)process->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

/* process_exchange: until the shell has ended or the time is over. */
static enum status process_exchange(struct process *process)
{
    int tick = 1;
    double looked = clock_seconds();
    for (;;) {
        if (context_cancelled(process->ctx))
            return fail(process->ctx, STATUS_CANCELLED, "interrupted");
        struct pollfd polled[] = {
            {process->child.input, POLLOUT, 0}, {process->child.output, POLLIN, 0}, {process->child.error, POLLIN, 0}};
        int ready = poll(polled, 3, tick);
        double before = process->progress;
        bool more = false;
        if (ready > 0 && polled[0].revents != 0)
            RETURN_IF(process_write(process));
        if (ready > 0 && polled[1].revents != 0)
            RETURN_IF(process_read(process, &more));
        if (ready > 0 && polled[2].revents != 0)
            error_read(process);
        double now = clock_seconds();
        bool moved = process->progress > before;
        tick = moved ? 1 : 2 * tick < TICK_MAX ? 2 * tick : TICK_MAX;
        /* A child of the child may hold the descriptors open, and even go on writing, when the shell is gone. */
        bool look = ready <= 0 || now - looked > 1e-3 * TICK_MAX;
        if (look && process_ended(process))
            return STATUS_OK;
        looked = look ? now : looked;
        if (!moved && now - process->progress > process->spec->timeout) {
            process->outcome->end = PROCESS_TIMEOUT;
            return STATUS_OK;
        }
    }
}

/* process_drain: what the pipes hold already; no more, for a child of the child may never stop. */
static enum status process_drain(struct process *process, bool output)
{
    enum status status = STATUS_OK;
    bool more = output;
    for (int i = 0; i < DRAIN_READS && more && process->child.output >= 0 && status == STATUS_OK; i++)
        status = process_read(process, &more);
    for (int i = 0; i < DRAIN_READS && process->child.error >= 0 && error_read(process); i++)
        ;
    return status;
}

/* process_reap: kills what is left of the group, and learns how the shell ended. */
static void process_reap(struct process *process)
{
    int status = 0;
    pid_t reaped;
    /* Where the shell has been reaped by somebody else, its number may be another's by now. */
    siginfo_t info;
    if (waitid(P_PID, (id_t)process->child.pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        kill(-process->child.pid, SIGKILL);
    do {
        reaped = waitpid(process->child.pid, &status, 0);
    } while (reaped < 0 && errno == EINTR);
    process->child.pid = 0;
    struct process_outcome *outcome = process->outcome;
    if (outcome->end == PROCESS_TIMEOUT)
        return;
    outcome->end = reaped < 0 ? PROCESS_UNKNOWN : WIFSIGNALED(status) ? PROCESS_SIGNALLED : PROCESS_EXITED;
    outcome->code = reaped < 0 ? 0 : WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

enum status process_run(struct context *ctx, const struct process_spec *spec, struct process_outcome *outcome)
{
    assert(spec->timeout > 0);
    *outcome = (struct process_outcome){.end = PROCESS_UNKNOWN};
    struct process *process = memory_new(ctx, 1, sizeof *process);
    if (process == NULL)
        return ctx->error.status;
    enum status status = STATUS_OK;
    process->ctx = ctx;
    process->spec = spec;
    process->outcome = outcome;
    process->lines = (struct last_line){.blank = true, .last = outcome->last};
    TRY(process_start(process));
    process->progress = clock_seconds();
    TRY(process_feed(process));
    TRY(process_exchange(process));
    TRY(process_drain(process, outcome->end != PROCESS_TIMEOUT));

cleanup:
    outcome->unread = outcome->unread || process->child.input >= 0;
    if (process->child.pid > 0) {
        if (status != STATUS_OK)
            process_drain(process, false);
        process_reap(process);
    }
    line_keep(&process->lines);
    shell_close(&process->child.input);
    shell_close(&process->child.output);
    shell_close(&process->child.error);
    memory_free(ctx, process);
    return status;
}
