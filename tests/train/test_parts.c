/* What a method learns for itself in one stage is there, and stays, in the next. */
#include "support/stage_case.h"

#include "train/parts.h"

#include "format/safetensors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const tap[] = {"inner"};
static const char first_file[] = "first.parts", second_file[] = "second.parts";

/* ft_stage: the paraphraser alone, or the transfer; the student does not learn where no term reads it. */
static struct stage ft_stage(struct stage_case *c, struct learner *learners, struct term *term, const char *options,
                             bool student)
{
    *term = stage_case_term(c, "ft", options, 0, 1, 1);
    term->teacher_taps = tap;
    term->n_teacher_taps = 1;
    term->student_taps = tap;
    term->n_student_taps = student ? 1 : 0;
    learners[0].learns = learners[0].training = student;
    struct stage stage = {.name = "stage",
                          .role = "distilled",
                          .seed = 1,
                          .n_learners = 2,
                          .n_terms = 1,
                          .learners = learners,
                          .terms = term,
                          .budget = c->settings.budget};
    stage.budget.steps = 3;
    return stage;
}

static bool same_tensor(const struct safetensors *a, const struct safetensors *b, const char *name)
{
    const struct safetensor *x = safetensors_find(a, name), *y = safetensors_find(b, name);
    assert_true(x && y && shape_equal(&x->tensor.shape, &y->tensor.shape));
    return memcmp(x->tensor.data, y->tensor.data, (size_t)shape_elements(&x->tensor.shape) * sizeof(float)) == 0;
}

static void test_a_paraphraser_is_handed_on_and_stays(void **state)
{
    struct stage_case c;
    (void)state;
    stage_case_new(&c);
    struct network *student = stage_case_network(&c, NULL, "student", 1),
                   *twin = stage_case_network(&c, NULL, "twin", 1),
                   *teacher = stage_case_network(&c, NULL, "teacher", 2);
    struct learner learners[] = {{.name = "student", .network = student, .optimiser = &c.settings.optimiser},
                                 {.name = "teacher", .network = teacher}};
    struct term term;
    struct loop_result result;
    struct stage stage = ft_stage(&c, learners, &term, "{\"stage\":\"paraphraser\"}", false);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    spec.parts_to = first_file;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    assert_true(stage_case_same(student, twin)); /* nothing of it was read */

    stage = ft_stage(&c, learners, &term, "{\"stage\":\"transfer\"}", true);
    const char *const from[] = {first_file};
    spec.parts_from = from;
    spec.n_parts_from = 1;
    spec.parts_to = second_file;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    assert_false(stage_case_same(student, twin));

    struct safetensors first, second;
    assert_int_equal(safetensors_read(&c.ctx, first_file, &first), STATUS_OK);
    assert_int_equal(safetensors_read(&c.ctx, second_file, &second), STATUS_OK);
    assert_true(same_tensor(&first, &second, "ft/paraphraser.0.weight"));
    assert_true(same_tensor(&first, &second, "ft/paraphraser.2.bias"));
    assert_non_null(safetensors_find(&first, "ft/paraphraser.5.weight"));
    assert_null(safetensors_find(&first, "ft/translator.0.weight"));
    assert_non_null(safetensors_find(&second, "ft/translator.0.weight"));
    struct stage_graph_spec graph = {
        .stage = &stage, .split = &c.data.splits[SPLIT_TRAIN], .images = ELEMENT_U8, .precision = ELEMENT_F32};
    struct stage_graph *built = stage_graph_new(&c.ctx, &graph);
    assert_non_null(built);
    const struct parameters *own = built->own[0].parameters;
    const int at = parameters_find(own, "paraphraser.0.weight");
    const size_t bytes = (size_t)own->entries[at].elements * sizeof(float);
    const void *learnt = safetensors_find(&first, "ft/paraphraser.0.weight")->tensor.data;
    assert_true(memcmp(parameters_value(own, at), learnt, bytes) != 0); /* three steps moved it */
    assert_int_equal(parts_load(&c.ctx, first_file, built), STATUS_OK);
    assert_memory_equal(parameters_value(own, at), learnt, bytes);
    assert_int_equal(parts_load(&c.ctx, "missing.parts", built), STATUS_IO);
    error_clear(&c.ctx);
    stage_graph_free(built);
    safetensors_free(&c.ctx, &first);
    safetensors_free(&c.ctx, &second);
    network_free(student);
    network_free(twin);
    network_free(teacher);
    stage_case_free(&c);
}

/* The first layer of a stage that reads only it: what lies behind neither learns nor decays. */
static void test_what_a_stage_does_not_reach_stays_as_it_is(void **state)
{
    struct stage_case c;
    (void)state;
    stage_case_new(&c);
    struct network *student = stage_case_network(&c, NULL, "student", 1),
                   *twin = stage_case_network(&c, NULL, "twin", 1),
                   *teacher = stage_case_network(&c, NULL, "teacher", 2);
    struct learner learners[] = {
        {.name = "student", .network = student, .training = true, .learns = true, .optimiser = &c.settings.optimiser},
        {.name = "teacher", .network = teacher}};
    struct term term = stage_case_term(&c, "fitnet", NULL, 0, 1, 1);
    static const char *const early[] = {"relu1"};
    term.student_taps = term.teacher_taps = early;
    term.n_student_taps = term.n_teacher_taps = 1;
    struct stage stage = {.name = "stage",
                          .role = "hints",
                          .seed = 1,
                          .n_learners = 2,
                          .n_terms = 1,
                          .learners = learners,
                          .terms = &term,
                          .budget = c.settings.budget};
    struct loop_spec spec = stage_case_loop(&c, &stage);
    struct loop_result result;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_OK);
    for (int i = 0; i < student->parameters->count; i++) {
        const struct parameter *entry = &student->parameters->entries[i];
        const bool same = memcmp(parameters_value(student->parameters, i), parameters_value(twin->parameters, i),
                                 (size_t)entry->elements * sizeof(float)) == 0;
        if (strcmp(entry->name, "conv1.weight") == 0)
            assert_false(same);
        if (strncmp(entry->name, "inner.", 6) == 0 || strncmp(entry->name, "linear", 6) == 0)
            assert_true(same);
    }
    network_free(student);
    network_free(twin);
    network_free(teacher);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_paraphraser_is_handed_on_and_stays),
        cmocka_unit_test(test_what_a_stage_does_not_reach_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
