/* left_over.c: see left_over.h. */
#include "support/left_over.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

static int descriptors_open(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static int descriptors_before;

int nothing_yet(void **state)
{
    (void)state;
    descriptors_before = descriptors_open();
    return 0;
}

int nothing_left(void **state)
{
    (void)state;
    sigset_t pending, blocked;
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    if (descriptors_open() != descriptors_before || waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD ||
        sigismember(&pending, SIGPIPE) || sigismember(&blocked, SIGPIPE)) {
        print_error("a descriptor, a child or a signal is left\n");
        return -1;
    }
    return 0;
}
