#include "graph/op/transpose.h"

static void transpose(const struct op_run *run, const void *x, int64_t rows, int64_t columns, void *y, bool add)
{
    int64_t batch = run->call->in[0].shape.dim[0], each = rows * columns;
    size_t bytes = (size_t)(batch * each) * element_size(run->call->in[0].element);
    if ((rows == 1 || columns == 1) && !add) {
        run->table->copy_rows(x, 1, bytes, bytes, y, bytes);
    } else {
        run->table->transpose_each(x, batch, rows, columns, y, add, run->threads);
    }
}

void transpose_forward(const struct op_run *run, int64_t rows, int64_t columns)
{
    transpose(run, run->in[0], rows, columns, run->out[0], false);
}

void transpose_backward(const struct op_run *run, int64_t rows, int64_t columns)
{
    transpose(run, run->d_out[0], columns, rows, run->d_in[0], run->add[0]);
}
