/* where: y = a where the condition is not 0, else b; all three with NumPy's broadcasting.
 *
 *     da = dy where the condition is not 0, db = dy where it is 0, each summed over what its input was stretched to;
 *     the condition has no gradient. What is not chosen has no say, even if it is not finite. */
#include "graph/op/broadcast.h"
#include "graph/ops.h"

static enum status where_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    (void)backward;
    needs->kernel = "loop";
    needs->reads_inputs = 1;
    for (int i = 0; i < 3; i++)
        needs->overwrite |= shape_equal(&call->in[i].shape, &call->out[0].shape) ? 1U << i : 0;
    needs->gradient_overwrite = needs->overwrite & 4U; /* the one that is made last */
    return STATUS_OK;
}

static void where_forward(const struct op_run *run)
{
    struct walk w = walk_of(run->call);
    int64_t size = (int64_t)element_size(run->table->element);
    for (int64_t i = 0; i < w.outer; i++) {
        const char *in[3];
        for (int k = 0; k < 3; k++)
            in[k] = (const char *)run->in[k] + walk_offset(&w, k, i) * size;
        run->table->where_forward(w.rows, w.cols, in[0], w.strides[0], in[1], w.strides[1], in[2], w.strides[2],
                                  (char *)run->out[0] + i * w.rows * w.cols * size, run->threads);
    }
}

static void where_backward(const struct op_run *run)
{
    struct walk w = walk_of(run->call);
    if (run->d_in[0] && !run->add[0])
        run->table->fill_values(shape_elements(&run->call->in[0].shape), 0, run->d_in[0]);
    walk_gradient(run, &w, 1, SLOPE_WHERE, NULL);
    walk_gradient(run, &w, 2, SLOPE_WHERE_NOT, NULL);
}

static void where_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    for (int64_t i = 0; i < shape_elements(&call->out[0].shape); i++)
        out[0][i] = in[0][broadcast_place(call, 0, i)] != 0 ? in[1][broadcast_place(call, 1, i)]
                                                            : in[2][broadcast_place(call, 2, i)];
}

#define CONDITION(...)                                                                                                 \
    {                                                                                                                  \
        .fill = OP_FILL_BIT, .constant = true, __VA_ARGS__                                                             \
    }
static const struct op_example where_examples[] = {
    {.name = "maps",
     .n_inputs = 3,
     .in = {CONDITION(.rank = 4, .dim = {2, 3, 3, 17}),
            {.rank = 4, .dim = {2, 3, 3, 17}},
            {.rank = 4, .dim = {2, 3, 3, 17}}}},
    {.name = "batch 1, 1x1",
     .n_inputs = 3,
     .in = {CONDITION(.rank = 4, .dim = {1, 1, 1, 3}), {.rank = 4, .dim = {1, 1, 1, 3}}, {.rank = 0}}},
    {.name = "a condition of rows",
     .n_inputs = 3,
     .in = {CONDITION(.rank = 2, .dim = {5, 1}), {.rank = 2, .dim = {5, 7}}, {.rank = 1, .dim = {7}}}},
    {.name = "a condition of channels",
     .n_inputs = 3,
     .in = {CONDITION(.rank = 1, .dim = {3}), {.rank = 4, .dim = {2, 1, 1, 3}}, {.rank = 4, .dim = {2, 5, 5, 3}}}},
    {.name = "stretched all ways",
     .n_inputs = 3,
     .in = {CONDITION(.rank = 5, .dim = {2, 1, 3, 1, 3}),
            {.rank = 5, .dim = {1, 2, 1, 2, 1}},
            {.rank = 3, .dim = {3, 2, 3}}}},
    {.name = "long rows",
     .n_inputs = 3,
     .in = {CONDITION(.rank = 2, .dim = {2, 1500}), {.rank = 0}, {.rank = 1, .dim = {1500}}}},
};

extern const struct op op_where;
const struct op op_where = {
    .name = "where",
    .summary = "one or the other, by a condition",
    .inputs_min = 3,
    .inputs_max = 3,
    .outputs = 1,
    .shape = broadcast_shape,
    .batch = broadcast_batch,
    .prepare = where_prepare,
    .forward = where_forward,
    .backward = where_backward,
    .reference = where_reference,
    .examples = where_examples,
    .n_examples = sizeof(where_examples) / sizeof(where_examples[0]),
};

struct node *graph_where(struct graph *graph, struct node *condition, struct node *a, struct node *b)
{
    struct node *inputs[] = {condition, a, b};
    return graph_call(graph, &op_where, NULL, 3, inputs);
}
