/* waiting.c: idle threads sleep instead of spinning.
 *
 * GNU's OpenMP lets a thread that waits for the others spin. On a machine that others use too, the spinning takes the core away from
 * the thread that is waited for: a teacher's training on two cores of a busy machine was seen at an eighth of its speed. Sleeping
 * costs some microseconds a parallel region, which ours are too large to notice. The runtime reads the environment before main, so the
 * only way to choose is to start again with the choice made; one that is made already is left alone. */
#include "cli/cli.h"

#include <stdlib.h>
#include <unistd.h>

void threads_sleep_when_idle(char **words)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || setenv("OMP_WAIT_POLICY", "passive", 1) != 0)
        return;
    execv("/proc/self/exe", words); /* returns only where it cannot: the program then goes on as it is */
}
