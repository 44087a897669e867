/* The golden cases (tests/golden: numbers made elsewhere, each checked by a second derivation): loss and gradients in
 * float64. */
#include "support/compare.h"
#include "support/method_case.h"

#include "base/arena.h"
#include "format/json.h"
#include "format/npy.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct context ctx;
    struct arena *arena;
    struct kernel_context *kernels;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    context_init(&fixture.ctx);
    fixture.arena = arena_new(&fixture.ctx);
    fixture.kernels = kernel_context_new(&fixture.ctx, 1);
    *state = &fixture;
    return !fixture.arena || !fixture.kernels;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    kernel_context_free(f->kernels);
    return 0;
}

/* The numbers of DIR/NAME, the caller's. */
static double *read_array(struct fixture *f, const char *dir, const struct value *name, struct shape *shape)
{
    struct npy npy;
    assert_non_null(name);
    if (npy_read(&f->ctx, arena_format(f->arena, "%s/%s", dir, name->text), &npy) != STATUS_OK)
        fail_msg("%s", f->ctx.error.message);
    int64_t count = shape_elements(&npy.shape);
    double *values = calloc((size_t)count + 1, sizeof(double));
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] = element_read(npy.element, npy.data, i);
    *shape = npy.shape;
    npy_free(&f->ctx, &npy);
    return values;
}

static int read_list(struct fixture *f, const char *dir, const struct value *names, struct shape *shapes,
                     double **values)
{
    size_t count = names ? names->count : 0;
    assert_true(count <= ARRAYS_MAX);
    for (size_t i = 0; i < count; i++)
        values[i] = read_array(f, dir, names->items[i], &shapes[i]);
    return (int)count;
}

static struct arrays read_arrays(struct fixture *f, const char *dir, const struct value *described)
{
    struct arrays arrays = {0};
    struct shape shape;
    arrays.n_student = read_list(f, dir, value_get(described, "student"), arrays.student_shape, arrays.student);
    arrays.n_teacher = read_list(f, dir, value_get(described, "teacher"), arrays.teacher_shape, arrays.teacher);
    arrays.batch = (int)arrays.student_shape[0].dim[0];
    arrays.classes = (int)arrays.student_shape[0].dim[1];
    if (value_get(described, "labels")) {
        double *labels = read_array(f, dir, value_get(described, "labels"), &shape);
        arrays.labels = calloc((size_t)arrays.batch, sizeof(int32_t));
        assert_non_null(arrays.labels);
        assert_int_equal(shape.dim[0], arrays.batch);
        for (int b = 0; b < arrays.batch; b++)
            arrays.labels[b] = (int32_t)labels[b];
        free(labels);
    }
    return arrays;
}

/* Returns how many numbers were wrong. */
static int64_t run_case(struct fixture *f, const char *dir)
{
    struct value *described;
    if (json_read(&f->ctx, f->arena, arena_format(f->arena, "%s/case.json", dir), &described) != STATUS_OK)
        fail_msg("%s", f->ctx.error.message);
    const struct method *method = method_find(&f->ctx, value_get(described, "method")->text, NULL);
    if (!method || value_get(described, "own"))
        fail_msg("%s: %s", dir, method ? "own arrays are not understood here yet" : f->ctx.error.message);
    void *options = arena_take(f->arena, 1, method->options_size + 1);
    struct option_set set = {method->options, method->n_options};
    if (options_bind(&f->ctx, f->arena, set, value_get(described, "options"), method->name, options) != STATUS_OK)
        fail_msg("%s: %s", dir, f->ctx.error.message);

    struct arrays arrays = read_arrays(f, dir, described);
    struct method_result result =
        method_run(&f->ctx, f->kernels, method, options, &arrays, ELEMENT_F64, METHOD_GRADIENT);
    if (result.status != STATUS_OK)
        fail_msg("%s: %s", dir, result.message);
    double expected = value_get(described, "loss")->real;
    int64_t wrong = compare_numbers(stderr, dir, 1, &expected, &result.loss, 1e-9, 1e-3);
    struct value *gradients = value_get(described, "student_grad");
    assert_int_equal(gradients->count, arrays.n_student);
    for (int i = 0; i < arrays.n_student; i++) {
        struct shape shape;
        double *gradient = read_array(f, dir, gradients->items[i], &shape);
        assert_true(shape_equal(&shape, &arrays.student_shape[i]));
        wrong += compare_numbers(stderr, arena_format(f->arena, "%s: gradient %d", dir, i), shape_elements(&shape),
                                 gradient, result.gradient[i], 2e-7, 1e-3); /* the files hold float32 */
        free(gradient);
    }
    method_result_free(&result);
    arrays_free(&arrays);
    return wrong;
}

static void test_golden_cases_agree(void **state)
{
    struct fixture *f = *state;
    const char *source = getenv("RETORT_SOURCE");
    const char *folder = arena_format(f->arena, "%s/tests/golden", source ? source : ".");
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int cases = 0;
    int64_t wrong = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        wrong += run_case(f, arena_format(f->arena, "%s/%s", folder, entry->d_name));
        cases++;
    }
    closedir(dir);
    assert_int_equal(wrong, 0);
    assert_true(cases >= 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_golden_cases_agree, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
