/* shell.c: starts a shell command. posix_spawn, because another thread may hold any lock when we fork. */
#define _GNU_SOURCE /* pipe2, environ */
#include "base/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <unistd.h>

void shell_close(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

/* pipe_new: both ends are closed by exec and lie above the standard descriptors: one of those may be free in this process,
 * which then would write its messages into the pipe. False: errno says why. */
static bool pipe_new(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        if (ends[i] > STDERR_FILENO)
            continue;
        int low = ends[i], higher = fcntl(low, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), reason = errno;
        close(low);
        ends[i] = higher;
        errno = reason;
        if (higher < 0)
            return false;
    }
    return true;
}

/* shell_describe: the child's descriptors, its group and its signals; 0 or an error number. */
static int shell_describe(const int ends[3], posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes)
{
    int reason = 0;
    for (int i = 0; i < 3 && reason == 0; i++)
        reason = posix_spawn_file_actions_adddup2(actions, ends[i], i);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    /* Ours are closed by exec; a host program's need not be. */
    if (reason == 0)
        reason = posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#endif
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGCHLD);
    if (reason == 0)
        reason = posix_spawnattr_setsigmask(attributes, &none);
    if (reason == 0)
        reason = posix_spawnattr_setsigdefault(attributes, &defaults);
    if (reason == 0)
        reason = posix_spawnattr_setpgroup(attributes, 0);
    if (reason == 0)
        reason = posix_spawnattr_setflags(attributes,
                                          POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return reason;
}

/* shell_spawn: 0 or an error number. */
static int shell_spawn(const char *command, const int ends[3], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int reason = posix_spawn_file_actions_init(&actions);
    if (reason != 0)
        return reason;
    reason = posix_spawnattr_init(&attributes);
    if (reason == 0) {
        char shell[] = "sh", option[] = "-c";
        char *const arguments[] = {shell, option, (char *)command, NULL};
        reason = shell_describe(ends, &actions, &attributes);
        if (reason == 0)
            reason = posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return reason;
}

int shell_start(const char *command, struct shell_child *out)
{
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int reason = 0;
    pid_t pid = 0;
    for (int i = 0; i < 3 && reason == 0; i++)
        reason = pipe_new(pipes[i]) ? 0 : errno;
    int *theirs[3] = {&pipes[0][0], &pipes[1][1], &pipes[2][1]}, *ours[3] = {&pipes[0][1], &pipes[1][0], &pipes[2][0]};
    /* Not the child's ends: programs do not expect to be told to come again later. */
    for (int i = 0; i < 3 && reason == 0; i++)
        reason = fcntl(*ours[i], F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
    if (reason == 0)
        reason = shell_spawn(command, (int[3]){*theirs[0], *theirs[1], *theirs[2]}, &pid);
    for (int i = 0; i < 3; i++) {
        shell_close(theirs[i]);
        if (reason != 0)
            shell_close(ours[i]);
    }
    *out = (struct shell_child){reason == 0 ? pid : 0, *ours[0], *ours[1], *ours[2]};
    return reason;
}
