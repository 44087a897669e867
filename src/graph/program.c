/* program.c: compiling and running. */
#include "graph/program.h"

#include "base/arena.h"
#include "base/crew.h"
#include "base/thread.h"
#include "graph/plan.h"
#include "graph/store.h"

#include <math.h>
#include <string.h>

struct program_memory *program_memory_new(struct context *ctx)
{
    struct program_memory *memory = memory_new(ctx, 1, sizeof *memory);
    if (memory)
        memory->ctx = ctx;
    return memory;
}

void program_memory_free(struct program_memory *memory)
{
    if (!memory)
        return;
    memory_free(memory->ctx, memory->base);
    memory_free(memory->ctx, memory);
}

/* memory_ready: the arena as large as the largest program asks; grown before the first run, never in a later one. */
static enum status memory_ready(struct program_memory *memory)
{
    if (memory->base && memory->capacity >= memory->wanted)
        return STATUS_OK;
    memory_free(memory->ctx, memory->base);
    memory->capacity = 0;
    memory->base = memory_new(memory->ctx, memory->wanted, 1);
    if (!memory->base)
        return memory->ctx->error.status;
    memory->capacity = memory->wanted;
    return STATUS_OK;
}

enum status program_compile(struct graph *graph, const struct program_spec *spec, struct kernel_context *kernels,
                            struct program_memory *memory, struct program **out)
{
    enum status status = STATUS_OK;
    struct context *ctx = graph->ctx;
    *out = NULL;
    if (ctx->error.status != STATUS_OK)
        return ctx->error.status; /* a builder failed earlier */
    struct program *program = memory_new(ctx, 1, sizeof *program);
    if (!program)
        return ctx->error.status;
    *program = (struct program){.ctx = ctx,
                                .graph = graph,
                                .kernels = kernels,
                                .memory = memory,
                                .batch = spec->batch,
                                .precision = spec->precision,
                                .flags = spec->flags,
                                .has_backward = spec->loss != NULL,
                                .updates = spec->updates,
                                .loss = spec->loss,
                                .n_outputs = spec->n_outputs,
                                .n_nodes = graph->n_nodes,
                                .table = kernels_of(kernels, spec->precision)};
    program->arena = arena_new(ctx);
    if (!program->arena)
        TRY(ctx->error.status);
    program->outputs = arena_copy(program->arena, spec->outputs, (size_t)spec->n_outputs * sizeof(struct node *));
    if (!program->outputs)
        TRY(ctx->error.status);
    if (spec->loss && spec->loss->spec.shape.rank != 0)
        TRY(fail(ctx, STATUS_BAD_SHAPE, "a loss must be a scalar, found rank %d at %s", spec->loss->spec.shape.rank,
                 spec->loss->name));
    TRY(plan_collect(program));
    plan_slice(program);
    plan_squares(program);
    TRY(plan_fuse(program));
    TRY(plan_prepare(program));
    plan_views(program);
    TRY(plan_lanes(program));
    TRY(plan_sequence(program));
    TRY(plan_place(program));
    *out = program;
cleanup:
    if (status != STATUS_OK)
        program_free(program);
    return status;
}

void program_free(struct program *program)
{
    if (!program)
        return;
    struct context *ctx = program->ctx;
    for (int i = 0; i < program->n_calls; i++)
        if (program->calls[i].needs.plan && program->calls[i].call.op->release)
            program->calls[i].call.op->release(program->calls[i].needs.plan);
    memory_free(ctx, program->steps);
    memory_free(ctx, program->buffers);
    memory_free(ctx, program->reached);
    arena_free(program->arena);
    memory_free(ctx, program);
}

/* operand_address: in the slice that runs. */
static void *operand_address(const struct program *program, const struct operand *operand,
                             const struct bindings *bindings)
{
    const size_t at = (size_t)program->slice * operand->slice_bytes;
    switch (operand->kind) {
    case OPERAND_NONE:
        return NULL;
    case OPERAND_BUFFER:
        return (char *)program->memory->base + program->buffers[operand->index].offset + at;
    case OPERAND_INPUT:
        return bindings && bindings->inputs[operand->index] ? (char *)(uintptr_t)bindings->inputs[operand->index] + at
                                                            : NULL;
    case OPERAND_VALUE:
        return parameters_value(operand->parameters, operand->index);
    case OPERAND_GRADIENT:
        return parameters_gradient(operand->parameters, operand->index);
    case OPERAND_FIXED:
        return operand->fixed;
    }
    return NULL;
}

/* derived_check: derived values are made again when a parameter of the call changed since, and in each run where a
 * weight (any input but the first) is not a parameter but computed in that run. */
static bool derived_check(struct planned_call *planned)
{
    uint64_t stamp = 0;
    bool computed = false;
    for (int i = 0; i < planned->call.n_inputs; i++) {
        const struct node *input = planned->inputs[i];
        if (input->parameters)
            stamp += input->parameters->version;
        else if (i > 0 && input->kind != NODE_CONSTANT)
            computed = true;
    }
    bool stale = computed || !planned->derived_made || stamp != planned->derived_stamp;
    planned->derived_made = true;
    planned->derived_stamp = stamp;
    return stale;
}

static void step_run(struct program *program, const struct step *step, const struct bindings *bindings, int threads)
{
    struct planned_call *planned = &program->calls[step->call];
    const struct op *op = planned->call.op;
    const void *in[OP_MAX_INPUTS], *d_out[OP_MAX_OUTPUTS];
    void *out[OP_MAX_OUTPUTS], *d_in[OP_MAX_INPUTS];
    for (int i = 0; i < planned->call.n_inputs; i++) {
        in[i] = operand_address(program, &step->in[i], bindings);
        d_in[i] = operand_address(program, &step->d_in[i], bindings);
    }
    for (int i = 0; i < planned->call.n_outputs; i++) {
        out[i] = operand_address(program, &step->out[i], bindings);
        d_out[i] = operand_address(program, &step->d_out[i], bindings);
    }
    struct op_run run = {.call = &planned->call,
                         .table = program->table,
                         .plan = planned->needs.plan,
                         .in = in,
                         .out = out,
                         .d_out = d_out,
                         .d_in = d_in,
                         .add = step->add,
                         .derived = planned->derived,
                         .keep = planned->backward,
                         .threads = threads};
    if (planned->saved >= 0)
        run.saved = (char *)program->memory->base + program->buffers[planned->saved].offset;
    if (step->scratch >= 0)
        run.scratch = (char *)program->memory->base + program->buffers[step->scratch].offset;
    if (planned->derived)
        run.derived_stale = step->kind == STEP_FORWARD && derived_check(planned);
    switch (step->kind) {
    case STEP_FORWARD:
        op->forward(&run);
        break;
    case STEP_RECOMPUTE:
        op->recompute(&run);
        break;
    case STEP_BACKWARD:
        op->backward(&run);
        break;
    }
}

/* poison_dead: memory that nobody may read any more. */
static void poison_dead(const struct program *program, int step)
{
    for (int i = 0; i < program->n_buffers; i++) {
        const struct buffer *buffer = &program->buffers[i];
        if (buffer->root == i && buffer->last == step)
            memset((char *)program->memory->base + buffer->offset, 0xFF, buffer->bytes);
    }
}

static bool finite_all(const void *values, enum element element, int64_t count, int64_t *bad)
{
    for (int64_t i = 0; i < count; i++) {
        double value = element == ELEMENT_F64 ? ((const double *)values)[i] : ((const float *)values)[i];
        if (!isfinite(value)) {
            *bad = i;
            return false;
        }
    }
    return true;
}

static enum status operand_check(struct program *program, const struct operand *operand, const struct tensor_spec *spec,
                                 const char *what, const struct op_call *call, const struct bindings *bindings)
{
    int64_t bad = 0;
    char text[SHAPE_TEXT_SIZE];
    if (operand->kind == OPERAND_NONE || (spec->element != ELEMENT_F32 && spec->element != ELEMENT_F64))
        return STATUS_OK;
    if (finite_all(operand_address(program, operand, bindings), spec->element, shape_elements(&spec->shape), &bad))
        return STATUS_OK;
    return fail(program->ctx, STATUS_NOT_FINITE,
                "step %llu: the %s %s (%s, %s) is not finite at element %lld; try a lower rate or clip: 1",
                (unsigned long long)bindings->step, what, call->name, call->op->name, shape_text(&spec->shape, text),
                (long long)bad);
}

static enum status step_check(struct program *program, const struct step *step, const struct bindings *bindings)
{
    const struct op_call *call = &program->calls[step->call].call;
    if (step->kind != STEP_BACKWARD) {
        for (int i = 0; i < call->n_outputs; i++)
            RETURN_IF(operand_check(program, &step->out[i], &call->out[i], "output of", call, bindings));
        return STATUS_OK;
    }
    for (int i = 0; i < call->n_inputs; i++)
        RETURN_IF(operand_check(program, &step->d_in[i], &call->in[i], "gradient through", call, bindings));
    return STATUS_OK;
}

static void knobs_put(const struct program *program)
{
    for (int i = 0; i < program->n_nodes; i++) {
        const struct node *node = program->graph->nodes[i];
        if (node->kind != NODE_KNOB || !program->fixed[i])
            continue;
        if (program->precision == ELEMENT_F64)
            *(double *)program->fixed[i] = node->knob_value;
        else
            *(float *)program->fixed[i] = (float)node->knob_value;
    }
}

/* gradients_clear: entries that this program's backward does not write must not keep an old gradient. */
static void gradients_clear(const struct program *program)
{
    for (int i = 0; i < program->n_reached; i++) {
        struct parameters *parameters = program->reached[i].parameters;
        for (int j = 0; j < parameters->count; j++)
            if (!parameters->entries[j].state && (j >= program->reached[i].count || !program->reached[i].written[j]))
                memset(parameters_gradient(parameters, j), 0,
                       (size_t)parameters->entries[j].elements * element_size(parameters->element));
    }
}

static void store_commit(const struct planned_update *update, const void *value, const int32_t *rows,
                         enum element precision)
{
    struct store *store = update->store;
    int64_t width = store->row_elements;
    for (int64_t b = 0; b < update->batch; b++) {
        if (rows[b] < 0 || rows[b] >= store->rows)
            continue;
        for (int64_t i = 0; i < width; i++) {
            double x = precision == ELEMENT_F64 ? ((const double *)value)[b * width + i]
                                                : ((const float *)value)[b * width + i];
            if (store->element == ELEMENT_F64)
                ((double *)store->values)[rows[b] * width + i] = x;
            else
                ((float *)store->values)[rows[b] * width + i] = (float)x;
        }
        store->valid[rows[b]] = 1;
    }
}

/* rows_commit: some rows of a state. */
static void rows_commit(const struct planned_update *update, const void *value, const int32_t *rows,
                        enum element precision)
{
    const struct shape *shape = &update->parameters->entries[update->entry].shape;
    const size_t bytes = (size_t)shape_row(shape) * element_size(precision);
    unsigned char *state = parameters_value(update->parameters, update->entry);
    for (int64_t b = 0; b < update->batch; b++)
        if (rows[b] >= 0 && rows[b] < shape->dim[0])
            memcpy(state + (size_t)rows[b] * bytes, (const unsigned char *)value + (size_t)b * bytes, bytes);
}

static void updates_commit(struct program *program, const struct bindings *bindings)
{
    for (int i = 0; i < program->n_planned_updates; i++) {
        const struct planned_update *update = &program->planned_updates[i];
        const void *value = operand_address(program, &update->value, bindings);
        if (update->store) {
            store_commit(update, value, operand_address(program, &update->rows, bindings), program->precision);
            continue;
        }
        if (update->by_row)
            rows_commit(update, value, operand_address(program, &update->rows, bindings), program->precision);
        else
            memcpy(parameters_value(update->parameters, update->entry), value,
                   (size_t)update->elements * element_size(program->precision));
        parameters_touch(update->parameters);
    }
}

/* Steps of one stretch, from `first` to before `end`. */
struct stretch_run {
    struct program *program;
    const struct bindings *bindings;
    int first, end;
};

static void lane_run(void *user, int lane)
{
    const struct stretch_run *run = user;
    for (int i = run->first; i < run->end; i++)
        if (run->program->steps[i].place.lane == lane)
            step_run(run->program, &run->program->steps[i], run->bindings, 1);
}

/* steps_run: one after the other; `watched`: with a look at the time, the values or the memory after each. */
static enum status steps_run(const struct stretch_run *run, bool watched, unsigned flags)
{
    struct program *program = run->program;
    const int threads = program->kernels->threads;
    for (int i = run->first; i < run->end; i++) {
        struct step *step = &program->steps[i];
        double begin = watched && program->profile ? work_seconds(threads) : 0;
        step_run(program, step, run->bindings, threads);
        if (!watched)
            continue;
        if (program->profile)
            step->seconds += work_seconds(threads) - begin;
        if (flags & RUN_CHECK)
            RETURN_IF(step_check(program, step, run->bindings));
        if (program->flags & PLAN_POISON)
            poison_dead(program, i);
    }
    return STATUS_OK;
}

/* stretches_run: the first n steps. Where each is looked at they run one after the other, in their order: the same bits. */
static enum status stretches_run(struct program *program, const struct bindings *bindings, int n, unsigned flags)
{
    const bool watched = program->profile || flags & RUN_CHECK || program->flags & PLAN_POISON;
    struct stretch_run run = {.program = program, .bindings = bindings};
    for (; run.first < n; run.first = run.end) {
        const enum stretch stretch = program->steps[run.first].place.stretch;
        for (run.end = run.first; run.end < n && program->steps[run.end].place.stretch == stretch;)
            run.end++;
        const int lanes = program->lanes[stretch];
        if (lanes <= 1 || watched)
            RETURN_IF(steps_run(&run, watched, flags));
        else if (program->flags & PLAN_LANES_BACKWARDS)
            for (int lane = lanes - 1; lane >= 0; lane--)
                lane_run(&run, lane);
        else
            crew_run(program->kernels->crew, lanes, lane_run, &run);
    }
    return program->ctx->error.status; /* of a library's kernel */
}

enum status program_run(struct program *program, const struct bindings *bindings, unsigned flags)
{
    enum status status = memory_ready(program->memory);
    if (status != STATUS_OK)
        return status;
    program->random = (struct op_random){bindings->seed, bindings->step};
    knobs_put(program);
    if (program->flags & PLAN_POISON)
        memset(program->memory->base, 0xFF, program->arena_bytes);
    bool backward = (flags & RUN_BACKWARD) && program->has_backward;
    if (backward)
        gradients_clear(program);
    const int n = backward ? program->n_steps : program->n_forward;
    for (program->slice = 0; program->slice < program->slices && status == STATUS_OK; program->slice++)
        status = stretches_run(program, bindings, n, flags);
    program->slice = 0; /* outputs begin there */
    if (status == STATUS_OK && flags & RUN_COMMIT)
        updates_commit(program, bindings);
    return status;
}

const void *program_output(const struct program *program, int i)
{
    return operand_address(program, &program->output_operands[i], NULL);
}

static double real_read(const struct program *program, const void *value)
{
    return program->precision == ELEMENT_F64 ? *(const double *)value : *(const float *)value;
}

double program_loss(const struct program *program)
{
    return real_read(program, operand_address(program, &program->loss_operand, NULL));
}

double program_scalar(const struct program *program, int i)
{
    return real_read(program, program_output(program, i));
}

bool program_reaches_entry(const struct program *program, const struct parameters *parameters, int entry)
{
    for (int i = 0; i < program->n_reached; i++)
        if (program->reached[i].parameters == parameters)
            return entry < program->reached[i].count && program->reached[i].written[entry];
    return false;
}

bool program_reaches(const struct program *program, const struct parameters *parameters)
{
    for (int i = 0; i < program->n_reached; i++)
        for (int j = 0; program->reached[i].parameters == parameters && j < program->reached[i].count; j++)
            if (program->reached[i].written[j])
                return true;
    return false;
}

size_t program_arena_bytes(const struct program *program)
{
    return program->arena_bytes;
}

size_t program_persistent_bytes(const struct program *program)
{
    return program->persistent_bytes;
}
