/* store_valid: 1 where a row of a per-sample store was ever written, else 0: rows [B] -> [B]. */
#include "graph/ops.h"
#include "graph/store.h"

struct store_attributes {
    const struct store *store; /* borrowed by the graph */
};

static enum status store_valid_shape(struct op_call *call)
{
    char text[SHAPE_TEXT_SIZE];
    if (call->in[0].element != ELEMENT_I32 || call->in[0].shape.rank != 1)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected row indices i32 [B], found %s %s", call->name,
                    element_text(call->in[0].element), shape_text(&call->in[0].shape, text));
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, call->in[0].shape};
    return STATUS_OK;
}

static void store_valid_forward(const struct op_run *run)
{
    const struct store *store = ((const struct store_attributes *)run->call->attributes)->store;
    const int32_t *rows = run->in[0];
    bool wide = run->call->out[0].element == ELEMENT_F64;
    for (int64_t b = 0; b < run->call->in[0].shape.dim[0]; b++) {
        bool valid = rows[b] >= 0 && rows[b] < store->rows && (!store->valid || store->valid[rows[b]]);
        if (wide)
            ((double *)run->out[0])[b] = valid;
        else
            ((float *)run->out[0])[b] = valid;
    }
}

static void store_valid_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct store *store = ((const struct store_attributes *)call->attributes)->store;
    for (int64_t b = 0; b < call->in[0].shape.dim[0]; b++) {
        int64_t row = (int64_t)in[0][b];
        out[0][b] = row >= 0 && row < store->rows ? (store->valid ? (double)store->valid[row] : 1.0) : 0.0;
    }
}

static unsigned char example_valid[4] = {1, 0, 1, 1};
static const struct store example_store = {
    .name = "example", .element = ELEMENT_F32, .rows = 4, .row = {1, {3}}, .row_elements = 3, .valid = example_valid};
static const struct store_attributes example_attributes = {&example_store};
static const struct op_example store_valid_examples[] = {
    {.name = "rows",
     .attributes = &example_attributes,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS, .rank = 1, .dim = {9}, .limit = 4}}},
    {.name = "row missing",
     .attributes = &example_attributes,
     .n_inputs = 1,
     .in = {{.fill = OP_FILL_CLASS_OR_NONE, .rank = 1, .dim = {17}, .limit = 4}}},
};

extern const struct op op_store_valid;
const struct op op_store_valid = {
    .name = "store_valid",
    .summary = "which rows of a per-sample store were written",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct store_attributes),
    .shape = store_valid_shape,
    .forward = store_valid_forward,
    .reference = store_valid_reference,
    .examples = store_valid_examples,
    .n_examples = sizeof store_valid_examples / sizeof *store_valid_examples,
};

struct node *graph_store_valid(struct graph *graph, struct store *store, struct node *rows)
{
    struct store_attributes attributes = {store};
    return store ? graph_call(graph, &op_store_valid, &attributes, 1, &rows) : NULL;
}
