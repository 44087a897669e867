/* What a program leaves out: a mean of squares of a difference is one call, and views are none; loss and gradients are those of a
 * program in which everything between is an output and stays. */
#include "graph/ops.h"
#include "graph/program.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 4, WIDE = 24, VALUES = BATCH * WIDE, BETWEEN = 6 };

struct made {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct parameters *parameters;
    struct graph *graph;
    struct node *loss, *between[BETWEEN];
};

/* mean (x - stop(y))^2 + the mean over columns of x seen as [2B,12], squared, + y's own squares: x is read through a view and as it
 * is, y learns beside the view that lets no gradient through. */
static void made_new(struct made *m)
{
    const struct init init = {INIT_NORMAL, 1};
    context_init(&m->ctx);
    m->kernels = kernel_context_new(&m->ctx, 1);
    m->memory = program_memory_new(&m->ctx);
    m->parameters = parameters_new(&m->ctx, ELEMENT_F32, 3);
    m->graph = graph_new(&m->ctx);
    struct graph *g = m->graph;
    struct node *x = graph_parameter(g, m->parameters, "x", SHAPE(BATCH, WIDE), init, false);
    struct node *y = graph_exp(g, graph_parameter(g, m->parameters, "y", SHAPE(BATCH, WIDE), init, false));
    struct node *stopped = m->between[0] = graph_stop_gradient(g, y);
    struct node *apart = m->between[1] = graph_sub(g, x, stopped);
    struct node *square = m->between[2] = graph_square(g, apart);
    struct node *halves = m->between[3] = graph_reshape(g, x, SHAPE(2 * BATCH, WIDE / 2));
    struct node *squares = m->between[4] = graph_square(g, halves);
    struct node *own = m->between[5] = graph_square(g, y);
    struct node *rows = graph_sqrt(g, graph_mean(g, squares, 2, true));
    struct node *twice = graph_square(g, graph_exp(g, x)); /* somebody else reads it: it stays */
    m->loss = graph_add(g, graph_mean_all(g, square), graph_add(g, graph_sum_all(g, rows), graph_mean_all(g, own)));
    m->loss = graph_add(g, m->loss, graph_mul(g, graph_mean_all(g, twice), graph_max(g, twice, 3, false)));
    assert_non_null(m->loss);
}

static void made_free(struct made *m)
{
    graph_free(m->graph);
    parameters_free(m->parameters);
    program_memory_free(m->memory);
    kernel_context_free(m->kernels);
}

struct ran {
    int squares, views; /* forward steps of such ops */
    double loss;
    float gradients[2 * VALUES];
};

static void run(struct made *m, bool kept, unsigned flags, struct ran *ran)
{
    struct program_spec spec = {.loss = m->loss,
                                .outputs = m->between,
                                .n_outputs = kept ? BETWEEN : 0,
                                .batch = BATCH,
                                .precision = ELEMENT_F32,
                                .flags = flags};
    struct program *program = NULL;
    assert_int_equal(program_compile(m->graph, &spec, m->kernels, m->memory, &program), STATUS_OK);
    const struct bindings bindings = {.inputs = NULL};
    for (int step = 0; step < 2; step++)
        assert_int_equal(program_run(program, &bindings, RUN_BACKWARD | RUN_CHECK), STATUS_OK);
    *ran = (struct ran){.loss = program_loss(program)};
    for (int i = 0; i < program_step_count(program); i++) {
        const char *op = program_step(program, i).op;
        if (strcmp(program_step(program, i).phase, "forward") != 0)
            continue;
        ran->squares += strcmp(op, "square") == 0 || strcmp(op, "sub") == 0;
        ran->views += strcmp(op, "reshape") == 0 || strcmp(op, "stop_gradient") == 0;
    }
    assert_int_equal(m->parameters->n_values, 2 * VALUES);
    memcpy(ran->gradients, m->parameters->gradients, sizeof ran->gradients);
    program_free(program);
}

static void what_is_left_out_changes_nothing(void **state)
{
    static const unsigned flags[] = {0, PLAN_NO_SHARING, PLAN_POISON};
    (void)state;
    struct made m;
    struct ran kept, ran;
    made_new(&m);
    run(&m, true, 0, &kept);
    assert_true(kept.squares > 0 && kept.views > 0);
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
        run(&m, false, flags[f], &ran);
        assert_int_equal(ran.squares, 1);
        assert_int_equal(ran.views, 0);
        assert_true(fabs(ran.loss - kept.loss) <= 1e-5 * fabs(kept.loss));
        for (int i = 0; i < 2 * VALUES; i++)
            assert_true(fabsf(ran.gradients[i] - kept.gradients[i]) <= 1e-5F);
    }
    made_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_left_out_changes_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
