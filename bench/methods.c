/* methods.c: what each method adds to a training step: a step (forward, backward, optimiser) of a student with the
 * terms labels and METHOD beside one with labels alone, for every method of the table, with the layers that are chosen
 * where a recipe names none. What methods read of the teacher is recorded: reading it back is in the step, computing
 * it is not.
 *
 *     methods RECIPE [SECONDS [METHOD]]
 *
 * The recipe's student and teacher, images of 28x28 made-up bytes, batch 128, float32, one thread, its CPU time. Steps
 * of both alternate for SECONDS (default 2) a method; the ratio is the median over the pairs, beside its quartiles.
 * "deepest": of several pairs of layers the last alone, where all of them miss the aim. METHOD: that one alone, and where
 * its step's time goes. Not a test: it measures and does not judge. */
#include "bench/method_step.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODES_SHOWN = 24 };
static const char few_negatives[] = "[{\"method\":\"labels\"},{\"method\":\"crd\",\"negatives\":1024,\"weight\":1e-3}]";

/* nodes_show: the slowest steps of the plan. */
static void nodes_show(const struct program *program, size_t runs)
{
    double above = HUGE_VAL;
    printf("\n  ms a step  phase      of                op                      kernel\n");
    for (int shown = 0; shown < NODES_SHOWN; shown++) {
        int slowest = -1;
        double seconds = 0;
        for (int i = 0; i < program_step_count(program); i++) {
            const struct program_step_info info = program_step(program, i);
            if (info.seconds < above && info.seconds > seconds) {
                slowest = i;
                seconds = info.seconds;
            }
        }
        if (slowest < 0)
            return;
        char shape[SHAPE_TEXT_SIZE];
        const struct program_step_info info = program_step(program, slowest);
        printf("  %9.3f  %-9s  %-16s  %-22s  %-16s  %s\n", 1e3 * seconds / (double)runs, info.phase, info.name, info.op,
               info.kernel, shape_text(&info.out, shape));
        above = seconds;
    }
}

/* What is measured in one row. */
struct row {
    const struct method *method;
    const char *losses, *suffix;
    bool deepest;
};

/* row_print: returns whether there is an aim that was missed. */
static bool row_print(const struct bench *b, const struct row *row, size_t n)
{
    static const char *const aims[] = {
        [FAMILY_RESPONSE] = "1.15", [FAMILY_FEATURE] = "1.40", [FAMILY_RELATION] = "1.40"};
    static const char *const without[] = {"svd", "crd", "mhgd"}; /* decompositions, or as much work as one asks for */
    const char *aim = aims[row->method->family];
    char name[64];
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        aim = strcmp(row->method->name, without[i]) == 0 ? "" : aim;
    snprintf(name, sizeof name, "%s%s", row->method->name, row->suffix);
    const double ratio = b->ratios[n / 2];
    const bool missed = *aim && ratio > strtod(aim, NULL);
    printf("%-19s  %-8s  %7.3f  %7.3f  %6.2f  %4.2f-%4.2f  %4s  %s\n", name, method_family_text(row->method->family),
           1e3 * b->base[n / 2], 1e3 * b->more[n / 2], ratio, b->ratios[n / 4], b->ratios[3 * n / 4], aim,
           missed ? "not met"
           : *aim ? "met"
                  : "");
    fflush(stdout);
    return missed;
}

/* bench_row: *again: it missed its aim with several pairs of taps. */
static enum status bench_row(struct bench *b, const struct row *row, bool nodes, bool *again)
{
    enum status status = STATUS_OK;
    struct stepped base = {0}, more = {0};
    TRY(stepped_make(b, &base, "[{\"method\":\"labels\"}]", false));
    TRY(stepped_make(b, &more, row->losses, row->deepest));
    const size_t n = measure(b, &base, &more, nodes);
    if (n == 0)
        TRY(b->ctx.error.status);
    *again = row_print(b, row, n) && stepped_pairs(&more) > 1;
    if (nodes)
        nodes_show(more.program, n);
cleanup:
    stepped_free(&base);
    stepped_free(&more);
    return status;
}

/* bench_method: as it comes; where that is too much and several pairs, the deepest alone; crd also with few negatives. */
static enum status bench_method(struct bench *b, const struct method *method, bool nodes)
{
    char losses[256];
    bool again = false;
    struct row row = {method, losses, "", false};
    snprintf(losses, sizeof losses, "[{\"method\":\"labels\"},{\"method\":\"%s\",\"weight\":1e-3}]", method->name);
    RETURN_IF(bench_row(b, &row, nodes, &again));
    if (again) {
        row.deepest = true;
        row.suffix = ", deepest";
        return bench_row(b, &row, nodes, &again);
    }
    if (strcmp(method->name, "crd") != 0)
        return STATUS_OK;
    row.losses = few_negatives;
    row.suffix = ", 1024 others";
    return bench_row(b, &row, nodes, &again);
}

static enum status bench_all(struct bench *b, const char *only)
{
    printf("method               family     labels   and it   ratio  quartiles   aim\n");
    for (size_t i = 0; i < method_table_count; i++) {
        const struct method *method = method_table[i];
        if (strcmp(method->name, "labels") != 0 && (!only || strcmp(method->name, only) == 0))
            RETURN_IF(bench_method(b, method, only != NULL));
    }
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    struct bench b = {.limit = argc > 2 ? strtod(argv[2], NULL) : 2};
    const char *only = argc > 3 ? argv[3] : NULL;
    context_init(&b.ctx);
    if (argc < 2 || argc > 4 || !(b.limit > 0) || (only && !method_find(&b.ctx, only, NULL))) {
        fprintf(stderr, "methods: expected RECIPE [SECONDS [METHOD]]%s%s\n", b.ctx.error.status ? ": " : "",
                b.ctx.error.message);
        return 2;
    }
    enum status status = bench_open(&b, argv[1]);
    if (status == STATUS_OK)
        status = bench_all(&b, only);
    if (status != STATUS_OK)
        fprintf(stderr, "methods: %s\n", b.ctx.error.message);
    bench_close(&b);
    return status == STATUS_OK ? 0 : 1;
}
