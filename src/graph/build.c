/* build.c: making nodes. Sticky: NULL in, NULL out (graph.h). */
#include "base/arena.h"
#include "graph/graph.h"
#include "graph/store.h"

#include <string.h>

struct graph *graph_new(struct context *ctx)
{
    struct graph *graph = memory_new(ctx, 1, sizeof *graph);
    if (!graph)
        return NULL;
    graph->ctx = ctx;
    graph->arena = arena_new(ctx);
    if (!graph->arena) {
        graph_free(graph);
        return NULL;
    }
    return graph;
}

void graph_free(struct graph *graph)
{
    if (!graph)
        return;
    struct context *ctx = graph->ctx;
    arena_free(graph->arena);
    memory_free(ctx, graph->nodes);
    memory_free(ctx, graph->inputs);
    memory_free(ctx, graph->updates);
    memory_free(ctx, graph);
}

/* list_grow: room for one more element of a growing list. */
static bool list_grow(struct graph *graph, void *list, int count, int *capacity, size_t size)
{
    void **slot = list;
    if (count < *capacity)
        return true;
    int wanted = *capacity ? 2 * *capacity : 64;
    void *grown = memory_grow(graph->ctx, *slot, (size_t)count, (size_t)wanted, size);
    if (!grown)
        return false;
    *slot = grown;
    *capacity = wanted;
    return true;
}

static struct node *node_new(struct graph *graph, enum node_kind kind, const char *name, struct tensor_spec spec)
{
    struct node *node = arena_take(graph->arena, 1, sizeof *node);
    const char *copy = name ? arena_text(graph->arena, name) : "";
    if (!node || !copy ||
        !list_grow(graph, &graph->nodes, graph->n_nodes, &graph->nodes_capacity, sizeof *graph->nodes))
        return NULL;
    node->graph = graph;
    node->kind = kind;
    node->name = copy;
    node->spec = spec;
    node->id = graph->n_nodes;
    graph->nodes[graph->n_nodes++] = node;
    return node;
}

struct node *graph_input(struct graph *graph, const char *name, enum element element, struct shape shape)
{
    if (!list_grow(graph, &graph->inputs, graph->n_inputs, &graph->inputs_capacity, sizeof *graph->inputs))
        return NULL;
    struct node *node = node_new(graph, NODE_INPUT, name, (struct tensor_spec){element, shape});
    if (!node)
        return NULL;
    node->input = graph->n_inputs;
    graph->inputs[graph->n_inputs++] = node;
    return node;
}

static struct node *node_of_entry(struct graph *graph, enum node_kind kind, struct parameters *own, const char *name,
                                  struct shape shape, struct init init)
{
    int entry;
    if (parameters_add(own, name, &shape, init, kind == NODE_STATE, &entry) != STATUS_OK) {
        if (graph->ctx != own->ctx) /* a helper's or a network's own context: the message must reach the builder's */
            context_adopt_error(graph->ctx, own->ctx);
        return NULL;
    }
    struct node *node = node_new(graph, kind, name, (struct tensor_spec){ELEMENT_REAL, shape});
    if (!node)
        return NULL;
    node->parameters = own;
    node->entry = entry;
    return node;
}

struct node *graph_parameter(struct graph *graph, struct parameters *own, const char *name, struct shape shape,
                             struct init init, bool frozen)
{
    struct node *node = node_of_entry(graph, NODE_PARAMETER, own, name, shape, init);
    if (node)
        node->frozen = frozen;
    return node;
}

struct node *graph_state(struct graph *graph, struct parameters *own, const char *name, struct shape shape,
                         struct init init)
{
    return node_of_entry(graph, NODE_STATE, own, name, shape, init);
}

static struct node *constant_new(struct graph *graph, enum element element, struct shape shape)
{
    int64_t elements = shape_elements(&shape);
    if (elements < 0) {
        fail(graph->ctx, STATUS_BAD_SHAPE,
             "a constant needs a shape without a batch axis and of at most 2^31 elements");
        return NULL;
    }
    struct node *node = node_new(graph, NODE_CONSTANT, "constant", (struct tensor_spec){element, shape});
    if (!node)
        return NULL;
    node->constant = arena_take(graph->arena, (size_t)elements, sizeof(double));
    return node->constant ? node : NULL;
}

struct node *graph_constant(struct graph *graph, struct shape shape, const double *values)
{
    struct node *node = constant_new(graph, ELEMENT_REAL, shape);
    if (node)
        memcpy(node->constant, values, (size_t)shape_elements(&shape) * sizeof(double));
    return node;
}

struct node *graph_constant_integers(struct graph *graph, struct shape shape, const int32_t *values)
{
    struct node *node = constant_new(graph, ELEMENT_I32, shape);
    for (int64_t i = 0; node && i < shape_elements(&shape); i++)
        node->constant[i] = values[i];
    return node;
}

struct node *graph_scalar(struct graph *graph, double value)
{
    return graph_constant(graph, SHAPE_SCALAR, &value);
}

struct node *graph_knob(struct graph *graph, const char *name, const struct real *course)
{
    struct node *node = node_new(graph, NODE_KNOB, name, (struct tensor_spec){ELEMENT_REAL, SHAPE_SCALAR});
    if (!node)
        return NULL;
    node->knob = *course;
    node->knob_value = real_at(course, (struct moment){0});
    return node;
}

struct node *graph_real(struct graph *graph, const struct real *real)
{
    return real_changes(real) ? graph_knob(graph, "knob", real) : graph_scalar(graph, real->value);
}

void graph_knob_set(struct node *knob, double value)
{
    knob->knob_value = value;
}

void graph_knobs_follow(struct graph *graph, struct moment at)
{
    for (int i = 0; i < graph->n_nodes; i++) {
        struct node *node = graph->nodes[i];
        if (node->kind == NODE_KNOB && real_changes(&node->knob))
            node->knob_value = real_at(&node->knob, at);
    }
}

/* call_name: PREFIX.LABEL, LABEL, or the op's name. */
static const char *call_name(struct graph *graph, const struct op *op)
{
    const char *label = graph->label ? graph->label : op->name;
    return graph->prefix ? arena_format(graph->arena, "%s.%s", graph->prefix, label) : arena_text(graph->arena, label);
}

struct node *graph_call(struct graph *graph, const struct op *op, const void *attributes, int n_inputs,
                        struct node *const *inputs)
{
    for (int i = 0; i < n_inputs; i++)
        if (!inputs[i])
            return NULL;
    if (n_inputs < op->inputs_min || n_inputs > op->inputs_max) {
        fail(graph->ctx, STATUS_BAD_SHAPE, "%s: expected %d to %d inputs, found %d", op->name, op->inputs_min,
             op->inputs_max, n_inputs);
        return NULL;
    }
    struct call *call = arena_take(graph->arena, 1, sizeof *call);
    const char *name = call_name(graph, op);
    if (!call || !name)
        return NULL;
    *call = (struct call){.op = op, .name = name, .n_inputs = n_inputs};
    call->attributes = op->attributes_size ? arena_copy(graph->arena, attributes, op->attributes_size) : NULL;
    call->inputs = arena_copy(graph->arena, inputs, (size_t)n_inputs * sizeof *inputs);
    if ((op->attributes_size && !call->attributes) || (n_inputs && !call->inputs))
        return NULL;

    struct op_call described = {.ctx = graph->ctx,
                                .op = op,
                                .attributes = call->attributes,
                                .name = name,
                                .n_inputs = n_inputs,
                                .n_outputs = op->outputs};
    for (int i = 0; i < n_inputs; i++)
        described.in[i] = inputs[i]->spec;
    if (op->shape(&described) != STATUS_OK)
        return NULL;
    call->n_outputs = described.n_outputs;
    for (int i = 0; i < call->n_outputs; i++) {
        call->outputs[i] = node_new(graph, NODE_CALL, name, described.out[i]);
        if (!call->outputs[i])
            return NULL;
        call->outputs[i]->call = call;
        call->outputs[i]->output = i;
    }
    return call->outputs[0];
}

struct node *graph_output(struct node *node, int output)
{
    return node ? node->call->outputs[output] : NULL;
}

static enum status update_add(struct graph *graph, struct update update)
{
    if (!update.value || (!update.state && !update.rows))
        return graph->ctx->error.status != STATUS_OK
                   ? graph->ctx->error.status
                   : fail(graph->ctx, STATUS_BAD_INPUT, "an update lacks its target or its value");
    if (!list_grow(graph, &graph->updates, graph->n_updates, &graph->updates_capacity, sizeof *graph->updates))
        return graph->ctx->error.status;
    graph->updates[graph->n_updates++] = update;
    return STATUS_OK;
}

enum status graph_update(struct graph *graph, struct node *state, struct node *value)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (state && value && !shape_equal(&state->spec.shape, &value->spec.shape))
        return fail(graph->ctx, STATUS_BAD_SHAPE, "update of \"%s\": expected %s, found %s", state->name,
                    shape_text(&state->spec.shape, expected), shape_text(&value->spec.shape, found));
    return update_add(graph, (struct update){.state = state, .value = value});
}

enum status graph_update_rows(struct graph *graph, struct node *state, struct node *rows, struct node *value)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (!state || !rows || !value)
        return update_add(graph, (struct update){0});
    if (shape_row(&state->spec.shape) != shape_row(&value->spec.shape))
        return fail(graph->ctx, STATUS_BAD_SHAPE, "update of \"%s\": expected rows as of %s, found %s", state->name,
                    shape_text(&state->spec.shape, expected), shape_text(&value->spec.shape, found));
    return update_add(graph, (struct update){.state = state, .rows = rows, .value = value});
}

enum status graph_store_update(struct graph *graph, struct store *store, struct node *rows, struct node *value)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (store && value && shape_row(&value->spec.shape) != store->row_elements)
        return fail(graph->ctx, STATUS_BAD_SHAPE, "store \"%s\": expected rows of %s, found %s", store->name,
                    shape_text(&store->row, expected), shape_text(&value->spec.shape, found));
    return update_add(graph, (struct update){.store = store, .rows = rows, .value = value});
}

enum status graph_replace(struct graph *graph, struct node *from, struct node *to)
{
    char expected[SHAPE_TEXT_SIZE], found[SHAPE_TEXT_SIZE];
    if (!from || !to)
        return graph->ctx->error.status;
    if (!shape_equal(&from->spec.shape, &to->spec.shape) || from->spec.element != to->spec.element)
        return fail(graph->ctx, STATUS_BAD_SHAPE, "\"%s\": expected %s in its place, found %s", from->name,
                    shape_text(&from->spec.shape, expected), shape_text(&to->spec.shape, found));
    for (int i = 0; i < graph->n_nodes; i++) {
        struct node *node = graph->nodes[i];
        if (node->kind != NODE_CALL || node->output != 0 || node == to)
            continue;
        for (int j = 0; j < node->call->n_inputs; j++)
            if (node->call->inputs[j] == from)
                node->call->inputs[j] = to;
    }
    for (int i = 0; i < graph->n_updates; i++)
        if (graph->updates[i].value == from)
            graph->updates[i].value = to;
    return STATUS_OK;
}

void graph_label(struct graph *graph, const char *label)
{
    graph->label = label;
}
