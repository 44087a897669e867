/* random: numbers of a given shape from a counted stream, new at every step; uniform in [0, 1) or normal. No
 * gradient. */
#include "base/random.h"
#include "graph/ops.h"

struct random_attributes {
    enum distribution distribution;
    uint32_t stream;
    struct shape shape; /* may depend on the batch */
};

static enum status random_shape(struct op_call *call)
{
    const struct random_attributes *attributes = call->attributes;
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, attributes->shape};
    return STATUS_OK;
}

/* No function of the sample: never a row of its own. */
static enum batch_kind random_batch(const struct op_call *call)
{
    (void)call;
    return BATCH_MIXED;
}

static enum status random_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)call;
    (void)backward;
    needs->kernel = "loop";
    return STATUS_OK;
}

static void random_forward(const struct op_run *run)
{
    const struct random_attributes *attributes = run->call->attributes;
    const struct op_random *random = run->call->random;
    run->table->random_values(shape_elements(&run->call->out[0].shape), attributes->distribution == DISTRIBUTION_NORMAL,
                              random->seed, attributes->stream, random->step, run->out[0]);
}

static void random_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct random_attributes *attributes = call->attributes;
    struct random_key key = {call->random->seed, attributes->stream, call->random->step};
    (void)in;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++) {
        bool normal = attributes->distribution == DISTRIBUTION_NORMAL;
        out[0][i] = normal ? random_normal(&key, (uint64_t)i) : random_uniform(&key, (uint64_t)i);
    }
}

static const struct random_attributes uniform = {DISTRIBUTION_UNIFORM, 7, {2, {5, 17}}};
static const struct random_attributes normal = {DISTRIBUTION_NORMAL, 7, {4, {2, 3, 3, 1}}},
                                      one = {DISTRIBUTION_NORMAL, 8, {0, {0}}};
static const struct op_example random_examples[] = {
    {.name = "uniform", .attributes = &uniform, .n_inputs = 0},
    {.name = "normal", .attributes = &normal, .n_inputs = 0},
    {.name = "a scalar", .attributes = &one, .n_inputs = 0},
};

extern const struct op op_random;
const struct op op_random = {
    .name = "random",
    .summary = "counted random numbers, new at every step",
    .inputs_min = 0,
    .inputs_max = 0,
    .outputs = 1,
    .attributes_size = sizeof(struct random_attributes),
    .shape = random_shape,
    .batch = random_batch,
    .prepare = random_prepare,
    .forward = random_forward,
    .reference = random_reference,
    .examples = random_examples,
    .n_examples = sizeof(random_examples) / sizeof(random_examples[0]),
};

struct node *graph_random(struct graph *graph, enum distribution distribution, struct shape shape, uint32_t stream)
{
    struct random_attributes attributes = {distribution, stream, shape};
    return graph_call(graph, &op_random, &attributes, 0, NULL);
}
