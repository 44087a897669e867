/* result.h: the figures of result.json. */
#ifndef REPORT_RESULT_H
#define REPORT_RESULT_H

#include "report/run.h"

/* result_read: fills what result.json knows of the run, whose folder is set; the rest is left as it is. STATUS_IO: no
 * such file; STATUS_BAD_INPUT: not JSON, or a key that is missing or of another kind (names file, key, expected,
 * found). */
enum status result_read(struct context *ctx, struct arena *arena, const char *file, struct report_run *run);

#endif
