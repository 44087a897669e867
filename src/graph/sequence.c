/* sequence.c: the steps of a program (forward; then backward, with recomputation where it saves memory) and how long each
 * value must live. A value that backward reads and that its op can make again is dropped after its last forward use and
 * recomputed just before backward needs it. */
#include "base/arena.h"
#include "graph/plan.h"

static enum status buffer_new(struct program *program, size_t bytes, int *index)
{
    if (program->n_buffers == program->buffers_capacity) {
        int capacity = program->buffers_capacity ? 2 * program->buffers_capacity : 256;
        void *grown = memory_grow(program->ctx, program->buffers, (size_t)program->n_buffers, (size_t)capacity,
                                  sizeof *program->buffers);
        if (!grown)
            return program->ctx->error.status;
        program->buffers = grown;
        program->buffers_capacity = capacity;
    }
    const int now = program->n_steps;
    program->buffers[program->n_buffers] = (struct buffer){.bytes = bytes,
                                                           .first = now,
                                                           .last = now,
                                                           .begins = program->now,
                                                           .ends = program->now.stretch,
                                                           .lanes = 1U << program->now.lane,
                                                           .root = program->n_buffers};
    *index = program->n_buffers++;
    return STATUS_OK;
}

/* buffer_take: it lives at least until the step being made. */
static void buffer_take(struct program *program, int index)
{
    struct buffer *buffer = &program->buffers[index];
    buffer->last = program->n_steps;
    buffer->lanes = (buffer->ends == program->now.stretch ? buffer->lanes : 0) | 1U << program->now.lane;
    buffer->ends = program->now.stretch;
}

/* step_new: the next step; its operand lists have the lengths of the call. */
static struct step *step_new(struct program *program, enum step_kind kind, int call)
{
    if (program->n_steps == program->steps_capacity) {
        int capacity = program->steps_capacity ? 2 * program->steps_capacity : 128;
        void *grown = memory_grow(program->ctx, program->steps, (size_t)program->n_steps, (size_t)capacity,
                                  sizeof *program->steps);
        if (!grown)
            return NULL;
        program->steps = grown;
        program->steps_capacity = capacity;
    }
    const struct op_call *described = &program->calls[call].call;
    struct step *step = &program->steps[program->n_steps];
    *step = (struct step){.kind = kind, .place = program->now, .call = call, .scratch = -1};
    size_t n_in = (size_t)described->n_inputs, n_out = (size_t)described->n_outputs;
    step->in = arena_take(program->arena, n_in, sizeof *step->in);
    step->out = arena_take(program->arena, n_out, sizeof *step->out);
    step->d_out = arena_take(program->arena, n_out, sizeof *step->d_out);
    step->d_in = arena_take(program->arena, n_in, sizeof *step->d_in);
    step->add = arena_take(program->arena, n_in, sizeof *step->add);
    return step->in && step->out && step->d_out && step->d_in && step->add ? step : NULL;
}

static struct operand operand_buffer(struct program *program, int buffer)
{
    buffer_take(program, buffer);
    return (struct operand){
        .kind = OPERAND_BUFFER, .index = buffer, .slice_bytes = program->buffers[buffer].slice_bytes};
}

/* operand_read: where a node's value lies now; a buffer lives at least until the step being made. */
static struct operand operand_read(struct program *program, const struct node *node)
{
    switch (node->kind) {
    case NODE_INPUT:
        return (struct operand){.kind = OPERAND_INPUT,
                                .index = node->input,
                                .slice_bytes = plan_by_sample(node) ? plan_bytes(program, &node->spec) : 0};
    case NODE_PARAMETER:
    case NODE_STATE:
        return (struct operand){.kind = OPERAND_VALUE, .index = node->entry, .parameters = node->parameters};
    case NODE_CONSTANT:
    case NODE_KNOB:
        return (struct operand){.kind = OPERAND_FIXED, .fixed = program->fixed[node->id]};
    case NODE_CALL:
        break;
    }
    return operand_buffer(program, program->value[node->id]);
}

static enum status scratch_add(struct program *program, struct step *step, size_t bytes)
{
    return bytes ? buffer_new(program, bytes, &step->scratch) : STATUS_OK;
}

static enum status outputs_make(struct program *program, struct planned_call *planned, struct step *step,
                                bool only_first)
{
    for (int i = 0; i < planned->call.n_outputs; i++) {
        int buffer = -1;
        const size_t bytes = plan_bytes(program, &planned->outputs[i]->spec);
        const bool whole = program->slices > 1 && program->kept[planned->outputs[i]->id];
        RETURN_IF(buffer_new(program, whole ? bytes * (size_t)program->slices : bytes, &buffer));
        if (whole) { /* written slice by slice, while all steps run again and again */
            program->buffers[buffer].slice_bytes = bytes;
            program->buffers[buffer].first = 0;
        }
        step->out[i] = operand_buffer(program, buffer);
        if (i == 0 || !only_first)
            program->value[planned->outputs[i]->id] = buffer;
    }
    return STATUS_OK;
}

static enum status forward_add(struct program *program, int index)
{
    struct planned_call *planned = &program->calls[index];
    program->now = planned->forward;
    struct step *step = step_new(program, STEP_FORWARD, index);
    if (!step)
        return program->ctx->error.status;
    for (int i = 0; i < planned->call.n_inputs; i++)
        step->in[i] = operand_read(program, planned->inputs[i]);
    RETURN_IF(outputs_make(program, planned, step, false));
    if (planned->backward && planned->needs.saved_bytes)
        RETURN_IF(buffer_new(program, planned->needs.saved_bytes, &planned->saved));
    RETURN_IF(scratch_add(program, step, planned->needs.forward_scratch));
    program->n_steps++;
    return STATUS_OK;
}

/* recompute_wanted: worth it where the first output is large, nobody but calls reads it, and backward of its own call keeps
 * its inputs alive anyway. */
static bool recompute_wanted(const struct program *program, const struct planned_call *planned)
{
    const struct op_needs *needs = &planned->needs;
    if (!planned->backward || !needs->recomputes || !planned->call.op->recompute ||
        program->kept[planned->outputs[0]->id])
        return false;
    for (int i = 0; i < planned->call.n_inputs; i++)
        if (planned->inputs[i]->kind == NODE_CALL && !(needs->reads_inputs & 1U << i))
            return false;
    return true;
}

/* value_ensure: a dropped value is made again before the step that reads it. */
static enum status value_ensure(struct program *program, struct node *node, const int *producer)
{
    if (node->kind != NODE_CALL || program->value[node->id] >= 0)
        return STATUS_OK;
    int index = producer[node->id];
    struct planned_call *planned = &program->calls[index];
    for (int i = 0; i < planned->call.n_inputs; i++)
        RETURN_IF(value_ensure(program, planned->inputs[i], producer));
    struct step *step = step_new(program, STEP_RECOMPUTE, index);
    if (!step)
        return program->ctx->error.status;
    for (int i = 0; i < planned->call.n_inputs; i++)
        step->in[i] = operand_read(program, planned->inputs[i]);
    RETURN_IF(outputs_make(program, planned, step, true));
    if (planned->saved >= 0)
        buffer_take(program, planned->saved);
    RETURN_IF(scratch_add(program, step, planned->needs.forward_scratch));
    program->n_steps++;
    return STATUS_OK;
}

/* gradient_into: where the gradient of an input goes, and whether it adds to what earlier readers left there. */
static enum status gradient_into(struct program *program, const struct node *node, struct operand *operand, bool *add)
{
    if (node->kind == NODE_PARAMETER) {
        for (int i = 0; i < program->n_reached; i++) {
            struct reached *reached = &program->reached[i];
            if (reached->parameters != node->parameters)
                continue;
            *add = reached->written[node->entry];
            reached->written[node->entry] = true;
        }
        *operand = (struct operand){.kind = OPERAND_GRADIENT, .index = node->entry, .parameters = node->parameters};
        return STATUS_OK;
    }
    int *buffer = &program->gradient[node->id];
    *add = *buffer >= 0;
    if (!*add)
        RETURN_IF(buffer_new(program, plan_bytes(program, &node->spec), buffer));
    *operand = operand_buffer(program, *buffer);
    return STATUS_OK;
}

static enum status backward_add(struct program *program, int index, const int *producer)
{
    struct planned_call *planned = &program->calls[index];
    const struct op_needs *needs = &planned->needs;
    program->now = planned->back;
    for (int i = 0; i < planned->call.n_inputs; i++)
        if (needs->reads_inputs & 1U << i)
            RETURN_IF(value_ensure(program, planned->inputs[i], producer));
    for (int i = 0; i < planned->call.n_outputs; i++)
        if (needs->reads_outputs & 1U << i)
            RETURN_IF(value_ensure(program, planned->outputs[i], producer));

    struct step *step = step_new(program, STEP_BACKWARD, index);
    if (!step)
        return program->ctx->error.status;
    for (int i = 0; i < planned->call.n_outputs; i++) {
        const struct node *node = planned->outputs[i];
        if (needs->reads_outputs & 1U << i)
            step->out[i] = operand_read(program, node);
        if (node == program->loss)
            step->d_out[i] = (struct operand){.kind = OPERAND_FIXED, .fixed = program->one};
        else if (program->gradient[node->id] >= 0)
            step->d_out[i] = operand_buffer(program, program->gradient[node->id]);
    }
    for (int i = 0; i < planned->call.n_inputs; i++) {
        if (needs->reads_inputs & 1U << i)
            step->in[i] = operand_read(program, planned->inputs[i]);
        if (planned->wants[i])
            RETURN_IF(gradient_into(program, planned->inputs[i], &step->d_in[i], &step->add[i]));
    }
    if (planned->saved >= 0)
        buffer_take(program, planned->saved);
    RETURN_IF(scratch_add(program, step, needs->backward_scratch));
    program->n_steps++;
    return STATUS_OK;
}

/* reached_find: the parameters sets that have an entry which learns in this program. */
static enum status reached_find(struct program *program)
{
    struct context *ctx = program->ctx;
    for (int i = 0; i < program->n_nodes; i++) {
        const struct node *node = program->graph->nodes[i];
        if (node->kind != NODE_PARAMETER || !program->learns[i] || !program->readers[i])
            continue;
        bool known = false;
        for (int j = 0; j < program->n_reached; j++)
            known = known || program->reached[j].parameters == node->parameters;
        if (known)
            continue;
        void *grown = memory_grow(ctx, program->reached, (size_t)program->n_reached, (size_t)program->n_reached + 1,
                                  sizeof *program->reached);
        if (!grown)
            return ctx->error.status;
        program->reached = grown;
        struct reached *reached = &program->reached[program->n_reached++];
        reached->parameters = node->parameters;
        reached->count = node->parameters->count;
        reached->written = arena_take(program->arena, (size_t)reached->count, sizeof *reached->written);
        if (!reached->written)
            return ctx->error.status;
    }
    return STATUS_OK;
}

/* ends_add: values that are read after the last step. */
static enum status ends_add(struct program *program)
{
    program->now = (struct place){STRETCH_END, 0};
    program->output_operands = arena_take(program->arena, (size_t)program->n_outputs, sizeof *program->output_operands);
    if (!program->output_operands)
        return program->ctx->error.status;
    for (int i = 0; i < program->n_outputs; i++)
        program->output_operands[i] = operand_read(program, program->outputs[i]);
    if (program->loss)
        program->loss_operand = operand_read(program, program->loss);
    if (!program->updates)
        return STATUS_OK;
    const struct graph *graph = program->graph;
    program->n_planned_updates = graph->n_updates;
    program->planned_updates = arena_take(program->arena, (size_t)graph->n_updates, sizeof *program->planned_updates);
    if (!program->planned_updates)
        return program->ctx->error.status;
    for (int i = 0; i < graph->n_updates; i++) {
        const struct update *update = &graph->updates[i];
        struct planned_update *planned = &program->planned_updates[i];
        struct tensor_spec bound = plan_bound(program, &update->value->spec);
        planned->value = operand_read(program, update->value);
        planned->elements = shape_elements(&bound.shape);
        planned->store = update->store;
        planned->batch = program->batch;
        planned->by_row = update->rows != NULL;
        if (update->rows)
            planned->rows = operand_read(program, update->rows);
        if (update->state) {
            planned->parameters = update->state->parameters;
            planned->entry = update->state->entry;
        }
    }
    return STATUS_OK;
}

/* drop_recomputed: after the forward pass, values that will be made again are nowhere. */
static void drop_recomputed(struct program *program)
{
    for (int i = 0; i < program->n_calls; i++)
        if (program->calls[i].recompute)
            program->value[program->calls[i].outputs[0]->id] = -1;
}

enum status plan_sequence(struct program *program)
{
    enum status status = STATUS_OK;
    struct context *ctx = program->ctx;
    size_t n = (size_t)program->n_nodes;
    int *producer = memory_new(ctx, n, sizeof *producer);
    program->value = arena_take(program->arena, n, sizeof *program->value);
    program->gradient = arena_take(program->arena, n, sizeof *program->gradient);
    if (!producer || !program->value || !program->gradient) {
        status = ctx->error.status;
        goto cleanup;
    }
    for (size_t i = 0; i < n; i++)
        program->value[i] = program->gradient[i] = -1;
    TRY(reached_find(program));
    for (int i = 0; i < program->n_calls; i++) {
        struct planned_call *planned = &program->calls[i];
        for (int j = 0; j < planned->call.n_outputs; j++)
            producer[planned->outputs[j]->id] = i;
        planned->recompute = recompute_wanted(program, planned);
        TRY(forward_add(program, i));
    }
    program->n_forward = program->n_steps;
    drop_recomputed(program);
    for (int i = program->n_calls - 1; i >= 0; i--)
        if (program->calls[i].backward)
            TRY(backward_add(program, i, producer));
    TRY(ends_add(program));
cleanup:
    memory_free(ctx, producer);
    return status;
}
