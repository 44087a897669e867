/* waiting.c: idle threads spin for some microseconds, then sleep.
 *
 * GNU's OpenMP lets a thread that waits for the others spin for milliseconds. On a machine that others use too, the spinning takes the
 * core away from the thread that is waited for: a teacher's training on two cores of a busy machine was seen at an eighth of its speed.
 * To be woken takes so long, though, that a small student's step, of regions of a tenth of a millisecond, gains nothing from a second
 * thread that sleeps between them. Some microseconds are enough for it to be awake still, and too few to harm anybody. The runtime
 * reads the environment before main, so the only way to choose is to start again with the choice made; one that is made already is
 * left alone. */
#include "cli/cli.h"

#include <stdlib.h>
#include <unistd.h>

#define SPINS "1000" /* about ten microseconds */

void threads_sleep_when_idle(char **words)
{
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || setenv("OMP_WAIT_POLICY", "passive", 1) != 0 ||
        setenv("GOMP_SPINCOUNT", SPINS, 1) != 0)
        return;
    execv("/proc/self/exe", words); /* returns only where it cannot: the program then goes on as it is */
}
