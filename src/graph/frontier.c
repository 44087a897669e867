/* frontier.c: see frontier.h. */
#include "graph/frontier.h"

/* described: the call as its op's batch function sees it: symbolic shapes. */
static struct op_call described(const struct call *call)
{
    struct op_call out = {.ctx = call->outputs[0]->graph->ctx,
                          .op = call->op,
                          .attributes = call->attributes,
                          .name = call->name,
                          .n_inputs = call->n_inputs,
                          .n_outputs = call->n_outputs};
    for (int i = 0; i < call->n_inputs; i++)
        out.in[i] = call->inputs[i]->spec;
    for (int i = 0; i < call->n_outputs; i++)
        out.out[i] = call->outputs[i]->spec;
    return out;
}

static bool rows_call(const struct call *call)
{
    struct op_call c = described(call);
    if (call->n_inputs == 0)
        return false; /* draws random numbers */
    for (int i = 0; i < call->n_inputs; i++)
        if (shape_symbolic(&c.in[i].shape))
            return !call->op->batch || call->op->batch(&c) == BATCH_ROWS;
    return true;
}

enum { UNKNOWN, NO, YES };

/* rows_visit: `known` remembers each node's answer: blocks share inputs, so paths are many more than nodes. */
static bool rows_visit(const struct node *node, unsigned char *known)
{
    if (known[node->id] != UNKNOWN)
        return known[node->id] == YES;
    bool rows = node->kind == NODE_INPUT || node->kind == NODE_CONSTANT || node->kind == NODE_STATE ||
                (node->kind == NODE_PARAMETER && node->frozen) || (node->kind == NODE_CALL && rows_call(node->call));
    for (int i = 0; rows && node->kind == NODE_CALL && i < node->call->n_inputs; i++)
        rows = rows_visit(node->call->inputs[i], known);
    known[node->id] = rows ? YES : NO;
    return rows;
}

bool frontier_rows(const struct node *node)
{
    struct context *ctx = node->graph->ctx;
    unsigned char *known = memory_new(ctx, (size_t)node->graph->n_nodes, 1);
    bool rows = known && rows_visit(node, known);
    memory_free(ctx, known);
    return rows;
}
