/* one_hot: classes as rows of zeros with a 1.
 *
 * labels i32 [l…] -> real [l…, K]: y[l, k] = 1 where labels[l] is k, else 0; a label that is no class gives zeros. No
 * gradient. */
#include "graph/op/expect.h"
#include "graph/ops.h"

struct one_hot_attributes {
    int64_t classes;
};

static enum status one_hot_shape(struct op_call *call)
{
    const struct one_hot_attributes *attributes = call->attributes;
    RETURN_IF(expect_input(call, 0, ELEMENT_I32, 0, SHAPE_MAX_RANK - 1, "labels, i32 [B]"));
    if (attributes->classes < 1)
        return fail(call->ctx, STATUS_BAD_INPUT, "%s: expected at least 1 class, found %lld", call->name,
                    (long long)attributes->classes);
    struct shape out = call->in[0].shape;
    out.dim[out.rank++] = attributes->classes;
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, out};
    return STATUS_OK;
}

static void one_hot_forward(const struct op_run *run)
{
    const struct one_hot_attributes *attributes = run->call->attributes;
    run->table->one_hot_rows(run->in[0], shape_elements(&run->call->in[0].shape), attributes->classes, run->out[0]);
}

static void one_hot_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct one_hot_attributes *attributes = call->attributes;
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++)
        out[0][i] = in[0][i / attributes->classes] == (double)(i % attributes->classes) ? 1 : 0;
}

static const struct one_hot_attributes ten = {10}, three = {3}, one = {1};
static const struct op_example one_hot_examples[] = {
    {.name = "ten classes",
     .attributes = &ten,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {7}, .limit = 10}}},
    {.name = "labels missing, and beyond the last",
     .attributes = &three,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS_OR_NONE, .rank = 2, .dim = {17, 2}, .limit = 4}}},
    {.name = "batch 1, one class",
     .attributes = &one,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {1}, .limit = 1}}},
    {.name = "a label alone", .attributes = &three, .n_inputs = 1, .in = {{.fill = OP_FILL_CLASS, .limit = 3}}},
};

extern const struct op op_one_hot;
const struct op op_one_hot = {
    .name = "one_hot",
    .summary = "classes as rows of zeros with a 1",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct one_hot_attributes),
    .shape = one_hot_shape,
    .forward = one_hot_forward,
    .reference = one_hot_reference,
    .examples = one_hot_examples,
    .n_examples = sizeof(one_hot_examples) / sizeof(one_hot_examples[0]),
};

struct node *graph_one_hot(struct graph *graph, struct node *labels, int64_t classes)
{
    struct one_hot_attributes attributes = {classes};
    return graph_call(graph, &op_one_hot, &attributes, 1, &labels);
}
