/* A recorded network gives what it gives live: row sample * views + view holds the output for that view of that sample, also where the
 * last batch is not full. */
#include "data/augment.h"
#include "format/json.h"
#include "support/stage_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { K = STAGE_CASE_CLASSES, N = STAGE_CASE_SAMPLES * K, BATCH = 100 };

/* live: logits of the images, or of their mirror images. */
static void live(struct stage_case *c, const struct network *network, bool mirrored, double *logits)
{
    static uint8_t images[STAGE_CASE_SAMPLES][STAGE_CASE_SIDE][STAGE_CASE_SIDE];
    for (int i = 0; i < STAGE_CASE_SAMPLES; i++)
        for (int y = 0; y < STAGE_CASE_SIDE; y++)
            for (int x = 0; x < STAGE_CASE_SIDE; x++)
                images[i][y][x] = c->images[i][y][mirrored ? STAGE_CASE_SIDE - 1 - x : x];
    struct split split = c->data.splits[SPLIT_TRAIN];
    split.images = images;
    assert_int_equal(
        evaluate(&c->ctx, network, &split, ELEMENT_F32, c->kernels, c->memory, logits, &(struct metrics){.samples = 0}),
        STATUS_OK);
}

/* recorded: the logits' store, made beside another layer's. */
static struct store *recorded(struct stage_case *c, const struct network *network, const char *section,
                              struct recording *recordings)
{
    struct augmentation augmentation;
    struct value *value = NULL;
    assert_int_equal(json_parse(&c->ctx, c->arena, "test", section, strlen(section), &value), STATUS_OK);
    assert_int_equal(augmentation_bind(&c->ctx, c->arena, value, 3, &augmentation, NULL), STATUS_OK);
    const int layers[] = {0, network->logits};
    const struct recording_pass pass = {.network = network,
                                        .layers = layers,
                                        .count = 2,
                                        .split = &c->data.splits[SPLIT_TRAIN],
                                        .augmentation = &augmentation,
                                        .batch = BATCH,
                                        .precision = ELEMENT_F32};
    assert_int_equal(recordings_make(&c->ctx, &pass, c->kernels, c->memory, recordings), STATUS_OK);
    struct store *store = recordings[1].store;
    assert_int_equal(store->rows, STAGE_CASE_SAMPLES * augmentation_views(&augmentation));
    assert_true(store_complete(store) && store_complete(recordings[0].store));
    return store;
}

static void rows_are(const struct store *store, int views, int view, const double *logits)
{
    const float *values = store->values;
    for (int i = 0; i < STAGE_CASE_SAMPLES; i++)
        for (int k = 0; k < K; k++) {
            double found = values[(i * views + view) * K + k], expected = logits[i * K + k];
            if (!(fabs(found - expected) < 1e-5))
                fail_msg("sample %d, view %d of %d, class %d: expected %g, found %g", i, view, views, k, expected,
                         found);
        }
}

static void recorded_is_live(void **state)
{
    (void)state;
    struct stage_case c;
    static double plain[N], mirrored[N];
    struct recording recordings[2];
    stage_case_new(&c);
    struct network *network = stage_case_network(&c, NULL, "teacher", 5);
    live(&c, network, false, plain);
    live(&c, network, true, mirrored);
    assert_memory_not_equal(plain, mirrored, sizeof plain);

    rows_are(recorded(&c, network, "{}", recordings), 1, 0, plain);
    recording_free(&recordings[0]);
    recording_free(&recordings[1]);
    const struct store *store = recorded(&c, network, "{\"flip\":true}", recordings);
    rows_are(store, 2, 0, plain);
    rows_are(store, 2, 1, mirrored);
    recording_free(&recordings[0]);
    recording_free(&recordings[1]);
    network_free(network);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_is_live),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
