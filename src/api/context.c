/* context.c: the context of the public interface. */
#include "api/call.h"

#include "base/arena.h"
#include "base/thread.h"

const char *retort_version(void)
{
    return RETORT_VERSION;
}

const char *retort_status_text(enum retort_status status)
{
    static const char *const texts[] = {
#define X(name, text) [RETORT_##name] = text,
        RETORT_STATUS_LIST(X)
#undef X
    };
    size_t index = (size_t)status;
    return index < sizeof texts / sizeof texts[0] ? texts[index] : "unknown status";
}

struct retort_context *retort_context_new(void)
{
    struct context own;
    context_init(&own);
    struct retort_context *context = memory_new(&own, 1, sizeof *context);
    if (context == NULL)
        return NULL;
    if (pthread_mutex_init(&context->lock, NULL) != 0) {
        memory_free(&own, context);
        return NULL;
    }
    context->base = own;
    context->base.log_level = LOG_WARNING;
    context->base.threads = cpu_count();
    return context;
}

void retort_context_free(struct retort_context *context)
{
    if (context == NULL)
        return;
    struct context own = context->base;
    additions_free(&own, &context->additions);
    arena_free(context->added);
    pthread_mutex_destroy(&context->lock);
    memory_free(&own, context);
}

const char *retort_error(const struct retort_context *context)
{
    return context->base.error.status == STATUS_OK ? "" : context->base.error.message;
}

void retort_set_threads(struct retort_context *context, int threads)
{
    context->base.threads = threads > 0 ? threads : cpu_count();
}

static void log_forward(void *user, enum log_level level, const char *line)
{
    struct retort_context *context = user;
    pthread_mutex_lock(&context->lock);
    context->log(context->log_user, level == LOG_WARNING ? RETORT_LOG_WARNING : RETORT_LOG_INFO, line);
    pthread_mutex_unlock(&context->lock);
}

void retort_set_log(struct retort_context *context, enum retort_log_level level,
                    void (*log)(void *user, enum retort_log_level level, const char *line), void *user)
{
    static const enum log_level levels[] = {
        [RETORT_LOG_QUIET] = LOG_QUIET, [RETORT_LOG_WARNING] = LOG_WARNING, [RETORT_LOG_INFO] = LOG_INFO};
    context->base.log_level = levels[level];
    context->log = log;
    context->log_user = user;
    context->base.log = log != NULL ? log_forward : NULL;
    context->base.log_user = log != NULL ? context : NULL;
}

void retort_set_cancel(struct retort_context *context, const volatile sig_atomic_t *flag)
{
    context->base.cancel = flag;
}
