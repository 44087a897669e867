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

/* The samples with a label by class. */
struct peers {
    int32_t *members; /* those of class 0, of class 1, … */
    int64_t *first;   /* [classes + 2] where in `members` a class begins, and the one before ends */
    struct random_key key;
};

/* The stream of ALL and of LABELLED begins anew in each epoch: where an epoch is one pass, it is a permutation of its own.
 * The others go on from epoch to epoch, so that no sample is ahead of another of its stream by more than one pass, however
 * few an epoch takes. */
struct sample_order {
    struct context *ctx;
    const struct split *split;
    enum loader_order kind;
    int64_t steps;
    struct stream streams[2]; /* the second: of MIXED */
    struct peers peers;       /* of PAIRS */
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

static enum status peers_make(struct context *ctx, const struct loader_spec *spec, const struct stream *labelled,
                              struct peers *peers)
{
    const int32_t *labels = spec->split->labels;
    int64_t classes = 0;
    for (int64_t i = 0; i < labelled->count; i++)
        if (labels[labelled->members[i]] >= classes)
            classes = labels[labelled->members[i]] + 1;
    peers->key = (struct random_key){spec->seed, random_stream("pair"), 0};
    peers->members = memory_new(ctx, (size_t)labelled->count, sizeof peers->members[0]);
    peers->first = memory_new(ctx, (size_t)classes + 2, sizeof peers->first[0]);
    if (peers->members == NULL || peers->first == NULL)
        return ctx->error.status;
    for (int64_t i = 0; i < labelled->count; i++)
        peers->first[labels[labelled->members[i]] + 2]++;
    for (int64_t i = 2; i < classes + 2; i++)
        peers->first[i] += peers->first[i - 1];
    for (int64_t i = 0; i < labelled->count; i++) /* first[c + 1] goes from the class's beginning to its end */
        peers->members[peers->first[labels[labelled->members[i]] + 1]++] = labelled->members[i];
    return STATUS_OK;
}

/* halves_check: a batch of PAIRS or REPEATED has two halves. */
static enum status halves_check(struct context *ctx, const struct loader_spec *spec)
{
    assert(spec->batch >= 1 && spec->drop_last);
    const char *what = spec->order == ORDER_PAIRS ? "pairs of samples" : "samples that come twice";
    if (augmentation_mixes(spec->augmentation))
        return fail(
            ctx, STATUS_BAD_INPUT,
            "data.augment.%s mixes each sample with another, and its label, but %s are compared as they are; leave "
            "one of the two out",
            spec->augmentation->mixer.augment->name, what);
    if (spec->batch % 2 != 0)
        return fail(ctx, STATUS_BAD_INPUT, "batch: expected an even number for %s, found %lld; use %lld", what,
                    (long long)spec->batch, spec->batch == 1 ? 2LL : (long long)spec->batch - 1);
    return STATUS_OK;
}

static enum status streams_make(struct sample_order *order, const struct loader_spec *spec)
{
    struct context *ctx = order->ctx;
    struct stream *first = &order->streams[0], *second = &order->streams[1];
    switch (spec->order) {
    case ORDER_MIXED:
        assert(spec->batch >= 2 && spec->drop_last && spec->labelled_part > 0);
        first->each = labelled_each(spec);
        second->each = spec->batch - first->each;
        RETURN_IF(stream_choose(ctx, spec->split, true, first));
        RETURN_IF(stream_choose(ctx, spec->split, false, second));
        RETURN_IF(stream_finish(ctx, spec, "shuffle labelled", first));
        return stream_finish(ctx, spec, "shuffle unlabelled", second);
    case ORDER_PAIRS:
        RETURN_IF(halves_check(ctx, spec));
        first->each = spec->batch / 2;
        RETURN_IF(stream_choose(ctx, spec->split, true, first));
        RETURN_IF(peers_make(ctx, spec, first, &order->peers));
        break;
    case ORDER_REPEATED:
        RETURN_IF(halves_check(ctx, spec));
        first->each = spec->batch / 2;
        first->count = spec->split->count;
        break;
    case ORDER_LABELLED:
        first->each = spec->batch;
        RETURN_IF(stream_choose(ctx, spec->split, true, first));
        break;
    case ORDER_ALL:
        first->each = spec->batch;
        first->count = spec->split->count;
        break;
    }
    return stream_finish(ctx, spec, "shuffle", first);
}

struct sample_order *sample_order_new(struct context *ctx, const struct loader_spec *spec, int64_t steps)
{
    struct sample_order *order = memory_new(ctx, 1, sizeof *order);
    if (order == NULL)
        return NULL;
    order->ctx = ctx;
    order->split = spec->split;
    order->kind = spec->order;
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
    for (int i = 0; i < 2; i++) {
        memory_free(order->ctx, order->streams[i].members);
        memory_free(order->ctx, order->streams[i].places);
    }
    memory_free(order->ctx, order->peers.members);
    memory_free(order->ctx, order->peers.first);
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

/* peer_of: another sample of the class, the `draw`-th draw of an epoch; itself where it is the only one. Drawn are all but
 * the class's last, and that stands for the sample itself. */
static int32_t peer_of(const struct sample_order *order, int32_t sample, int64_t epoch, int64_t draw)
{
    const int64_t *bounds = order->peers.first + order->split->labels[sample];
    const int32_t *members = order->peers.members + bounds[0];
    const int64_t others = bounds[1] - bounds[0] - 1;
    struct random_key key = order->peers.key;
    key.step = (uint64_t)epoch;
    const int32_t peer = members[(int64_t)(random_uniform(&key, (uint64_t)draw) * (double)others)];
    return peer == sample ? members[others] : peer;
}

/* stream_on: what is `at` places behind the first one of epoch 0. */
static struct drawn stream_on(struct stream *stream, int64_t at)
{
    return stream_at(stream, at / stream->count, at % stream->count);
}

/* pairs_at: each draw of another sample is a pass of its own, for one may be drawn several times in a pass. */
static struct drawn pairs_at(struct sample_order *order, int64_t epoch, int64_t step, int64_t i)
{
    struct stream *stream = &order->streams[0];
    const int64_t draw = step * stream->each + i % stream->each, at = epoch * order->steps * stream->each + draw;
    const struct drawn drawn = stream_on(stream, at);
    if (i < stream->each)
        return drawn;
    return (struct drawn){peer_of(order, drawn.sample, epoch, draw), EPOCHS_MAX + at};
}

/* repeated_at: the halves of the batches lie in the stream one behind the other, each batch's second half being the next
 * one's first. A pass has two numbers: the even one of what is new, the odd one of what comes again. */
static struct drawn repeated_at(struct sample_order *order, int64_t epoch, int64_t step, int64_t i)
{
    struct stream *stream = &order->streams[0];
    const int64_t steps = epoch * order->steps + step;
    struct drawn drawn = stream_on(stream, steps * stream->each + i);
    drawn.pass = 2 * drawn.pass + (i < stream->each && steps > 0);
    return drawn;
}

static struct drawn mixed_at(struct sample_order *order, int64_t epoch, int64_t step, int64_t i)
{
    struct stream *stream = &order->streams[0];
    if (i >= stream->each) {
        i -= stream->each;
        stream = &order->streams[1];
    }
    return stream_on(stream, (epoch * order->steps + step) * stream->each + i);
}

struct drawn sample_order_at(struct sample_order *order, int64_t epoch, int64_t step, int64_t i)
{
    if (order->kind == ORDER_MIXED)
        return mixed_at(order, epoch, step, i);
    if (order->kind == ORDER_PAIRS)
        return pairs_at(order, epoch, step, i);
    if (order->kind == ORDER_REPEATED)
        return repeated_at(order, epoch, step, i);
    struct stream *stream = &order->streams[0]; /* the first pass of an epoch has the epoch's number */
    const int64_t at = step * stream->each + i;
    return stream_at(stream, epoch + (at / stream->count) * EPOCHS_MAX, at % stream->count);
}

int64_t sample_order_partners(const struct sample_order *order)
{
    return order->kind == ORDER_MIXED ? order->split->count : order->streams[0].count;
}

int32_t sample_order_partner(const struct sample_order *order, int64_t i)
{
    return order->kind == ORDER_MIXED ? (int32_t)i : stream_member(&order->streams[0], i);
}
