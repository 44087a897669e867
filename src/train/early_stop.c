/* early_stop.c: see early_stop.h. */
#include "train/early_stop.h"

#include <string.h>

static size_t values_bytes(const struct early_stop *best)
{
    return (size_t)best->subject->n_values * element_size(best->subject->element);
}

static size_t state_bytes(const struct early_stop *best)
{
    return (size_t)best->subject->n_state * element_size(best->subject->element);
}

struct early_stop *early_stop_new(struct context *ctx, struct parameters *subject, int64_t patience)
{
    struct early_stop *best = memory_new(ctx, 1, sizeof *best);
    if (!best)
        return NULL;
    *best = (struct early_stop){.ctx = ctx, .subject = subject, .patience = patience, .figures = {-1, 0, 0}};
    best->values = memory_new(ctx, values_bytes(best) + 1, 1);
    best->state = memory_new(ctx, state_bytes(best) + 1, 1);
    if (!best->values || !best->state) {
        early_stop_free(best);
        return NULL;
    }
    return best;
}

void early_stop_free(struct early_stop *best)
{
    if (!best)
        return;
    memory_free(best->ctx, best->values);
    memory_free(best->ctx, best->state);
    memory_free(best->ctx, best);
}

void early_stop_look(struct early_stop *best, int64_t epoch, double accuracy)
{
    if (!(accuracy > best->figures[EARLY_STOP_ACCURACY])) {
        best->figures[EARLY_STOP_WAITED]++;
        return;
    }
    best->figures[EARLY_STOP_ACCURACY] = accuracy;
    best->figures[EARLY_STOP_EPOCH] = (double)epoch;
    best->figures[EARLY_STOP_WAITED] = 0;
    memcpy(best->values, best->subject->values, values_bytes(best));
    if (best->subject->n_state)
        memcpy(best->state, best->subject->state, state_bytes(best));
}

bool early_stop_over(const struct early_stop *best)
{
    return best && best->figures[EARLY_STOP_WAITED] >= (double)best->patience;
}

int64_t early_stop_restore(const struct early_stop *best)
{
    if (best->figures[EARLY_STOP_EPOCH] == 0)
        return 0;
    memcpy(best->subject->values, best->values, values_bytes(best));
    if (best->subject->n_state)
        memcpy(best->subject->state, best->state, state_bytes(best));
    parameters_touch(best->subject);
    return (int64_t)best->figures[EARLY_STOP_EPOCH];
}
