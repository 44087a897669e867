/* standardise: a network's first layer: each channel by given numbers.
 *
 *     y = (x - mean) / deviation;  dx = dy / deviation
 *
 * x, y [...,C]; mean and deviation for each channel, or one for all. x may be bytes, which are first divided by 255:
 * data stays in bytes until here. */
#include "graph/op/expect.h"
#include "graph/ops.h"
#include "kernel/normalise.h"

#include <math.h>
#include <string.h>

enum { STANDARDISE_MAX = 64 };

struct standardise_attributes {
    int channels; /* 1: the same for all */
    double mean[STANDARDISE_MAX], deviation[STANDARDISE_MAX];
};

static enum status standardise_shape(struct op_call *call)
{
    const struct standardise_attributes *attributes = call->attributes;
    const struct tensor_spec *in = &call->in[0];
    if (in->element != ELEMENT_U8)
        RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 1, SHAPE_MAX_RANK, "real numbers or bytes [...,C]"));
    else if (in->shape.rank < 1)
        return expect_failure(call, 0, "real numbers or bytes [...,C]");
    int64_t found = in->shape.dim[in->shape.rank - 1];
    if (attributes->channels != 1 && attributes->channels != found) {
        char text[SHAPE_TEXT_SIZE];
        return fail(call->ctx, STATUS_BAD_SHAPE,
                    "%s: expected one mean and deviation for each channel of %s or one for all, found %d of each",
                    call->name, shape_text(&in->shape, text), attributes->channels);
    }
    for (int c = 0; c < attributes->channels; c++)
        if (!isfinite(attributes->mean[c]) || !(attributes->deviation[c] > 0) || isinf(attributes->deviation[c]))
            return fail(
                call->ctx, STATUS_BAD_INPUT,
                "%s: expected finite means and deviations above 0, found mean %g and deviation %g for channel %d",
                call->name, attributes->mean[c], attributes->deviation[c], c);
    call->out[0] = (struct tensor_spec){in->element == ELEMENT_U8 ? ELEMENT_REAL : in->element, in->shape};
    return STATUS_OK;
}

static enum status standardise_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const struct standardise_attributes *attributes = call->attributes;
    (void)backward;
    bool bytes = call->in[0].element == ELEMENT_U8;
    needs->kernel = "loop";
    needs->forward_scratch = bytes ? 0 : norm_coefficient_bytes(attributes->channels);
    needs->backward_scratch = needs->forward_scratch;
    needs->overwrite = bytes ? 0 : 1;
    needs->gradient_overwrite = 1;
    return STATUS_OK;
}

static void standardise_forward(const struct op_run *run)
{
    const struct standardise_attributes *attributes = run->call->attributes;
    int64_t channels = attributes->channels, rows = shape_elements(&run->call->in[0].shape) / channels;
    if (run->call->in[0].element == ELEMENT_U8) {
        run->table->bytes_standardise(rows, channels, run->in[0], attributes->mean, attributes->deviation, run->out[0],
                                      run->threads);
        return;
    }
    run->table->norm_constant_coefficients(channels, attributes->mean, attributes->deviation, run->scratch);
    run->table->norm_apply(rows, channels, run->in[0], run->scratch, -HUGE_VAL, HUGE_VAL, run->out[0], run->threads);
}

static void standardise_backward(const struct op_run *run)
{
    const struct standardise_attributes *attributes = run->call->attributes;
    int64_t channels = attributes->channels, rows = shape_elements(&run->call->in[0].shape) / channels;
    if (run->d_in[0] == NULL)
        return;
    run->table->norm_constant_coefficients(channels, attributes->mean, attributes->deviation, run->scratch);
    /* The slope along x is 0, so any x does. */
    run->table->norm_gradient(rows, channels, run->d_out[0], run->d_out[0], run->scratch, -HUGE_VAL, HUGE_VAL,
                              run->d_in[0], run->add[0], run->threads);
}

static void standardise_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct standardise_attributes *attributes = call->attributes;
    for (int64_t i = 0; i < shape_elements(&call->in[0].shape); i++) {
        double x = call->in[0].element == ELEMENT_U8 ? in[0][i] / 255 : in[0][i];
        int64_t c = i % attributes->channels;
        out[0][i] = (x - attributes->mean[c]) / attributes->deviation[c];
    }
}

static const struct standardise_attributes grey = {1, {0.286}, {0.353}},
                                           coloured = {3, {0.49, 0.48, 0.45}, {0.25, 0.24, 0.26}};
static const struct op_example standardise_examples[] = {
    {.name = "grey bytes",
     .attributes = &grey,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_BYTE, .rank = 4, .dim = {3, 7, 5, 1}}}},
    {.name = "coloured bytes",
     .attributes = &coloured,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_BYTE, .rank = 4, .dim = {2, 17, 31, 3}}}},
    {.name = "coloured numbers", .attributes = &coloured, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 5, 3, 3}}}},
    {.name = "rows, one for all", .attributes = &grey, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 17}}}},
};

extern const struct op op_standardise;
const struct op op_standardise = {
    .name = "standardise",
    .summary = "each channel less its mean, by its deviation; bytes are first divided by 255",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct standardise_attributes),
    .shape = standardise_shape,
    .prepare = standardise_prepare,
    .forward = standardise_forward,
    .backward = standardise_backward,
    .reference = standardise_reference,
    .examples = standardise_examples,
    .n_examples = sizeof(standardise_examples) / sizeof(standardise_examples[0]),
};

struct node *graph_standardise(struct graph *graph, struct node *x, int channels, const double *mean,
                               const double *deviation)
{
    struct standardise_attributes attributes = {.channels = channels};
    if (x == NULL)
        return NULL;
    if (channels < 1 || channels > STANDARDISE_MAX) {
        (void)fail(graph->ctx, STATUS_UNSUPPORTED, "standardise: expected 1 to %d channels, found %d", STANDARDISE_MAX,
                   channels);
        return NULL;
    }
    memcpy(attributes.mean, mean, (size_t)channels * sizeof(double));
    memcpy(attributes.deviation, deviation, (size_t)channels * sizeof(double));
    return graph_call(graph, &op_standardise, &attributes, 1, &x);
}
