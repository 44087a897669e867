/* targets.c: see targets.h. */
#include "train/targets.h"

#include <string.h>

struct targets {
    struct context *ctx;
    int64_t classes;
    enum element precision;
    void *values; /* [batch, classes] of the precision */
};

struct targets *targets_new(struct context *ctx, int64_t batch, int64_t classes, enum element precision)
{
    struct targets *targets = memory_new(ctx, 1, sizeof *targets);
    if (!targets)
        return NULL;
    *targets = (struct targets){.ctx = ctx, .classes = classes, .precision = precision};
    targets->values = memory_new(ctx, (size_t)(batch * classes), element_size(precision));
    if (!targets->values) {
        targets_free(targets);
        return NULL;
    }
    return targets;
}

void targets_free(struct targets *targets)
{
    if (!targets)
        return;
    memory_free(targets->ctx, targets->values);
    memory_free(targets->ctx, targets);
}

static void value_add(struct targets *targets, int64_t row, int32_t label, double part)
{
    if (label < 0)
        return;
    int64_t at = row * targets->classes + label;
    if (targets->precision == ELEMENT_F64)
        ((double *)targets->values)[at] += part;
    else
        ((float *)targets->values)[at] += (float)part;
}

const void *targets_of(struct targets *targets, const struct batch *batch)
{
    memset(targets->values, 0, (size_t)(batch->count * targets->classes) * element_size(targets->precision));
    for (int64_t i = 0; i < batch->count; i++) {
        value_add(targets, i, batch->labels[i], batch->parts[i]);
        value_add(targets, i, batch->others[i], 1 - batch->parts[i]);
    }
    return targets->values;
}
