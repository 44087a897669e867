/* command.h: a program as teacher: it gets images as NPY arrays on its standard input and answers logits on its standard
 * output (docs/command-teacher.md). */
#ifndef TRAIN_COMMAND_H
#define TRAIN_COMMAND_H

#include "data/augment.h"
#include "data/data.h"

struct command_spec {
    const char *command; /* for /bin/sh -c */
    double timeout;      /* seconds without a byte in either direction; greater than 0 */
    int64_t classes;     /* K */
    int64_t batch;       /* images an array, at least 1; the last one of a pass has what is left */
    const char *label;   /* whose command it is, for messages: "teacher" */
};

/* What it is asked for. Row sample * views + view is view `view` of sample `sample`: 1 view without augmentation. */
struct command_pass {
    const struct split *split;               /* borrowed */
    const struct augmentation *augmentation; /* borrowed; its views have numbers (augmentation_views); NULL: none */
    /* rows: logits [count,K] of rows first … first+count-1, finite, borrowed for the call; called in order, without gaps. */
    enum status (*rows)(void *user, int64_t first, int64_t count, const float *logits);
    void *user;
};

/* command_logits: starts the program once and asks for the passes in order. It is sent arrays float32 [n,C,H,W] in [0,1], must
 * answer each with an array [n,K] in float32 or float64, in the same order, and end with status 0 when its standard
 * input does. What is sent does not wait for answers; in memory is one batch of each.
 *
 * Each way of not doing so is a failure that names the command, what was expected and found, and the last line of its
 * standard error: STATUS_IO (it cannot be started, ends early, hangs), STATUS_BAD_INPUT (no NPY, too much),
 * STATUS_BAD_SHAPE, STATUS_UNSUPPORTED (element type), STATUS_NOT_FINITE. Failures of `rows` are passed on. */
enum status command_logits(struct context *ctx, const struct command_spec *spec, const struct command_pass *passes,
                           int n_passes);

#endif
