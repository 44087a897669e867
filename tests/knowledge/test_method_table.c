/* Every method against its reference: value and gradient, every choice of its options, other numbers, awkward inputs.
 * Names none. */
#include "support/compare.h"
#include "support/method_case.h"
#include "support/option_grid.h"

#include "base/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEED = 20260, BATCH = 6, CLASSES = 7 };

struct fixture {
    struct context ctx;
    struct kernel_context *kernels;
    struct arena *arena;
    int failures;
    bool jumped;     /* examine saw arrays where the loss is not continuous */
    double steepest; /* the largest gradient that the last check_gradient saw */
    bool alone;      /* the arrays are of the teacher alone */
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

static const enum element elements[] = {ELEMENT_F64, ELEMENT_F32};

static double loss_tolerance(const struct method *method, enum element element)
{
    return element == ELEMENT_F64 ? 1e-9 : (method->tolerance > 0 ? method->tolerance : 1e-5);
}

/* A finding: what was run, what came out. */
static void check(struct fixture *f, bool good, const struct method *method, const char *what, enum element element,
                  double got, double expected)
{
    if (good)
        return;
    f->failures++;
    fprintf(stderr, "FAIL %s, %s, %s: got %.17g, expected %.17g (seed %d)\n", method->name, what, element_text(element),
            got, expected, SEED);
}

static bool near(double got, double expected, double tolerance, double scale)
{
    return isfinite(got) && fabs(got - expected) <= tolerance * fmax(scale, fabs(expected));
}

static const void *bind_options(struct fixture *f, const struct method *method, const struct value *map)
{
    void *options = arena_take(f->arena, 1, method->options_size ? method->options_size : 1);
    assert_non_null(options);
    struct option_set set = {method->options, method->n_options};
    assert_int_equal(options_bind(&f->ctx, f->arena, set, map, method->name, options), STATUS_OK);
    return options;
}

/* Every so many elements of an array are compared, so that a large one does not take all the time. */
enum { COMPARED = 8 };
static int64_t compared_step(int64_t count)
{
    return count <= COMPARED ? 1 : count / COMPARED + 1;
}

/* check_slopes: got against differences of the reference, relative to the largest of them; in float32 also to the largest gradient so
 * far: what cancels in a sum (the gradient of a constant that changes nothing) keeps the rounding of its terms. */
static void check_slopes(struct fixture *f, const struct method *method, const double *got, const struct slope *slopes,
                         int64_t count, enum element element, const char *what)
{
    /* What bounds a gradient (small gaps) also magnifies rounding. */
    const double tolerance = element == ELEMENT_F64 ? fmax(1e-6, method->bounded) : fmax(1e-4, 50 * method->bounded);
    double scale = element == ELEMENT_F64 ? 1e-3 : fmax(1e-2, f->steepest);
    for (int64_t i = 0; i < count; i += compared_step(count))
        scale = fmax(scale, fabs(slopes[i].central));
    for (int64_t i = 0; i < count; i += compared_step(count)) {
        const bool kink = got[i] >= slopes[i].low - tolerance * scale && got[i] <= slopes[i].high + tolerance * scale;
        check(f, kink || near(got[i], slopes[i].central, tolerance, scale), method, what, element, got[i],
              slopes[i].central);
        f->steepest = fmax(f->steepest, fabs(got[i]));
    }
}

/* check_gradient: of results[e] in elements[e]; the differences are taken with the values of the first. */
static void check_gradient(struct fixture *f, const struct method *method, const void *options, struct arrays *arrays,
                           const struct method_result *results, const char *what)
{
    f->steepest = 0;
    for (int tap = 0; tap < arrays->n_student; tap++) {
        const int64_t count = shape_elements(&arrays->student_shape[tap]);
        struct slope *slopes = calloc((size_t)count, sizeof *slopes);
        assert_non_null(slopes);
        for (int64_t i = 0; i < count; i += compared_step(count))
            slopes[i] = method_slope(method, options, arrays, &results[0], tap, i);
        for (int e = 0; e < 2; e++)
            check_slopes(f, method, results[e].gradient[tap], slopes, count, elements[e], what);
        free(slopes);
    }
    const struct parameters *own = results[0].own;
    for (int entry = 0; entry < own->count; entry++) {
        const int64_t count = own->entries[entry].elements;
        struct slope *slopes = calloc((size_t)count, sizeof *slopes);
        double *got = calloc((size_t)count, sizeof *got);
        assert_true(slopes && got);
        for (int64_t i = 0; i < count && results[0].own_learns[entry]; i += compared_step(count))
            slopes[i] = method_own_slope(method, options, arrays, &results[0], entry, i);
        for (int e = 0; e < 2 && results[0].own_learns[entry]; e++) {
            for (int64_t i = 0; i < count; i++)
                got[i] = element_read(elements[e], parameters_gradient(results[e].own, entry), i);
            check_slopes(f, method, got, slopes, count, elements[e], own->entries[entry].name);
        }
        free(slopes);
        free(got);
    }
}

static void check_finite(struct fixture *f, const struct method *method, const struct arrays *arrays,
                         const struct method_result *result, enum element element, const char *what)
{
    for (int tap = 0; tap < arrays->n_student; tap++)
        for (int64_t i = 0; i < shape_elements(&arrays->student_shape[tap]); i++)
            check(f, isfinite(result->gradient[tap][i]), method, what, element, result->gradient[tap][i], 0);
    for (int entry = 0; entry < result->own->count; entry++)
        for (int64_t i = 0; result->own_learns[entry] && i < result->own->entries[entry].elements; i++) {
            const double got = element_read(element, parameters_gradient(result->own, entry), i);
            check(f, isfinite(got), method, result->own->entries[entry].name, element, got, 0);
        }
}

/* reference_jumps: moves by far more than the arrays do. They lie where the loss is not continuous (two equal singular values, whose
 * vectors any turn fits as well), and no value is right there. */
static bool reference_jumps(const struct method *method, const void *options, const struct arrays *arrays,
                            const struct method_result *result, double here)
{
    bool jumps = false;
    for (uint64_t draw = 0; draw < 8; draw++) {
        struct arrays moved = arrays_moved(arrays, 1e-9, SEED + draw);
        jumps |= !near(method_reference(method, options, &moved, result), here, 1e-4, 1);
        arrays_free(&moved);
    }
    return jumps;
}

/* check_loss: anywhere: where the reference jumps, it need only be finite. */
static void check_loss(struct fixture *f, const struct method *method, const void *options, const struct arrays *arrays,
                       const struct method_result *result, double expected, enum element element, const char *what,
                       bool anywhere)
{
    const bool good = near(result->loss, expected, loss_tolerance(method, element), 1);
    const bool jumps =
        !good && anywhere && isfinite(result->loss) && reference_jumps(method, options, arrays, result, expected);
    f->jumped |= jumps;
    check(f, good || jumps, method, what, element, result->loss, expected);
}

/* slopes: compare the gradients too; else they need only be finite. */
static void examine(struct fixture *f, const struct method *method, const struct value *map, struct arrays *arrays,
                    const char *what, bool slopes)
{
    const void *options = bind_options(f, method, map);
    struct method_result results[2];
    bool good = true;
    for (int e = 0; e < 2; e++) {
        results[e] = method_run(&f->ctx, f->kernels, method, options, arrays, elements[e], METHOD_GRADIENT);
        if (results[e].status != STATUS_OK) {
            f->failures++;
            good = false;
            fprintf(stderr, "FAIL %s, %s: %s\n", method->name, what, results[e].message);
            continue;
        }
        const double expected = method_reference(method, options, arrays, &results[e]);
        check_loss(f, method, options, arrays, &results[e], expected, elements[e], what, !slopes);
        check_finite(f, method, arrays, &results[e], elements[e], what);
        struct method_result forward =
            method_run(&f->ctx, f->kernels, method, options, arrays, elements[e], METHOD_FORWARD);
        check_loss(f, method, options, arrays, &forward, expected, elements[e], "the batch as a symbol", !slopes);
        method_result_free(&forward);
    }
    if (good && slopes)
        check_gradient(f, method, options, arrays, results, what);
    for (int e = 0; e < 2; e++)
        method_result_free(&results[e]);
}

/* make_arrays, make_uneven: of the teacher alone where that is asked for. */
static struct arrays make_arrays(const struct fixture *f, const struct method *method, enum arrays_fill fill, int batch,
                                 int classes, uint64_t seed)
{
    struct arrays arrays = arrays_new(method, fill, batch, classes, seed);
    if (f->alone)
        arrays_drop_student(&arrays);
    return arrays;
}

static struct arrays make_uneven(const struct fixture *f, const struct method *method, uint64_t seed)
{
    struct arrays arrays = arrays_uneven(method, BATCH, CLASSES, seed);
    if (f->alone)
        arrays_drop_student(&arrays);
    return arrays;
}

/* refused_in_words: an option may make sense only for some shapes or above so many classes; then the method says so. */
static bool refused_in_words(struct fixture *f, const struct method *method, const struct value *map,
                             const struct arrays *arrays)
{
    struct method_result result =
        method_run(&f->ctx, f->kernels, method, bind_options(f, method, map), arrays, ELEMENT_F64, METHOD_FORWARD);
    bool refused = (result.status == STATUS_BAD_INPUT || result.status == STATUS_BAD_SHAPE) &&
                   strstr(result.message, method->name) && strstr(result.message, "expected");
    method_result_free(&result);
    return refused;
}

/* for_each_of: `body` for every combination of option values that fits ordinary arrays. Returns for how many. */
static int for_each_of(struct fixture *f, const struct method *method,
                       void (*body)(struct fixture *, const struct method *, const struct value *map))
{
    int fitting = 0;
    struct option_grid grid = option_grid_new(f->arena, (struct option_set){method->options, method->n_options});
    struct arrays arrays = make_arrays(f, method, ARRAYS_NORMAL, BATCH, CLASSES, SEED);
    for (int64_t i = 0; i < grid.count; i++) {
        const struct value *map = option_grid_map(&grid, f->arena, i);
        /* The first one, the defaults, always fits taps of both sides. */
        if ((i == 0 && !f->alone) || !refused_in_words(f, method, map, &arrays)) {
            body(f, method, map);
            fitting++;
        }
    }
    arrays_free(&arrays);
    return fitting;
}

/* Runs `body` for every method, and once more with the teacher's taps alone where a method can do with them. */
static void for_each(struct fixture *f, void (*body)(struct fixture *, const struct method *, const struct value *map))
{
    for (size_t m = 0; m < method_table_count; m++) {
        const struct method *method = method_table[m];
        for_each_of(f, method, body);
        f->alone = arrays_may_lack_student(method);
        check(f, !f->alone || for_each_of(f, method, body) > 0, method, "the teacher alone", ELEMENT_F64, 0, 1);
        f->alone = false;
    }
    assert_int_equal(f->failures, 0);
}

static bool takes_labels(const struct method *method)
{
    return method->wants & (METHOD_WANTS_LABELS | METHOD_LABELS_IF_GIVEN);
}

static void normal(struct fixture *f, const struct method *method, const struct value *map)
{
    struct arrays arrays = make_arrays(f, method, ARRAYS_NORMAL, BATCH, CLASSES, SEED);
    examine(f, method, map, &arrays, "normal", true);
    check(f, f->steepest > 1e-4, method, "a gradient that is not zero", ELEMENT_F64, f->steepest, 1);
    if (takes_labels(method)) {
        arrays_drop_labels(&arrays, 2);
        examine(f, method, map, &arrays, "half the labels", true);
    }
    arrays_free(&arrays);
}

static void test_value_and_gradient_agree_with_the_reference(void **state)
{
    for_each(*state, normal);
}

static void uneven(struct fixture *f, const struct method *method, const struct value *map)
{
    struct arrays arrays = make_uneven(f, method, SEED + 8);
    if (!refused_in_words(f, method, map, &arrays))
        examine(f, method, map, &arrays, "uneven sizes, several pairs", true);
    arrays_free(&arrays);
}

static void test_student_and_teacher_may_have_other_sizes(void **state)
{
    struct fixture *f = *state;
    for (size_t m = 0; m < method_table_count; m++) {
        struct arrays arrays = arrays_uneven(method_table[m], BATCH, CLASSES, SEED + 8);
        check(f, !refused_in_words(f, method_table[m], NULL, &arrays), method_table[m], "uneven sizes", ELEMENT_F64, 1,
              0);
        arrays_free(&arrays);
    }
    for_each(f, uneven);
}

static void awkward(struct fixture *f, const struct method *method, const struct value *map)
{
    static const struct {
        enum arrays_fill fill;
        const char *name;
    } fills[] = {{ARRAYS_IDENTICAL, "identical"}, {ARRAYS_SATURATED, "saturated"}, {ARRAYS_CONSTANT, "constant"}};
    for (size_t i = 0; i < sizeof fills / sizeof fills[0]; i++) {
        struct arrays arrays = make_arrays(f, method, fills[i].fill, BATCH, CLASSES, SEED + 1);
        f->jumped = false;
        examine(f, method, map, &arrays, fills[i].name, false);
        if (f->jumped) {
            struct arrays moved = arrays_moved(&arrays, 1e-3, SEED);
            f->jumped = false;
            examine(f, method, map, &moved, fills[i].name, false);
            check(f, !f->jumped, method, "a loss that is continuous nearby", ELEMENT_F64, 1, 0);
            arrays_free(&moved);
        }
        arrays_free(&arrays);
    }
    struct arrays one = make_arrays(f, method, ARRAYS_NORMAL, method->batch_min, CLASSES, SEED + 2);
    examine(f, method, map, &one, "the smallest batch", true);
    if (takes_labels(method)) {
        arrays_drop_labels(&one, 1);
        examine(f, method, map, &one, "no sample has a label", false);
    }
    arrays_free(&one);
    struct arrays two = make_arrays(f, method, ARRAYS_NORMAL, 3, 2, SEED + 3);
    if (!refused_in_words(f, method, map, &two))
        examine(f, method, map, &two, "two classes", false);
    arrays_free(&two);
}

static void test_awkward_inputs_stay_finite_and_right(void **state)
{
    for_each(*state, awkward);
}

static void permuted(struct fixture *f, const struct method *method, const struct value *map)
{
    enum { SAMPLES = 5 }; /* a given array has no other axis of that size */
    static const int32_t order[SAMPLES] = {3, 0, 4, 1, 2};
    struct arrays arrays = make_arrays(f, method, ARRAYS_NORMAL, SAMPLES, CLASSES, SEED + 4);
    struct arrays other = arrays_permuted(&arrays, order);
    const void *options = bind_options(f, method, map);
    struct method_result a = method_run(&f->ctx, f->kernels, method, options, &arrays, ELEMENT_F64, METHOD_GRADIENT);
    struct method_result b = method_run(&f->ctx, f->kernels, method, options, &other, ELEMENT_F64, METHOD_GRADIENT);
    assert_int_equal(a.status, STATUS_OK);
    assert_int_equal(b.status, STATUS_OK);
    check(f, near(b.loss, a.loss, 1e-12, 1), method, "permuted samples", ELEMENT_F64, b.loss, a.loss);
    for (int tap = 0; tap < arrays.n_student; tap++) {
        int64_t row = shape_row(&arrays.student_shape[tap]);
        for (int64_t i = 0; i < SAMPLES * row; i++) {
            double expected = a.gradient[tap][order[i / row] * row + i % row];
            check(f, near(b.gradient[tap][i], expected, 1e-12, 1), method, "permuted samples", ELEMENT_F64,
                  b.gradient[tap][i], expected);
        }
    }
    method_result_free(&a);
    method_result_free(&b);
    arrays_free(&arrays);
    arrays_free(&other);
}

static void test_the_order_of_samples_does_not_matter(void **state)
{
    for_each(*state, permuted);
}

static void without_labels(struct fixture *f, const struct method *method, const struct value *map)
{
    struct arrays arrays = make_arrays(f, method, ARRAYS_NORMAL, BATCH, CLASSES, SEED + 5);
    arrays_drop_labels(&arrays, 0);
    const void *options = bind_options(f, method, map);
    struct method_result result =
        method_run(&f->ctx, f->kernels, method, options, &arrays, ELEMENT_F64, METHOD_FORWARD);
    if (method->wants & METHOD_WANTS_LABELS || (method->wants & METHOD_LABELS_IF_GIVEN && result.status != STATUS_OK)) {
        check(f, result.status == STATUS_BAD_INPUT && strstr(result.message, "labels"), method, "no labels",
              ELEMENT_F64, result.status, STATUS_BAD_INPUT);
    } else {
        double expected = method_reference(method, options, &arrays, &result);
        check(f, result.status == STATUS_OK && near(result.loss, expected, 1e-9, 1), method, "no labels", ELEMENT_F64,
              result.loss, expected);
    }
    method_result_free(&result);
    arrays_give_targets(&arrays, SEED);
    if (method->wants & METHOD_TAKES_TARGETS)
        examine(f, method, map, &arrays, "soft targets", true);
    arrays_free(&arrays);
}

static void test_labels_are_asked_for_where_they_are_needed(void **state)
{
    for_each(*state, without_labels);
}

/* What a combination of options gives: its loss, NaN where it is refused, and how many own arrays there are. */
struct outcome {
    double loss;
    int own;
};

/* grid_outcomes: at a second step, as an option may change what the first one leaves. */
static struct outcome *grid_outcomes(struct fixture *f, const struct method *method, const struct option_grid *grid,
                                     struct arrays *arrays)
{
    struct outcome *outcomes = calloc((size_t)grid->count, sizeof *outcomes);
    assert_non_null(outcomes);
    for (int64_t i = 0; i < grid->count; i++) {
        const struct value *map = option_grid_map(grid, f->arena, i);
        const void *options = bind_options(f, method, map);
        struct method_result result =
            method_run(&f->ctx, f->kernels, method, options, arrays, ELEMENT_F64, METHOD_SECOND);
        assert_true(result.status == STATUS_OK || refused_in_words(f, method, map, arrays));
        outcomes[i] = (struct outcome){result.status == STATUS_OK ? result.loss : NAN, result.own->count};
        method_result_free(&result);
    }
    return outcomes;
}

/* differ: own arrays of another number are a change too, where the loss does not see them at first (a batch norm in front of
 * a normalised channel). */
static bool differ(const struct outcome *a, const struct outcome *b)
{
    if (isfinite(a->loss) && isfinite(b->loss))
        return fabs(a->loss - b->loss) > 1e-6 || a->own != b->own;
    return isfinite(a->loss) != isfinite(b->loss);
}

static void test_every_option_changes_the_loss(void **state)
{
    struct fixture *f = *state;
    for (size_t m = 0; m < method_table_count; m++) {
        const struct method *method = method_table[m];
        struct option_grid grid = option_grid_new(f->arena, (struct option_set){method->options, method->n_options});
        struct arrays arrays[4];
        struct outcome *outcomes[4];
        int sets = 0;
        for (int alone = 0; alone <= arrays_may_lack_student(method); alone++) {
            f->alone = alone;
            arrays[sets] = make_arrays(f, method, ARRAYS_NORMAL, BATCH, CLASSES, SEED + 6);
            arrays[sets++].nothing_given = true; /* an option may say how to draw */
            arrays[sets++] = make_uneven(f, method, SEED + 6);
        }
        f->alone = false;
        for (int set = 0; set < sets; set++)
            outcomes[set] = grid_outcomes(f, method, &grid, &arrays[set]);
        for (size_t option = 0; option < grid.set.count; option++) {
            bool changes[GRID_VALUES] = {false};
            assert_true(grid.n_values[option] > 1);
            for (int64_t i = 0; i < grid.count; i++) {
                const int64_t next = option_grid_neighbour(&grid, i, option);
                for (int set = 0; set < sets; set++)
                    changes[option_grid_value(&grid, i, option)] |= differ(&outcomes[set][i], &outcomes[set][next]);
            }
            for (int v = 0; v < grid.n_values[option]; v++)
                check(f, changes[v], method, grid.set.specs[option].name, ELEMENT_F64, v, v + 1);
        }
        for (int set = 0; set < sets; set++) {
            free(outcomes[set]);
            arrays_free(&arrays[set]);
        }
    }
    assert_int_equal(f->failures, 0);
}

/* A case of its own for each kind of wrong tap: too few, too many, another width. */
static void test_taps_that_do_not_fit_are_refused(void **state)
{
    struct fixture *f = *state;
    for (size_t m = 0; m < method_table_count; m++) {
        const struct method *method = method_table[m];
        const void *options = bind_options(f, method, NULL);
        struct arrays arrays = arrays_new(method, ARRAYS_NORMAL, BATCH, CLASSES, SEED + 7);
        int given = arrays.n_student;
        arrays.n_student = 0;
        struct method_result result =
            method_run(&f->ctx, f->kernels, method, options, &arrays, ELEMENT_F64, METHOD_FORWARD);
        bool refused = result.status == STATUS_BAD_INPUT && strstr(result.message, method->name) &&
                       strstr(result.message, "found 0");
        check(f, refused || given == 0, method, "no student's tap", ELEMENT_F64, result.status, STATUS_BAD_INPUT);
        method_result_free(&result);
        arrays.n_student = given;
        for (int i = 0; i < method->n_inputs; i++)
            if (method->inputs[i].role == ROLE_LOGITS)
                arrays.classes = CLASSES + 1;
        if (arrays.classes != CLASSES) {
            result = method_run(&f->ctx, f->kernels, method, options, &arrays, ELEMENT_F64, METHOD_FORWARD);
            check(f, result.status == STATUS_BAD_SHAPE && strstr(result.message, "found [B,7]"), method,
                  "another number of classes", ELEMENT_F64, result.status, STATUS_BAD_SHAPE);
            method_result_free(&result);
        }
        arrays_free(&arrays);
    }
    assert_int_equal(f->failures, 0);
}

static void test_entries_are_complete(void **state)
{
    struct fixture *f = *state;
    for (size_t m = 0; m < method_table_count; m++) {
        const struct method *method = method_table[m];
        assert_true(method->summary && method->formula && method->paper && method->when && method->build &&
                    method->reference);
        assert_true(method->batch_min >= 1 && method->n_inputs >= 1);
        assert_ptr_equal(method_find(&f->ctx, method->name, NULL), method);
        for (size_t i = 0; i < method->n_options; i++)
            assert_true(method->options[i].help && strlen(method->options[i].help) > 10);
    }
    assert_null(method_find(&f->ctx, "kdd", NULL));
    assert_non_null(strstr(f->ctx.error.message, "no method \"kdd\"; nearest: \"kd\""));
    error_clear(&f->ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_entries_are_complete, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_value_and_gradient_agree_with_the_reference, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_student_and_teacher_may_have_other_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_awkward_inputs_stay_finite_and_right, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_order_of_samples_does_not_matter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_labels_are_asked_for_where_they_are_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_option_changes_the_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_taps_that_do_not_fit_are_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
