/* slice.c: a program that only goes forward, and treats each sample by itself, runs a few samples at a time where the values of the
 * whole batch would not stay in the cache. The steps are planned for one slice; outputs hold the whole batch. */
#include "graph/plan.h"

/* What a call reads and writes in a slice stays within this; the values of a slice outweigh the parameters, read at each, so often. */
enum { SLICE_BYTES = 512 << 10, OVER_PARAMETERS = 4 };

bool plan_by_sample(const struct node *node)
{
    return node->spec.shape.rank > 0 && node->spec.shape.dim[0] == SHAPE_BATCH;
}

/* row_call: sample by sample, with weights that no call makes. */
static bool row_call(const struct planned_call *planned)
{
    struct op_call call = planned->call; /* op->batch sees symbolic shapes */
    bool any = false;
    for (int i = 0; i < call.n_inputs; i++) {
        const struct node *input = planned->inputs[i];
        call.in[i] = input->spec;
        if (!plan_by_sample(input) && (input->kind == NODE_CALL || shape_symbolic(&input->spec.shape)))
            return false;
        any = any || plan_by_sample(input);
    }
    for (int i = 0; i < call.n_outputs; i++) {
        if (!plan_by_sample(planned->outputs[i]))
            return false;
        call.out[i] = planned->outputs[i]->spec;
    }
    return any && (!call.op->batch || call.op->batch(&call) == BATCH_ROWS);
}

static bool may_slice(const struct program *program)
{
    if (program->has_backward || program->updates)
        return false;
    for (int i = 0; i < program->n_outputs; i++)
        if (program->outputs[i]->kind != NODE_CALL)
            return false;
    for (int i = 0; i < program->n_calls; i++)
        if (!row_call(&program->calls[i]))
            return false;
    return true;
}

/* samples_wanted: of a slice, for one thread. The program's batch is 1. */
static double samples_wanted(const struct program *program)
{
    double most = 1, values = 1, parameters = 0;
    for (int i = 0; i < program->n_calls; i++) {
        const struct planned_call *planned = &program->calls[i];
        double bytes = 0;
        for (int j = 0; j < planned->call.n_inputs; j++)
            *(plan_by_sample(planned->inputs[j]) ? &bytes : &parameters) +=
                (double)plan_bytes(program, &planned->inputs[j]->spec);
        for (int j = 0; j < planned->call.n_outputs; j++)
            bytes += (double)plan_bytes(program, &planned->outputs[j]->spec);
        most = bytes > most ? bytes : most;
        values += bytes;
    }
    const double fit = SLICE_BYTES / most, least = OVER_PARAMETERS * parameters / values;
    return fit > least ? fit : least;
}

void plan_slice(struct program *program)
{
    const int64_t batch = program->batch;
    program->slices = 1;
    if (batch < 2 || program->flags & PLAN_WHOLE_BATCH || !may_slice(program))
        return;
    program->batch = 1;
    const double wanted = samples_wanted(program) * program->kernels->library_threads; /* the library is chosen by it */
    program->batch = batch;
    if (2 * wanted > (double)batch)
        return;
    int64_t samples = wanted < 1 ? 1 : (int64_t)wanted;
    while (batch % samples != 0)
        samples--;
    if (2 * (double)samples < wanted)
        return; /* no such piece of the batch */
    program->batch = samples;
    program->slices = batch / samples;
}
