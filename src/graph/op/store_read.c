/* store_read: rows [B] of a per-sample store -> [B, row...]. A constant to the loss; an index outside the store gives zeros. */
#include "graph/ops.h"
#include "graph/store.h"

struct store_attributes {
    const struct store *store; /* borrowed by the graph */
};

static enum status store_read_shape(struct op_call *call)
{
    const struct store *store = ((const struct store_attributes *)call->attributes)->store;
    char text[SHAPE_TEXT_SIZE];
    if (call->in[0].element != ELEMENT_I32 || call->in[0].shape.rank != 1)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected row indices i32 [B], found %s %s", call->name,
                    element_text(call->in[0].element), shape_text(&call->in[0].shape, text));
    if (store->row.rank >= SHAPE_MAX_RANK)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: a store's row has at most rank %d", call->name,
                    SHAPE_MAX_RANK - 1);
    struct shape out = {.rank = store->row.rank + 1, .dim = {call->in[0].shape.dim[0]}};
    for (int i = 0; i < store->row.rank; i++)
        out.dim[i + 1] = store->row.dim[i];
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, out};
    return STATUS_OK;
}

static void store_read_forward(const struct op_run *run)
{
    const struct store *store = ((const struct store_attributes *)run->call->attributes)->store;
    store_rows(store, run->in[0], run->call->in[0].shape.dim[0], run->call->out[0].element, run->out[0]);
}

static void store_read_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct store *store = ((const struct store_attributes *)call->attributes)->store;
    double *to = out[0];
    for (int64_t b = 0; b < call->in[0].shape.dim[0]; b++) {
        int64_t row = (int64_t)in[0][b];
        for (int64_t i = 0; i < store->row_elements; i++, to++)
            *to = row < 0 || row >= store->rows ? 0 : ((const float *)store->values)[row * store->row_elements + i];
    }
}

static float example_values[12] = {0.5F, -1, 2, 3, 4.25F, -5, 6, 7, 8, 9, -10, 11};
static unsigned char example_valid[4] = {1, 0, 1, 1};
static const struct store example_store = {.name = "example",
                                           .element = ELEMENT_F32,
                                           .rows = 4,
                                           .row = {1, {3}},
                                           .row_elements = 3,
                                           .values = example_values,
                                           .valid = example_valid};
static const struct store_attributes example_attributes = {&example_store};
static const struct op_example store_read_examples[] = {
    {.name = "rows",
     .attributes = &example_attributes,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {5}, .limit = 4}}},
    {.name = "row missing",
     .attributes = &example_attributes,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {17}, .limit = 4}}},
};

extern const struct op op_store_read;
const struct op op_store_read = {
    .name = "store_read",
    .summary = "rows of a per-sample store",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct store_attributes),
    .shape = store_read_shape,
    .forward = store_read_forward,
    .reference = store_read_reference,
    .examples = store_read_examples,
    .n_examples = sizeof store_read_examples / sizeof *store_read_examples,
};

struct node *graph_store_read(struct graph *graph, struct store *store, struct node *rows)
{
    struct store_attributes attributes = {store};
    return store ? graph_call(graph, &op_store_read, &attributes, 1, &rows) : NULL;
}
