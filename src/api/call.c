/* call.c: begin and end of every call; which public status a failure has. */
#include "api/call.h"

#include "base/file.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

struct retort_result *call_begin(struct retort_context *context, struct retort_result **out)
{
    *out = NULL;
    error_clear(&context->base);
    struct retort_result *result = memory_new(&context->base, 1, sizeof *result);
    if (result == NULL)
        return NULL;
    context_child(&context->base, &result->ctx);
    result->arena = arena_new(&result->ctx);
    if (result->arena == NULL) {
        context_adopt_error(&context->base, &result->ctx);
        memory_free(&context->base, result);
        return NULL;
    }
    return result;
}

/* file_length: how many of the message's first bytes name a file that is there, before a colon or a blank; 0: none. */
static size_t file_length(const char *message)
{
    char path[sizeof((struct error *)0)->message];
    for (size_t i = 1; message[i] != '\0' && i + 1 < sizeof path; i++) {
        struct stat found;
        if (message[i] != ':' && message[i] != ' ' && message[i] != ',')
            continue;
        memcpy(path, message, i);
        path[i] = '\0';
        if (stat(path, &found) == 0 && S_ISREG(found.st_mode))
            return i;
    }
    return 0;
}

/* input_status: a message names the file that it is about first. What is wrong in the recipe or in the params is the
 * caller's mistake; what is wrong in another file is that file's. */
static enum retort_status input_status(const char *message, const char *recipe)
{
    size_t length = file_length(message);
    if (length == 0)
        return RETORT_USAGE;
    bool own = recipe != NULL && strlen(recipe) == length && strncmp(message, recipe, length) == 0;
    return own ? RETORT_USAGE : RETORT_BAD_FILE;
}

static enum retort_status public_status(enum status status, const char *message, const char *recipe)
{
    switch (status) {
    case STATUS_OK:
        return RETORT_OK;
    case STATUS_NO_MEMORY:
        return RETORT_NO_MEMORY;
    case STATUS_BAD_INPUT:
    case STATUS_BAD_SHAPE:
        return input_status(message, recipe);
    case STATUS_IO:
        return RETORT_IO;
    case STATUS_UNSUPPORTED:
        return RETORT_UNSUPPORTED;
    case STATUS_NOT_FINITE:
        return RETORT_NOT_FINITE;
    case STATUS_CANCELLED:
        return RETORT_CANCELLED;
    }
    return RETORT_UNSUPPORTED;
}

enum retort_status call_end(struct retort_context *context, struct retort_result *result, enum status status,
                            const char *recipe, struct retort_result **out)
{
    if (status == STATUS_OK && result->root != NULL) {
        /* What belongs to the caller's context must not be reached through a result that outlives it. */
        result->ctx.log = NULL;
        result->ctx.log_user = NULL;
        result->ctx.cancel = NULL;
        result->ctx.additions = NULL;
        *out = result;
        return RETORT_OK;
    }
    if (status != STATUS_OK && result->ctx.error.status == STATUS_OK)
        fail(&result->ctx, status, "%s", status_text(status));
    status = context_adopt_error(&context->base, &result->ctx);
    retort_result_free(result);
    if (status == STATUS_OK)
        status = fail(&context->base, STATUS_UNSUPPORTED, "nothing came of it: this is our mistake, please report it");
    return public_status(status, context->base.error.message, recipe);
}

enum status needs(struct context *ctx, const char *what, const char *given)
{
    return given != NULL ? STATUS_OK : fail(ctx, STATUS_BAD_INPUT, "expected %s, found none", what);
}

/* position_length: length of ":LINE:COLUMN: " at `text`, or 0. */
static size_t position_length(const char *text)
{
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        if (text[at++] != ':')
            return 0;
        size_t first = at;
        while (isdigit((unsigned char)text[at]))
            at++;
        if (at == first)
            return 0;
    }
    return text[at] == ':' && text[at + 1] == ' ' ? at + 2 : 0;
}

bool retort_error_has_position(const struct retort_context *context)
{
    const char *message = context->base.error.message;
    for (size_t i = 1; context->base.error.status != STATUS_OK && message[0] != '\0' && message[i] != '\0'; i++)
        if (position_length(message + i) > 0)
            return true;
    return false;
}
