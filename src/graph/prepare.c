/* prepare.c: asks each op what it needs, and makes what lives as long as the program: constants, knobs, derived values. */
#include "base/arena.h"
#include "graph/plan.h"

static void real_put(void *to, enum element element, int64_t at, double value)
{
    switch (element) {
    case ELEMENT_F64:
        ((double *)to)[at] = value;
        break;
    case ELEMENT_I32:
        ((int32_t *)to)[at] = (int32_t)value;
        break;
    default:
        ((float *)to)[at] = (float)value;
        break;
    }
}

/* persistent_new: 64-byte aligned memory that lives as long as the program. */
static void *persistent_new(struct program *program, size_t bytes)
{
    char *taken = arena_take(program->arena, bytes + 64, 1);
    program->persistent_bytes += bytes;
    return taken ? taken + (64 - (uintptr_t)taken % 64) % 64 : NULL;
}

static enum status fixed_make(struct program *program)
{
    program->fixed = arena_take(program->arena, (size_t)program->n_nodes, sizeof *program->fixed);
    program->one = persistent_new(program, sizeof(double));
    if (!program->fixed || !program->one)
        return program->ctx->error.status;
    real_put(program->one, program->precision, 0, 1);
    for (int i = 0; i < program->n_nodes; i++) {
        const struct node *node = program->graph->nodes[i];
        if ((node->kind != NODE_CONSTANT && node->kind != NODE_KNOB) || (!program->readers[i] && !program->kept[i]))
            continue;
        struct tensor_spec spec = plan_bound(program, &node->spec);
        program->fixed[i] = persistent_new(program, plan_bytes(program, &node->spec));
        if (!program->fixed[i])
            return program->ctx->error.status;
        for (int64_t j = 0; node->kind == NODE_CONSTANT && j < shape_elements(&spec.shape); j++)
            real_put(program->fixed[i], spec.element, j, node->constant[j]);
    }
    return STATUS_OK;
}

/* specs_bind: the shapes of this batch size; refuses what is too large for 32-bit indices or for memory. */
static enum status specs_bind(struct program *program, struct planned_call *planned)
{
    char text[SHAPE_TEXT_SIZE];
    struct op_call *call = &planned->call;
    for (int i = 0; i < call->n_inputs; i++)
        call->in[i] = plan_bound(program, &planned->inputs[i]->spec);
    for (int i = 0; i < call->n_outputs; i++) {
        call->out[i] = plan_bound(program, &planned->outputs[i]->spec);
        if (shape_elements(&call->out[i].shape) < 0)
            return fail(program->ctx, STATUS_BAD_SHAPE,
                        "%s: its output %s has more than 2^31 elements; use a smaller batch or map", call->name,
                        shape_text(&call->out[i].shape, text));
    }
    return STATUS_OK;
}

/* backward_find: a call takes part in the backward pass when the loss's gradient reaches an output and an input wants it. */
static void backward_find(struct program *program, bool *reached)
{
    if (!program->has_backward)
        return;
    reached[program->loss->id] = true;
    for (int i = program->n_calls - 1; i >= 0; i--) {
        struct planned_call *planned = &program->calls[i];
        bool arrives = false;
        for (int j = 0; j < planned->call.n_outputs; j++)
            arrives = arrives || reached[planned->outputs[j]->id];
        if (!arrives || !planned->call.op->backward)
            continue;
        for (int j = 0; j < planned->call.n_inputs; j++) {
            planned->wants[j] = program->learns[planned->inputs[j]->id];
            planned->backward = planned->backward || planned->wants[j];
            reached[planned->inputs[j]->id] = reached[planned->inputs[j]->id] || planned->wants[j];
        }
    }
}

enum status plan_prepare(struct program *program)
{
    enum status status = STATUS_OK;
    bool *reached = memory_new(program->ctx, (size_t)program->n_nodes, sizeof *reached);
    if (!reached)
        return program->ctx->error.status;
    TRY(fixed_make(program));
    backward_find(program, reached);
    for (int i = 0; i < program->n_calls; i++) {
        struct planned_call *planned = &program->calls[i];
        const struct op *op = planned->call.op;
        TRY(specs_bind(program, planned));
        planned->needs = (struct op_needs){.kernel = "loop"};
        if (op->prepare)
            TRY(op->prepare(&planned->call, planned->backward, &planned->needs));
        if (planned->needs.derived_bytes) {
            planned->derived = persistent_new(program, planned->needs.derived_bytes);
            if (!planned->derived)
                TRY(program->ctx->error.status);
        }
    }
cleanup:
    memory_free(program->ctx, reached);
    return status;
}
