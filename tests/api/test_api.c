/* test_api.c: what include/retort.h says, sentence by sentence, as a user of the library would find it. */
#include "support/small_files.h"

#include <retort.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void write_data(void)
{
    small_files_put();
    text_put("recipe.yaml", SMALL_DATA "teacher: {network: {name: mlp, widths: [8]}, train: {epochs: 2, batch: 10}}\n"
                                       "student: {network: {name: mlp, widths: [4]}, train: {epochs: 2, batch: 10}}\n"
                                       "seeds: [0, 1]\n");
}

struct seen {
    int calls, finished, epochs, inside;
    bool overlapped;
};

static void see(void *user, const struct retort_progress *at)
{
    struct seen *seen = user;
    seen->overlapped = seen->overlapped || seen->inside != 0;
    seen->inside++;
    seen->calls++;
    seen->finished += at->finished;
    seen->epochs += at->epoch_end;
    assert_non_null(at->stage);
    assert_true(at->step <= at->steps && at->epoch <= at->epochs);
    seen->inside--;
}

struct lines {
    int count;
    char last[256];
};

static void keep_line(void *user, enum retort_log_level level, const char *line)
{
    struct lines *lines = user;
    assert_true(level == RETORT_LOG_WARNING || level == RETORT_LOG_INFO);
    assert_null(strchr(line, '\n'));
    lines->count++;
    snprintf(lines->last, sizeof lines->last, "%s", line);
}

/* --- tests --- */

static void test_version_and_status_texts(void **state)
{
    (void)state;
    int parts[3];
    assert_int_equal(sscanf(retort_version(), "%d.%d.%d", &parts[0], &parts[1], &parts[2]), 3);
    assert_string_equal(retort_status_text(RETORT_OK), "done");
    assert_string_equal(retort_status_text(RETORT_USAGE), "wrong params, options or recipe");
    assert_string_equal(retort_status_text((enum retort_status)99), "unknown status");
    retort_context_free(NULL);
    retort_result_free(NULL);
}

static void test_error_stays_until_the_next_call(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    assert_non_null(context);
    assert_string_equal(retort_error(context), "");
    struct retort_list_params params = retort_list_defaults();
    struct retort_result *result = (struct retort_result *)&params; /* is set in any case */
    params.kind = "metods";
    assert_int_equal(retort_list(context, &params, &result), RETORT_USAGE);
    assert_null(result);
    assert_non_null(strstr(retort_error(context), "nearest: \"methods\""));
    assert_null(strchr(retort_error(context), '\n'));
    assert_false(retort_error_has_position(context));
    params.kind = "methods";
    assert_int_equal(retort_list(context, &params, &result), RETORT_OK);
    assert_string_equal(retort_error(context), "");
    retort_context_free(context);
    /* A result is independent of its context. */
    const struct retort_value *root = retort_result_root(result);
    assert_int_equal(retort_value_kind(root), RETORT_LIST);
    assert_string_equal(retort_value_text(retort_value_get(root, "0.name")), "labels");
    assert_null(retort_result_folder(result));
    retort_result_free(result);
}

static void test_missing_params_are_usage(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_result *result = NULL;
    struct retort_distill_params distill = retort_distill_defaults();
    struct retort_eval_params eval = retort_eval_defaults();
    struct retort_predict_params predict = retort_predict_defaults();
    struct retort_record_params record = retort_record_defaults();
    struct retort_inspect_params inspect = retort_inspect_defaults();
    struct retort_loss_params loss = retort_loss_defaults();
    struct retort_help_params help = retort_help_defaults();
    struct retort_report_params report = retort_report_defaults();
    assert_string_equal(eval.split, "test");
    assert_string_equal(inspect.network, "student");
    assert_int_equal(retort_distill(context, &distill, &result), RETORT_USAGE);
    distill.resume = true;
    assert_int_equal(retort_distill(context, &distill, &result), RETORT_USAGE);
    assert_int_equal(retort_eval(context, &eval, &result), RETORT_USAGE);
    assert_int_equal(retort_predict(context, &predict, &result), RETORT_USAGE);
    assert_int_equal(retort_record(context, &record, &result), RETORT_USAGE);
    assert_int_equal(retort_inspect(context, &inspect, &result), RETORT_USAGE);
    assert_int_equal(retort_loss(context, &loss, &result), RETORT_USAGE);
    assert_int_equal(retort_help(context, &help, &result), RETORT_USAGE);
    assert_int_equal(retort_report(context, &report, &result), RETORT_USAGE);
    const char *folders[] = {"a", "b"};
    report.folders = folders;
    report.folder_count = 2;
    assert_int_equal(retort_report(context, &report, &result), RETORT_USAGE);
    assert_null(result);
    retort_context_free(context);
}

static void test_values_read_like_null_where_there_is_nothing(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_list_params params = retort_list_defaults();
    struct retort_result *result = NULL;
    params.kind = "methods";
    assert_int_equal(retort_list(context, &params, &result), RETORT_OK);
    const struct retort_value *root = retort_result_root(result), *none = retort_value_get(root, "0.no.such.path");
    assert_null(none);
    assert_int_equal(retort_value_kind(none), RETORT_NULL);
    assert_int_equal(retort_value_count(none), 0);
    assert_null(retort_value_child(none, 0));
    assert_null(retort_value_key(none, 0));
    assert_null(retort_value_text(none));
    assert_null(retort_value_get(none, "a"));
    assert_true(isnan(retort_value_number(none)));
    assert_int_equal(retort_value_integer(none), 0);
    assert_false(retort_value_boolean(none));
    size_t count = retort_value_count(root);
    assert_true(count >= 3);
    assert_null(retort_value_child(root, count));
    const struct retort_value *first = retort_value_child(root, 0);
    assert_int_equal(retort_value_kind(first), RETORT_MAP);
    assert_string_equal(retort_value_key(first, 0), "name");
    assert_null(retort_value_key(root, 0)); /* a list has no keys */
    assert_null(retort_value_text(root));
    retort_result_free(result);
    retort_context_free(context);
}

static void test_formats_agree(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_list_params params = retort_list_defaults();
    struct retort_result *result = NULL;
    assert_int_equal(retort_list(context, &params, &result), RETORT_OK);
    static const char *const begins[] = {"name ", "[\n", "name,singular,summary\n"};
    for (int format = RETORT_TEXT_FORMAT; format <= RETORT_CSV_FORMAT; format++) {
        char *text = retort_result_string(result, (enum retort_format)format), read[8192] = "";
        assert_non_null(text);
        assert_int_equal(strncmp(text, begins[format], strlen(begins[format])), 0);
        assert_int_equal(text[strlen(text) - 1], '\n');
        FILE *file = tmpfile();
        assert_non_null(file);
        assert_int_equal(retort_result_write(result, (enum retort_format)format, file), RETORT_OK);
        rewind(file);
        read[fread(read, 1, sizeof read - 1, file)] = '\0';
        assert_string_equal(read, text);
        fclose(file);
        free(text);
    }
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(retort_result_write(result, RETORT_TEXT_FORMAT, full), RETORT_IO);
    fclose(full);
    retort_result_free(result);
    retort_context_free(context);
}

static void test_run_from_recipe_to_report(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_distill_params params = retort_distill_defaults();
    struct retort_result *result = NULL;
    struct seen seen = {0};
    struct lines lines = {0};
    write_data();
    retort_set_threads(context, 2);
    retort_set_log(context, RETORT_LOG_INFO, keep_line, &lines);
    params.recipe = "recipe.yaml";
    params.folder = "run";
    params.progress = see;
    params.user = &seen;
    assert_int_equal(retort_distill(context, &params, &result), RETORT_OK);
    assert_string_equal(retort_error(context), "");
    assert_int_equal(seen.finished, 5); /* teacher, and for two seeds alone and distilled */
    assert_true(seen.epochs >= 10 && !seen.overlapped);
    assert_true(lines.count >= 1); /* that the teacher's outputs are recorded */
    assert_string_equal(retort_result_folder(result), "run");
    const struct retort_value *root = retort_result_root(result);
    assert_int_equal(retort_value_integer(retort_value_get(root, "format")), 1);
    assert_int_equal(retort_value_count(retort_value_get(root, "stages")), 5);
    assert_int_equal(access("run/report.html", R_OK), 0);
    char *text = retort_result_string(result, RETORT_TEXT_FORMAT);
    assert_non_null(strstr(text, "verdict"));
    free(text);
    retort_result_free(result);

    /* A folder with a run in it is refused; the run in it is not touched. */
    assert_int_equal(retort_distill(context, &params, &result), RETORT_USAGE);
    assert_null(result);
    struct retort_report_params report = retort_report_defaults();
    const char *folders[] = {"run"};
    report.folders = folders;
    report.folder_count = 1;
    assert_int_equal(unlink("run/report.html"), 0);
    assert_int_equal(retort_report(context, &report, &result), RETORT_OK);
    assert_string_equal(retort_value_text(retort_value_get(retort_result_root(result), "report")), "run/report.html");
    assert_int_equal(access("run/report.html", R_OK), 0);
    retort_result_free(result);
    retort_context_free(context);
}

static void test_models_are_measured(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_eval_params params = retort_eval_defaults();
    struct retort_predict_params predict = retort_predict_defaults();
    struct retort_record_params record = retort_record_defaults();
    struct retort_inspect_params inspect = retort_inspect_defaults();
    struct retort_result *result = NULL;
    const char *models[] = {"run/models/student.safetensors", "run/models/alone-1.safetensors"};
    params.models = models;
    params.model_count = 1;
    params.data = "recipe.yaml";
    assert_int_equal(retort_eval(context, &params, &result), RETORT_OK);
    double accuracy = retort_value_number(retort_value_get(retort_result_root(result), "accuracy"));
    assert_true(accuracy >= 0 && accuracy <= 1);
    assert_int_equal(retort_value_integer(retort_value_get(retort_result_root(result), "samples")), SMALL_SAMPLES);
    retort_result_free(result);
    params.early_exit = true;
    params.threshold = 1.5;
    assert_int_equal(retort_eval(context, &params, &result), RETORT_USAGE);
    assert_string_equal(retort_error(context), "threshold: expected a probability in [0,1], found 1.5");
    params.threshold = 0.5; /* the model has no exits */
    assert_int_equal(retort_eval(context, &params, &result), RETORT_USAGE);
    record.of = params;
    record.of.split = NULL;
    record.out = "logits.npz";
    assert_int_equal(retort_record(context, &record, &result), RETORT_USAGE);
    params.early_exit = false;
    params.model_count = 2;
    params.combine = RETORT_MEAN_LOGIT;
    predict.of = params;
    predict.out = "logits.npy";
    assert_int_equal(retort_predict(context, &predict, &result), RETORT_OK);
    assert_int_equal(retort_value_integer(retort_value_get(retort_result_root(result), "classes")), 3);
    retort_result_free(result);
    record.of = params;
    record.out = "logits.npz";
    assert_int_equal(retort_record(context, &record, &result), RETORT_USAGE); /* it takes no split */
    record.of.split = NULL;
    record.top = -1;
    assert_int_equal(retort_record(context, &record, &result), RETORT_USAGE);
    record.top = 2;
    assert_int_equal(retort_record(context, &record, &result), RETORT_OK);
    assert_int_equal(retort_value_integer(retort_value_get(retort_result_root(result), "samples")), SMALL_SAMPLES);
    assert_string_equal(retort_value_text(retort_value_get(retort_result_root(result), "arrays.0.name")),
                        "top_classes");
    retort_result_free(result);
    inspect.path = models[0];
    assert_int_equal(retort_inspect(context, &inspect, &result), RETORT_OK);
    assert_true(retort_value_integer(retort_value_get(retort_result_root(result), "parameters")) > 0);
    retort_result_free(result);
    text_put("broken.safetensors", "this is not a model");
    models[0] = "broken.safetensors";
    params.model_count = 1;
    assert_int_equal(retort_eval(context, &params, &result), RETORT_BAD_FILE);
    models[0] = "missing.safetensors";
    assert_int_equal(retort_eval(context, &params, &result), RETORT_IO);
    models[0] = "run/models/student.safetensors";
    params.split = "everything";
    assert_int_equal(retort_eval(context, &params, &result), RETORT_USAGE);
    retort_context_free(context);
}

static void test_recipe_errors_have_a_position(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_distill_params params = retort_train_defaults();
    struct retort_result *result = NULL;
    text_put("wrong.yaml", "data: {name: fashion-mnist}\nstudnet: {}\n");
    params.recipe = "wrong.yaml";
    assert_int_equal(retort_train(context, &params, &result), RETORT_USAGE);
    assert_true(retort_error_has_position(context));
    assert_int_equal(strncmp(retort_error(context), "wrong.yaml:2:1: ", 16), 0);
    retort_context_free(context);
}

/* A flag that is set after some progress, as a signal handler would. */
static volatile sig_atomic_t stop;

static void stop_soon(void *user, const struct retort_progress *at)
{
    (void)user;
    (void)at;
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
}

static void test_cancelled_run_can_be_resumed(void **state)
{
    (void)state;
    struct retort_context *context = retort_context_new();
    struct retort_distill_params params = retort_train_defaults();
    struct retort_result *result = NULL;
    retort_set_log(context, RETORT_LOG_QUIET, NULL, NULL);
    retort_set_cancel(context, &stop);
    params.recipe = "recipe.yaml";
    params.folder = "cancelled";
    params.progress = stop_soon;
    stop = 0;
    const char *sets[] = {"student.train.epochs=20"};
    params.sets = sets;
    params.set_count = 1;
    assert_int_equal(retort_train(context, &params, &result), RETORT_CANCELLED);
    assert_null(result);
    assert_non_null(strstr(retort_error(context), "--resume cancelled"));
    params = retort_train_defaults();
    params.resume = true;
    params.folder = "cancelled";
    retort_set_cancel(context, NULL);
    assert_int_equal(retort_train(context, &params, &result), RETORT_OK);
    assert_int_equal(retort_value_count(retort_value_get(retort_result_root(result), "stages")), 2);
    retort_result_free(result);
    retort_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_and_status_texts),
        cmocka_unit_test(test_error_stays_until_the_next_call),
        cmocka_unit_test(test_missing_params_are_usage),
        cmocka_unit_test(test_values_read_like_null_where_there_is_nothing),
        cmocka_unit_test(test_formats_agree),
        cmocka_unit_test(test_run_from_recipe_to_report),
        cmocka_unit_test(test_models_are_measured),
        cmocka_unit_test(test_recipe_errors_have_a_position),
        cmocka_unit_test(test_cancelled_run_can_be_resumed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
