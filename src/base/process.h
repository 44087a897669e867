/* process.h: a shell command as a child process that is given bytes and answers bytes. */
#ifndef BASE_PROCESS_H
#define BASE_PROCESS_H

#include "base/context.h"

enum { PROCESS_LINE_SIZE = 256 };

struct process_spec {
    const char *name;    /* what messages call it */
    const char *command; /* for /bin/sh -c */
    double timeout;      /* seconds without a byte of input taken or of output given; greater than 0 */
    void *user;
    /* feed: the next bytes of its standard input, borrowed until the next call; *count 0: there are no more, and it is
     * closed. One piece is asked for at a time, when the one before it has been taken. */
    enum status (*feed)(void *user, const void **bytes, size_t *count);
    /* take: the next bytes of its standard output, borrowed for the call. */
    enum status (*take)(void *user, const void *bytes, size_t count);
};

enum process_end {
    PROCESS_EXITED,    /* code: its exit status (the shell's: 127 where there is no such command) */
    PROCESS_SIGNALLED, /* code: the signal that ended it */
    PROCESS_TIMEOUT,   /* it was ended after `timeout` seconds */
    PROCESS_UNKNOWN,   /* it ended, but somebody else asked how (SIGCHLD is ignored in this process) */
};

struct process_outcome {
    enum process_end end;
    int code;
    bool unread;                  /* it ended, or closed its standard input, before all input was taken */
    char last[PROCESS_LINE_SIZE]; /* its last line of standard error that is not blank, a long one cut; "": none */
};

/* process_run: runs the command until the shell ends, exchanging bytes in both directions as they come, whatever the
 * command does first. It sees only its three standard descriptors. It has a process group of its own, and
 * what is left of that is killed when the shell has ended, or on timeout and failure; none stays unreaped.
 *
 * STATUS_OK: it ended, or was ended for its timeout, as *outcome says. Else it was killed: STATUS_IO, it cannot be
 * started; STATUS_CANCELLED; or what feed or take returned. outcome->last is set in each case. The signal
 * dispositions of the process stay as they are; a command that does not read is no SIGPIPE. */
enum status process_run(struct context *ctx, const struct process_spec *spec, struct process_outcome *outcome);

#endif
