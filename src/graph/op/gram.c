/* gram: the products of a matrix' rows, or columns, with each other, for each index of the axes before the last two.
 *
 *     x [...,M,K]: y = x x^T, dx = (dy + dy^T) x;  columns: x [...,K,M]: y = x^T x, dx = x (dy + dy^T)
 *
 * y [...,M,M] is symmetric: half of matmul's work, in both passes. */
#include "graph/op/gram.h"

#include "graph/op/expect.h"
#include "graph/op/product.h"

struct gram_plan {
    struct context *ctx;
    struct product back;
};

static const struct gram_attributes *attributes_of(const struct op_call *call)
{
    return call->attributes;
}

/* One matrix: M rows that are multiplied with each other, sums over K. */
struct sides {
    int64_t count, rows, sums;
};

static struct sides sides_of(const struct op_call *call)
{
    const struct shape *x = &call->in[0].shape;
    const int64_t *last = x->dim + x->rank - 2;
    const int64_t rows = attributes_of(call)->columns ? last[1] : last[0];
    const int64_t sums = attributes_of(call)->columns ? last[0] : last[1];
    return (struct sides){shape_elements(x) / (rows * sums), rows, sums};
}

static enum status gram_shape(struct op_call *call)
{
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, SHAPE_MAX_RANK, "matrices of real numbers [...,M,K]"));
    call->out[0] = call->in[0];
    int64_t *last = call->out[0].shape.dim + call->out[0].shape.rank - 2;
    last[0] = last[1] = last[attributes_of(call)->columns ? 1 : 0];
    return STATUS_OK;
}

static enum batch_kind gram_batch(const struct op_call *call)
{
    const struct shape *x = &call->in[0].shape;
    return x->rank > 2 && x->dim[0] < 0 ? BATCH_ROWS : BATCH_MIXED;
}

static void gram_release(void *plan)
{
    struct gram_plan *p = plan;
    if (!p)
        return;
    product_release(&p->back);
    memory_free(p->ctx, p);
}

/* turned_bytes: dy + dy^T of all matrices. */
static size_t turned_bytes(const struct op_call *call)
{
    return bytes_rounded((size_t)shape_elements(&call->out[0].shape) * element_size(call->out[0].element));
}

static enum status gram_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const struct sides s = sides_of(call);
    const int threads = call->kernels->threads;
    /* dx = t x [rows,sums], or x t [sums,rows] */
    struct product_shape back = {.m = s.rows, .n = s.sums, .k = s.rows, .a_k = 1, .b_n = 1, .limit = -1};
    if (attributes_of(call)->columns) {
        back.m = s.sums;
        back.n = s.rows;
    }
    back.a_row = back.k;
    back.b_k = back.c_row = back.n;
    needs->kernel = "direct";
    needs->reads_inputs = 1;
    needs->forward_scratch = (size_t)threads * gram_packed_bytes(s.rows, s.sums, element_size(call->in[0].element));
    if (!backward)
        return STATUS_OK;
    struct gram_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    enum status status = product_prepare(call, &back, false, &p->back);
    if (status != STATUS_OK) {
        gram_release(p);
        return status;
    }
    needs->plan = p;
    needs->backward_scratch = turned_bytes(call) + product_each_scratch(&p->back, threads);
    return STATUS_OK;
}

static void gram_forward(const struct op_run *run)
{
    const struct sides s = sides_of(run->call);
    const bool columns = attributes_of(run->call)->columns;
    run->table->gram(s.count, s.rows, s.sums, columns ? 1 : s.sums, columns ? s.rows : 1, run->in[0], run->scratch,
                     run->out[0], run->threads);
}

static void gram_backward(const struct op_run *run)
{
    const struct gram_plan *p = run->plan;
    const struct sides s = sides_of(run->call);
    const bool columns = attributes_of(run->call)->columns;
    const int64_t x = s.rows * s.sums, y = s.rows * s.rows;
    const struct product_steps steps = {s.count, columns ? x : y, columns ? y : x, x};
    run->table->add_turned(s.count, s.rows, run->d_out[0], run->scratch);
    product_each(&p->back, run, run->add[0], steps, columns ? run->in[0] : run->scratch,
                 columns ? run->scratch : run->in[0], run->d_in[0],
                 (unsigned char *)run->scratch + turned_bytes(run->call));
}

static void gram_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct sides s = sides_of(call);
    const int64_t row = attributes_of(call)->columns ? 1 : s.sums, sum = attributes_of(call)->columns ? s.rows : 1;
    for (int64_t at = 0; at < s.count * s.rows * s.rows; at++) {
        const double *x = in[0] + at / (s.rows * s.rows) * s.rows * s.sums;
        const int64_t i = at / s.rows % s.rows, j = at % s.rows;
        out[0][at] = 0;
        for (int64_t k = 0; k < s.sums; k++)
            out[0][at] += x[i * row + k * sum] * x[j * row + k * sum];
    }
}

static double gram_macs(const struct op_call *call)
{
    return (double)shape_elements(&call->out[0].shape) * (double)sides_of(call).sums / 2;
}

static const struct gram_attributes of_rows = {false}, of_columns = {true};
static const struct op_example gram_examples[] = {
    {.name = "rows", .attributes = &of_rows, .n_inputs = 1, .in = {{.rank = 2, .dim = {7, 5}}}},
    {.name = "columns", .attributes = &of_columns, .n_inputs = 1, .in = {{.rank = 2, .dim = {5, 33}}}},
    {.name = "a number", .attributes = &of_rows, .n_inputs = 1, .in = {{.rank = 2, .dim = {1, 1}}}},
    {.name = "several blocks", .attributes = &of_rows, .n_inputs = 1, .in = {{.rank = 2, .dim = {61, 6}}}},
    {.name = "longer than a block", .attributes = &of_rows, .n_inputs = 1, .in = {{.rank = 2, .dim = {2, 390}}}},
    {.name = "side by side", .attributes = &of_rows, .n_inputs = 1, .in = {{.rank = 4, .dim = {2, 3, 5, 8}}}},
    {.name = "columns, side by side", .attributes = &of_columns, .n_inputs = 1, .in = {{.rank = 3, .dim = {3, 9, 4}}}},
    {.name = "for the library",
     .attributes = &of_rows,
     .n_inputs = 1,
     .in = {{.rank = 3, .dim = {2, 65, 67}, .constant = true}}},
};

extern const struct op op_gram;
const struct op op_gram = {
    .name = "gram",
    .summary = "products of a matrix' rows, or columns, with each other",
    .inputs_min = 1,
    .inputs_max = 1,
    .outputs = 1,
    .attributes_size = sizeof(struct gram_attributes),
    .shape = gram_shape,
    .batch = gram_batch,
    .prepare = gram_prepare,
    .release = gram_release,
    .forward = gram_forward,
    .backward = gram_backward,
    .reference = gram_reference,
    .examples = gram_examples,
    .n_examples = sizeof(gram_examples) / sizeof(gram_examples[0]),
    .macs = gram_macs,
};
