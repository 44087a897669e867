/* views.c: calls whose output is their input (reshape, stop_gradient): whoever reads it reads the input instead, and the call goes. Its
 * readers know their own shapes, and which gradients they are asked for, from plan_prepare; gradients go where the input's go. */
#include "graph/plan.h"

/* see_through: calls from `first` on read `from` where they read the view `node`. */
static void see_through(struct program *program, int first, const struct node *node, struct node *from)
{
    for (int i = first; i < program->n_calls; i++)
        for (int j = 0; j < program->calls[i].call.n_inputs; j++)
            if (program->calls[i].inputs[j] == node)
                program->calls[i].inputs[j] = from;
}

void plan_views(struct program *program)
{
    int n = 0;
    for (int i = 0; i < program->n_calls; i++) {
        const struct planned_call *planned = &program->calls[i];
        if (planned->call.op->view && !program->kept[planned->outputs[0]->id])
            see_through(program, i + 1, planned->outputs[0], planned->inputs[0]);
        else
            program->calls[n++] = program->calls[i];
    }
    program->n_calls = n;
}
