/* The examination of ops can fail: each fault planted in an op that is right is found, and found as what it is. */
#include "support/op_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 20240 };

extern const struct op op_softmax, op_cross_entropy_soft, op_reshape, op_standardise_rows;

static int64_t count_of(const struct tensor_spec *spec)
{
    return shape_elements(&spec->shape);
}

static void scale(enum element element, void *values, int64_t n, double factor)
{
    for (int64_t i = 0; i < n; i++) {
        if (element == ELEMENT_F64) {
            ((double *)values)[i] *= factor;
        } else {
            ((float *)values)[i] *= (float)factor;
        }
    }
}

/* --- faults of softmax: [B,K], backward reads the output --- */

static void off_by_a_bit(const struct op_run *run)
{
    op_softmax.forward(run);
    scale(run->call->out[0].element, run->out[0], count_of(&run->call->out[0]), 1 + 3e-5);
}

static void off_in_double_only(const struct op_run *run)
{
    op_softmax.forward(run);
    scale(run->call->out[0].element, run->out[0], 1, 1 + 1e-9);
}

static void last_forgotten(const struct op_run *run)
{
    op_softmax.forward(run);
    size_t size = element_size(run->call->out[0].element);
    memset((unsigned char *)run->out[0] + ((size_t)count_of(&run->call->out[0]) - 1) * size, 0xFF, size);
}

static void wrong_sign(const struct op_run *run)
{
    op_softmax.backward(run);
    scale(run->call->in[0].element, run->d_in[0], count_of(&run->call->in[0]), -1);
}

static void term_forgotten(const struct op_run *run) /* dx = y dy: without -y sum y dy */
{
    for (int64_t i = 0; i < count_of(&run->call->in[0]); i++) {
        if (run->call->in[0].element == ELEMENT_F64) {
            double old = run->add[0] ? ((double *)run->d_in[0])[i] : 0;
            ((double *)run->d_in[0])[i] = old + ((const double *)run->out[0])[i] * ((const double *)run->d_out[0])[i];
        } else {
            float old = run->add[0] ? ((float *)run->d_in[0])[i] : 0;
            ((float *)run->d_in[0])[i] = old + ((const float *)run->out[0])[i] * ((const float *)run->d_out[0])[i];
        }
    }
}

static void all_zero(const struct op_run *run)
{
    op_softmax.backward(run);
    scale(run->call->in[0].element, run->d_in[0], count_of(&run->call->in[0]), 0);
}

static void always_overwrites(const struct op_run *run)
{
    const bool add[OP_MAX_INPUTS] = {false};
    struct op_run other = *run;
    other.add = add;
    op_softmax.backward(&other);
}

static void always_adds(const struct op_run *run)
{
    const bool add[OP_MAX_INPUTS] = {true};
    struct op_run other = *run;
    other.add = add;
    op_softmax.backward(&other);
}

static void writes_its_input(const struct op_run *run)
{
    op_softmax.forward(run);
    ((unsigned char *)(uintptr_t)run->in[0])[0] ^= 1;
}

static void writes_the_gradient(const struct op_run *run)
{
    op_softmax.backward(run);
    if (run->d_in[0] != run->d_out[0]) {
        ((unsigned char *)(uintptr_t)run->d_out[0])[0] ^= 1;
    }
}

static enum status nothing_read(const struct op_call *call, bool backward, struct op_needs *needs)
{
    enum status status = op_softmax.prepare(call, backward, needs);
    needs->reads_outputs = 0;
    return status;
}

static enum status recomputes(const struct op_call *call, bool backward, struct op_needs *needs)
{
    enum status status = op_softmax.prepare(call, backward, needs);
    needs->recomputes = true;
    return status;
}

static enum status claims_rows_of_one(struct op_call *call)
{
    RETURN_IF(op_softmax.shape(call));
    call->out[0].shape.dim[0] = call->out[0].shape.dim[0] < 0 ? 1 : call->out[0].shape.dim[0];
    return STATUS_OK;
}

static enum status refuses_in_silence(struct op_call *call)
{
    if (op_softmax.shape(call) == STATUS_OK) {
        return STATUS_OK;
    }
    error_clear(call->ctx);
    return STATUS_BAD_SHAPE;
}

static enum status takes_integers(struct op_call *call)
{
    enum element element = call->in[0].element;
    call->in[0].element = ELEMENT_REAL;
    enum status status = op_softmax.shape(call);
    call->in[0].element = element;
    return status;
}

/* --- faults of others --- */

static void second_gradient_lost(const struct op_run *run)
{
    op_cross_entropy_soft.backward(run);
    if (run->d_in[1]) {
        scale(run->call->in[1].element, run->d_in[1], count_of(&run->call->in[1]), 0);
    }
}

static void needs_the_first(const struct op_run *run)
{
    if (run->d_in[0]) {
        op_cross_entropy_soft.backward(run);
    }
}

static void saved_not_kept(const struct op_run *run)
{
    struct op_run other = *run;
    other.keep = false;
    op_cross_entropy_soft.forward(&other);
}

static void forgets_the_copy(const struct op_run *run)
{
    (void)run;
}

static void not_in_place(const struct op_run *run) /* clears the output before it reads */
{
    size_t bytes = (size_t)count_of(&run->call->out[0]) * element_size(run->call->out[0].element);
    memset(run->out[0], 0, bytes);
    op_reshape.forward(run);
}

static void recompute_rounds(const struct op_run *run)
{
    op_standardise_rows.forward(run);
    scale(run->call->out[0].element, run->out[0], count_of(&run->call->out[0]), 1 + 1e-6);
}

static enum status standardise_recomputes(const struct op_call *call, bool backward, struct op_needs *needs)
{
    enum status status = op_standardise_rows.prepare(call, backward, needs);
    needs->recomputes = true;
    return status;
}

static enum batch_kind says_rows(const struct op_call *call)
{
    (void)call;
    return BATCH_ROWS;
}

struct fault {
    const char *name;
    const struct op *op;
    struct op change; /* what is set replaces the op's */
    const char *said; /* part of a finding */
};

static const struct fault faults[] = {
    {"a forward off by a bit", &op_softmax, {.forward = off_by_a_bit}, "differs from the reference"},
    {"a forward that is single precision in double", &op_softmax, {.forward = off_in_double_only}, "f64"},
    {"a last element that is not written", &op_softmax, {.forward = last_forgotten}, "differs from the reference"},
    {"a wrong sign", &op_softmax, {.backward = wrong_sign}, "central differences"},
    {"a term forgotten in backward", &op_softmax, {.backward = term_forgotten}, "central differences"},
    {"a gradient of zero", &op_softmax, {.backward = all_zero}, "central differences"},
    {"a backward that never adds", &op_softmax, {.backward = always_overwrites}, "one gradient added"},
    {"a backward that always adds", &op_softmax, {.backward = always_adds}, "central differences"},
    {"a forward that writes its input", &op_softmax, {.forward = writes_its_input}, "writes to input 0"},
    {"a backward that writes the output's gradient",
     &op_softmax,
     {.backward = writes_the_gradient},
     "gradient of output 0"},
    {"a backward that reads what it did not ask for", &op_softmax, {.prepare = nothing_read}, "central differences"},
    {"a recompute that is promised and not there", &op_softmax, {.prepare = recomputes}, "recompute"},
    {"a symbolic batch that is lost", &op_softmax, {.shape = claims_rows_of_one}, "with a symbolic batch"},
    {"a refusal without a message", &op_softmax, {.shape = refuses_in_silence}, "message"},
    {"integers taken for real numbers", &op_softmax, {.shape = takes_integers}, "which shape accepts"},
    {"rows that depend on each other", &op_softmax, {.batch = says_rows}, "rows are independent"},
    {"one gradient of two lost", &op_cross_entropy_soft, {.backward = second_gradient_lost}, "in input 1"},
    {"a gradient that is only made beside another",
     &op_cross_entropy_soft,
     {.backward = needs_the_first},
     "one gradient not wanted"},
    {"nothing saved for backward", &op_cross_entropy_soft, {.forward = saved_not_kept}, "central differences"},
    {"a forward that does nothing", &op_reshape, {.forward = forgets_the_copy}, "differs from the reference"},
    {"a forward that cannot work in place", &op_reshape, {.forward = not_in_place}, "in place"},
    {"a recompute with other bits",
     &op_standardise_rows,
     {.prepare = standardise_recomputes, .recompute = recompute_rounds},
     "recompute gives other bits"},
    {"a missing summary", &op_softmax, {.summary = ""}, "summary"},
    {"one example", &op_softmax, {.n_examples = 1}, "fewer than two"},
};

static struct op planted(const struct fault *fault)
{
    struct op op = *fault->op;
    const struct op *change = &fault->change;
    op.summary = change->summary ? change->summary : op.summary;
    op.shape = change->shape ? change->shape : op.shape;
    op.batch = change->batch ? change->batch : op.batch;
    op.prepare = change->prepare ? change->prepare : op.prepare;
    op.forward = change->forward ? change->forward : op.forward;
    op.backward = change->backward ? change->backward : op.backward;
    op.recompute = change->recompute ? change->recompute : op.recompute;
    op.n_examples = change->n_examples ? change->n_examples : op.n_examples;
    return op;
}

/* examine: the findings as a text, which the caller frees. */
static int examine(const struct op *op, char **text)
{
    struct context ctx;
    size_t length;
    context_init(&ctx);
    FILE *out = open_memstream(text, &length);
    struct kernel_context *kernels = kernel_context_new(&ctx, 1);
    assert_non_null(out);
    assert_non_null(kernels);
    int findings = op_check(out, &ctx, op, &kernels, 1, SEED);
    kernel_context_free(kernels);
    fclose(out);
    return findings;
}

static void each_planted_fault_is_found(void **state)
{
    (void)state;
    int missed = 0;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct op op = planted(&faults[i]);
        char *text = NULL;
        int findings = examine(&op, &text);
        bool found = findings > 0 && strstr(text, faults[i].said) && strstr(text, "FAIL op");
        if (!found) {
            printf("missed: %s (%d findings)\n%s\n", faults[i].name, findings, text);
            missed++;
        }
        free(text);
    }
    assert_int_equal(missed, 0);
}

static void without_a_fault_nothing_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        char *text = NULL;
        assert_int_equal(examine(faults[i].op, &text), 0);
        assert_string_equal(text, "");
        free(text);
    }
}

static void at_most_ten_numbers_are_printed(void **state)
{
    (void)state;
    struct op op = op_softmax;
    op.forward = off_by_a_bit;
    char *text = NULL;
    examine(&op, &text);
    int lines = 0;
    for (const char *line = text; strncmp(line, "FAIL", 4) != 0; line = strchr(line, '\n') + 1) {
        lines += strstr(line, "expected") != NULL && strstr(line, "expected") < strchr(line, '\n');
    }
    assert_true(lines >= 1 && lines <= 10);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_fault_nothing_is_found),
        cmocka_unit_test(each_planted_fault_is_found),
        cmocka_unit_test(at_most_ten_numbers_are_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
