/* test_sweep.c: retort_sweep, as a user of the library would find it. */
#include "support/small_files.h"

#include <retort.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
    int finished, teachers, recordings, failures;
};

static void see(void *user, const struct retort_progress *at)
{
    struct seen *seen = user;
    assert_non_null(strchr(at->stage, '/'));
    seen->finished += at->finished;
    seen->teachers += at->finished && strstr(at->stage, "/teacher") != NULL;
}

static void keep_line(void *user, enum retort_log_level level, const char *line)
{
    struct seen *seen = user;
    (void)level;
    seen->recordings += strstr(line, "recording ") == line;
    seen->failures += strstr(line, "failed: ") != NULL;
}

static void write_data(void)
{
    small_files_put();
    text_put("recipe.yaml", SMALL_DATA "teacher: {network: {name: mlp, widths: [8]}, train: {epochs: 2, batch: 10}}\n"
                                       "student: {network: {name: mlp, widths: [4]}, train: {epochs: 2, batch: 10}}\n"
                                       "baseline: false\n");
}

static void test_what_is_shared_is_done_once(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_sweep_params params = retort_sweep_defaults();
    struct retort_result *result = NULL;
    struct seen seen = {0};
    const char *recipes[] = {"recipe.yaml"};
    /* Two that read the logits, two that read a layer as well. */
    const char *sets[] = {
        "distill.losses=[{method: kd}],[{method: kd, temperature: 2}],[{method: sp, student: [linear1], "
        "teacher: [linear1]}],[{method: sp, student: [linear1], teacher: [linear1], weight: 2}]"};
    write_data();
    retort_set_log(context, RETORT_LOG_INFO, keep_line, &seen);
    params.recipes = recipes;
    params.recipe_count = 1;
    params.sets = sets;
    params.set_count = 1;
    params.folder = "sweep";
    params.progress = see;
    params.user = &seen;
    enum retort_status status = retort_sweep(context, &params, &result);
    assert_string_equal(retort_error(context), "");
    assert_int_equal(status, RETORT_OK);
    assert_int_equal(seen.teachers, 1);
    assert_int_equal(seen.finished, 5);
    assert_int_equal(seen.recordings, 2); /* for the logits once, for the layer once */
    const struct retort_value *root = retort_result_root(result);
    assert_string_equal(retort_result_folder(result), "sweep");
    assert_int_equal(retort_value_count(retort_value_get(root, "runs")), 4);
    assert_int_equal(retort_value_integer(retort_value_get(root, "failed")), 0);
    assert_int_equal(access(retort_value_text(retort_value_get(root, "report")), R_OK), 0);
    retort_result_free(result);

    /* The same params again go on with what they began. */
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_OK);
    assert_int_equal(seen.finished, 5);
    retort_result_free(result);
    retort_context_free(context);
}

static void test_a_failure_is_the_run_s(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_sweep_params params = retort_sweep_defaults();
    struct retort_result *result = NULL;
    struct seen seen = {0};
    const char *recipes[] = {"recipe.yaml"}, *sets[] = {"student.train.optimiser.rate=1e6,0.1"};
    write_data();
    retort_set_log(context, RETORT_LOG_WARNING, keep_line, &seen);
    params.recipes = recipes;
    params.recipe_count = 1;
    params.sets = sets;
    params.set_count = 1;
    params.folder = "failing";
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_OK);
    assert_int_equal(seen.failures, 1);
    const struct retort_value *root = retort_result_root(result);
    assert_int_equal(retort_value_integer(retort_value_get(root, "failed")), 1);
    assert_non_null(strstr(retort_value_text(retort_value_get(root, "runs.0.error")), "not finite"));
    assert_int_equal(retort_value_kind(retort_value_get(root, "runs.1.error")), RETORT_NULL);
    retort_result_free(result);
    retort_context_free(context);
}

static void test_wrong_params_are_usage(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_sweep_params params = retort_sweep_defaults();
    struct retort_result *result = NULL;
    const char *recipes[] = {"recipe.yaml"};
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_USAGE); /* no recipe */
    params.recipes = recipes;
    params.recipe_count = 1;
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_USAGE); /* no folder */
    params.folder = "none";
    params.resume = true;
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_USAGE); /* a recipe, and resume */
    params.recipe_count = 0;
    params.force = true;
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_USAGE); /* resume and force */
    params.force = false;
    assert_int_equal(retort_sweep(context, &params, &result), RETORT_IO); /* nothing there */
    assert_null(result);
    retort_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_shared_is_done_once),
        cmocka_unit_test(test_a_failure_is_the_run_s),
        cmocka_unit_test(test_wrong_params_are_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
