#include "graph/op/expect.h"

enum status expect_failure(const struct op_call *call, int input, const char *words)
{
    char text[SHAPE_TEXT_SIZE];
    return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected %s, found %s %s", call->name, words,
                element_text(call->in[input].element), shape_text(&call->in[input].shape, text));
}

enum status expect_input(const struct op_call *call, int input, enum element element, int rank_min, int rank_max,
                         const char *words)
{
    enum element found = call->in[input].element;
    if (found == ELEMENT_F32 || found == ELEMENT_F64) {
        found = ELEMENT_REAL; /* once a program has its precision */
    }
    int rank = call->in[input].shape.rank;
    if (found != element || rank < rank_min || rank > rank_max) {
        return expect_failure(call, input, words);
    }
    return STATUS_OK;
}

enum status expect_axis(const struct op_call *call, int axis, int *out)
{
    int rank = call->in[0].shape.rank;
    *out = axis < 0 ? axis + rank : axis;
    if (*out < 0 || *out >= rank) {
        char text[SHAPE_TEXT_SIZE];
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: expected an axis of %s, found axis %d", call->name,
                    shape_text(&call->in[0].shape, text), axis);
    }
    return STATUS_OK;
}

int64_t last_axis_columns(const struct shape *shape)
{
    return shape->dim[shape->rank - 1];
}

int64_t last_axis_rows(const struct shape *shape)
{
    int64_t rows = 1;
    for (int i = 0; i + 1 < shape->rank; i++) {
        rows *= shape->dim[i];
    }
    return rows;
}

enum batch_kind last_axis_batch(const struct op_call *call)
{
    return call->in[0].shape.rank == 1 ? BATCH_MIXED : BATCH_ROWS;
}
