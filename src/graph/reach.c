/* reach.c: where a gradient can go. */
#include "graph/graph.h"

struct reaching {
    const struct parameters *parameters;
    bool *seen; /* per node */
};

/* reaches: depth first, through the calls that have a backward pass. */
static bool reaches(struct reaching *walk, const struct node *node)
{
    if (walk->seen[node->id])
        return false;
    walk->seen[node->id] = true;
    if (node->kind == NODE_PARAMETER)
        return node->parameters == walk->parameters && !node->frozen;
    if (node->kind != NODE_CALL || !node->call->op->backward)
        return false;
    for (int i = 0; i < node->call->n_inputs; i++)
        if (reaches(walk, node->call->inputs[i]))
            return true;
    return false;
}

bool graph_reaches(const struct graph *graph, const struct node *from, const struct parameters *parameters)
{
    struct reaching walk = {parameters, memory_new(graph->ctx, (size_t)graph->n_nodes, sizeof(bool))};
    const bool found = walk.seen && reaches(&walk, from);
    memory_free(graph->ctx, walk.seen);
    return found;
}
