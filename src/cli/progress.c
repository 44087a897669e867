/* progress.c: bars and lines. */
#include "cli/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { STAGE_NAME_SIZE = 64, BAR_WIDTH = 12, LINE_SIZE = 512, NARROW = 40 };

/* A stage that has begun, as it was seen last. */
struct stage_line {
    char name[STAGE_NAME_SIZE];
    struct retort_progress at; /* its `stage` is not used: it may be gone */
    bool finished;
};

struct progress {
    struct retort_context *context;
    bool terminal, color;
    struct stage_line *stages;
    size_t count;
    int drawn; /* lines on the terminal that will be redrawn */
};

/* --- texts --- */

static const char *time_text(double seconds, char out[24])
{
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e7)
        return "?";
    long whole = (long)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(out, 24, "%ldh%02ldm", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        snprintf(out, 24, "%ldm%02lds", whole / 60, whole % 60);
    else
        snprintf(out, 24, "%lds", whole);
    return out;
}

/* numbers_text: "loss 0.4211  12345 samples/s  epoch 3/10  validation 0.8912": what matters first, a narrow line is cut. */
static void numbers_text(const struct retort_progress *at, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    if (isfinite(at->loss) && at->step > 0)
        length += (size_t)snprintf(out + length, size - length, "loss %.4f  ", at->loss);
    if (at->samples_per_second > 0)
        length += (size_t)snprintf(out + length, size - length, "%.0f samples/s  ", at->samples_per_second);
    length +=
        (size_t)snprintf(out + length, size - length, "epoch %lld/%lld", (long long)at->epoch, (long long)at->epochs);
    if (isfinite(at->validation_accuracy))
        snprintf(out + length, size - length, "  validation %.4f", at->validation_accuracy);
}

/* --- on a terminal --- */

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* erase: the cursor goes to the first of the lines that were drawn, and all below it is cleared. */
static void erase(struct progress *progress)
{
    if (progress->drawn > 0)
        fprintf(stderr, "\033[%dA\r\033[J", progress->drawn);
    progress->drawn = 0;
}

/* bar_line: no wider than the terminal: a line that wraps cannot be redrawn. */
static void bar_line(const struct progress *progress, const struct stage_line *line, int width)
{
    char text[LINE_SIZE], numbers[LINE_SIZE / 2], left[24], bar[BAR_WIDTH + 1];
    const struct retort_progress *at = &line->at;
    double part = at->steps > 0 ? (double)at->step / (double)at->steps : 1;
    int filled = (int)(part * BAR_WIDTH);
    memset(bar, '-', BAR_WIDTH);
    memset(bar, '#', filled > BAR_WIDTH ? BAR_WIDTH : (size_t)filled);
    bar[BAR_WIDTH] = '\0';
    numbers_text(at, numbers, sizeof numbers);
    if (width < NARROW)
        snprintf(text, sizeof text, "%.12s %3.0f%%", line->name, 100 * part);
    else
        snprintf(text, sizeof text, "%-14.48s [%s] %3.0f%%  %s left  %s", line->name, bar, 100 * part,
                 time_text(at->seconds_left, left), numbers);
    if (progress->color)
        fprintf(stderr, "\033[36m%.*s\033[0m\n", width - 1, text);
    else
        fprintf(stderr, "%.*s\n", width - 1, text);
}

static void draw(struct progress *progress)
{
    int width = terminal_width();
    for (size_t i = 0; i < progress->count; i++)
        if (!progress->stages[i].finished) {
            bar_line(progress, &progress->stages[i], width);
            progress->drawn++;
        }
    fflush(stderr);
}

/* --- plain lines, and what stays of a finished stage --- */

static void plain_line(const struct stage_line *line, const char *what)
{
    char numbers[LINE_SIZE / 2];
    numbers_text(&line->at, numbers, sizeof numbers);
    fprintf(stderr, "%s: %s%s\n", line->name, numbers, what);
}

static struct stage_line *line_of(struct progress *progress, const char *stage)
{
    for (size_t i = 0; i < progress->count; i++)
        if (strncmp(progress->stages[i].name, stage, STAGE_NAME_SIZE - 1) == 0)
            return &progress->stages[i];
    struct stage_line *grown = realloc(progress->stages, (progress->count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL; /* a line less to see; the run goes on */
    progress->stages = grown;
    struct stage_line *line = &grown[progress->count++];
    memset(line, 0, sizeof *line);
    snprintf(line->name, sizeof line->name, "%s", stage);
    return line;
}

void progress_show(void *user, const struct retort_progress *at)
{
    struct progress *progress = user;
    struct stage_line *line = progress != NULL && at->stage != NULL ? line_of(progress, at->stage) : NULL;
    if (line == NULL || line->finished)
        return;
    if (progress->terminal)
        erase(progress);
    line->at = *at;
    line->at.stage = NULL;
    line->finished = at->finished;
    if (!progress->terminal && at->epoch_end && !at->finished)
        plain_line(line, "");
    if (line->finished)
        plain_line(line, ", done");
    if (progress->terminal)
        draw(progress);
}

static void message_show(void *user, enum retort_log_level level, const char *text)
{
    struct progress *progress = user;
    if (progress->terminal)
        erase(progress);
    fprintf(stderr, "retort: %s%s\n", level == RETORT_LOG_WARNING ? "warning: " : "", text);
    if (progress->terminal)
        draw(progress);
}

struct progress *progress_new(const struct cli *cli)
{
    struct progress *progress = cli->quiet ? NULL : calloc(1, sizeof *progress);
    if (progress == NULL)
        return NULL;
    const char *kind = getenv("TERM");
    progress->context = cli->context;
    progress->terminal = isatty(STDERR_FILENO) && (kind == NULL || strcmp(kind, "dumb") != 0);
    progress->color = cli->color;
    retort_set_log(cli->context, RETORT_LOG_INFO, message_show, progress);
    return progress;
}

void progress_free(struct progress *progress)
{
    if (progress == NULL)
        return;
    if (progress->terminal)
        erase(progress);
    retort_set_log(progress->context, RETORT_LOG_WARNING, NULL, NULL);
    free(progress->stages);
    free(progress);
}
