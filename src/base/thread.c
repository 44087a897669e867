/* thread.c: a pool that lives for one call of jobs_run; the calling thread is one of its workers. */
#define _GNU_SOURCE /* sched_getaffinity and CPU_COUNT: a container or taskset gives a process fewer cores than there are */
#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

struct jobs {
    struct context *ctx;
    int count;
    enum status (*work)(struct context *, void *user, int i);
    void *user;
    pthread_mutex_t lock; /* guards what follows, and the parent's log */
    int next;
    int failed; /* the lowest piece that failed; count: none did */
    struct error error;
    uint64_t allocations;
};

/* jobs_log: the parent's log sees one line at a time, so that its function need not be thread-safe. */
static void jobs_log(void *user, enum log_level level, const char *line)
{
    struct jobs *jobs = user;
    pthread_mutex_lock(&jobs->lock);
    log_line(jobs->ctx, level, "%s", line);
    pthread_mutex_unlock(&jobs->lock);
}

/* jobs_work: takes pieces in order until there are none or one has failed; returns what is left of fail_at. */
static void jobs_work(struct jobs *jobs, struct context *child)
{
    pthread_mutex_lock(&jobs->lock);
    while (jobs->next < jobs->count && jobs->failed == jobs->count) {
        int i = jobs->next++;
        pthread_mutex_unlock(&jobs->lock);
        enum status status = jobs->work(child, jobs->user, i);
        pthread_mutex_lock(&jobs->lock);
        if (status != STATUS_OK && i < jobs->failed) {
            jobs->failed = i;
            if (child->error.status == STATUS_OK)
                fail(child, status, "piece %d of %d failed: %s", i + 1, jobs->count, status_text(status));
            jobs->error = child->error;
        }
        error_clear(child);
    }
    jobs->allocations += child->allocator.allocations;
    pthread_mutex_unlock(&jobs->lock);
}

static void *jobs_thread(void *user)
{
    struct jobs *jobs = user;
    struct context child;
    context_child(jobs->ctx, &child);
    child.log = jobs_log;
    child.log_user = jobs;
    jobs_work(jobs, &child);
    return NULL;
}

enum status jobs_run(struct context *ctx, int jobs, int count, enum status (*work)(struct context *, void *user, int i),
                     void *user)
{
    if (count <= 0)
        return STATUS_OK;
    struct jobs pool = {.ctx = ctx, .count = count, .work = work, .user = user, .failed = count};
    int wanted = jobs < count ? jobs : count;
    int helpers = 0;
    pthread_t *threads = NULL;
    if (wanted > 1) {
        threads = memory_new(ctx, (size_t)wanted - 1, sizeof *threads);
        if (threads == NULL)
            return ctx->error.status;
    }
    pthread_mutex_init(&pool.lock, NULL);
    /* A thread that the system refuses is not needed: the others take its pieces. */
    while (helpers < wanted - 1 && pthread_create(&threads[helpers], NULL, jobs_thread, &pool) == 0)
        helpers++;
    struct context child;
    context_child(ctx, &child);
    child.log = jobs_log;
    child.log_user = &pool;
    jobs_work(&pool, &child);
    for (int i = 0; i < helpers; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&pool.lock);
    memory_free(ctx, threads);
    ctx->allocator.allocations += pool.allocations;
    if (helpers == 0)
        ctx->allocator.fail_at = child.allocator.fail_at; /* a planned failure stays planned, or is done */
    if (pool.failed == count)
        return STATUS_OK;
    return fail(ctx, pool.error.status, "%s", pool.error.message);
}

double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double work_seconds(int threads)
{
    struct timespec now;
    if (threads > 1)
        return clock_seconds();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* quota_cores: the cores' worth of time that a control group allows, rounded up; 0: no limit is known. */
static int quota_cores(void)
{
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file == NULL)
        return 0;
    long long quota = 0, period = 0;
    int read = fscanf(file, "%lld %lld", &quota, &period); /* "max 100000" reads nothing */
    fclose(file);
    if (read != 2 || quota <= 0 || period <= 0 || quota / period > 100000)
        return 0;
    return (int)((quota + period - 1) / period);
}

int cpu_count(void)
{
    int count = 0;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    else
        count = (int)sysconf(_SC_NPROCESSORS_ONLN); /* more cores than cpu_set_t holds */
    int quota = quota_cores();
    if (quota > 0 && quota < count)
        count = quota;
    return count < 1 ? 1 : count;
}
