/* dropout: each unit is kept with probability 1 - rate, and then scaled by 1 / (1 - rate), else 0.
 *
 *     y_i = x_i / (1 - rate) where u_i >= rate, else 0;  dx_i likewise from dy_i
 *
 * x [B,…,C]. A unit is an element (u_i: number i), a channel of a sample, which its positions share (number b*C + c),
 * or a whole sample (number b) of the counted stream of (seed, stream, step; random_u16): nothing is stored, backward
 * counts again.
 * Srivastava 2014, JMLR 15; channels: Tompson 2015, arXiv 1411.4280; samples: Huang 2016, arXiv 1603.09382. */
#include "base/random.h"
#include "graph/op/expect.h"
#include "graph/ops.h"

struct dropout_attributes {
    double rate;
    uint32_t stream;
    enum dropout_unit unit;
};

static enum status dropout_shape(struct op_call *call)
{
    const struct dropout_attributes *attributes = call->attributes;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 0, SHAPE_MAX_RANK, "real numbers"));
    if (!(attributes->rate >= 0 && attributes->rate < 1))
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected a rate in [0, 1), found %g", call->name,
                    attributes->rate);
    call->out[0] = call->in[0];
    return STATUS_OK;
}

/* What is dropped depends on the step and on the place in the batch: it is no function of the sample alone. */
static enum batch_kind dropout_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static enum status dropout_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    needs->overwrite = 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

/* threshold: a number of 16 bits keeps its unit from here on. So a rate is exact to 1.5e-5. */
static int threshold(double rate)
{
    return (int)(rate * 65536);
}

/* mask_size: groups, positions, columns: what lies in one group and column is dropped together. */
static void mask_size(const struct op_call *call, int64_t size[3])
{
    const struct dropout_attributes *attributes = call->attributes;
    const struct shape *shape = &call->in[0].shape;
    int64_t elements = shape_elements(shape);
    int64_t samples = shape->rank > 0 ? shape->dim[0] : 1, channels = shape->rank > 1 ? shape->dim[shape->rank - 1] : 1;
    size[0] = attributes->unit == DROPOUT_ELEMENT ? 1 : samples;
    size[2] = attributes->unit == DROPOUT_ELEMENT ? elements : attributes->unit == DROPOUT_CHANNEL ? channels : 1;
    size[1] = elements / size[0] / size[2];
}

static void mask(const struct op_run *run, const void *from, void *to, bool add)
{
    int64_t size[3];
    mask_size(run->call, size);
    const struct dropout_attributes *attributes = run->call->attributes;
    const struct op_random *random = run->call->random;
    struct random_key key = {random->seed, attributes->stream, random->step};
    uint32_t words[2];
    random_philox_key(&key, words);
    run->table->dropout(size, from, words, random->step, threshold(attributes->rate), 1 / (1 - attributes->rate), to,
                        add, run->threads);
}

static void dropout_forward(const struct op_run *run)
{
    mask(run, run->in[0], run->out[0], false);
}

static void dropout_backward(const struct op_run *run)
{
    mask(run, run->d_out[0], run->d_in[0], run->add[0]);
}

static void dropout_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct dropout_attributes *attributes = call->attributes;
    struct random_key key = {call->random->seed, attributes->stream, call->random->step};
    const struct shape *shape = &call->in[0].shape;
    int64_t elements = shape_elements(shape), each = elements, channels = 1;
    if (shape->rank > 0)
        each = elements / shape->dim[0];
    if (shape->rank > 1)
        channels = shape->dim[shape->rank - 1];
    for (int64_t i = 0; i < elements; i++) {
        int64_t unit = attributes->unit == DROPOUT_ELEMENT  ? i
                       : attributes->unit == DROPOUT_SAMPLE ? i / each
                                                            : i / each * channels + i % channels;
        bool kept = (int)random_u16(&key, (uint64_t)unit) >= threshold(attributes->rate);
        out[0][i] = kept ? in[0][i] / (1 - attributes->rate) : 0;
    }
}

static const struct dropout_attributes third = {0.3, 77, DROPOUT_ELEMENT}, none = {0, 77, DROPOUT_ELEMENT},
                                       most = {0.9, 5, DROPOUT_ELEMENT}, channel = {0.4, 6, DROPOUT_CHANNEL},
                                       no_channel = {0, 6, DROPOUT_CHANNEL}, sample = {0.5, 7, DROPOUT_SAMPLE};
static const struct op_example dropout_examples[] = {
    {.name = "a map", .attributes = &third, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 5, 17}}}},
    {.name = "rows", .attributes = &third, .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 128}}}},
    {.name = "rate 0", .attributes = &none, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 3}}}},
    {.name = "channels", .attributes = &channel, .n_inputs = 1, .in = {{.rank = 4, .dim = {3, 5, 7, 17}}}},
    {.name = "channels of 1x1 maps", .attributes = &channel, .n_inputs = 1, .in = {{.rank = 4, .dim = {5, 1, 1, 3}}}},
    {.name = "more channels than a block",
     .attributes = &channel,
     .n_inputs = 1,
     .in = {{.rank = 3, .dim = {2, 3, 601}}}},
    {.name = "one channel", .attributes = &channel, .n_inputs = 1, .in = {{.rank = 4, .dim = {6, 3, 3, 1}}}},
    {.name = "no channel", .attributes = &no_channel, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 3, 5}}}},
    {.name = "samples", .attributes = &sample, .n_inputs = 1, .in = {{.rank = 4, .dim = {9, 5, 7, 17}}}},
    {.name = "samples of one number", .attributes = &sample, .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 1}}}},
    {.name = "rate 0.9", .attributes = &most, .n_inputs = 1, .in = {{.rank = 1, .dim = {1027}}}},
};

extern const struct op op_dropout;
const struct op op_dropout = {
    .name = "dropout",
    .summary = "a counted random part of the elements, channels or samples set to 0, the others scaled up",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct dropout_attributes),
    .shape = dropout_shape,
    .batch = dropout_batch,
    .prepare = dropout_prepare,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .reference = dropout_reference,
    .examples = dropout_examples,
    .n_examples = sizeof(dropout_examples) / sizeof(dropout_examples[0]),
};

struct node *graph_dropout(struct graph *graph, struct node *x, double rate, enum dropout_unit unit, uint32_t stream)
{
    struct dropout_attributes attributes = {rate, stream, unit};
    return graph_call(graph, &op_dropout, &attributes, 1, &x);
}
