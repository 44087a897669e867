/* op_check.c: everything that is examined of one op. */
#include "support/op_case.h"

#include <math.h>
#include <string.h>

static int finding(FILE *out, const struct op *op, const char *text)
{
    if (out) {
        fprintf(out, "FAIL op %s: %s\n", op->name ? op->name : "without a name", text);
    }
    return 1;
}

/* check_struct: what can be said without an example. */
static int check_struct(FILE *out, const struct op *op)
{
    int findings = 0;
    if (!op->name || !op->name[0] || !op->summary || !op->summary[0]) {
        findings += finding(out, op, "no name or no summary");
    }
    if (op->inputs_min < 0 || op->inputs_max < op->inputs_min || op->inputs_max > OP_MAX_INPUTS || op->outputs < 1 ||
        op->outputs > OP_MAX_OUTPUTS) {
        findings += finding(out, op, "numbers of inputs or outputs out of range");
    }
    if (!op->shape || !op->forward || !op->reference) {
        findings += finding(out, op, "no shape, forward or reference");
    }
    if (op->n_examples < 2) {
        findings += finding(out, op, "fewer than two examples");
    }
    for (size_t i = 0; i < op->n_examples; i++) {
        if ((op->attributes_size > 0) != (op->examples[i].attributes != NULL)) {
            findings += finding(out, op,
                                "an example without the op's attributes, or with attributes that the op does not have");
        }
    }
    return findings;
}

int op_check(FILE *out, struct context *ctx, const struct op *op, struct kernel_context *const *kernels, int n_kernels,
             uint64_t seed)
{
    int findings = check_struct(out, op);
    if (findings > 0) {
        return findings;
    }
    unsigned asked = 0, moved = 0; /* inputs with a gradient, and those where it is not all zero */
    bool symbolic = false, has_axis = false;
    for (size_t e = 0; e < op->n_examples; e++) {
        struct op_case c;
        if (op_case_new(&c, out, ctx, op, &op->examples[e], seed + e)) {
            for (int i = 0; i < c.call.n_inputs; i++) {
                asked |= (unsigned)c.wanted[i] << i;
                has_axis = has_axis || c.call.in[i].shape.rank > 0;
                for (int s = 0; s < c.n_slopes[i]; s++) {
                    moved |= (unsigned)(fabs(c.slopes[i][s].value) > 1e-6) << i;
                }
            }
            for (int k = 0; k < n_kernels; k++) {
                op_case_run(&c, kernels[k], ELEMENT_F32);
                op_case_run(&c, kernels[k], ELEMENT_F64);
            }
            symbolic = op_case_shapes(&c, kernels[0]) || symbolic;
        }
        findings += c.failures;
        op_case_free(&c);
    }
    if (op->backward && asked == 0) {
        findings += finding(out, op, "it has a backward, and no example asks for a gradient");
    }
    if (asked & ~moved) {
        findings += finding(out, op, "the gradient of an input is zero in every example");
    }
    if (has_axis && !symbolic) {
        findings += finding(out, op, "no example accepts a symbolic batch");
    }
    return findings;
}
