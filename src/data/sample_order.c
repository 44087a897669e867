/* sample_order.c: see sample_order.h. */
#include "data/sample_order.h"

#include <assert.h>
#include <math.h>

#define NO_PASS UINT64_MAX
#define EPOCHS_MAX (INT64_C(1) << 32) /* so that passes of different epochs have different numbers */

/* Samples that are gone through again and again; each pass is a permutation of them. */
struct stream {
    int64_t count;
    int32_t *members;      /* [count] the samples, in the data's order; NULL: all of the split */
    int32_t *places;       /* [count] the pass's permutation; NULL: the data's order */
    struct random_key key; /* of the pass that `places` holds; step NO_PASS: of none yet */
    int64_t each;          /* how many of a batch are from here */
};

/* One stream begins anew in each epoch: where an epoch is one pass, it is a permutation of its own. Two of them go on
 * from epoch to epoch, so that no sample is ahead of another of its stream by more than one pass, however few an epoch
 * takes. */
struct sample_order {
    struct context *ctx;
    const struct split *split;
    int64_t steps;
    int n_streams;
    struct stream streams[2];
};

static bool wanted(const struct split *split, int64_t sample, bool labelled)
{
    return (split->labels[sample] >= 0) == labelled;
}

/* stream_choose: the samples with a label, or those without. */
static enum status stream_choose(struct context *ctx, const struct split *split, bool labelled, struct stream *stream)
{
    for (int64_t i = 0; i < split->count; i++)
        stream->count += wanted(split, i, labelled);
    if (stream->count == 0)
        return fail(ctx, STATUS_BAD_INPUT,
                    labelled ? "no sample of the %s split has a label" : "every sample of the %s split has a label",
                    split->name);
    stream->members = memory_new(ctx, (size_t)stream->count, sizeof stream->members[0]);
    if (stream->members == NULL)
        return ctx->error.status;
    for (int64_t i = 0, at = 0; i < split->count; i++)
        if (wanted(split, i, labelled))
            stream->members[at++] = (int32_t)i;
    return STATUS_OK;
}

static enum status stream_finish(struct context *ctx, const struct loader_spec *spec, const char *purpose,
                                 struct stream *stream)
{
    stream->key = (struct random_key){spec->seed, random_stream(purpose), NO_PASS};
    if (!spec->shuffle)
        return STATUS_OK;
    stream->places = memory_new(ctx, (size_t)stream->count, sizeof stream->places[0]);
    return stream->places != NULL ? STATUS_OK : ctx->error.status;
}

/* labelled_each: how many of a batch have a label: at least one, and not all. */
static int64_t labelled_each(const struct loader_spec *spec)
{
    const int64_t nearest = llround(spec->labelled_part * (double)spec->batch);
    return nearest < 1 ? 1 : nearest >= spec->batch ? spec->batch - 1 : nearest;
}

static enum status streams_make(struct sample_order *order, const struct loader_spec *spec)
{
    struct context *ctx = order->ctx;
    struct stream *first = &order->streams[0], *second = &order->streams[1];
    if (spec->labelled_part > 0) {
        assert(spec->batch >= 2 && spec->drop_last && !spec->labelled_only);
        order->n_streams = 2;
        first->each = labelled_each(spec);
        second->each = spec->batch - first->each;
        RETURN_IF(stream_choose(ctx, spec->split, true, first));
        RETURN_IF(stream_choose(ctx, spec->split, false, second));
        RETURN_IF(stream_finish(ctx, spec, "shuffle labelled", first));
        return stream_finish(ctx, spec, "shuffle unlabelled", second);
    }
    order->n_streams = 1;
    first->each = spec->batch;
    if (spec->labelled_only)
        RETURN_IF(stream_choose(ctx, spec->split, true, first));
    else
        first->count = spec->split->count;
    return stream_finish(ctx, spec, "shuffle", first);
}

struct sample_order *sample_order_new(struct context *ctx, const struct loader_spec *spec, int64_t steps)
{
    struct sample_order *order = memory_new(ctx, 1, sizeof *order);
    if (order == NULL)
        return NULL;
    order->ctx = ctx;
    order->split = spec->split;
    order->steps = steps;
    if (streams_make(order, spec) != STATUS_OK) {
        sample_order_free(order);
        return NULL;
    }
    return order;
}

void sample_order_free(struct sample_order *order)
{
    if (order == NULL)
        return;
    for (int i = 0; i < order->n_streams; i++) {
        memory_free(order->ctx, order->streams[i].members);
        memory_free(order->ctx, order->streams[i].places);
    }
    memory_free(order->ctx, order);
}

static int32_t stream_member(const struct stream *stream, int64_t place)
{
    return stream->members != NULL ? stream->members[place] : (int32_t)place;
}

/* stream_at: place `place` of a pass. */
static struct drawn stream_at(struct stream *stream, int64_t pass, int64_t place)
{
    if (stream->places == NULL)
        return (struct drawn){stream_member(stream, place), pass};
    if (stream->key.step != (uint64_t)pass) {
        stream->key.step = (uint64_t)pass;
        random_permutation(&stream->key, stream->count, stream->places);
    }
    return (struct drawn){stream_member(stream, stream->places[place]), pass};
}

struct drawn sample_order_at(struct sample_order *order, int64_t epoch, int64_t step, int64_t i)
{
    struct stream *stream = &order->streams[0];
    if (order->n_streams == 1) { /* the first pass of an epoch has the epoch's number */
        const int64_t at = step * stream->each + i;
        return stream_at(stream, epoch + (at / stream->count) * EPOCHS_MAX, at % stream->count);
    }
    if (i >= stream->each) {
        i -= stream->each;
        stream = &order->streams[1];
    }
    const int64_t at = (epoch * order->steps + step) * stream->each + i;
    return stream_at(stream, at / stream->count, at % stream->count);
}

int64_t sample_order_partners(const struct sample_order *order)
{
    return order->n_streams == 1 ? order->streams[0].count : order->split->count;
}

int32_t sample_order_partner(const struct sample_order *order, int64_t i)
{
    return order->n_streams == 1 ? stream_member(&order->streams[0], i) : (int32_t)i;
}
