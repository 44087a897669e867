/* matmul: c = a b, either of them turned if wanted.
 *
 * a [M,K] (transpose_a: [K,M]), b [K,N] (transpose_b: [N,K]) -> [M,N]
 *
 *     da = dc b^T;  db = a^T dc */
#include "graph/op/expect.h"
#include "graph/op/product.h"
#include "graph/ops.h"

struct matmul_attributes {
    bool transpose_a, transpose_b;
};

struct matmul_plan {
    struct context *ctx;
    struct product forward, a, b;
};

static enum status matmul_shape(struct op_call *call)
{
    const struct matmul_attributes *t = call->attributes;
    RETURN_IF(expect_input(call, 0, ELEMENT_REAL, 2, 2, "a matrix of real numbers"));
    RETURN_IF(expect_input(call, 1, ELEMENT_REAL, 2, 2, "a matrix of real numbers"));
    const int64_t *a = call->in[0].shape.dim, *b = call->in[1].shape.dim;
    if (a[t->transpose_a ? 0 : 1] != b[t->transpose_b ? 1 : 0]) {
        char first[SHAPE_TEXT_SIZE], second[SHAPE_TEXT_SIZE];
        return fail(call->ctx, STATUS_BAD_SHAPE,
                    "%s: %s%s and %s%s do not fit: expected as many columns of the first as rows of the second",
                    call->name, shape_text(&call->in[0].shape, first), t->transpose_a ? " transposed" : "",
                    shape_text(&call->in[1].shape, second), t->transpose_b ? " transposed" : "");
    }
    call->out[0] = (struct tensor_spec){ELEMENT_REAL, {2, {a[t->transpose_a ? 1 : 0], b[t->transpose_b ? 0 : 1]}}};
    return STATUS_OK;
}

/* Rows of the result are rows of a, unless the batch is summed over or lies across. */
static enum batch_kind matmul_batch(const struct op_call *call)
{
    const struct matmul_attributes *t = call->attributes;
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

static enum status matmul_prepare(const struct op_call *call, bool backward, struct op_needs *needs)
{
    const struct matmul_attributes *t = call->attributes;
    const int64_t m = call->out[0].shape.dim[0], n = call->out[0].shape.dim[1];
    const int64_t k = call->in[0].shape.dim[t->transpose_a ? 0 : 1];
    const struct view a = t->transpose_a ? (struct view){1, m} : (struct view){k, 1}, at = {a.column, a.row};
    const struct view b = t->transpose_b ? (struct view){1, k} : (struct view){n, 1}, bt = {b.column, b.row};
    const struct view dc = {n, 1}, dct = {1, n};
    struct matmul_plan *p = memory_new(call->ctx, 1, sizeof *p);
    if (!p)
        return STATUS_NO_MEMORY;
    p->ctx = call->ctx;
    const struct product_shape forward = product_of(m, n, k, a, b);
    const struct product_shape back_a = t->transpose_a ? product_of(k, m, n, b, dct) : product_of(m, k, n, dc, bt);
    const struct product_shape back_b = t->transpose_b ? product_of(n, k, m, dct, a) : product_of(k, n, m, at, dc);
    enum status status = product_prepare(call, &forward, false, &p->forward);
    if (status == STATUS_OK && backward)
        status = product_prepare(call, &back_a, false, &p->a);
    if (status == STATUS_OK && backward)
        status = product_prepare(call, &back_b, false, &p->b);
    if (status != STATUS_OK) {
        matmul_release(p);
        return status;
    }
    needs->plan = p;
    needs->kernel = p->forward.kernel;
    needs->forward_scratch = p->forward.packed_bytes + p->forward.scratch_bytes;
    const size_t for_a = p->a.packed_bytes + p->a.scratch_bytes, for_b = p->b.packed_bytes + p->b.scratch_bytes;
    needs->backward_scratch = for_a > for_b ? for_a : for_b;
    needs->reads_inputs = 1U << 0 | 1U << 1;
    return STATUS_OK;
}

static void product_now(const struct product *product, const struct op_run *run, bool add, const void *a, const void *b,
                        void *c)
{
    char *packed = run->scratch;
    product_pack(product, run, b, NULL, packed);
    product_run(product, run, add, a, b, NULL, packed, c, packed + product->packed_bytes);
}

static void matmul_forward(const struct op_run *run)
{
    const struct matmul_plan *p = run->plan;
    product_now(&p->forward, run, false, run->in[0], run->in[1], run->out[0]);
}

static void matmul_backward(const struct op_run *run)
{
    const struct matmul_attributes *t = run->call->attributes;
    const struct matmul_plan *p = run->plan;
    const void *dc = run->d_out[0], *a = run->in[0], *b = run->in[1];
    if (run->d_in[0])
        product_now(&p->a, run, run->add[0], t->transpose_a ? b : dc, t->transpose_a ? dc : b, run->d_in[0]);
    if (run->d_in[1])
        product_now(&p->b, run, run->add[1], t->transpose_b ? dc : a, t->transpose_b ? a : dc, run->d_in[1]);
}

static void matmul_reference(const struct op_call *call, const double *const *in, double *const *out)
{
    const struct matmul_attributes *t = call->attributes;
    const int64_t m = call->out[0].shape.dim[0], n = call->out[0].shape.dim[1];
    const int64_t k = call->in[0].shape.dim[t->transpose_a ? 0 : 1];
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;
            for (int64_t l = 0; l < k; l++)
                sum += in[0][t->transpose_a ? l * m + i : i * k + l] * in[1][t->transpose_b ? j * k + l : l * n + j];
            out[0][i * n + j] = sum;
        }
    }
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
};

extern const struct op op_matmul;
const struct op op_matmul = {
    .name = "matmul",
    .summary = "product of two matrices, either transposed",
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
};

struct node *graph_matmul(struct graph *graph, struct node *a, struct node *b, bool transpose_a, bool transpose_b)
{
    struct node *inputs[] = {a, b};
    const struct matmul_attributes attributes = {transpose_a, transpose_b};
    return graph_call(graph, &op_matmul, &attributes, 2, inputs);
}
