/* Every method in a stage with a frozen teacher, with the layers that are chosen where none are named: the teacher keeps its bits, the
 * student learns and has no tensor more. Names none. */
#include "support/stage_case.h"

#include "knowledge/pairing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const small = "{\"layers\":[{\"conv\":{\"out\":3,\"kernel\":3,\"padding\":1}},\"batch_norm\","
                                 "\"relu\",{\"max_pool\":{\"kernel\":2}},"
                                 "{\"conv\":{\"out\":4,\"kernel\":3,\"padding\":1}},\"batch_norm\",\"relu\",\"global_"
                                 "average_pool\",{\"linear\":{\"out\":4}}]}";
static const char *const large =
    "{\"layers\":[{\"conv\":{\"out\":5,\"kernel\":3,\"padding\":1}},\"batch_norm\",\"relu\",{\"max_pool\":{\"kernel\":"
    "2}},"
    "{\"conv\":{\"out\":6,\"kernel\":3,\"padding\":1}},\"batch_norm\",\"relu\",{\"dropout\":{\"rate\":0.5}},"
    "\"global_average_pool\",{\"linear\":{\"out\":4}}]}";

enum { STUDENT, TEACHER, TWINS };

static const char **names_of(struct stage_case *c, const struct network *network, const int *layers, int count)
{
    const char **names = arena_take(c->arena, (size_t)count + 1, sizeof *names);
    assert_non_null(names);
    for (int i = 0; i < count; i++)
        names[i] = network->layers[layers[i]].name;
    return names;
}

static struct term paired_term(struct stage_case *c, const struct method *method, struct network *const *networks)
{
    struct pairing pairing;
    bool teaches = false;
    for (int i = 0; i < method->n_inputs; i++)
        teaches = teaches || method->inputs[i].side == SIDE_TEACHER;
    struct term term = stage_case_term(c, method->name, NULL, STUDENT, teaches ? TEACHER : -1, 0.01);
    if (pairing_choose(&c->ctx, method, term.options, networks[STUDENT], teaches ? networks[TEACHER] : NULL,
                       &pairing) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    term.student_taps = names_of(c, networks[STUDENT], pairing.layers[SIDE_STUDENT], pairing.n[SIDE_STUDENT]);
    term.teacher_taps = names_of(c, networks[TEACHER], pairing.layers[SIDE_TEACHER], pairing.n[SIDE_TEACHER]);
    term.n_student_taps = pairing.n[SIDE_STUDENT];
    term.n_teacher_taps = pairing.n[SIDE_TEACHER];
    return term;
}

/* alike: the same tensors by name and shape. */
static bool alike(const struct network *a, const struct network *b)
{
    if (a->parameters->count != b->parameters->count)
        return false;
    for (int i = 0; i < a->parameters->count; i++)
        if (strcmp(a->parameters->entries[i].name, b->parameters->entries[i].name) != 0 ||
            !shape_equal(&a->parameters->entries[i].shape, &b->parameters->entries[i].shape))
            return false;
    return true;
}

static int run_method(struct stage_case *c, const struct method *method)
{
    struct network *networks[TWINS], *twins[TWINS];
    for (int i = 0; i < TWINS; i++) {
        networks[i] = stage_case_network(c, i == STUDENT ? small : large, i == STUDENT ? "student" : "teacher", 3);
        twins[i] = stage_case_network(c, i == STUDENT ? small : large, "twin", 3);
    }
    struct learner learners[] = {{.name = "student",
                                  .network = networks[STUDENT],
                                  .training = true,
                                  .learns = true,
                                  .optimiser = &c->settings.optimiser},
                                 {.name = "teacher", .network = networks[TEACHER]}};
    struct term terms[] = {stage_case_term(c, "labels", NULL, STUDENT, -1, 1), paired_term(c, method, networks)};
    terms[1].name = "other";
    struct stage stage = {.name = "stage",
                          .role = "distilled",
                          .seed = 1,
                          .n_learners = 2,
                          .n_terms = 2,
                          .learners = learners,
                          .terms = terms,
                          .budget = c->settings.budget};
    stage.budget.steps = 3;
    struct loop_spec spec = stage_case_loop(c, &stage);
    struct loop_result result;
    int wrong = 0;
    if (loop_run(&c->ctx, &spec, &result) != STATUS_OK) {
        fprintf(stderr, "FAIL %s: %s\n", method->name, c->ctx.error.message);
        error_clear(&c->ctx);
        wrong++;
    } else if (!stage_case_same(networks[TEACHER], twins[TEACHER]) ||
               stage_case_same(networks[STUDENT], twins[STUDENT]) || !alike(networks[STUDENT], twins[STUDENT])) {
        fprintf(stderr, "FAIL %s: the teacher moved, the student did not, or its tensors changed\n", method->name);
        wrong++;
    }
    for (int i = 0; i < TWINS; i++) {
        network_free(networks[i]);
        network_free(twins[i]);
    }
    return wrong;
}

static void test_no_method_moves_the_teacher_or_adds_to_the_student(void **state)
{
    struct stage_case c;
    int wrong = 0;
    (void)state;
    stage_case_new(&c);
    for (size_t m = 0; m < method_table_count; m++)
        wrong += run_method(&c, method_table[m]);
    stage_case_free(&c);
    assert_int_equal(wrong, 0);
}

/* A tap before anything that learns. */
static void test_a_term_that_nobody_learns_from_is_refused(void **state)
{
    struct stage_case c;
    (void)state;
    stage_case_new(&c);
    static const char *const shifted = "{\"layers\":[{\"pad\":{\"top\":1},\"name\":\"first\"},{\"conv\":{\"out\":3,"
                                       "\"kernel\":3}},\"global_average_pool\",{\"linear\":{\"out\":4}}]}";
    static const char *const tap[] = {"first"};
    struct network *student = stage_case_network(&c, shifted, "student", 3),
                   *teacher = stage_case_network(&c, shifted, "teacher", 4);
    struct learner learners[] = {
        {.name = "student", .network = student, .training = true, .learns = true, .optimiser = &c.settings.optimiser},
        {.name = "teacher", .network = teacher}};
    struct term terms[] = {stage_case_term(&c, "labels", NULL, 0, -1, 1), stage_case_term(&c, "sp", NULL, 0, 1, 1)};
    terms[1].student_taps = terms[1].teacher_taps = tap;
    terms[1].n_student_taps = terms[1].n_teacher_taps = 1;
    struct stage stage = {.name = "stage",
                          .role = "distilled",
                          .n_learners = 2,
                          .n_terms = 2,
                          .learners = learners,
                          .terms = terms,
                          .budget = c.settings.budget};
    struct loop_spec spec = stage_case_loop(&c, &stage);
    struct loop_result result;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "term sp: its gradient reaches no parameter that learns"));
    error_clear(&c.ctx);
    network_free(student);
    network_free(teacher);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_method_moves_the_teacher_or_adds_to_the_student),
        cmocka_unit_test(test_a_term_that_nobody_learns_from_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
