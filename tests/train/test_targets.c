/* Soft targets of mixed samples, and a stage that learns from them: its first loss is the mean over the batch of what the mixed
 * images' logits say to them. */
#include "data/augment.h"
#include "format/json.h"
#include "support/compare.h"
#include "support/stage_case.h"
#include "train/targets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { B = 4, K = 3 };

static void targets_are_the_mix(void **state)
{
    (void)state;
    struct stage_case c;
    stage_case_new(&c);
    int32_t labels[B] = {0, 2, -1, 1}, others[B] = {1, 2, 0, -1};
    double parts[B] = {0.75, 0.25, 0.5, 0.9};
    const double expected[B][K] = {{0.75, 0.25, 0}, {0, 0, 1}, {0.5, 0, 0}, {0, 0.9, 0}};
    struct batch batch = {.labels = labels, .others = others, .parts = parts, .count = B};
    for (int p = 0; p < 2; p++) {
        enum element precision = p ? ELEMENT_F64 : ELEMENT_F32;
        struct targets *targets = targets_new(&c.ctx, B, K, precision);
        assert_non_null(targets);
        for (int again = 0; again < 2; again++) { /* nothing stays of the batch before */
            const void *values = targets_of(targets, &batch);
            for (int i = 0; i < B * K; i++)
                assert_true(fabs(element_read(precision, values, i) - expected[i / K][i % K]) < 1e-7);
        }
        targets_free(targets);
    }
    targets_free(NULL);
    stage_case_free(&c);
}

struct first {
    double loss;
};

static void note(void *user, const struct loop_progress *progress)
{
    struct first *first = user;
    if (progress->step == 1)
        first->loss = progress->loss;
}

/* mixed_loss: the definition, in double: mixed images through the network, cross-entropy with mixed labels, over the first batch. */
static double mixed_loss(struct stage_case *c, const struct augmentation *augmentation, const struct network *network,
                         int64_t batch)
{
    static uint8_t images[STAGE_CASE_SAMPLES][STAGE_CASE_SIDE * STAGE_CASE_SIDE];
    static double logits[STAGE_CASE_SAMPLES * STAGE_CASE_CLASSES];
    double total = 0;
    int64_t others[STAGE_CASE_SAMPLES];
    double parts[STAGE_CASE_SAMPLES];
    for (int64_t i = 0; i < batch; i++) {
        augmentation_mix(augmentation, 0, 0, i, STAGE_CASE_SAMPLES, &others[i], &parts[i]);
        for (int j = 0; j < STAGE_CASE_SIDE * STAGE_CASE_SIDE; j++)
            images[i][j] = (uint8_t)floor(parts[i] * (&c->images[i][0][0])[j] +
                                          (1 - parts[i]) * (&c->images[others[i]][0][0])[j] + 0.5);
    }
    struct split split = c->data.splits[SPLIT_TRAIN];
    split.images = images;
    split.count = batch;
    struct metrics metrics;
    assert_int_equal(evaluate(&c->ctx, network, &split, ELEMENT_F32, c->kernels, c->memory, logits, &metrics),
                     STATUS_OK);
    for (int64_t i = 0; i < batch; i++) {
        const double *z = logits + i * STAGE_CASE_CLASSES;
        double sum = 0;
        for (int k = 0; k < STAGE_CASE_CLASSES; k++)
            sum += exp(z[k]);
        total += parts[i] * (log(sum) - z[c->labels[i]]) + (1 - parts[i]) * (log(sum) - z[c->labels[others[i]]]);
    }
    return total / (double)batch;
}

static void a_stage_learns_from_them(void **state)
{
    (void)state;
    struct stage_case c;
    struct augmentation augmentation;
    struct value *section = NULL;
    struct first first = {0};
    struct loop_result result;
    static const char
        json[] = "{\"mixup\":1}",
        plain[] = "{\"layers\":[\"flatten\",{\"linear\":{\"out\":4}}]}"; /* the same in training and evaluation */
    stage_case_new(&c);
    assert_int_equal(json_parse(&c.ctx, c.arena, "test", json, strlen(json), &section), STATUS_OK);
    assert_int_equal(augmentation_bind(&c.ctx, c.arena, section, 3, &augmentation, NULL), STATUS_OK);
    c.data.augmentation = &augmentation;
    struct network *network = stage_case_network(&c, plain, "student", 5);
    struct stage stage = stage_case_alone(&c, network, 5);
    stage.budget.shuffle = false;
    stage.budget.steps = 1;
    double expected = mixed_loss(&c, &augmentation, network, stage.budget.batch);
    struct loop_spec spec = stage_case_loop(&c, &stage);
    spec.progress = note;
    spec.user = &first;
    if (loop_run(&c.ctx, &spec, &result) != STATUS_OK)
        fail_msg("%s", c.ctx.error.message);
    assert_true(fabs(first.loss - expected) < 1e-5 * expected);

    /* Not every sample has a label: what the part that is missing would be, nobody can say. */
    c.labels[7] = -1;
    c.data.splits[SPLIT_TRAIN].labelled--;
    assert_int_equal(loop_run(&c.ctx, &spec, &result), STATUS_BAD_INPUT);
    assert_non_null(strstr(c.ctx.error.message, "mixup needs the label of every training sample, found 191 of 192"));
    error_clear(&c.ctx);
    network_free(network);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_the_mix),
        cmocka_unit_test(a_stage_learns_from_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
