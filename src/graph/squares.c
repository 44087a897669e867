/* squares.c: mean(square(x)) and mean(square(a - b)) over the last axes, or all but the last, become one call, where nobody else reads what is between. */
#include "graph/op/reduction.h"
#include "graph/plan.h"

extern const struct op op_mean, op_mean_square, op_square, op_sub;

/* maker_of: the index of the call of `op` that makes the node for one reader alone; -1: none. */
static int maker_of(const struct program *program, int before, const struct node *node, const struct op *op)
{
    if (node->kind != NODE_CALL || program->readers[node->id] != 1 || program->kept[node->id])
        return -1;
    for (int i = before - 1; i >= 0; i--)
        if (program->calls[i].outputs[0] == node)
            return program->calls[i].call.op == op ? i : -1;
    return -1;
}

static bool fits(const struct planned_call *mean)
{
    if (mean->call.op != &op_mean)
        return false;
    const unsigned axes = ((const struct reduction_attributes *)mean->call.attributes)->axes;
    const struct shape *x = &mean->inputs[0]->spec.shape;
    return reduction_trailing(x, axes) || reduction_leaves_last(x, axes);
}

/* square_take: `mean` does the work of the square that it is of; returns that call's index, -1: of none. */
static int square_take(struct program *program, int index)
{
    struct planned_call *mean = &program->calls[index];
    const int square = fits(mean) ? maker_of(program, index, mean->inputs[0], &op_square) : -1;
    if (square < 0)
        return -1;
    mean->call.op = &op_mean_square;
    mean->inputs[0] = program->calls[square].inputs[0];
    return square;
}

/* difference_take: as square_take, of a difference of two of one shape. */
static int difference_take(struct program *program, int index)
{
    struct planned_call *mean = &program->calls[index];
    const int sub = maker_of(program, index, mean->inputs[0], &op_sub);
    if (sub < 0)
        return -1;
    struct node *const *of = program->calls[sub].inputs;
    if (!shape_equal(&of[0]->spec.shape, &of[1]->spec.shape))
        return -1;
    mean->inputs[0] = of[0];
    mean->inputs[1] = of[1];
    mean->call.n_inputs = 2;
    return sub;
}

static void call_drop(struct program *program, int index)
{
    for (int i = index + 1; i < program->n_calls; i++)
        program->calls[i - 1] = program->calls[i];
    program->n_calls--;
}

void plan_squares(struct program *program)
{
    for (int i = 0; i < program->n_calls; i++) {
        const int square = square_take(program, i);
        if (square < 0)
            continue;
        call_drop(program, square);
        const int sub = difference_take(program, --i);
        if (sub < 0)
            continue;
        call_drop(program, sub);
        i--;
    }
}
