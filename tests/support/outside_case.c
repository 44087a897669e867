/* outside_case.c: see outside_case.h. */
#include "support/outside_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* --- a method with options, a learnable part and a state ---
 *
 *     loss = 1/(B K) sum_bk (scale s_bk - w_k t_bk)^2        w [K]: learnt, 0.5 at first */

static const char *const signs[] = {"plus", "minus", NULL};
const struct retort_option weigh_specs[2] = {
    {.name = "sign",
     .type = RETORT_OPTION_CHOICE,
     .offset = offsetof(struct weigh_options, sign),
     .initial = "plus",
     .choices = signs,
     .help = "of the student's part"},
    {.name = "scale",
     .type = RETORT_OPTION_SCHEDULED,
     .offset = offsetof(struct weigh_options, scale),
     .initial = "2",
     .min = 0,
     .max = 10,
     .help = "factor of the student's logits"},
};
const struct retort_method_input logits_inputs[2] = {{"logits", RETORT_LOGITS, RETORT_STUDENT, 1, 1},
                                                     {"logits", RETORT_LOGITS, RETORT_TEACHER, 1, 1}};

static struct retort_node *weigh_build(const struct retort_method_site *site)
{
    const struct weigh_options *options = site->options;
    struct retort_shape one = {1, {site->classes}};
    assert_int_equal(site->student_count, 1);
    assert_string_equal(site->user, "mine");
    struct retort_node *w = retort_parameter(site->own, "w", one, RETORT_INIT_CONSTANT, 0.5);
    struct retort_node *s = retort_op_mul(site->student[0], retort_op_scheduled(site->graph, &options->scale));
    struct retort_node *mean = retort_state(site->own, "mean", one, RETORT_INIT_ZERO, 0);
    if (retort_update(site->own, mean, retort_op_mean(site->teacher[0], 1u << 0, false)) == NULL)
        return NULL;
    if (options->sign == 1)
        s = retort_op_scale(s, -1);
    return retort_op_mean_all(retort_op_square(retort_op_sub(s, retort_op_mul(site->teacher[0], w))));
}

struct retort_method weigh_method(void)
{
    return (struct retort_method){.name = "weigh",
                                  .summary = "weighs the teacher's logits",
                                  .formula = "the formula of weigh",
                                  .paper = "none",
                                  .when = "in tests",
                                  .family = RETORT_RELATION,
                                  .inputs = logits_inputs,
                                  .input_count = 2,
                                  .options = weigh_specs,
                                  .option_count = 2,
                                  .options_size = sizeof(struct weigh_options),
                                  .build = weigh_build,
                                  .user = "mine"};
}

/* --- a layer with a weight and a state: y = x W, and how large x was --- */

struct mix_options {
    int64_t out;
};

static const struct retort_option mix_specs[] = {{.name = "out",
                                                  .type = RETORT_OPTION_INTEGER,
                                                  .offset = offsetof(struct mix_options, out),
                                                  .min = 1,
                                                  .max = 100,
                                                  .help = "how many outputs"}};

static struct retort_node *mix_build(const struct retort_layer_site *site)
{
    const struct mix_options *options = site->options;
    struct retort_node *x = site->inputs[0];
    struct retort_shape weight = {2, {options->out, retort_node_shape(x).size[1]}}, one = {0, {0}};
    struct retort_node *w = retort_parameter(site->own, "weight", weight, RETORT_INIT_NORMAL, 0.3);
    struct retort_node *size = retort_state(site->own, "size", one, RETORT_INIT_CONSTANT, -1);
    if (retort_update(site->own, size, retort_op_mean_all(retort_op_abs(x))) == NULL)
        return NULL;
    return retort_op_linear(x, w);
}

const struct retort_layer mix_layer = {.name = "mix",
                                       .summary = "mixes its inputs",
                                       .options = mix_specs,
                                       .option_count = 1,
                                       .options_size = sizeof(struct mix_options),
                                       .build = mix_build};

struct retort_context *context_with_both(void)
{
    struct retort_context *context = retort_context_new();
    struct retort_method method = weigh_method();
    assert_non_null(context);
    assert_int_equal(retort_register_method(context, &method), RETORT_OK);
    assert_int_equal(retort_register_layer(context, &mix_layer), RETORT_OK);
    return context;
}

struct retort_context *context_with_build(struct retort_node *(*build)(const struct retort_method_site *site),
                                          void *user)
{
    struct retort_context *context = retort_context_new();
    struct retort_method method = weigh_method();
    method.name = "built";
    method.build = build;
    method.user = user;
    assert_non_null(context);
    assert_int_equal(retort_register_method(context, &method), RETORT_OK);
    return context;
}

void arrays_put(double *s, double *t)
{
    for (int i = 0; i < B * K; i++) {
        s[i] = sin(1 + i);
        t[i] = cos(2 + 3 * i);
    }
    npy_put("s.npy", 0, "(3, 4)", s, B * K);
    npy_put("t.npy", 0, "(3, 4)", t, B * K);
}

struct retort_loss_params loss_params(const char *method)
{
    static const char *const student = "s.npy", *const teacher = "t.npy";
    struct retort_loss_params params = retort_loss_defaults();
    params.method = method;
    params.student = &student;
    params.teacher = &teacher;
    params.student_count = params.teacher_count = 1;
    return params;
}
