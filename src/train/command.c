/* command.c: a program as teacher. process.c exchanges the bytes; here batches become bytes, and bytes rows. The two
 * directions know nothing of each other, so that the program may answer as it likes: at once, or all at the end. */
#include "train/command.h"

#include "base/process.h"
#include "data/loader.h"
#include "format/npy_header.h"
#include "format/npy_stream.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COMMAND_TEXT = 120, NAME_SIZE = 256 };

struct command {
    struct context *ctx;
    const struct command_spec *spec;
    const struct command_pass *passes;
    int n_passes;
    char name[NAME_SIZE]; /* of label and command, in messages */
    bool blamed;          /* the recorded failure is the program's */

    int sent;              /* the pass whose batches are sent */
    struct loader *loader; /* of it; NULL: not begun */
    unsigned char *array;  /* NPY_HEADER_SIZE bytes, and [batch,C,H,W] floats of the largest pass */

    int answered;     /* the pass whose rows are answered */
    int64_t row;      /* the first that is not */
    int64_t expected; /* rows of the next answer */
    struct npy_stream *stream;
    char answer_name[2 * NAME_SIZE];
};

static int64_t pass_rows(const struct command_pass *pass)
{
    return pass->split->count * augmentation_views(pass->augmentation);
}

static int64_t pass_pixels(const struct command_pass *pass)
{
    return pass->split->channels * pass->split->height * pass->split->width;
}

/* command_name: the command may be long, and of several lines. */
static void command_name(struct command *command)
{
    const char *text = command->spec->command;
    int length = (int)strnlen(text, COMMAND_TEXT);
    snprintf(command->name, sizeof command->name, "%.80s: command \"%.*s%s\"", command->spec->label, length, text,
             text[length] != '\0' ? "..." : "");
    for (char *c = command->name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20)
            *c = ' ';
}

/* sent_begin: a loader for the pass: every view of sample 0, of sample 1, … */
static enum status sent_begin(struct command *command, const struct command_pass *pass)
{
    const struct loader_spec spec = {
        .split = pass->split, .batch = command->spec->batch, .augmentation = pass->augmentation, .every_view = true};
    command->loader = loader_new(command->ctx, &spec);
    return command->loader == NULL ? command->ctx->error.status : STATUS_OK;
}

/* array_write: the batch as float32 [n,C,H,W] in [0,1], from [n,H,W,C]; returns the array's length in bytes. */
static size_t array_write(struct command *command, const struct split *split, const struct batch *batch)
{
    const int64_t channels = split->channels, pixels = split->height * split->width;
    const struct shape shape = SHAPE(batch->count, channels, split->height, split->width);
    char header[NPY_HEADER_SIZE];
    size_t length = npy_header_write(ELEMENT_F32, &shape, header);
    memcpy(command->array, header, length);
    float *to = (float *)(void *)(command->array + length); /* a multiple of 64 */
    for (int64_t i = 0; i < batch->count; i++) {
        for (int64_t c = 0; c < channels; c++) {
            int64_t at = i * pixels * channels + c;
            for (int64_t p = 0; p < pixels; p++, at += channels)
                *to++ = batch->element == ELEMENT_U8 ? (float)((const uint8_t *)batch->images)[at] / 255.0F
                                                     : ((const float *)batch->images)[at];
        }
    }
    return (size_t)((unsigned char *)to - command->array);
}

static enum status command_feed(void *user, const void **bytes, size_t *count)
{
    struct command *command = user;
    struct batch batch;
    *count = 0;
    for (; command->sent < command->n_passes; command->sent++) {
        const struct command_pass *pass = &command->passes[command->sent];
        if (pass_rows(pass) == 0)
            continue;
        if (command->loader == NULL)
            RETURN_IF(sent_begin(command, pass));
        if (loader_next(command->loader, &batch)) {
            *count = array_write(command, pass->split, &batch);
            *bytes = command->array;
            return STATUS_OK;
        }
        loader_free(command->loader);
        command->loader = NULL;
    }
    return STATUS_OK;
}

/* answer_expect: the next array, if there is one. */
static void answer_expect(struct command *command)
{
    while (command->answered < command->n_passes && command->row == pass_rows(&command->passes[command->answered])) {
        command->answered++;
        command->row = 0;
    }
    if (command->answered == command->n_passes)
        return;
    const struct command_pass *pass = &command->passes[command->answered];
    int64_t left = pass_rows(pass) - command->row;
    command->expected = left < command->spec->batch ? left : command->spec->batch;
    snprintf(command->answer_name, sizeof command->answer_name, "%s: answer for rows %lld to %lld of the %s split",
             command->name, (long long)command->row, (long long)(command->row + command->expected - 1),
             pass->split->name);
    const struct shape shape = SHAPE(command->expected, command->spec->classes);
    npy_stream_expect(command->stream, command->answer_name, &shape);
}

/* answer_take: a whole array. */
static enum status answer_take(struct command *command, const float *logits)
{
    const struct command_pass *pass = &command->passes[command->answered];
    const int64_t classes = command->spec->classes, count = command->expected * classes;
    int64_t wrong = format_not_finite(ELEMENT_F32, logits, count);
    if (wrong >= 0) {
        const int64_t row = command->row + wrong / classes;
        command->blamed = true;
        return fail(command->ctx, STATUS_NOT_FINITE,
                    "%s: expected logits that are finite in float32, found %s in row %lld of the %s split, class %lld",
                    command->name, format_not_finite_text(ELEMENT_F32, logits, wrong), (long long)row,
                    pass->split->name, (long long)(wrong % classes));
    }
    RETURN_IF(pass->rows(pass->user, command->row, command->expected, logits));
    command->row += command->expected;
    answer_expect(command);
    return STATUS_OK;
}

static enum status command_take(void *user, const void *bytes_, size_t count)
{
    struct command *command = user;
    const unsigned char *bytes = bytes_;
    while (count > 0) {
        if (command->answered == command->n_passes) {
            command->blamed = true;
            return fail(command->ctx, STATUS_BAD_INPUT,
                        "%s: expected nothing behind its last answer, found more; it must answer one array for each "
                        "array that it gets",
                        command->name);
        }
        size_t taken = 0;
        enum status status = npy_stream_take(command->stream, bytes, count, &taken);
        if (status != STATUS_OK) {
            command->blamed = status != STATUS_NO_MEMORY;
            return status;
        }
        bytes += taken;
        count -= taken;
        const float *logits = npy_stream_numbers(command->stream);
        if (logits != NULL)
            RETURN_IF(answer_take(command, logits));
    }
    return STATUS_OK;
}

/* status_meaning: what the shell says with its own status. */
static const char *status_meaning(int code)
{
    if (code == 126)
        return " (the shell's for a file that it may not run)";
    if (code == 127)
        return " (the shell's for a command that it does not find)";
    return code > 128 && code <= 128 + SIGRTMAX ? " (128 and the signal that ended it)" : "";
}

/* end_text: how it ended; into out [NAME_SIZE]. */
static const char *end_text(const struct process_outcome *outcome, char *out)
{
    if (outcome->end == PROCESS_SIGNALLED)
        snprintf(out, NAME_SIZE, "it was ended by signal %d%s", outcome->code,
                 outcome->code == SIGKILL ? " (as when memory runs out)" : "");
    else if (outcome->end == PROCESS_EXITED)
        snprintf(out, NAME_SIZE, "it ended with status %d%s", outcome->code, status_meaning(outcome->code));
    else
        snprintf(out, NAME_SIZE, "it ended");
    return out;
}

/* command_judge: it ended, or hung; were these all rows, and did it end as it should? */
static enum status command_judge(struct command *command, const struct process_outcome *outcome)
{
    struct context *ctx = command->ctx;
    char end[NAME_SIZE];
    bool all = command->answered == command->n_passes;
    command->blamed = true;
    if (!all) {
        const struct command_pass *pass = &command->passes[command->answered];
        const char *within = npy_stream_begun(command->stream) ? " and a part of an array" : "";
        if (outcome->end == PROCESS_TIMEOUT)
            return fail(ctx, STATUS_IO,
                        "%s: expected %lld rows of logits for the %s split, found %lld%s and then "
                        "nothing for %g s; raise timeout: if it only needs longer",
                        command->name, (long long)pass_rows(pass), pass->split->name, (long long)command->row, within,
                        command->spec->timeout);
        return fail(ctx, STATUS_IO, "%s: expected %lld rows of logits for the %s split, found %lld%s: %s",
                    command->name, (long long)pass_rows(pass), pass->split->name, (long long)command->row, within,
                    end_text(outcome, end));
    }
    if (outcome->end == PROCESS_TIMEOUT)
        return fail(ctx, STATUS_IO,
                    "%s: expected it to end when its standard input does, found it running %g s later; raise "
                    "timeout: if it only needs longer",
                    command->name, command->spec->timeout);
    if (outcome->code != 0)
        return fail(ctx, STATUS_IO, "%s: expected status 0 behind its last answer, found that %s", command->name,
                    end_text(outcome, end));
    if (outcome->unread)
        return fail(ctx, STATUS_IO,
                    "%s: expected it to read its standard input to the end, found that it answered without",
                    command->name);
    command->blamed = false;
    return STATUS_OK;
}

/* error_extend: the recorded message, with the program's own words behind it. */
static void error_extend(struct context *ctx, const char *last)
{
    struct error error = ctx->error;
    error_clear(ctx);
    fail(ctx, error.status, "%.1700s; last line of its standard error: %s", error.message, last);
}

/* command_memory: the largest array of each direction. */
static enum status command_memory(struct command *command)
{
    int64_t floats = 0, answer = 0;
    for (int i = 0; i < command->n_passes; i++) {
        int64_t rows = pass_rows(&command->passes[i]);
        rows = rows < command->spec->batch ? rows : command->spec->batch;
        int64_t pixels = pass_pixels(&command->passes[i]), classes = command->spec->classes;
        if (rows * (pixels > classes ? pixels : classes) > (int64_t)1 << 31)
            return fail(command->ctx, STATUS_BAD_SHAPE,
                        "%s: expected arrays of at most 2^31 numbers, found batches of %lld; take a smaller batch",
                        command->name, (long long)rows);
        floats = rows * pixels > floats ? rows * pixels : floats;
        answer = rows * classes > answer ? rows * classes : answer;
    }
    command->array = memory_new(command->ctx, NPY_HEADER_SIZE / sizeof(float) + (size_t)floats, sizeof(float));
    command->stream = command->array == NULL ? NULL : npy_stream_new(command->ctx, answer);
    return command->stream == NULL ? command->ctx->error.status : STATUS_OK;
}

enum status command_logits(struct context *ctx, const struct command_spec *spec, const struct command_pass *passes,
                           int n_passes)
{
    enum status status = STATUS_OK;
    struct process_outcome outcome = {.end = PROCESS_UNKNOWN};
    struct command command = {.ctx = ctx, .spec = spec, .passes = passes, .n_passes = n_passes};
    const struct process_spec process = {.name = command.name,
                                         .command = spec->command,
                                         .timeout = spec->timeout,
                                         .user = &command,
                                         .feed = command_feed,
                                         .take = command_take};
    command_name(&command);
    TRY(command_memory(&command));
    answer_expect(&command);
    TRY(process_run(ctx, &process, &outcome));
    TRY(command_judge(&command, &outcome));

cleanup:
    if (command.blamed && outcome.last[0] != '\0')
        error_extend(ctx, outcome.last);
    loader_free(command.loader);
    npy_stream_free(command.stream);
    memory_free(ctx, command.array);
    return status;
}
