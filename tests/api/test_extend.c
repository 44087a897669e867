/* test_extend.c: methods and layers from outside: what they compute, and how they are shown. */
#include "support/outside_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void test_a_method_computes_its_formula_and_gradients(void **state)
{
    (void)state;
    double s[B * K], t[B * K], loss = 0, ds[B * K], dw[K] = {0}, found[B * K];
    arrays_put(s, t);
    for (int i = 0; i < B * K; i++) {
        double difference = -3 * s[i] - 0.5 * t[i];
        loss += difference * difference / (B * K);
        ds[i] = 2 * difference * -3 / (B * K);
        dw[i % K] += 2 * difference * -t[i] / (B * K);
    }
    struct retort_context *context = context_with_both();
    struct retort_result *result = NULL;
    struct retort_loss_params params = loss_params("weigh");
    const char *const sets[] = {"scale=3", "sign=minus"};
    params.sets = sets;
    params.set_count = 2;
    params.gradients = "gradients";
    mkdir("gradients", 0777);
    assert_int_equal(retort_loss(context, &params, &result), RETORT_OK);
    const struct retort_value *root = retort_result_root(result);
    assert_true(fabs(retort_value_number(retort_value_get(root, "loss")) - loss) < 1e-12);
    npy_get("gradients/grad0.npy", found, B * K);
    for (int i = 0; i < B * K; i++)
        assert_true(fabs(found[i] - ds[i]) < 1e-12);
    npy_get("gradients/own.w.npy", found, K);
    for (int i = 0; i < K; i++)
        assert_true(fabs(found[i] - dw[i]) < 1e-12 && fabs(dw[i]) > 1e-3);
    retort_result_free(result);
    retort_context_free(context);
}

static struct retort_node *picky_build(const struct retort_layer_site *site)
{
    return retort_fail(site->graph, "this layer likes no network");
}

static void test_lists_and_help_show_what_was_registered(void **state)
{
    (void)state;
    struct retort_context *context = context_with_both(), *other = retort_context_new();
    struct retort_result *mine = NULL, *theirs = NULL;
    struct retort_list_params list = {"methods"};
    assert_int_equal(retort_list(context, &list, &mine), RETORT_OK);
    assert_int_equal(retort_list(other, &list, &theirs), RETORT_OK);
    size_t count = retort_value_count(retort_result_root(mine));
    const struct retort_value *last = retort_value_child(retort_result_root(mine), count - 1);
    assert_string_equal(retort_value_text(retort_value_get(last, "name")), "weigh");
    assert_string_equal(retort_value_text(retort_value_get(last, "family")), "relation");
    assert_string_equal(retort_value_text(retort_value_get(last, "options.1.name")), "scale");
    assert_int_equal(retort_value_count(retort_result_root(theirs)), count - 1);
    retort_result_free(theirs);
    retort_result_free(mine);

    const struct retort_help_params helps[] = {{"method", "weigh"}, {"layer", "mix"}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(retort_help(context, &helps[i], &mine), RETORT_OK);
        assert_non_null(
            strstr(retort_value_text(retort_value_get(retort_result_root(mine), "example")), helps[i].name));
        assert_int_equal(retort_help(other, &helps[i], &theirs), RETORT_USAGE);
        retort_result_free(mine);
    }
    /* A layer that fits none of the examples' networks is shown all the same. */
    struct retort_layer picky = mix_layer;
    const struct retort_help_params help = {"layer", "picky"};
    picky.name = "picky";
    picky.build = picky_build;
    assert_int_equal(retort_register_layer(context, &picky), RETORT_OK);
    assert_int_equal(retort_help(context, &help, &mine), RETORT_OK);
    assert_non_null(strstr(retort_value_text(retort_value_get(retort_result_root(mine), "example")), "picky"));
    retort_result_free(mine);
    retort_context_free(other);
    retort_context_free(context);
}

static void test_a_recipe_uses_them_and_a_model_needs_its_layer(void **state)
{
    (void)state;
    small_files_put();
    text_put("recipe.yaml",
             SMALL_DATA "teacher: {network: {name: mlp, widths: [8]}, train: {epochs: 1, batch: 10}}\n"
                        "student: {network: {layers: [flatten, {mix: {out: 5}, name: m}, relu, {linear: {out: 3}}]}, "
                        "train: {epochs: 2, batch: 10}}\n"
                        "distill: {losses: [{method: labels, weight: 0.5}, "
                        "{method: weigh, scale: {from: 1, to: 2}, weight: 0.1}]}\n"
                        "seeds: [0]\n");
    struct retort_context *context = context_with_both();
    struct retort_result *result = NULL;
    struct retort_distill_params params = retort_distill_defaults();
    params.recipe = "recipe.yaml";
    params.folder = "run";
    assert_int_equal(retort_distill(context, &params, &result), RETORT_OK);
    retort_result_free(result);

    struct retort_inspect_params inspect = retort_inspect_defaults();
    inspect.path = "run/models/distilled-0.safetensors";
    assert_int_equal(retort_inspect(context, &inspect, &result), RETORT_OK);
    const struct retort_value *layer = retort_value_get(retort_result_root(result), "layers.2");
    assert_string_equal(retort_value_text(retort_value_get(layer, "type")), "mix");
    assert_int_equal(retort_value_integer(retort_value_get(layer, "parameters")), 16 * 5);
    assert_int_equal(retort_value_integer(retort_value_get(layer, "macs")), 16 * 5);
    assert_string_equal(retort_value_text(retort_value_get(layer, "tensors.weight")), "m.weight");
    assert_string_equal(retort_value_text(retort_value_get(layer, "tensors.size")), "m.size");
    retort_result_free(result);

    const char *const model = inspect.path;
    struct retort_eval_params eval = retort_eval_defaults();
    eval.models = &model;
    eval.model_count = 1;
    eval.data = "run/recipe.yaml";
    assert_int_equal(retort_eval(context, &eval, &result), RETORT_OK);
    retort_result_free(result);
    retort_context_free(context);

    context = retort_context_new();
    enum retort_status unknown = retort_eval(context, &eval, &result);
    assert_int_equal(unknown, RETORT_BAD_FILE);
    assert_int_equal(strncmp(retort_error(context), model, strlen(model)), 0);
    assert_non_null(strstr(retort_error(context), "no layer type \"mix\""));
    assert_non_null(strstr(retort_error(context), "registered"));
    retort_context_free(context);
}

/* --- every builder --- */

static void built(const char *name, struct retort_node *node)
{
    if (node == NULL)
        print_error("%s built nothing\n", name);
    assert_non_null(node);
}

static struct retort_node *all_build(const struct retort_method_site *site)
{
    const int swap[] = {0, 1, 3, 2};
    struct retort_node *x = site->student[0], *map = site->student[1], *labels = site->labels;
    struct retort_shape shape = retort_node_shape(map), weight = {4, {2, shape.size[3], 2, 2}};
    assert_int_equal(shape.rank, 4);
    assert_int_equal(retort_node_shape(NULL).rank, -1);
    assert_int_equal(retort_node_shape(labels).rank, 1);
#define ONE(name, text)                                                                                                \
    assert_null(retort_op_##name(NULL));                                                                               \
    built(#name, retort_op_##name(strstr(#name, "global") ? map : strstr(#name, "has_label") ? labels : x));
#define TWO(name, text)                                                                                                \
    assert_null(retort_op_##name(NULL, x));                                                                            \
    assert_null(retort_op_##name(x, NULL));                                                                            \
    built(#name, strcmp(#name, "match") == 0       ? retort_op_##name(labels, retort_op_argmax(x))                     \
                 : strcmp(#name, "embedding") == 0 ? retort_op_##name(x, labels)                                       \
                                                   : retort_op_##name(x, x));
#define AXES(name, text)                                                                                               \
    assert_null(retort_op_##name(NULL, 1, true));                                                                      \
    built(#name, retort_op_##name(map, 6, true));
    RETORT_OP_LIST(ONE, TWO, AXES)
    struct retort_node *both[] = {x, x}, *none[] = {x, NULL};
    struct retort_convolution how = {.stride = {2, 2}, .padding = {1, 1}};
    struct retort_node *w = retort_parameter(site->own, "w", weight, RETORT_INIT_UNIFORM, 0.1);
    built("constant", retort_op_constant(site->graph, (struct retort_shape){1, {2}}, (const double[]){1, 2}));
    built("clip", retort_op_clip(x, -1, 1));
    built("smooth_l1", retort_op_smooth_l1(x, x, 1));
    built("where", retort_op_where(retort_op_compare(x, RETORT_GREATER, x), x, x));
    built("one_hot", retort_op_one_hot(labels, 3));
    built("cross_entropy", retort_op_cross_entropy(x, labels, 0.1));
    built("reshape", retort_op_reshape(x, (struct retort_shape){3, {retort_node_shape(x).size[0], 2, 2}}));
    built("transpose", retort_op_transpose(map, swap));
    built("slice", retort_op_slice(map, 3, 0, -1, 1));
    built("adaptive", retort_op_adaptive_average_pool(map, 1, 1));
    built("concat", retort_op_concat(2, both, 1));
    built("matmul", retort_op_matmul(x, x, false, true));
    built("convolution", retort_op_convolution(map, w, NULL));
    built("random", retort_random(site->own, "mask", false, retort_node_shape(x)));
    assert_null(retort_op_concat(2, none, 1));
    assert_null(retort_op_concat(0, NULL, 1));
    assert_null(retort_update(site->own, NULL, x));
    struct retort_node *small = retort_op_convolution(map, w, &how);
    assert_int_equal(retort_node_shape(small).size[1], shape.size[1] / 2 + 1);
    return retort_op_mean_all(small);
}

static void test_every_builder_builds_and_is_sticky(void **state)
{
    (void)state;
    const struct retort_method_input inputs[] = {{"logits", RETORT_LOGITS, RETORT_STUDENT, 1, 1},
                                                 {"map", RETORT_FEATURE_MAP, RETORT_STUDENT, 1, 1}};
    struct retort_method method = {.name = "all",
                                   .summary = "all of it",
                                   .wants = RETORT_WANTS_LABELS,
                                   .inputs = inputs,
                                   .input_count = 2,
                                   .build = all_build};
    double s[B * K], t[B * K], maps[B * 2 * 4 * 4], labels[B] = {0, 1, 2};
    const char *const files[] = {"s.npy", "maps.npy"};
    arrays_put(s, t);
    for (int i = 0; i < B * 2 * 4 * 4; i++)
        maps[i] = sin(i);
    npy_put("maps.npy", 0, "(3, 2, 4, 4)", maps, B * 2 * 4 * 4);
    npy_put("y.npy", 1, "(3,)", labels, B);
    struct retort_context *context = retort_context_new();
    struct retort_result *result = NULL;
    struct retort_loss_params params = retort_loss_defaults();
    params.method = "all";
    params.student = files;
    params.student_count = 2;
    params.labels = "y.npy";
    assert_int_equal(retort_register_method(context, &method), RETORT_OK);
    enum retort_status status = retort_loss(context, &params, &result);
    assert_string_equal(retort_error(context), "");
    assert_int_equal(status, RETORT_OK);
    retort_result_free(result);
    retort_context_free(context);
}

/* --- values for each sample ---
 *
 *     loss = 1/B sum_b  valid_b  sum_k (s_bk - stored_bk)^2        stored: s of the epoch before */

static struct retort_node *remember_build(const struct retort_method_site *site)
{
    struct retort_node *s = site->student[0];
    struct retort_store *store = retort_store(site->own, "before", (struct retort_shape){1, {site->classes}});
    struct retort_node *before = retort_store_read(store, site->sample);
    struct retort_node *valid = retort_store_valid(store, site->sample);
    assert_null(retort_store_read(NULL, site->sample));
    assert_null(retort_store_valid(store, NULL));
    assert_null(retort_store_update(store, site->sample, NULL));
    if (retort_store_update(store, site->sample, s) == NULL)
        return NULL;
    struct retort_node *rows = retort_op_row_sum(retort_op_square(retort_op_sub(s, before)));
    return retort_op_mean_all(retort_op_mul(valid, rows));
}

static struct retort_method remember_method(void)
{
    return (struct retort_method){.name = "remember",
                                  .summary = "stays near the epoch before",
                                  .wants = RETORT_WANTS_SAMPLE,
                                  .inputs = logits_inputs,
                                  .input_count = 1,
                                  .build = remember_build};
}

/* keep_losses: of each step's last report, the first and the last. */
struct losses {
    double first, last;
    int calls;
};

static void keep_losses(void *user, const struct retort_progress *at)
{
    struct losses *losses = user;
    if (!at->epoch_end)
        return;
    losses->first = losses->calls++ == 0 ? at->loss : losses->first;
    losses->last = at->loss;
}

static void test_a_method_keeps_values_for_each_sample(void **state)
{
    (void)state;
    double s[B * K], t[B * K];
    arrays_put(s, t);
    struct retort_context *context = retort_context_new();
    struct retort_result *result = NULL;
    struct retort_method method = remember_method();
    struct retort_loss_params params = loss_params("remember");
    params.teacher_count = 0;
    assert_int_equal(retort_register_method(context, &method), RETORT_OK);
    assert_int_equal(retort_loss(context, &params, &result), RETORT_OK);
    assert_true(retort_value_number(retort_value_get(retort_result_root(result), "loss")) == 0); /* no row is valid */
    retort_result_free(result);

    small_files_put();
    text_put("recipe.yaml", SMALL_DATA "teacher: {network: {name: mlp, widths: [4]}, train: {steps: 1, batch: 10}}\n"
                                       "student: {network: {name: mlp, widths: [4]}, train: {epochs: 2, batch: 10, "
                                       "optimiser: {name: sgd, rate: 0.01}}}\n"
                                       "distill: {losses: [{method: labels, weight: 1e-3}, "
                                       "{method: remember, weight: 1e12}]}\n"
                                       "baseline: false\nseeds: [0]\n");
    struct losses losses = {0};
    struct retort_distill_params distill = retort_distill_defaults();
    distill.recipe = "recipe.yaml";
    distill.folder = "remembered";
    distill.progress = keep_losses;
    distill.user = &losses;
    /* In the second epoch every row is valid and logits have moved: the huge weight shows, or ends the run. */
    enum retort_status status = retort_distill(context, &distill, &result);
    assert_true(status == RETORT_NOT_FINITE || (status == RETORT_OK && losses.last > 1e3));
    retort_result_free(result);
    retort_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_method_computes_its_formula_and_gradients),
        cmocka_unit_test(test_lists_and_help_show_what_was_registered),
        cmocka_unit_test(test_a_recipe_uses_them_and_a_model_needs_its_layer),
        cmocka_unit_test(test_every_builder_builds_and_is_sticky),
        cmocka_unit_test(test_a_method_keeps_values_for_each_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
