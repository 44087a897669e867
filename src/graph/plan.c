/* plan.c: where each buffer lies in the arena. Buffers that are never alive at the same step may share memory; an output may take
 * over the memory of an input that dies at that step, where the op permits it. */
#include "graph/plan.h"

#include <stdlib.h>

static int buffer_root(const struct program *program, int buffer)
{
    while (program->buffers[buffer].root != buffer)
        buffer = program->buffers[buffer].root;
    return buffer;
}

/* dies_before: every step that takes `old` is over when `young` begins. */
static bool dies_before(const struct buffer *old, const struct buffer *young)
{
    return old->last < young->first && (old->ends != young->begins.stretch || old->lanes == 1U << young->begins.lane);
}

/* take_over: `young` begins at this step in the memory of `old`, if that dies here and is large enough. */
static bool take_over(struct program *program, int step, const struct operand *old, const struct operand *young)
{
    if (old->kind != OPERAND_BUFFER || young->kind != OPERAND_BUFFER)
        return false;
    int root = buffer_root(program, old->index);
    struct buffer *from = &program->buffers[root], *to = &program->buffers[young->index];
    if (from->last != step || from->lanes != 1U << to->begins.lane || to->first != step || to->root != young->index ||
        root == young->index || to->bytes > from->bytes)
        return false;
    to->root = root;
    from->last = to->last;
    from->ends = to->ends;
    from->lanes = to->lanes;
    return true;
}

static void overwrite_find(struct program *program)
{
    for (int i = 0; i < program->n_steps; i++) {
        const struct step *step = &program->steps[i];
        const struct planned_call *planned = &program->calls[step->call];
        for (int j = 0; j < planned->call.n_inputs; j++) {
            if (step->kind == STEP_FORWARD && planned->needs.overwrite & 1U << j &&
                take_over(program, i, &step->in[j], &step->out[0]))
                break;
            if (step->kind == STEP_BACKWARD && planned->needs.gradient_overwrite & 1U << j && !step->add[j] &&
                take_over(program, i, &step->d_out[0], &step->d_in[j]))
                break;
        }
    }
}

struct placing {
    int index;
    const struct buffer *buffer;
};

static int larger_first(const void *a, const void *b)
{
    const struct placing *x = a, *y = b;
    if (x->buffer->bytes != y->buffer->bytes)
        return x->buffer->bytes > y->buffer->bytes ? -1 : 1;
    return x->index - y->index;
}

static int lower_first(const void *a, const void *b)
{
    const struct placing *x = a, *y = b;
    if (x->buffer->offset != y->buffer->offset)
        return x->buffer->offset < y->buffer->offset ? -1 : 1;
    return x->index - y->index;
}

static size_t aligned(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

/* place: the lowest gap among the buffers that are alive at the same time. `busy` is scratch. */
static void place(struct buffer *buffer, const struct placing *placed, int n_placed, struct placing *busy)
{
    int n_busy = 0;
    for (int i = 0; i < n_placed; i++)
        if (!dies_before(placed[i].buffer, buffer) && !dies_before(buffer, placed[i].buffer))
            busy[n_busy++] = placed[i];
    qsort(busy, (size_t)n_busy, sizeof *busy, lower_first);
    size_t offset = 0;
    for (int i = 0; i < n_busy; i++) {
        if (busy[i].buffer->offset >= offset + aligned(buffer->bytes))
            break;
        size_t end = busy[i].buffer->offset + aligned(busy[i].buffer->bytes);
        if (end > offset)
            offset = end;
    }
    buffer->offset = offset;
}

/* memory_check: refused here with a message, rather than later by the system with a kill. */
static enum status memory_check(const struct program *program)
{
    const double gib = 1 << 30;
    double needed = (double)program->arena_bytes + (double)program->persistent_bytes;
    double there = (double)memory_physical();
    if (needed <= there)
        return STATUS_OK;
    return fail(program->ctx, STATUS_NO_MEMORY,
                "a batch of %lld needs %.1f GiB for its values, and there are %.1f GiB of memory; use a smaller batch, "
                "map or network",
                (long long)program->batch * program->slices, needed / gib, there / gib);
}

enum status plan_place(struct program *program)
{
    struct context *ctx = program->ctx;
    bool sharing = !(program->flags & PLAN_NO_SHARING);
    struct placing *order = memory_new(ctx, (size_t)program->n_buffers * 2, sizeof *order);
    if (!order)
        return ctx->error.status;
    if (sharing)
        overwrite_find(program);
    int n = 0;
    for (int i = 0; i < program->n_buffers; i++)
        if (program->buffers[i].root == i)
            order[n++] = (struct placing){i, &program->buffers[i]};
    if (sharing)
        qsort(order, (size_t)n, sizeof *order, larger_first);
    size_t end = 0;
    for (int i = 0; i < n; i++) {
        struct buffer *buffer = &program->buffers[order[i].index];
        if (sharing)
            place(buffer, order, i, order + program->n_buffers);
        else
            buffer->offset = end;
        if (buffer->offset + aligned(buffer->bytes) > end)
            end = buffer->offset + aligned(buffer->bytes);
    }
    for (int i = 0; i < program->n_buffers; i++)
        program->buffers[i].offset = program->buffers[buffer_root(program, i)].offset;
    memory_free(ctx, order);
    program->arena_bytes = end;
    RETURN_IF(memory_check(program));
    if (end > program->memory->wanted)
        program->memory->wanted = end;
    return STATUS_OK;
}
