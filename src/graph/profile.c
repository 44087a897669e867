/* profile.c: a program's steps as others may see them: what they are, the time that they took, the work that they are. */
#include "graph/plan.h"

int program_step_count(const struct program *program)
{
    return program->n_steps;
}

static double step_flops(const struct program *program, const struct step *step)
{
    const struct op_call *call = &program->calls[step->call].call;
    int passes = step->kind != STEP_BACKWARD;
    for (int i = 0; step->kind == STEP_BACKWARD && i < 2 && i < call->n_inputs; i++)
        passes += step->d_in[i].kind != OPERAND_NONE;
    return call->op->macs ? 2 * call->op->macs(call) * passes * (double)program->slices : 0;
}

static double operand_bytes(const struct operand *operand, const struct tensor_spec *spec)
{
    return operand->kind == OPERAND_NONE ? 0
                                         : (double)shape_elements(&spec->shape) * (double)element_size(spec->element);
}

static double step_bytes(const struct program *program, const struct step *step)
{
    const struct op_call *call = &program->calls[step->call].call;
    double bytes = 0;
    for (int i = 0; i < call->n_inputs; i++)
        bytes += operand_bytes(&step->in[i], &call->in[i]) +
                 (step->add[i] ? 2 : 1) * operand_bytes(&step->d_in[i], &call->in[i]);
    for (int i = 0; i < call->n_outputs; i++)
        bytes += operand_bytes(&step->out[i], &call->out[i]) + operand_bytes(&step->d_out[i], &call->out[i]);
    return bytes * (double)program->slices;
}

struct program_step_info program_step(const struct program *program, int i)
{
    static const char *const phases[] = {"forward", "recompute", "backward"};
    const struct step *step = &program->steps[i];
    const struct planned_call *planned = &program->calls[step->call];
    struct shape out = planned->call.out[0].shape;
    if (program->slices > 1)
        out.dim[0] *= program->slices; /* of the whole run */
    return (struct program_step_info){.phase = phases[step->kind],
                                      .name = planned->call.name,
                                      .op = planned->call.op->name,
                                      .kernel = planned->needs.kernel,
                                      .out = out,
                                      .seconds = step->seconds,
                                      .flops = step_flops(program, step),
                                      .bytes = step_bytes(program, step)};
}

void program_profile(struct program *program, bool on)
{
    program->profile = on;
    for (int i = 0; on && i < program->n_steps; i++)
        program->steps[i].seconds = 0;
}

int program_lanes(const struct program *program)
{
    int most = 1;
    for (int i = 0; i < STRETCH_END; i++)
        most = program->lanes[i] > most ? program->lanes[i] : most;
    return most;
}
