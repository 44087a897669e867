/* macs.c: multiply-accumulates of a layer that does not say them itself, out of the ops that it built. */
#include "nn/builder.h"

static struct tensor_spec one_sample(struct tensor_spec spec)
{
    spec.shape = shape_bind(&spec.shape, 1);
    return spec;
}

static double call_macs(const struct call *call)
{
    struct op_call one = {.op = call->op,
                          .attributes = call->attributes,
                          .name = call->name,
                          .n_inputs = call->n_inputs,
                          .n_outputs = call->n_outputs};
    for (int i = 0; i < call->n_inputs; i++)
        one.in[i] = one_sample(call->inputs[i]->spec);
    for (int i = 0; i < call->n_outputs; i++)
        one.out[i] = one_sample(call->outputs[i]->spec);
    return call->op->macs(&one);
}

int64_t builder_macs(const struct builder *builder, int first)
{
    double macs = 0;
    for (int i = first; i < builder->graph->n_nodes; i++) {
        const struct node *node = builder->graph->nodes[i];
        if (node->kind == NODE_CALL && node->output == 0 && node->call->op->macs)
            macs += call_macs(node->call);
    }
    return (int64_t)macs;
}
