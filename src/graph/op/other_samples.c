/* other_samples: for each sample others to contrast it with, drawn from a counted stream, new at every step.
 *
 * sample i32 [B], order i32 [N], from i32 [N], to i32 [N] -> i32 [B, 1+m]: the sample itself, then m of `order` without the places
 * from[sample] to before to[sample]: each once where they are enough. A sample that is not among the N: -1. No gradient. */
#include "base/arena.h"
#include "base/random.h"
#include "graph/op/expect.h"
#include "graph/ops.h"

struct other_samples_attributes {
    int64_t count;
    uint32_t stream;
};

static enum status other_samples_shape(struct op_call *call)
{
    const struct other_samples_attributes *attributes = call->attributes;
    static const char *const names[] = {"samples, i32 [B]", "the order, i32 [N]", "first places, i32 [N]",
                                        "last places, i32 [N]"};
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    for (int i = 0; i < 4; i++)
        RETURN_IF(expect_input(call, i, ELEMENT_I32, 1, 1, names[i]));
    for (int i = 2; i < 4; i++)
        if (!shape_equal(&call->in[1].shape, &call->in[i].shape))
            return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected places as the order, %s, found %s", call->name,
                        shape_text(&call->in[1].shape, expected), shape_text(&call->in[i].shape, found));
    if (attributes->count < 1)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected at least 1 other sample, found %lld", call->name,
                    (long long)attributes->count);
    call->out[0] = (struct tensor_spec){ELEMENT_I32, SHAPE(call->in[0].shape.dim[0], 1 + attributes->count)};
    return STATUS_OK;
}

static void other_samples_forward(const struct op_run *run)
{
    const struct other_samples_attributes *attributes = run->call->attributes;
    const struct op_random *random = run->call->random;
    run->table->other_samples(run->in[0], run->call->in[0].shape.dim[0], run->in[1], run->in[2], run->in[3],
                              run->call->in[1].shape.dim[0], attributes->count, random->seed, attributes->stream,
                              random->step, run->out[0]);
}

/* Drawn one by one from a list of those that may be. */
static void other_samples_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct other_samples_attributes *attributes = call->attributes;
    const struct random_key key = {call->random->seed, attributes->stream, call->random->step};
    const int64_t n = call->in[1].shape.dim[0], width = 1 + attributes->count;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        const double sample = in[0][i / width];
        const bool there = sample >= 0 && sample < (double)n;
        const int64_t k = i % width - 1;
        out[0][i] = there && k < 0 ? sample : -1;
        if (!there || k < 0)
            continue;
        const double from = in[2][(int64_t)sample], to = in[3][(int64_t)sample];
        int64_t choice = 0, at;
        for (int64_t j = 0; j < n; j++)
            choice += (double)j < from || (double)j >= to;
        uint32_t words[8];
        random_block(&key, 2 * (uint64_t)sample, words);
        random_block(&key, 2 * (uint64_t)sample + 1, words + 4);
        if (choice >= attributes->count)
            at = random_shuffled(words, (uint32_t)choice, (uint32_t)k);
        else
            at = (int64_t)(((uint64_t)random_shuffled(words, UINT32_MAX, (uint32_t)k) * (uint64_t)choice) >> 32);
        for (int64_t j = 0; j < n; j++)
            if (((double)j < from || (double)j >= to) && at-- == 0)
                out[0][i] = in[1][j];
    }
}

static const struct other_samples_attributes three = {3, 7}, nine = {9, 8}, one = {1, 9};
static const struct op_example other_samples_examples[] = {
    {.name = "three of thirteen, one sample that there is not",
     .attributes = &three,
     .n_inputs = 4,
     .in = {{.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {7}, .limit = 14},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {13}, .limit = 13},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {13}, .limit = 13},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {13}, .limit = 13}}},
    {.name = "more than there are",
     .attributes = &nine,
     .n_inputs = 4,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {5}, .limit = 4},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {4}, .limit = 4},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {4}, .limit = 2},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {4}, .limit = 4}}},
    {.name = "batch 1, one of two",
     .attributes = &one,
     .n_inputs = 4,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {1}, .limit = 2},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {2}, .limit = 2},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {2}, .limit = 1},
            {.fill = OP_FILL_CLASS, .rank = 1, .dim = {2}, .limit = 2}}},
};

extern const struct op op_other_samples;
const struct op op_other_samples = {
    .name = "other_samples",
    .summary = "samples to contrast with, drawn from a counted stream",
    .inputs_min = 4,
    .inputs_max = 4,
    .outputs = 1,
    .attributes_size = sizeof(struct other_samples_attributes),
    .shape = other_samples_shape,
    .forward = other_samples_forward,
    .reference = other_samples_reference,
    .examples = other_samples_examples,
    .n_examples = sizeof(other_samples_examples) / sizeof(other_samples_examples[0]),
};

/* Samples in the order of their labels, and for each the places in it that it may not be contrasted with. */
struct places {
    int32_t *order, *from, *to;
};

/* places_fill: counting sort; label -1 comes first, `ends` [classes + 1] has where each label ends. */
static void places_fill(const struct places *places, const int32_t *labels, int64_t samples, int32_t *ends,
                        int32_t classes)
{
    for (int64_t i = 0; i < samples; i++)
        ends[labels[i] + 1]++;
    for (int32_t k = 1; k <= classes; k++)
        ends[k] += ends[k - 1];
    for (int64_t i = samples - 1; i >= 0; i--) { /* ends becomes where each label begins */
        places->from[i] = --ends[labels[i] + 1];
        places->order[places->from[i]] = (int32_t)i;
    }
    for (int64_t i = 0; i < samples; i++) {
        const int32_t k = labels[i] + 1, begin = ends[k], end = k < classes ? ends[k + 1] : (int32_t)samples;
        const bool alone = k == 0 || end - begin == samples;
        places->to[i] = alone ? places->from[i] + 1 : end;
        places->from[i] = alone ? places->from[i] : begin;
    }
}

static bool places_make(struct graph *graph, const int32_t *labels, int64_t samples, struct places *places)
{
    int32_t classes = 0;
    for (int64_t i = 0; labels && i < samples; i++)
        classes = labels[i] >= classes ? labels[i] + 1 : classes;
    int32_t *numbers = arena_take(graph->arena, 3 * (size_t)samples + (size_t)classes + 1, sizeof *numbers);
    if (!numbers)
        return false;
    *places = (struct places){numbers, numbers + samples, numbers + 2 * samples};
    if (labels)
        places_fill(places, labels, samples, numbers + 3 * samples, classes);
    for (int32_t i = 0; !labels && i < samples; i++) {
        places->order[i] = places->from[i] = i;
        places->to[i] = i + 1;
    }
    return true;
}

struct node *graph_other_samples(struct graph *graph, struct node *sample, const int32_t *labels, int64_t samples,
                                 int64_t count, uint32_t stream)
{
    const struct other_samples_attributes attributes = {count, stream};
    struct places places;
    if (!sample)
        return NULL;
    if (count >= samples || samples > INT32_MAX) {
        fail(graph->ctx, STATUS_BAD_INPUT, "other_samples: expected at most %lld others of %lld samples, found %lld",
             (long long)samples - 1, (long long)samples, (long long)count);
        return NULL;
    }
    if (!places_make(graph, labels, samples, &places))
        return NULL;
    struct node *inputs[] = {sample, graph_constant_integers(graph, SHAPE(samples), places.order),
                             graph_constant_integers(graph, SHAPE(samples), places.from),
                             graph_constant_integers(graph, SHAPE(samples), places.to)};
    return graph_call(graph, &op_other_samples, &attributes, 4, inputs);
}
