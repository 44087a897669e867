/* op_shapes.c: what an op says of shapes: a symbolic batch, whether rows are independent, and inputs that do not fit.
 * */
#include "support/op_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- the batch as a symbol --- */

/* change_rows: other values in the given rows of a batch of inputs. */
static void change_rows(struct op_case *c, unsigned inputs, int64_t batch, bool first)
{
    struct op_case other = *c;
    for (int i = 0; i < c->call.n_inputs; i++) {
        other.in[i] = malloc((size_t)c->in_count[i] * sizeof(double));
    }
    for (int o = 0; o < c->call.n_outputs; o++) {
        other.out_values[o] = malloc((size_t)c->out_count[o] * sizeof(double));
    }
    op_case_fill(&other, c->seed + 2);
    for (int i = 0; i < c->call.n_inputs; i++) {
        int64_t row = c->in_count[i] / batch;
        if (inputs >> i & 1U) {
            size_t from = first ? 0 : (size_t)row, count = (size_t)(first ? row : row * (batch - 1));
            memcpy(c->in[i] + from, other.in[i] + from, count * sizeof(double));
        }
        free(other.in[i]);
    }
    for (int o = 0; o < c->call.n_outputs; o++) {
        free(other.out_values[o]);
    }
}

/* check_rows: the op says ROWS. Then changing rows of the inputs leaves the other rows of the outputs as they are. */
static void check_rows(struct op_case *c, const struct op_call *symbolic, unsigned inputs, int64_t batch)
{
    for (int o = 0; o < symbolic->n_outputs; o++) {
        if (symbolic->out[o].shape.rank < 1 || symbolic->out[o].shape.dim[0] != SHAPE_BATCH) {
            op_case_fail(c, "batch says that rows are independent, but output %d has no batch axis", o);
            return;
        }
    }
    for (int first = 0; first < 2 && batch > 1; first++) {
        double *before[OP_MAX_OUTPUTS];
        const double *in[OP_MAX_INPUTS];
        for (int i = 0; i < c->call.n_inputs; i++) {
            in[i] = c->in[i];
        }
        op_case_fill(c, c->seed);
        for (int o = 0; o < c->call.n_outputs; o++) {
            before[o] = malloc((size_t)c->out_count[o] * sizeof(double));
            memcpy(before[o], c->out_values[o], (size_t)c->out_count[o] * sizeof(double));
        }
        change_rows(c, inputs, batch, first);
        c->op->reference(&c->call, in, c->out_values);
        for (int o = 0; o < c->call.n_outputs; o++) {
            int64_t row = c->out_count[o] / batch;
            size_t from = first ? (size_t)row : 0, count = (size_t)(first ? row * (batch - 1) : row);
            if (memcmp(before[o] + from, c->out_values[o] + from, count * sizeof(double)) != 0) {
                op_case_fail(c, "batch says that rows are independent, but rows of output %d depend on other rows", o);
            }
            free(before[o]);
        }
    }
    op_case_fill(c, c->seed);
}

/* try_symbolic: the inputs of the set get a symbolic batch; false when shape refuses that. */
static bool try_symbolic(struct op_case *c, unsigned inputs, int64_t batch)
{
    struct op_call call = c->call;
    memset(call.out, 0, sizeof(call.out));
    call.n_outputs = c->op->outputs;
    for (int i = 0; i < call.n_inputs; i++) {
        if (inputs >> i & 1U) {
            call.in[i].shape.dim[0] = SHAPE_BATCH;
        }
    }
    error_clear(c->ctx);
    if (c->op->shape(&call) != STATUS_OK) {
        error_clear(c->ctx);
        return false;
    }
    if (call.n_outputs != c->call.n_outputs) {
        op_case_fail(c, "%d outputs with a symbolic batch, %d without", call.n_outputs, c->call.n_outputs);
        return true;
    }
    for (int o = 0; o < call.n_outputs; o++) {
        struct shape bound = shape_bind(&call.out[o].shape, batch);
        if (!shape_equal(&bound, &c->call.out[o].shape) || call.out[o].element != c->call.out[o].element) {
            char symbol[SHAPE_TEXT_SIZE], number[SHAPE_TEXT_SIZE];
            op_case_fail(c, "output %d is %s with a symbolic batch, %s with a batch of %lld", o,
                         shape_text(&call.out[o].shape, symbol), shape_text(&c->call.out[o].shape, number),
                         (long long)batch);
        }
    }
    enum batch_kind kind = c->op->batch ? c->op->batch(&call) : BATCH_ROWS;
    if (kind == BATCH_ROWS) {
        check_rows(c, &call, inputs, batch);
    }
    return true;
}

/* check_symbolic: the smallest set of inputs, the first among them, that may have a symbolic batch together. */
static bool check_symbolic(struct op_case *c)
{
    int first = 0;
    while (first < c->call.n_inputs && c->call.in[first].shape.rank == 0) {
        first++;
    }
    if (first == c->call.n_inputs) {
        return false;
    }
    int64_t batch = c->call.in[first].shape.dim[0];
    unsigned may = 0;
    for (int i = 0; i < c->call.n_inputs; i++) {
        may |= (unsigned)(c->call.in[i].shape.rank > 0 && c->call.in[i].shape.dim[0] == batch) << i;
    }
    for (int size = 1; size <= c->call.n_inputs; size++) {
        for (unsigned set = 1; set < 1U << c->call.n_inputs; set++) {
            int members = 0;
            for (int i = 0; i < c->call.n_inputs; i++) {
                members += set >> i & 1U;
            }
            if (members == size && (set & ~may) == 0 && set >> first & 1U && try_symbolic(c, set, batch)) {
                return true;
            }
        }
    }
    return false;
}

/* --- inputs that do not fit --- */

enum change { CHANGE_SCALAR, CHANGE_LEADING_AXIS, CHANGE_ELEMENT, CHANGE_DIMENSION /* + axis */ };

static bool change_input(struct op_example_input *input, int change)
{
    switch (change) {
    case CHANGE_SCALAR:
        if (input->rank == 0) {
            return false;
        }
        input->rank = 0;
        return true;
    case CHANGE_LEADING_AXIS:
        if (input->rank == SHAPE_MAX_RANK) {
            return false;
        }
        memmove(input->dim + 1, input->dim, (size_t)input->rank * sizeof(input->dim[0]));
        input->dim[0] = 2;
        input->rank++;
        return true;
    case CHANGE_ELEMENT:
        if (input->fill == OP_FILL_CLASS || input->fill == OP_FILL_CLASS_OR_NONE || input->fill == OP_FILL_BYTE) {
            input->fill = OP_FILL_POSITIVE;
        } else {
            input->fill = OP_FILL_CLASS;
            input->limit = 3;
        }
        return true;
    default:
        if (change - CHANGE_DIMENSION >= input->rank) {
            return false;
        }
        input->dim[change - CHANGE_DIMENSION]++;
        return true;
    }
}

/* check_change: what shape refuses it explains; what it accepts the kernels must compute. */
static void check_change(struct op_case *c, struct kernel_context *kernels, const struct op_example *changed, int input)
{
    struct op_call call = c->call;
    memset(call.out, 0, sizeof(call.out));
    call.n_outputs = c->op->outputs;
    call.name = "the.layer";
    const struct op_example_input *in = &changed->in[input];
    enum element elements[] = {ELEMENT_REAL, ELEMENT_I32, ELEMENT_U8};
    bool integer = in->fill == OP_FILL_CLASS || in->fill == OP_FILL_CLASS_OR_NONE;
    call.in[input].element = elements[integer ? 1 : in->fill == OP_FILL_BYTE ? 2 : 0];
    call.in[input].shape = shape_of(in->rank, in->dim);
    char text[SHAPE_TEXT_SIZE];
    shape_text(&call.in[input].shape, text);
    error_clear(c->ctx);
    enum status status = c->op->shape(&call);
    if (status == STATUS_OK) {
        struct op_case other;
        snprintf(c->where, sizeof(c->where), "changed");
        int before = c->failures;
        if (op_case_new(&other, c->out, c->ctx, c->op, changed, c->seed)) {
            /* Integers taken for floats are wrong numbers; taken for doubles they would be read beyond their end. */
            op_case_run(&other, kernels, integer ? ELEMENT_F32 : ELEMENT_F64);
        }
        c->failures += other.failures;
        op_case_free(&other);
        if (c->failures > before && c->out) {
            fprintf(c->out, "that was with input %d as %s %s, which shape accepts\n", input,
                    element_text(call.in[input].element), text);
        }
        return;
    }
    if (status != STATUS_BAD_SHAPE && status != STATUS_BAD_INPUT && status != STATUS_UNSUPPORTED) {
        op_case_fail(c, "input %d as %s: unexpected status \"%s\"", input, text, status_text(status));
    }
    if (c->ctx->error.status != status || !strstr(c->ctx->error.message, "the.layer")) {
        op_case_fail(c, "input %d as %s is refused with a message that does not name the layer: \"%s\"", input, text,
                     c->ctx->error.message);
    }
    error_clear(c->ctx);
}

bool op_case_shapes(struct op_case *c, struct kernel_context *kernels)
{
    snprintf(c->where, sizeof(c->where), "shapes");
    bool symbolic = check_symbolic(c);
    for (int i = 0; i < c->call.n_inputs; i++) {
        for (int change = 0; change < CHANGE_DIMENSION + SHAPE_MAX_RANK; change++) {
            struct op_example changed = *c->example;
            for (int k = 0; k < changed.n_inputs; k++) {
                changed.in[k].constant = true; /* gradients are examined elsewhere */
            }
            if (change_input(&changed.in[i], change)) {
                check_change(c, kernels, &changed, i);
            }
        }
    }
    return symbolic;
}
