/* Early exit from the logits of all exits, against plain loops, and in the cases that decide who leaves where. */
#include "train/exits.h"

#include "base/random.h"
#include "support/fault_loop.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { EXITS = 3, SAMPLES = 500, CLASSES = 4 };

static const struct network_exit three[EXITS] = {{"exit1", 100}, {"exit2", 250}, {"logits", 1000}};
static const struct network_exits exits = {EXITS, three, (const int[]){0, 1, 2}, 900};

static void near(double found, double expected)
{
    if (fabs(found - expected) > 1e-12)
        fail_msg("expected %.15g, found %.15g", expected, found);
}

/* made_up: every fifth sample has no label; the later an exit, the surer it is. */
static void made_up(double *logits, int32_t *labels)
{
    const struct random_key key = {.seed = 3, .stream = random_stream("exits")};
    for (int i = 0; i < SAMPLES; i++)
        labels[i] = i % 5 == 0 ? -1 : i % CLASSES;
    for (int at = 0; at < EXITS * SAMPLES * CLASSES; at++) {
        const int exit = at / (SAMPLES * CLASSES), sample = at / CLASSES % SAMPLES, class = at % CLASSES;
        logits[at] = 2 * random_normal(&key, (uint64_t)at) + (sample % CLASSES == class ? 1 + exit : 0);
    }
}

/* plain_exit: where a sample leaves. */
static int plain_exit(const double *logits, int sample, double threshold)
{
    for (int exit = 0; exit < EXITS - 1; exit++) {
        double largest = 0, sum = 0;
        for (int k = 0; k < CLASSES; k++) {
            const double power = exp(logits[(exit * SAMPLES + sample) * CLASSES + k]);
            sum += power;
            largest = power > largest ? power : largest;
        }
        if (threshold != 1 && largest / sum >= threshold)
            return exit;
    }
    return EXITS - 1;
}

static int plain_answer(const double *row)
{
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
        best = row[k] > row[best] ? k : best;
    return best;
}

static void points_are_those_of_plain_loops(void **state)
{
    (void)state;
    struct context ctx;
    static double logits[EXITS * SAMPLES * CLASSES], rows[SAMPLES * CLASSES];
    static int32_t labels[SAMPLES];
    struct exit_point *points;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    made_up(logits, labels);
    const struct exit_logits of = {&exits, SAMPLES, CLASSES, logits, labels};
    assert_int_equal(exits_points(arena, &of, exit_thresholds, EXIT_THRESHOLDS, &points), STATUS_OK);
    for (int t = 0; t < EXIT_THRESHOLDS; t++) {
        double left[EXITS] = {0}, right = 0, labelled = 0, macs = 0;
        exits_rows(&of, exit_thresholds[t], rows);
        for (int i = 0; i < SAMPLES; i++) {
            const int exit = plain_exit(logits, i, exit_thresholds[t]);
            const double *row = logits + (exit * SAMPLES + i) * CLASSES;
            left[exit] += 1;
            macs += (double)three[exit].macs;
            labelled += labels[i] >= 0;
            right += labels[i] >= 0 && plain_answer(row) == labels[i];
            assert_memory_equal(rows + i * CLASSES, row, CLASSES * sizeof *row);
        }
        near(points[t].threshold, exit_thresholds[t]);
        near(points[t].accuracy, right / labelled);
        near(points[t].macs, macs / SAMPLES);
        near(points[t].saved, 1 - macs / SAMPLES / 900);
        for (int exit = 0; exit < EXITS; exit++)
            near(points[t].left[exit], left[exit] / SAMPLES);
        assert_true(t == 0 || points[t].macs >= points[t - 1].macs);
    }
    assert_true(points[8].left[0] > 0.1 && points[8].left[1] > 0.1 && points[8].left[2] > 0.1); /* 0.9 */
    arena_free(arena);
}

static void who_leaves_where(void **state)
{
    (void)state;
    struct context ctx;
    /* The first exit: one half twice, a class for sure, no numbers; of the others only the class is looked at. */
    const double logits[EXITS * 3 * 2] = {0, 0, 1000, -1000, NAN, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0};
    const int32_t labels[] = {0, 0, 0};
    const struct exit_logits of = {&exits, 3, 2, logits, labels};
    const double thresholds[] = {0, 0.5, 0.500001, 0.9999, 1};
    struct exit_point *points;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    assert_int_equal(exits_points(arena, &of, thresholds, 5, &points), STATUS_OK);
    /* Exactly the threshold is enough; who has no probabilities goes on, to the second exit with 0.73. */
    near(points[1].left[0], 2.0 / 3);
    near(points[1].left[1], 1.0 / 3);
    near(points[1].accuracy, 2.0 / 3);
    near(points[0].left[0], 2.0 / 3);
    near(points[2].left[0], 1.0 / 3);
    near(points[2].left[1], 2.0 / 3);
    near(points[2].macs, (100 + 250 + 250) / 3.0);
    near(points[3].left[0], 1.0 / 3);
    near(points[3].left[2], 2.0 / 3);
    /* With 1 nobody leaves early, not even with a probability of 1, and all exits are paid for. */
    near(points[4].left[2], 1);
    near(points[4].macs, 1000);
    near(points[4].saved, -100.0 / 900);
    near(points[4].accuracy, 1);
    arena_free(arena);
}

static void all_may_leave_at_the_first_exit(void **state)
{
    (void)state;
    struct context ctx;
    const double logits[EXITS * 2 * 2] = {9, 0, 0, 9};
    const int32_t none[] = {-1, -1};
    const struct exit_logits of = {&exits, 2, 2, logits, none};
    struct exit_point *points;
    context_init(&ctx);
    struct arena *arena = arena_new(&ctx);
    assert_int_equal(exits_points(arena, &of, (const double[]){0.9}, 1, &points), STATUS_OK);
    near(points[0].left[0], 1);
    near(points[0].macs, 100);
    near(points[0].saved, 1 - 100.0 / 900);
    assert_true(isnan(points[0].accuracy));
    assert_int_equal(exits_choose(points, 1, NAN), -1);
    arena_free(arena);
}

static void the_cheapest_that_loses_nothing_is_chosen(void **state)
{
    (void)state;
    const struct exit_point points[] = {{.threshold = 0.5, .accuracy = 0.89, .macs = 100},
                                        {.threshold = 0.6, .accuracy = 0.9, .macs = 300},
                                        {.threshold = 0.7, .accuracy = 0.91, .macs = 200},
                                        {.threshold = 0.8, .accuracy = 0.9, .macs = 200},
                                        {.threshold = 1, .accuracy = 0.9, .macs = 1000}};
    assert_int_equal(exits_choose(points, 5, 0.9), 3); /* of equal MACs the more careful one */
    assert_int_equal(exits_choose(points, 5, 0.91), 2);
    assert_int_equal(exits_choose(points, 5, 0.5), 0);
    assert_int_equal(exits_choose(points, 5, 0.95), -1);
    assert_int_equal(exits_choose(points, 5, NAN), -1);
}

static void thresholds_grow_to_one(void **state)
{
    (void)state;
    for (int i = 1; i < EXIT_THRESHOLDS; i++)
        assert_true(exit_thresholds[i] > exit_thresholds[i - 1]);
    near(exit_thresholds[0], 0.5);
    assert_true(exit_thresholds[EXIT_THRESHOLDS - 1] == 1);
}

static enum status points_make(struct context *ctx, void *user)
{
    struct exit_point *points;
    struct arena *arena = arena_new(ctx);
    enum status status =
        arena ? exits_points(arena, user, exit_thresholds, EXIT_THRESHOLDS, &points) : ctx->error.status;
    arena_free(arena);
    return status;
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    static double logits[EXITS * SAMPLES * CLASSES];
    static int32_t labels[SAMPLES];
    struct exit_logits of = {&exits, SAMPLES, CLASSES, logits, labels};
    made_up(logits, labels);
    assert_true(fault_loop(points_make, &of) > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_those_of_plain_loops), cmocka_unit_test(who_leaves_where),
        cmocka_unit_test(all_may_leave_at_the_first_exit), cmocka_unit_test(the_cheapest_that_loses_nothing_is_chosen),
        cmocka_unit_test(thresholds_grow_to_one),          cmocka_unit_test(lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
