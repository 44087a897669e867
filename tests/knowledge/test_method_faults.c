/* Building any method when memory runs out at any moment: an error, and nothing left behind. Names no method. */
#include "support/fault_loop.h"

#include "knowledge/method.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CLASSES = 5 };

static enum status build_method(struct context *ctx, void *user)
{
    const struct method *method = *(const struct method *const *)user;
    enum status status = STATUS_OK;
    struct parameters *own = NULL;
    struct graph *graph = graph_new(ctx);
    struct arena *arena = arena_new(ctx);
    TRY(ctx->error.status);
    own = parameters_new(ctx, ELEMENT_F32, 1);
    void *options = arena_take(arena, 1, method->options_size + 1);
    TRY(ctx->error.status);
    TRY(options_bind(ctx, arena, (struct option_set){method->options, method->n_options}, NULL, method->name, options));

    struct tap taps[2][8];
    int count[2] = {0, 0};
    for (int i = 0; i < method->n_inputs; i++)
        for (int n = 0; n < method_taps(method, i); n++) {
            enum side side = method->inputs[i].side;
            bool map = method->inputs[i].role == ROLE_MAP || method->inputs[i].role == ROLE_MAP_BEFORE_ACTIVATION;
            struct shape shape = map ? SHAPE(SHAPE_BATCH, 3, 2, 4) : SHAPE(SHAPE_BATCH, CLASSES);
            taps[side][count[side]++] =
                (struct tap){.node = graph_input(graph, "tap", ELEMENT_REAL, shape), .layer = "tap"};
        }
    struct method_site site = {
        .student = taps[SIDE_STUDENT],
        .teacher = taps[SIDE_TEACHER],
        .n_student = count[SIDE_STUDENT],
        .n_teacher = count[SIDE_TEACHER],
        .labels = graph_input(graph, "labels", ELEMENT_I32, SHAPE(SHAPE_BATCH)),
        .sample = graph_input(graph, "sample", ELEMENT_I32, SHAPE(SHAPE_BATCH)),
        .samples = 9,
        .classes = CLASSES,
        .own = own,
        .term = "term",
    };
    TRY(ctx->error.status);
    TRY(method_build(graph, method, &site, options) ? STATUS_OK : ctx->error.status);
cleanup:
    graph_free(graph);
    parameters_free(own);
    arena_free(arena);
    return status;
}

static void test_lack_of_memory_is_told_and_leaves_nothing_behind(void **state)
{
    (void)state;
    for (size_t m = 0; m < method_table_count; m++) {
        const struct method *method = method_table[m];
        assert_true(fault_loop(build_method, &method) >= 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lack_of_memory_is_told_and_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
