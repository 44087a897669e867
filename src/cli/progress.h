/* progress.h: how a run is doing, on standard error: on a terminal a line for each running stage, redrawn; otherwise a plain
 * line for each epoch of each stage. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/cli.h"

struct progress;

/* progress_new: for a run of this command; NULL with --quiet (all calls take that), or without memory. Messages of the
 * context go between its lines. */
struct progress *progress_new(const struct cli *cli);
/* progress_show: retort_distill_params.progress; user is the progress. */
void progress_show(void *user, const struct retort_progress *at);
/* progress_free: the last lines stay, the cursor is below them. NULL: no-op. */
void progress_free(struct progress *progress);

#endif
