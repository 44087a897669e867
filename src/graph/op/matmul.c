/* matmul: c = a b, either of them turned if wanted, for each index of the axes before the last two.
 *
 * a [...,M,K] (transpose_a: [...,K,M]), b [...,K,N] (transpose_b: [...,N,K]) -> [...,M,N]
 *
 *     da = dc b^T;  db = a^T dc
 *
 * A matrix by itself transposed is a gram (gram.c). */
#include "graph/op/expect.h"
#include "graph/op/gram.h"
#include "graph/op/product.h"
#include "graph/ops.h"

struct matmul_attributes {
    bool transpose_a, transpose_b;
};

struct matmul_plan {
    struct context *ctx;
    struct product forward, a, b;
};

/* One of the call's matrices, as it is multiplied. */
struct sides {
    int64_t rows, columns;
};

static struct sides sides_of(const struct shape *shape, bool transposed)
{
    const int64_t *last = shape->dim + shape->rank - 2;
    return transposed ? (struct sides){last[1], last[0]} : (struct sides){last[0], last[1]};
}

static enum status matmul_shape(struct op_call *call)
{
    const struct matmul_attributes *t = call->attributes;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, SHAPE_MAX_RANK, "matrices of real numbers [...,M,K]"));
    RETURN_IF(expect_input(call, 1, ELEMENT_REAL, 2, SHAPE_MAX_RANK, "matrices of real numbers [...,K,N]"));
    const struct shape *first = &call->in[0].shape, *second = &call->in[1].shape;
    const struct sides a = sides_of(first, t->transpose_a), b = sides_of(second, t->transpose_b);
    char one[SHAPE_TEXT_SIZE], other[SHAPE_TEXT_SIZE];
    bool beside = first->rank == second->rank;
    for (int i = 0; beside && i < first->rank - 2; i++)
        beside = first->dim[i] == second->dim[i];
    if (!beside)
        return fail(call->ctx, STATUS_BAD_SHAPE, "%s: %s and %s do not fit: expected equal axes before the last two",
                    call->name, shape_text(first, one), shape_text(second, other));
    if (a.columns != b.rows)
        return fail(call->ctx, STATUS_BAD_SHAPE,
                    "%s: %s%s and %s%s do not fit: expected as many columns of the first as rows of the second",
                    call->name, shape_text(first, one), t->transpose_a ? " transposed" : "", shape_text(second, other),
                    t->transpose_b ? " transposed" : "");
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, *first};
    call->out[0].shape.dim[first->rank - 2] = a.rows;
    call->out[0].shape.dim[first->rank - 1] = b.columns;
    return STATUS_OK;
}

/* Matrices side by side are rows. Else rows of the result are rows of a, unless the batch is summed over or lies
 * across. */
static enum batch_kind matmul_batch(const struct op_call *call)
{
    const struct matmul_attributes *t = call->attributes;
    if (call->in[0].shape.rank > 2)
        return call->in[0].shape.dim[0] < 0 ? BATCH_ROWS : BATCH_MIXED;
    return t->transpose_a || shape_symbolic(&call->in[1].shape) ? BATCH_MIXED : BATCH_ROWS;
}

static void matmul_release(void *plan)
{
    struct matmul_plan *p = plan;
    if (!p)
        return;
    product_release(&p->forward);
    product_release(&p->a);
    product_release(&p->b);
    memory_free(p->ctx, p);
}

/* One matrix operand: how far apart its rows and columns lie, seen as it is multiplied. */
struct view {
    int64_t row, column;
};

/* product_of: c [m,n] = a [m,k] b [k,n]. */
static struct product_shape product_of(int64_t m, int64_t n, int64_t k, struct view a, struct view b)
{
    return (struct product_shape){.m = m,
                                  .n = n,
                                  .k = k,
                                  .a_row = a.row,
                                  .a_k = a.column,
                                  .b_k = b.row,
                                  .b_n = b.column,
                                  .c_row = n,
                                  .limit = -1};
}

static enum status products_prepare(const struct op_call *call, bool backward, struct matmul_plan *p)
{
    const struct matmul_attributes *t = call->attributes;
    const struct sides sa = sides_of(&call->in[0].shape, t->transpose_a);
    const int64_t m = sa.rows, k = sa.columns, n = last_axis_columns(&call->out[0].shape);
    const struct view a = t->transpose_a ? (struct view){1, m} : (struct view){k, 1}, at = {a.column, a.row};
    const struct view b = t->transpose_b ? (struct view){1, k} : (struct view){n, 1}, bt = {b.column, b.row};
    const struct view dc = {n, 1}, dct = {1, n};
    const struct product_shape forward = product_of(m, n, k, a, b);
    const struct product_shape back_a = t->transpose_a ? product_of(k, m, n, b, dct) : product_of(m, k, n, dc, bt);
    const struct product_shape back_b = t->transpose_b ? product_of(n, k, m, dct, a) : product_of(k, n, m, at, dc);
    RETURN_IF(product_prepare(call, &forward, false, &p->forward));
    if (!backward)
        return STATUS_OK;
    RETURN_IF(product_prepare(call, &back_a, false, &p->a));
    return product_prepare(call, &back_b, false, &p->b);
}

static enum status matmul_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const int threads = call->kernels->threads;
    struct matmul_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    enum status status = products_prepare(call, backward, p);
    if (status != STATUS_OK) {
        matmul_release(p);
        return status;
    }
    needs->plan = p;
    needs->kernel = p->forward.kernel;
    needs->forward_scratch = product_each_scratch(&p->forward, threads);
    const size_t for_a = product_each_scratch(&p->a, threads), for_b = product_each_scratch(&p->b, threads);
    needs->backward_scratch = for_a > for_b ? for_a : for_b;
    needs->reads_inputs = 1U << 0 | 1U << 1;
    return STATUS_OK;
}

/* matrix_numbers: how many numbers one of the matrices has, which is how far they lie apart. */
static int64_t matrix_numbers(const struct shape *shape)
{
    return shape->dim[shape->rank - 2] * shape->dim[shape->rank - 1];
}

static void matmul_forward(const struct op_run *run)
{
    const struct matmul_plan *p = run->plan;
    const struct op_call *call = run->call;
    const int64_t c = matrix_numbers(&call->out[0].shape);
    const struct product_steps steps = {shape_elements(&call->out[0].shape) / c, matrix_numbers(&call->in[0].shape),
                                        matrix_numbers(&call->in[1].shape), c};
    product_each(&p->forward, run, false, steps, run->in[0], run->in[1], run->out[0], run->scratch);
}

/* gradient: d (+)= x y, or y x where the matrix that d belongs to is turned; each with its step. */
static void gradient(const struct product *product, const struct op_run *run, int input, bool turned, const void *x,
                     int64_t x_step, const void *y, int64_t y_step)
{
    const int64_t step = matrix_numbers(&run->call->in[input].shape);
    const struct product_steps steps = {shape_elements(&run->call->in[input].shape) / step, turned ? y_step : x_step,
                                        turned ? x_step : y_step, step};
    if (run->d_in[input])
        product_each(product, run, run->add[input], steps, turned ? y : x, turned ? x : y, run->d_in[input],
                     run->scratch);
}

static void matmul_backward(const struct op_run *run)
{
    const struct matmul_attributes *t = run->call->attributes;
    const struct matmul_plan *p = run->plan;
    const struct op_call *call = run->call;
    const int64_t a = matrix_numbers(&call->in[0].shape), b = matrix_numbers(&call->in[1].shape),
                  c = matrix_numbers(&call->out[0].shape);
    gradient(&p->a, run, 0, t->transpose_a, run->d_out[0], c, run->in[1], b);
    gradient(&p->b, run, 1, t->transpose_b, run->in[0], a, run->d_out[0], c);
}

static void matmul_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct matmul_attributes *t = call->attributes;
    const int rank = call->in[0].shape.rank;
    const int64_t m = call->out[0].shape.dim[rank - 2], n = call->out[0].shape.dim[rank - 1];
    const int64_t k = call->in[0].shape.dim[rank - (t->transpose_a ? 2 : 1)];
    for (int64_t c = 0; c < shape_elements(&call->out[0].shape); c++) {
        const int64_t i = c / n % m, j = c % n;
        const double *a = in[0] + c / (m * n) * m * k, *b = in[1] + c / (m * n) * k * n;
        out[0][c] = 0;
        for (int64_t l = 0; l < k; l++)
            out[0][c] += a[t->transpose_a ? l * m + i : i * k + l] * b[t->transpose_b ? j * k + l : l * n + j];
    }
}

static double matmul_macs(const struct op_call *call)
{
    const struct matmul_attributes *t = call->attributes;
    const struct shape *a = &call->in[0].shape;
    return (double)shape_elements(&call->out[0].shape) * (double)a->dim[a->rank - (t->transpose_a ? 2 : 1)];
}

static const struct matmul_attributes plain = {false, false}, first = {true, false}, second = {false, true},
                                      both = {true, true};
static const struct op_example matmul_examples[] = {
    {.name = "plain",
     .attributes = &plain,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {7, 5}}, {.rank = 2, .dim = {5, 17}}}},
    {.name = "first transposed",
     .attributes = &first,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {6, 13}}, {.rank = 2, .dim = {6, 3}}}},
    {.name = "second transposed",
     .attributes = &second,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {3, 33}}, {.rank = 2, .dim = {12, 33}}}},
    {.name = "both transposed",
     .attributes = &both,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {4, 9}}, {.rank = 2, .dim = {21, 4}}}},
    {.name = "numbers",
     .attributes = &plain,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {1, 1}}, {.rank = 2, .dim = {1, 1}}}},
    {.name = "longer than a block",
     .attributes = &second,
     .n_inputs = 2,
     .in = {{.rank = 2, .dim = {101, 390}}, {.rank = 2, .dim = {2, 390}}}},
    {.name = "side by side",
     .attributes = &plain,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {5, 7, 3}}, {.rank = 3, .dim = {5, 3, 17}}}},
    {.name = "side by side, first transposed",
     .attributes = &first,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {3, 4, 9}}, {.rank = 3, .dim = {3, 4, 5}}}},
    {.name = "scores of heads",
     .attributes = &second,
     .n_inputs = 2,
     .in = {{.rank = 4, .dim = {2, 3, 7, 8}}, {.rank = 4, .dim = {2, 3, 5, 8}}}},
    {.name = "side by side, both transposed, batch 1",
     .attributes = &both,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {1, 4, 1}}, {.rank = 3, .dim = {1, 3, 4}}}},
    {.name = "side by side, for the library",
     .attributes = &plain,
     .n_inputs = 2,
     .in = {{.rank = 3, .dim = {3, 65, 67}, .constant = true}, {.rank = 3, .dim = {3, 67, 70}, .constant = true}}},
};

extern const struct op op_matmul, op_gram;
const struct op op_matmul = {
    .name = "matmul",
    .summary = "product of two matrices or of many, either transposed",
    .inputs_min = 2,
    .inputs_max = 2,
    .outputs = 1,
    .attributes_size = sizeof(struct matmul_attributes),
    .shape = matmul_shape,
    .batch = matmul_batch,
    .prepare = matmul_prepare,
    .release = matmul_release,
    .forward = matmul_forward,
    .backward = matmul_backward,
    .reference = matmul_reference,
    .examples = matmul_examples,
    .n_examples = sizeof(matmul_examples) / sizeof(matmul_examples[0]),
    .macs = matmul_macs,
};

struct node *graph_matmul(struct graph *graph, struct node *a, struct node *b, bool transpose_a, bool transpose_b)
{
    struct node *inputs[] = {a, b};
    const struct matmul_attributes attributes = {transpose_a, transpose_b};
    const struct gram_attributes columns = {transpose_a};
    if (a == b && transpose_a != transpose_b)
        return graph_call(graph, &op_gram, &columns, 1, inputs);
    return graph_call(graph, &op_matmul, &attributes, 2, inputs);
}
