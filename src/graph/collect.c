/* collect.c: the calls that a program needs, in an order in which they can be run, and who needs a gradient. */
#include "base/arena.h"
#include "graph/plan.h"

struct tensor_spec plan_bound(const struct program *program, const struct tensor_spec *spec)
{
    return (struct tensor_spec){spec->element == ELEMENT_REAL ? program->precision : spec->element,
                                shape_bind(&spec->shape, program->batch)};
}

size_t plan_bytes(const struct program *program, const struct tensor_spec *spec)
{
    struct tensor_spec bound = plan_bound(program, spec);
    return (size_t)shape_elements(&bound.shape) * element_size(bound.element);
}

struct walk {
    struct program *program;
    bool *seen; /* per node */
    struct call **order;
    int n_order;
};

/* visit: postorder, so that a call comes after what it reads. graph_replace may have put a younger node into an older call,
 * so the order of making is not enough. */
static void visit(struct walk *walk, struct node *node)
{
    if (walk->seen[node->id])
        return;
    walk->seen[node->id] = true;
    if (node->kind != NODE_CALL)
        return;
    for (int i = 0; i < node->call->n_outputs; i++)
        walk->seen[node->call->outputs[i]->id] = true; /* one of them brings the call into the order */
    for (int i = 0; i < node->call->n_inputs; i++)
        visit(walk, node->call->inputs[i]);
    walk->order[walk->n_order++] = node->call;
}

static void keep(struct walk *walk, struct node *node)
{
    if (!node)
        return;
    visit(walk, node);
    walk->program->kept[node->id] = true;
}

static void roots_visit(struct walk *walk)
{
    struct program *program = walk->program;
    keep(walk, program->loss);
    for (int i = 0; i < program->n_outputs; i++)
        keep(walk, program->outputs[i]);
    if (!program->updates)
        return;
    for (int i = 0; i < program->graph->n_updates; i++) {
        keep(walk, program->graph->updates[i].value);
        if (program->graph->updates[i].rows)
            keep(walk, program->graph->updates[i].rows);
    }
}

static enum status call_plan(struct program *program, const struct call *call, struct planned_call *planned)
{
    planned->call = (struct op_call){.ctx = program->ctx,
                                     .op = call->op,
                                     .attributes = call->attributes,
                                     .name = call->name,
                                     .n_inputs = call->n_inputs,
                                     .n_outputs = call->n_outputs,
                                     .kernels = program->kernels,
                                     .random = &program->random};
    planned->inputs = arena_take(program->arena, OP_MAX_INPUTS, sizeof *planned->inputs);
    if (!planned->inputs)
        return program->ctx->error.status;
    for (int i = 0; i < call->n_inputs; i++)
        planned->inputs[i] = call->inputs[i];
    for (int i = 0; i < call->n_outputs; i++)
        planned->outputs[i] = call->outputs[i];
    planned->saved = -1;
    return STATUS_OK;
}

static bool real_spec(const struct node *node)
{
    return node->spec.element == ELEMENT_REAL;
}

/* learns: a node's gradient is asked for when it is a parameter that learns, or a differentiable call of one. */
static void learns_find(struct program *program)
{
    if (!program->has_backward)
        return;
    for (int i = 0; i < program->graph->n_nodes; i++) {
        struct node *node = program->graph->nodes[i];
        program->learns[i] = node->kind == NODE_PARAMETER && !node->frozen;
    }
    for (int i = 0; i < program->n_calls; i++) {
        struct planned_call *planned = &program->calls[i];
        bool any = false;
        for (int j = 0; j < planned->call.n_inputs; j++)
            any = any || program->learns[planned->inputs[j]->id];
        for (int j = 0; any && planned->call.op->backward && j < planned->call.n_outputs; j++)
            program->learns[planned->outputs[j]->id] = real_spec(planned->outputs[j]);
    }
}

enum status plan_collect(struct program *program)
{
    enum status status = STATUS_OK;
    struct context *ctx = program->ctx;
    int n = program->n_nodes;
    struct walk walk = {.program = program};
    program->readers = arena_take(program->arena, (size_t)n, sizeof *program->readers);
    program->kept = arena_take(program->arena, (size_t)n, sizeof *program->kept);
    program->learns = arena_take(program->arena, (size_t)n, sizeof *program->learns);
    walk.seen = memory_new(ctx, (size_t)n, sizeof *walk.seen);
    walk.order = memory_new(ctx, (size_t)n, sizeof(struct call *));
    if (!program->readers || !program->kept || !program->learns || !walk.seen || !walk.order) {
        status = ctx->error.status;
        goto cleanup;
    }
    roots_visit(&walk);
    program->calls = arena_take(program->arena, (size_t)walk.n_order, sizeof *program->calls);
    if (!program->calls) {
        status = ctx->error.status;
        goto cleanup;
    }
    program->n_calls = walk.n_order;
    for (int i = 0; i < walk.n_order; i++) {
        TRY(call_plan(program, walk.order[i], &program->calls[i]));
        for (int j = 0; j < walk.order[i]->n_inputs; j++)
            program->readers[walk.order[i]->inputs[j]->id]++;
    }
    learns_find(program);
cleanup:
    memory_free(ctx, walk.seen);
    memory_free(ctx, walk.order);
    return status;
}
