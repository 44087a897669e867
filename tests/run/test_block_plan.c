/* distill.blocks bound: what it makes of the student's epochs and steps, which losses the last block has, and lack of memory. */
#include "format/json.h"
#include "run/block_section.h"
#include "scheme/terms.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char student_text[] =
    "{\"layers\":[{\"conv\":{\"out\":4,\"kernel\":3,\"padding\":1}},\"relu\",{\"max_pool\":{\"kernel\":2}},"
    "{\"conv\":{\"out\":6,\"kernel\":3,\"padding\":1}},\"relu\",\"flatten\",{\"linear\":{\"out\":4}}]}";
static const char teacher_text[] =
    "{\"layers\":[{\"conv\":{\"out\":4,\"kernel\":3,\"padding\":1}},\"relu\",{\"conv\":{\"out\":4,\"kernel\":3,"
    "\"padding\":1}},\"relu\",{\"max_pool\":{\"kernel\":2}},{\"conv\":{\"out\":6,\"kernel\":3,\"padding\":1}},\"relu\","
    "\"flatten\",{\"linear\":{\"out\":4}}]}";

/* A student, its teacher, and the section. */
struct fixture {
    struct arena *arena;
    struct network *networks[2];
    struct learner teacher;
    struct losses_site site;
    struct value *section;
};

static enum status fixture_open(struct context *ctx, const char *section, struct fixture *f)
{
    static const char *const texts[] = {student_text, teacher_text};
    const struct network_input input = {.channels = 1, .height = 8, .width = 8, .classes = 4};
    *f = (struct fixture){.arena = arena_new(ctx)};
    if (!f->arena)
        return ctx->error.status;
    for (int i = 0; i < 2; i++) {
        struct value *value;
        RETURN_IF(json_parse(ctx, f->arena, "test", texts[i], strlen(texts[i]), &value));
        RETURN_IF(network_build(ctx, value, i ? "teacher" : "student", &input, ELEMENT_F32, 1, &f->networks[i]));
    }
    f->teacher = (struct learner){.name = "teacher", .network = f->networks[1]};
    f->site = (struct losses_site){f->networks[0], &f->teacher, 1};
    return json_parse(ctx, f->arena, "test", section, strlen(section), &f->section);
}

static void fixture_close(struct fixture *f)
{
    network_free(f->networks[0]);
    network_free(f->networks[1]);
    arena_free(f->arena);
}

static enum status bind(struct context *ctx, struct fixture *f, int64_t epochs, struct block_plan *plan)
{
    const struct value *resolved;
    const struct block_site site = {&f->site, scheme_find(ctx, "offline", NULL), false, epochs};
    return block_section_bind(ctx, f->arena, f->section, &site, plan, &resolved);
}

static void test_boundaries_are_chosen_where_shapes_are_equal(void **state)
{
    struct context ctx;
    struct fixture f;
    struct block_plan plan;
    bool marks[16];
    (void)state;
    context_init(&ctx);
    assert_int_equal(fixture_open(&ctx, "{}", &f), STATUS_OK);
    assert_int_equal(bind(&ctx, &f, 5, &plan), STATUS_OK);
    assert_int_equal(plan.count, 2);
    assert_string_equal(plan.student[0], "relu1");
    assert_string_equal(plan.teacher[0], "relu2"); /* the last of its resolution */
    assert_string_equal(plan.student[1], "relu2");
    assert_string_equal(plan.teacher[1], "relu3");
    assert_int_equal(plan.learner, 1);
    assert_int_equal(block_between(&ctx, &plan, f.networks[0], 2, marks), STATUS_OK);
    for (int i = 0; i < f.networks[0]->n_layers; i++) {
        const char *name = f.networks[0]->layers[i].name;
        assert_int_equal(marks[i], strcmp(name, "flatten1") == 0 || strcmp(name, "linear1") == 0);
    }
    fixture_close(&f);
}

static void expect_budget(struct budget budget, int64_t epochs, int64_t steps)
{
    assert_int_equal(budget.epochs, epochs);
    assert_int_equal(budget.steps, steps);
    assert_int_equal(budget.batch, 8);
}

static void test_blocks_and_tuning_share_the_students_budget(void **state)
{
    static const int64_t steps[] = {-1, 0, 1, 7, 1000};
    static const int64_t parts[] = {-1, 0, 0, 2, 400};
    const struct block_plan plan = {.count = 1, .epochs = 2};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const struct budget whole = {
            .epochs = 5, .steps = steps[i], .batch = 8, .patience = 3, .average = {.decay = 0.9}};
        const struct budget block = block_plan_budget(&plan, whole), rest = block_plan_rest(&plan, whole);
        expect_budget(block, 2, parts[i]);
        expect_budget(rest, 3, steps[i] < 0 ? -1 : steps[i] - parts[i]);
        assert_true(block.patience == 0 && block.average.decay == 0);
        assert_true(rest.patience == 3 && rest.average.decay == 0.9);
    }
}

static void test_half_of_the_epochs_where_none_are_said(void **state)
{
    static const int64_t whole[] = {2, 3, 6}, half[] = {1, 1, 3};
    struct context ctx;
    (void)state;
    context_init(&ctx);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        struct fixture f;
        struct block_plan plan;
        assert_int_equal(fixture_open(&ctx, "true", &f), STATUS_OK);
        assert_int_equal(bind(&ctx, &f, whole[i], &plan), STATUS_OK);
        assert_int_equal(plan.epochs, half[i]);
        fixture_close(&f);
    }
}

static enum status bind_everything(struct context *ctx, void *user)
{
    enum status status = STATUS_OK;
    struct fixture f;
    struct block_plan plan;
    struct term term;
    TRY(fixture_open(ctx, user, &f));
    TRY(bind(ctx, &f, 4, &plan));
    TRY(method_term(ctx, f.arena, "labels", NULL, &term));
    TRY(block_plan_terms(ctx, f.arena, f.networks[0], &term, 1, &plan));
cleanup:
    fixture_close(&f);
    return status;
}

static void test_lack_of_memory_at_any_moment_leaves_nothing_behind(void **state)
{
    static char chosen[] = "true", named[] = "{\"student\":[\"relu1\"],\"teacher\":[\"relu2\"],\"epochs\":1}";
    (void)state;
    assert_true(fault_loop(bind_everything, chosen) > 50);
    assert_true(fault_loop(bind_everything, named) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_boundaries_are_chosen_where_shapes_are_equal),
        cmocka_unit_test(test_blocks_and_tuning_share_the_students_budget),
        cmocka_unit_test(test_half_of_the_epochs_where_none_are_said),
        cmocka_unit_test(test_lack_of_memory_at_any_moment_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
