/* fuse.c: patterns that one kernel does better than two. A call absorbs the only call that reads its first output:
 *
 *     batch_norm, relu | relu6                         -> batch_norm with activation
 *     batch_norm, 2x2 max_pool of stride 2             -> batch_norm_pool
 *     batch_norm, convolution                          -> batch_norm_convolution
 *     batch_norm_inference, relu | relu6               -> batch_norm_inference with activation
 *     convolution, batch_norm_inference (not learning) -> convolution with folded weights
 *     convolution | linear, relu | relu6 (not learning) -> with activation
 */
#include "base/arena.h"
#include "graph/op/batch_norm_convolution.h"
#include "graph/op/linear.h"
#include "graph/plan.h"

#include <string.h>

extern const struct op op_relu, op_relu6, op_max_pool, op_linear;

static enum activation activation_of(const struct op *op)
{
    return op == &op_relu ? ACTIVATION_RELU : op == &op_relu6 ? ACTIVATION_RELU6 : ACTIVATION_NONE;
}

/* learns_any: does a gradient flow through the call? Fused inference kernels have none. */
static bool learns_any(const struct program *program, const struct planned_call *planned)
{
    for (int i = 0; i < planned->call.n_inputs; i++)
        if (program->learns[planned->inputs[i]->id])
            return true;
    return false;
}

/* attributes_copy: the call's own attributes, to be changed; NULL: error recorded. */
static void *attributes_copy(struct program *program, struct planned_call *planned)
{
    void *copy = arena_copy(program->arena, planned->call.attributes, planned->call.op->attributes_size);
    if (copy)
        planned->call.attributes = copy;
    return copy;
}

static enum status activation_put(struct program *program, struct planned_call *first, enum activation activation)
{
    void *attributes = attributes_copy(program, first);
    if (!attributes)
        return program->ctx->error.status;
    if (first->call.op == &op_convolution)
        ((struct convolution_attributes *)attributes)->activation = activation;
    else if (first->call.op == &op_linear)
        ((struct linear_attributes *)attributes)->activation = activation;
    else
        ((struct batch_norm_attributes *)attributes)->activation = activation;
    return STATUS_OK;
}

static enum activation activation_now(const struct planned_call *call)
{
    if (call->call.op == &op_convolution)
        return ((const struct convolution_attributes *)call->call.attributes)->activation;
    if (call->call.op == &op_linear)
        return ((const struct linear_attributes *)call->call.attributes)->activation;
    return ((const struct batch_norm_attributes *)call->call.attributes)->activation;
}

static bool takes_activation(const struct program *program, const struct planned_call *first)
{
    const struct op *op = first->call.op;
    if (op == &op_batch_norm || op == &op_batch_norm_inference)
        return activation_now(first) == ACTIVATION_NONE;
    return (op == &op_convolution || op == &op_linear) && activation_now(first) == ACTIVATION_NONE &&
           !learns_any(program, first);
}

static bool pools_by_two(const struct planned_call *second)
{
    if (second->call.op != &op_max_pool)
        return false;
    const struct pooling *p = second->call.attributes;
    return p->kernel[0] == 2 && p->kernel[1] == 2 && p->stride[0] == 2 && p->stride[1] == 2 && p->padding[0] == 0 &&
           p->padding[1] == 0;
}

static bool folds(const struct program *program, const struct planned_call *first, const struct planned_call *second)
{
    if (first->call.op != &op_convolution || second->call.op != &op_batch_norm_inference)
        return false;
    const struct convolution_attributes *attributes = first->call.attributes;
    return !attributes->fold && attributes->activation == ACTIVATION_NONE && !learns_any(program, first) &&
           !learns_any(program, second);
}

static enum status fold(struct program *program, struct planned_call *first, const struct planned_call *second)
{
    const struct batch_norm_attributes *norm = second->call.attributes;
    struct convolution_attributes *attributes = attributes_copy(program, first);
    if (!attributes)
        return program->ctx->error.status;
    attributes->fold = true;
    attributes->epsilon = norm->epsilon;
    attributes->activation = norm->activation;
    for (int i = 1; i < 5; i++)
        first->inputs[first->call.n_inputs++] = second->inputs[i];
    return STATUS_OK;
}

/* convolves: the convolution's other inputs must be there when the batch norm runs. */
static bool convolves(const struct planned_call *first, const struct planned_call *second)
{
    if (first->call.op != &op_batch_norm || second->call.op != &op_convolution)
        return false;
    const struct convolution_attributes *attributes = second->call.attributes;
    for (int i = 1; i < second->call.n_inputs; i++)
        if (second->inputs[i]->kind == NODE_CALL)
            return false;
    return !attributes->fold && attributes->activation == ACTIVATION_NONE;
}

static enum status convolve(struct program *program, struct planned_call *first, const struct planned_call *second)
{
    const struct batch_norm_convolution_attributes attributes = {
        .convolution = *(const struct convolution_attributes *)second->call.attributes,
        .norm = *(const struct batch_norm_attributes *)first->call.attributes,
        .running = first->call.n_inputs == 5,
    };
    first->call.attributes = arena_copy(program->arena, &attributes, sizeof attributes);
    if (!first->call.attributes)
        return program->ctx->error.status;
    first->call.op = &op_batch_norm_convolution;
    first->call.name = second->call.name; /* which takes most of the time */
    for (int i = 1; i < second->call.n_inputs; i++)
        first->inputs[first->call.n_inputs++] = second->inputs[i];
    return STATUS_OK;
}

/* absorb: makes `first` do the work of `second`, if it can. */
static enum status absorb(struct program *program, struct planned_call *first, const struct planned_call *second,
                          bool *done)
{
    enum activation activation = activation_of(second->call.op);
    *done = true;
    if (activation != ACTIVATION_NONE && takes_activation(program, first)) {
        RETURN_IF(activation_put(program, first, activation));
    } else if (first->call.op == &op_batch_norm && pools_by_two(second)) {
        first->call.op = &op_batch_norm_pool;
    } else if (convolves(first, second)) {
        RETURN_IF(convolve(program, first, second));
    } else if (folds(program, first, second)) {
        RETURN_IF(fold(program, first, second));
    } else {
        *done = false;
        return STATUS_OK;
    }
    first->outputs[0] = second->outputs[0];
    return STATUS_OK;
}

/* reader_of: the index of the only call that reads the node, -1 where there is none or the node is kept. */
static int reader_of(const struct program *program, const struct node *node, const bool *gone)
{
    if (program->readers[node->id] != 1 || program->kept[node->id])
        return -1;
    for (int i = 0; i < program->n_calls; i++)
        for (int j = 0; !gone[i] && j < program->calls[i].call.n_inputs; j++)
            if (program->calls[i].inputs[j] == node)
                return i;
    return -1;
}

enum status plan_fuse(struct program *program)
{
    enum status status = STATUS_OK;
    bool *gone = memory_new(program->ctx, (size_t)program->n_calls, sizeof *gone);
    if (!gone)
        return program->ctx->error.status;
    for (int i = 0; i < program->n_calls; i++) {
        bool done = !gone[i];
        while (done) {
            int reader = reader_of(program, program->calls[i].outputs[0], gone);
            done = false;
            if (reader < 0 || program->calls[reader].inputs[0] != program->calls[i].outputs[0])
                break;
            TRY(absorb(program, &program->calls[i], &program->calls[reader], &done));
            gone[reader] = done;
        }
    }
    int n = 0;
    for (int i = 0; i < program->n_calls; i++)
        if (!gone[i])
            program->calls[n++] = program->calls[i];
    program->n_calls = n;
cleanup:
    memory_free(program->ctx, gone);
    return status;
}
