/* crew.c: see crew.h. Who waits looks again and again for a tenth of a millisecond (waking up takes as long), with the core for whoever
 * wants it, then sleeps: what it waits for may take milliseconds. */
#include "base/crew.h"

#include "base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define LOOK_SECONDS 1e-4

struct member {
    struct crew *crew;
    int index; /* takes the pieces index, index + members, … */
    pthread_t thread;
};

struct crew {
    struct context *ctx;
    pthread_mutex_t lock; /* guards what follows; who only looks need not hold it */
    pthread_cond_t begun, ended;
    _Atomic uint64_t calls; /* of crew_run, so far */
    atomic_int busy;        /* members that are not through with this call */
    bool closing;
    int count; /* of this call, as the next two */
    void (*work)(void *user, int i);
    void *user;
    int members; /* the calling thread included */
    struct member *member;
};

static void pieces_do(const struct crew *crew, int from)
{
    for (int i = from; i < crew->count; i += crew->members)
        crew->work(crew->user, i);
}

/* begun, ended: is there something to wait for no longer? */
static bool begun(const struct crew *crew, uint64_t seen)
{
    return atomic_load(&crew->calls) != seen;
}

static bool ended(const struct crew *crew, uint64_t seen)
{
    (void)seen;
    return atomic_load(&crew->busy) == 0;
}

static void look(const struct crew *crew, bool (*over)(const struct crew *, uint64_t), uint64_t seen)
{
    const double until = clock_seconds() + LOOK_SECONDS;
    while (!over(crew, seen) && clock_seconds() < until)
        sched_yield();
}

static void *member_run(void *user)
{
    const struct member *member = user;
    struct crew *crew = member->crew;
    uint64_t seen = 0;
    for (;;) {
        look(crew, begun, seen);
        pthread_mutex_lock(&crew->lock);
        while (!begun(crew, seen) && !crew->closing)
            pthread_cond_wait(&crew->begun, &crew->lock);
        const bool closing = crew->closing;
        seen = atomic_load(&crew->calls);
        pthread_mutex_unlock(&crew->lock);
        if (closing)
            return NULL;
        pieces_do(crew, member->index);
        pthread_mutex_lock(&crew->lock);
        if (atomic_fetch_sub(&crew->busy, 1) == 1)
            pthread_cond_signal(&crew->ended);
        pthread_mutex_unlock(&crew->lock);
    }
}

struct crew *crew_new(struct context *ctx, int size)
{
    struct crew *crew = memory_new(ctx, 1, sizeof *crew);
    struct member *member = memory_new(ctx, size > 1 ? (size_t)size : 1, sizeof *member);
    if (!crew || !member) {
        memory_free(ctx, crew);
        memory_free(ctx, member);
        return NULL;
    }
    *crew = (struct crew){.ctx = ctx, .members = 1, .member = member};
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->begun, NULL);
    pthread_cond_init(&crew->ended, NULL);
    /* A thread that the system refuses is not needed: the others take its pieces. No call has begun, so none reads `members` yet. */
    for (int i = 1; i < size; i++) {
        member[i] = (struct member){.crew = crew, .index = i};
        if (pthread_create(&member[i].thread, NULL, member_run, &member[i]) != 0)
            break;
        crew->members++;
    }
    return crew;
}

void crew_run(struct crew *crew, int count, void (*work)(void *user, int i), void *user)
{
    pthread_mutex_lock(&crew->lock);
    crew->count = count;
    crew->work = work;
    crew->user = user;
    atomic_store(&crew->busy, crew->members - 1);
    atomic_fetch_add(&crew->calls, 1);
    pthread_cond_broadcast(&crew->begun);
    pthread_mutex_unlock(&crew->lock);
    pieces_do(crew, 0);
    look(crew, ended, 0);
    pthread_mutex_lock(&crew->lock);
    while (!ended(crew, 0))
        pthread_cond_wait(&crew->ended, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->closing = true;
    pthread_cond_broadcast(&crew->begun);
    pthread_mutex_unlock(&crew->lock);
    for (int i = 1; i < crew->members; i++)
        pthread_join(crew->member[i].thread, NULL);
    pthread_cond_destroy(&crew->begun);
    pthread_cond_destroy(&crew->ended);
    pthread_mutex_destroy(&crew->lock);
    memory_free(crew->ctx, crew->member);
    memory_free(crew->ctx, crew);
}
