/* What must not matter to a method: changes of its arrays that leave loss and gradient as they were, by the formula alone.
 *
 * Student's and teacher's arrays are changed at once, each in its own way. A change is x' = A x + b, so the gradient of x is A^T times
 * that of x'. That the order of samples does not matter, test_method_table.c shows for every method. */
#include "support/compare.h"
#include "support/method_case.h"
#include "support/method_change.h"
#include "support/option_grid.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { SEED = 4711, BATCH = 6, CLASSES = 7, EVERY_ROLE = -1 };

enum options_tried { DEFAULTS, EVERY_OPTION };
enum exactness { EXACT, BUT_FOR_AN_EPSILON };

struct invariance {
    const char *method;
    method_change *change;
    enum exactness exactness; /* the formula adds a small number to what it divides by, so that sizes matter a little */
    enum options_tried options;
    int role;                  /* of the taps that are changed, or EVERY_ROLE */
    const char *option, *text; /* one that is set; NULL: none */
};

static const struct invariance invariances[] = {
    /* a constant added to a sample's logits is no change of its probabilities */
    {"labels", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"kd", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"soft-ce", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"logit-std", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"logit-std", change_sample_scale, BUT_FOR_AN_EPSILON, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"dkd", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"dist", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"nkd", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"dml", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"ps-kd", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"tf-kd", change_sample_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    /* relations between samples know angles and distances, not directions */
    {"sp", change_turn, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"cc", change_turn, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"pkt", change_turn, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"rkd-distance", change_turn, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"rkd-angle", change_turn, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"irg", change_turn, EXACT, EVERY_OPTION, ROLE_EMBEDDING, NULL, NULL},
    {"rkd-distance", change_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"rkd-angle", change_shift, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"irg", change_shift, EXACT, EVERY_OPTION, ROLE_EMBEDDING, NULL, NULL},
    {"sp", change_scale, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"rkd-distance", change_scale, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"rkd-angle", change_scale, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"irg", change_scale, EXACT, EVERY_OPTION, ROLE_EMBEDDING, NULL, NULL},
    {"cc", change_sample_scale, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"pkt", change_sample_scale, BUT_FOR_AN_EPSILON, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    /* channels and maps: their size, their mean, their order */
    {"at", change_sample_scale, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"at", change_channel_order, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"ft", change_sample_scale, EXACT, DEFAULTS, EVERY_ROLE, "paraphraser", "none"},
    {"ft", change_channel_order, EXACT, DEFAULTS, EVERY_ROLE, "paraphraser", "none"},
    {"nst", change_each_channel_scale, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"nst", change_channel_order, EXACT, EVERY_OPTION, EVERY_ROLE, NULL, NULL},
    {"ickd", change_sample_scale, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"cwd", change_each_channel_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"pkd", change_channel_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"pkd", change_channel_scale, BUT_FOR_AN_EPSILON, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"fitnet", change_sample_scale, EXACT, DEFAULTS, EVERY_ROLE, "distance", "cosine"},
};

/* What does matter: a loss that a change moves, for each of the changes. */
static const struct invariance variances[] = {
    {"logits-mse", change_sample_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"bce-kd", change_sample_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"kd", change_sample_scale, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"fitnet", change_turn, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"irg", change_turn, EXACT, DEFAULTS, ROLE_LOGITS, NULL, NULL},
    {"cc", change_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"fsp", change_scale, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"sp", change_sample_scale, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"at", change_channel_scale, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"pkd", change_each_channel_scale, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"pkd", change_channel_order, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"nst", change_each_channel_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
    {"ickd", change_channel_shift, EXACT, DEFAULTS, EVERY_ROLE, NULL, NULL},
};

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
    struct arena *arena;
    int failures;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.failures = 0};
    context_init(&fixture.ctx);
    fixture.ctx.log_level = LOG_QUIET;
    fixture.kernels = kernel_context_new(&fixture.ctx, 1);
    fixture.arena = arena_new(&fixture.ctx);
    *state = &fixture;
    return !fixture.kernels || !fixture.arena;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(fixture->arena);
    kernel_context_free(fixture->kernels);
    return 0;
}

static uint64_t seed_of(enum side side, int tap)
{
    return SEED + (uint64_t)(2 * tap + (side == SIDE_TEACHER));
}

/* for_taps: the change for every tap of a side that it concerns, by tap number in `values`. */
static void for_taps(const struct method *method, const struct invariance *one, enum side side,
                     const struct shape *shapes, double *const *values, bool back)
{
    for (int i = 0, tap = 0; i < method->n_inputs; i++) {
        if (method->inputs[i].side != side)
            continue;
        for (int n = 0; n < method_taps(method, i); n++, tap++)
            if (one->role == EVERY_ROLE || one->role == (int)method->inputs[i].role)
                one->change(values[tap], &shapes[tap], seed_of(side, tap), back);
    }
}

static struct arrays changed_arrays(const struct method *method, const struct invariance *one,
                                    const struct arrays *arrays)
{
    static const int32_t same[BATCH] = {0, 1, 2, 3, 4, 5};
    struct arrays copy = arrays_permuted(arrays, same);
    for_taps(method, one, SIDE_STUDENT, copy.student_shape, copy.student, false);
    for_taps(method, one, SIDE_TEACHER, copy.teacher_shape, copy.teacher, false);
    return copy;
}

static struct method_result run(struct fixture *f, const struct method *method, const struct value *map,
                                const struct arrays *arrays, enum element element)
{
    void *options = arena_take(f->arena, 1, method->options_size ? method->options_size : 1);
    assert_non_null(options);
    const struct option_set set = {method->options, method->n_options};
    assert_int_equal(options_bind(&f->ctx, f->arena, set, map, method->name, options), STATUS_OK);
    struct method_result result = method_run(&f->ctx, f->kernels, method, options, arrays, element, METHOD_GRADIENT);
    if (result.status != STATUS_OK)
        fail_msg("%s: %s", method->name, result.message);
    return result;
}

static void check_invariance(struct fixture *f, const struct invariance *one, const struct method *method,
                             const struct value *map, enum element element)
{
    const double tolerance = element == ELEMENT_F64 && one->exactness == EXACT ? 1e-12 : 1e-5;
    struct arrays arrays = arrays_new(method, ARRAYS_NORMAL, BATCH, CLASSES, SEED);
    struct arrays changed = changed_arrays(method, one, &arrays);
    struct method_result before = run(f, method, map, &arrays, element), after = run(f, method, map, &changed, element);
    int64_t wrong = compare_numbers(stderr, "the loss", 1, &before.loss, &after.loss, tolerance, 1);
    for_taps(method, one, SIDE_STUDENT, changed.student_shape, after.gradient, true);
    for (int tap = 0; tap < arrays.n_student; tap++)
        wrong += compare_numbers(stderr, "the gradient", shape_elements(&arrays.student_shape[tap]),
                                 before.gradient[tap], after.gradient[tap], tolerance, 1e-3);
    if (wrong)
        fprintf(stderr, "FAIL %s, invariance %d, %s\n", method->name, (int)(one - invariances), element_text(element));
    f->failures += wrong > 0;
    method_result_free(&before);
    method_result_free(&after);
    arrays_free(&arrays);
    arrays_free(&changed);
}

static void test_what_must_not_matter_changes_nothing(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof invariances / sizeof *invariances; i++) {
        const struct invariance *one = &invariances[i];
        const struct method *method = method_find(&f->ctx, one->method, NULL);
        assert_non_null(method);
        struct option_grid grid = option_grid_new(f->arena, (struct option_set){method->options, method->n_options});
        for (int64_t n = 0; n < (one->options == EVERY_OPTION ? grid.count : 1); n++) {
            struct value *map = option_grid_map(&grid, f->arena, n);
            if (one->option)
                map = value_set(f->arena, map, one->option, value_text(f->arena, one->text));
            check_invariance(f, one, method, map, ELEMENT_F64);
            check_invariance(f, one, method, map, ELEMENT_F32);
        }
    }
    assert_int_equal(f->failures, 0);
}

static void test_the_same_changes_matter_elsewhere(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof variances / sizeof *variances; i++) {
        const struct method *method = method_find(&f->ctx, variances[i].method, NULL);
        assert_non_null(method);
        struct arrays arrays = arrays_new(method, ARRAYS_NORMAL, BATCH, CLASSES, SEED);
        struct arrays changed = changed_arrays(method, &variances[i], &arrays);
        struct method_result before = run(f, method, NULL, &arrays, ELEMENT_F64),
                             after = run(f, method, NULL, &changed, ELEMENT_F64);
        if (fabs(after.loss - before.loss) < 1e-3 * fabs(before.loss)) {
            fprintf(stderr, "FAIL %s, variance %zu: %.17g, then %.17g\n", method->name, i, before.loss, after.loss);
            f->failures++;
        }
        method_result_free(&before);
        method_result_free(&after);
        arrays_free(&arrays);
        arrays_free(&changed);
    }
    assert_int_equal(f->failures, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_must_not_matter_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_changes_matter_elsewhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
