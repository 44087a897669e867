/* test_extend_errors.c: what is said about methods and layers from outside that are wrong. */
#include "api/call.h"
#include "support/outside_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* --- builders on what does not fit them --- */

enum { MISUSES = 20 };

static struct retort_node *misuse_build(const struct retort_method_site *site)
{
    const int *which = site->user, axes[] = {7, -9};
    struct retort_graph *graph = site->graph;
    struct retort_node *x = site->student[0], *one = retort_op_scalar(graph, 1), *pair[] = {x, x};
    struct retort_node *row = retort_op_row_sum(x);
    switch (*which) {
    case 0:
        return retort_op_mean_all(retort_op_sum(x, 1u << 5, false));
    case 1:
        return retort_op_mean_all(retort_op_concat(2, pair, 9));
    case 2:
        return retort_op_mean_all(retort_op_transpose(x, axes));
    case 3:
        return retort_op_mean_all(retort_op_matmul(row, x, false, false));
    case 4:
        return retort_op_mean_all(retort_op_match(x, x));
    case 5:
        return retort_op_mean_all(retort_op_one_hot(x, 3));
    case 6:
        return retort_op_mean_all(retort_op_linear(x, one));
    case 7:
        return retort_op_mean_all(retort_op_argmax(one));
    case 8:
        return retort_op_mean_all(retort_op_global_average_pool(x));
    case 9:
        return retort_op_mean_all(retort_op_flatten(one));
    case 10:
        return retort_op_mean_all(retort_op_slice(x, 5, 0, 1, 1));
    case 11:
        return retort_op_mean_all(retort_op_slice(x, 1, 3, 2, 1));
    case 12:
        return retort_op_mean_all(retort_op_adaptive_average_pool(x, 0, 0));
    case 13:
        return retort_op_mean_all(retort_op_cross_entropy(x, x, 0));
    case 14:
        return retort_op_mean_all(retort_op_reshape(x, (struct retort_shape){1, {5}}));
    case 15:
        return retort_op_mean_all(retort_op_reshape(x, (struct retort_shape){1, {0}}));
    case 16:
        return retort_op_mean_all(retort_op_cross_entropy_soft(x, row));
    case 17:
        return retort_op_mean_all(retort_op_where(x, row, x));
    case 18:
        return retort_parameter(site->own, "w", (struct retort_shape){0, {0}}, (enum retort_init)9, 0);
    default:
        return retort_op_mean_all(retort_op_concat(99, pair, 0));
    }
}

static void test_builders_refuse_what_does_not_fit(void **state)
{
    (void)state;
    double s[B * K], t[B * K];
    arrays_put(s, t);
    for (int which = 0; which < MISUSES; which++) {
        struct retort_context *context = context_with_build(misuse_build, &which);
        struct retort_result *result = NULL;
        struct retort_loss_params params = loss_params("built");
        enum retort_status status = retort_loss(context, &params, &result);
        if (status != RETORT_USAGE || strstr(retort_error(context), "did not say why") != NULL)
            print_error("case %d: %s\n", which, retort_error(context));
        assert_int_equal(status, RETORT_USAGE);
        assert_null(strstr(retort_error(context), "did not say why"));
        retort_context_free(context);
    }
}

/* --- what goes wrong while building --- */

static struct retort_node *silent_build(const struct retort_method_site *site)
{
    (void)site;
    return NULL;
}

static struct retort_node *rows_build(const struct retort_method_site *site)
{
    return retort_op_row_sum(site->student[0]);
}

static struct retort_node *reason_build(const struct retort_method_site *site)
{
    return retort_fail(site->graph, "this method is tired");
}

static struct retort_node *shapes_build(const struct retort_method_site *site)
{
    struct retort_node *sum = retort_op_add(site->student[0], retort_op_slice(site->teacher[0], 1, 0, 3, 1));
    return retort_op_mean_all(retort_op_square(sum));
}

static struct retort_node *batch_build(const struct retort_method_site *site)
{
    struct retort_shape shape = {2, {RETORT_BATCH, 3}};
    return retort_op_mean_all(retort_parameter(site->own, "w", shape, RETORT_INIT_ZERO, 0));
}

static struct retort_node *rank_build(const struct retort_method_site *site)
{
    return retort_op_mean_all(retort_op_reshape(site->student[0], (struct retort_shape){7, {1}}));
}

static struct retort_node *name_build(const struct retort_method_site *site)
{
    return retort_parameter(site->own, "a.b", (struct retort_shape){0, {0}}, RETORT_INIT_ZERO, 0);
}

static struct retort_node *update_build(const struct retort_method_site *site)
{
    return retort_update(site->own, site->student[0], site->student[0]);
}

static struct retort_node *weight_build(const struct retort_method_site *site)
{
    return retort_op_mean_all(retort_op_convolution(site->student[0], site->student[0], NULL));
}

static void test_what_goes_wrong_in_build_is_said(void **state)
{
    (void)state;
    const struct {
        struct retort_node *(*build)(const struct retort_method_site *site);
        const char *message;
    } cases[] = {
        {silent_build, "method odd built nothing and did not say why"},
        {rows_build, "method odd: expected a scalar from its build, found [3]"},
        {reason_build, "this method is tired"},
        {shapes_build, "[3,4]"},
        {batch_build, "w: expected a shape without the batch"},
        {rank_build, "a shape has 0 to 6 axes, found 7"},
        {name_build, "found \"a.b\""},
        {update_build, "expected a node of retort_state"},
        {weight_build, "expected a weight [O,I,H,W], found [3,4]"},
    };
    double s[B * K], t[B * K];
    arrays_put(s, t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct retort_context *context = retort_context_new();
        struct retort_result *result = NULL;
        struct retort_method method = weigh_method();
        struct retort_loss_params params = loss_params("odd");
        method.name = "odd";
        method.build = cases[i].build;
        assert_int_equal(retort_register_method(context, &method), RETORT_OK);
        assert_int_equal(retort_loss(context, &params, &result), RETORT_USAGE);
        assert_null(result);
        if (strstr(retort_error(context), cases[i].message) == NULL)
            print_error("expected \"%s\", found \"%s\"\n", cases[i].message, retort_error(context));
        assert_non_null(strstr(retort_error(context), cases[i].message));
        retort_context_free(context);
    }
}

/* --- what is refused --- */

static void method_refused(struct retort_context *context, const struct retort_method *method, const char *message)
{
    assert_int_equal(retort_register_method(context, method), RETORT_USAGE);
    if (strstr(retort_error(context), message) == NULL)
        print_error("expected \"%s\", found \"%s\"\n", message, retort_error(context));
    assert_non_null(strstr(retort_error(context), message));
}

static void option_refused(struct retort_context *context, struct retort_option option, const char *message)
{
    struct retort_method method = weigh_method();
    const struct retort_option options[] = {weigh_specs[0], option};
    method.name = "another";
    method.options = options;
    method_refused(context, &method, message);
}

static void test_methods_that_cannot_be_right_are_refused(void **state)
{
    (void)state;
    struct retort_context *context = context_with_both();
    struct retort_method method = weigh_method();
    method_refused(context, &method, "there is a method \"weigh\" already");
    method.name = "kd";
    method_refused(context, &method, "there is a method \"kd\" already");
    method.name = "a method";
    method_refused(context, &method, "found \"a method\"");
    method.name = NULL;
    method_refused(context, &method, "found \"\"");
    method.name = "another";
    method.summary = NULL;
    method_refused(context, &method, "expected a summary");
    method = weigh_method();
    method.name = "another";
    method.build = NULL;
    method_refused(context, &method, "expected a build function");
    method.build = weight_build;
    method.input_count = 0;
    method_refused(context, &method, "expected 1 to 64 inputs, found 0");
    struct retort_method_input wrong[] = {{"logits", RETORT_LOGITS, RETORT_STUDENT, 2, 1}};
    method.inputs = wrong;
    method.input_count = 1;
    method_refused(context, &method, "input 0");
    method = weigh_method();
    method.name = "another";
    method.family = (enum retort_family)7;
    method_refused(context, &method, "there is no family 7");

    struct retort_option option = weigh_specs[1];
    option.name = "weight";
    option_refused(context, option, "cannot be called \"weight\"");
    option.name = "sign";
    option_refused(context, option, "two options are called \"sign\"");
    option.name = "";
    option_refused(context, option, "an option's name");
    option = weigh_specs[1];
    option.offset = sizeof(struct weigh_options) - 8;
    option_refused(context, option, "inside of the");
    option.offset = 4;
    option_refused(context, option, "inside of the");
    option = weigh_specs[1];
    option.initial = "many";
    option_refused(context, option, "found \"many\"");
    option.initial = "11";
    option_refused(context, option, "in [0, 10]");
    option = weigh_specs[1];
    option.help = NULL;
    option_refused(context, option, "expected a help text");
    option.type = (enum retort_option_type)99;
    option_refused(context, option, "there is no type of options 99");
    option = weigh_specs[0];
    option.name = "other";
    option.choices = NULL;
    option_refused(context, option, "a choice without choices");
    retort_context_free(context);
}

static void layer_refused(struct retort_context *context, const struct retort_layer *layer, const char *message)
{
    assert_int_equal(retort_register_layer(context, layer), RETORT_USAGE);
    assert_non_null(strstr(retort_error(context), message));
}

static void test_layers_that_cannot_be_right_are_refused(void **state)
{
    (void)state;
    struct retort_context *context = context_with_both();
    struct retort_layer layer = mix_layer;
    layer_refused(context, &layer, "there is a layer \"mix\" already");
    layer.name = "conv";
    layer_refused(context, &layer, "there is a layer \"conv\" already");
    layer.name = "residual";
    layer_refused(context, &layer, "there is a block \"residual\" already");
    layer.name = "inputs";
    layer_refused(context, &layer, "cannot be called \"inputs\"");
    layer.name = "another";
    layer.inputs_min = 3;
    layer_refused(context, &layer, "from inputs_min to inputs_max");
    layer = mix_layer;
    layer.name = "another";
    layer.build = NULL;
    layer_refused(context, &layer, "expected a build function");
    retort_context_free(context);
}

/* A layer that gives no batch, in a recipe. */
static struct retort_node *scalar_build(const struct retort_layer_site *site)
{
    return retort_op_sum_all(site->inputs[0]);
}

static struct retort_node *store_build(const struct retort_layer_site *site)
{
    retort_store(site->own, "rows", (struct retort_shape){1, {2}});
    return NULL;
}

static void test_a_layer_has_to_give_a_batch_and_has_no_store(void **state)
{
    (void)state;
    small_files_put();
    text_put("recipe.yaml",
             SMALL_DATA "student: {network: {layers: [flatten, squash, {linear: {out: 3}}]}, train: {batch: 10}}\n");
    struct retort_context *context = retort_context_new();
    struct retort_result *result = NULL;
    struct retort_layer layer = {.name = "squash", .summary = "to one number", .build = scalar_build};
    struct retort_inspect_params params = retort_inspect_defaults();
    params.path = "recipe.yaml";
    assert_int_equal(retort_register_layer(context, &layer), RETORT_OK);
    assert_int_equal(retort_inspect(context, &params, &result), RETORT_USAGE);
    assert_non_null(strstr(retort_error(context), "squash"));
    assert_non_null(strstr(retort_error(context), "of the batch"));
    assert_true(retort_error_has_position(context));
    retort_context_free(context);

    layer.build = store_build;
    context = retort_context_new();
    assert_int_equal(retort_register_layer(context, &layer), RETORT_OK);
    assert_int_equal(retort_inspect(context, &params, &result), RETORT_USAGE);
    assert_non_null(strstr(retort_error(context), "store \"rows\": only a method"));
    retort_context_free(context);
}

static void test_registering_survives_each_failing_allocation(void **state)
{
    (void)state;
    struct retort_method method = weigh_method();
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        struct retort_context *context = retort_context_new();
        context->base.allocator.fail_at = n;
        enum retort_status first = retort_register_method(context, &method);
        enum retort_status second = first == RETORT_OK ? retort_register_layer(context, &mix_layer) : first;
        done = context->base.allocator.fail_at > 0;
        assert_int_equal(second, done ? RETORT_OK : RETORT_NO_MEMORY);
        assert_true(n < 200);
        context->base.allocator.fail_at = 0;
        retort_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_builders_refuse_what_does_not_fit),
        cmocka_unit_test(test_what_goes_wrong_in_build_is_said),
        cmocka_unit_test(test_methods_that_cannot_be_right_are_refused),
        cmocka_unit_test(test_layers_that_cannot_be_right_are_refused),
        cmocka_unit_test(test_a_layer_has_to_give_a_batch_and_has_no_store),
        cmocka_unit_test(test_registering_survives_each_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
