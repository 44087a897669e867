/* shell.h: starts a shell command with three pipes; for process.c. */
#ifndef BASE_SHELL_H
#define BASE_SHELL_H

#include <sys/types.h>

struct shell_child {
    pid_t pid;                /* also its group's; 0: not started */
    int input, output, error; /* our ends of its standard descriptors, which never block; -1: closed */
};

/* shell_start: /bin/sh -c command, in a process group of its own. 0, or the number of an error; then nothing is open. Safe
 * beside other threads, also those that start children. */
int shell_start(const char *command, struct shell_child *out);
void shell_close(int *descriptor); /* and sets it to -1; -1: no-op */

#endif
