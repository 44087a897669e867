/* dropout: each element is kept with probability 1 - rate, and then scaled by 1 / (1 - rate), else 0.
 *
 *     y_i = x_i / (1 - rate) where u_i >= rate, else 0;  dx_i likewise from dy_i
 *
 * u_i is element i of the counted stream of (seed, stream, step): nothing is stored, backward counts again. Srivastava
 * et al. 2014. */
#include "base/random.h"
#include "graph/op/expect.h"
#include "graph/ops.h"

struct dropout_attributes {
    double rate;
    uint32_t stream;
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

/* threshold: a word of 32 bits keeps its element from here on. */
static uint64_t threshold(double rate)
{
    return (uint64_t)(rate * 4294967296.0);
}

static void mask(const struct op_run *run, const void *from, void *to, bool add)
{
    const struct dropout_attributes *attributes = run->call->attributes;
    const struct op_random *random = run->call->random;
    struct random_key key = {random->seed, attributes->stream, random->step};
    uint32_t words[2];
    random_philox_key(&key, words);
    run->table->dropout(shape_elements(&run->call->in[0].shape), from, words, random->step, threshold(attributes->rate),
                        1 / (1 - attributes->rate), to, add, run->threads);
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
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        bool kept = (double)random_u32(&key, (uint64_t)i) >= (double)threshold(attributes->rate);
        out[0][i] = kept ? in[0][i] / (1 - attributes->rate) : 0;
    }
}

static const struct dropout_attributes third = {0.3, 77}, none = {0, 77}, most = {0.9, 5};
static const struct op_example dropout_examples[] = {
    {.name = "a map", .attributes = &third, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 5, 17}}}},
    {.name = "rows", .attributes = &third, .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 128}}}},
    {.name = "rate 0", .attributes = &none, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 3}}}},
    {.name = "rate 0.9", .attributes = &most, .n_inputs = 1, .in = {{.rank = 1, .dim = {1027}}}},
};

extern const struct op op_dropout;
const struct op op_dropout = {
    .name = "dropout",
    .summary = "a counted random part of the elements set to 0, the others scaled up",
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

struct node *graph_dropout(struct graph *graph, struct node *x, double rate, uint32_t stream)
{
    struct dropout_attributes attributes = {rate, stream};
    return graph_call(graph, &op_dropout, &attributes, 1, &x);
}
