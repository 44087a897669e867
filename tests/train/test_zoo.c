/* Every network by name trains: a few epochs on images of four patterns make its loss smaller. */
#include "support/stage_case.h"

#include "nn/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of six steps each; what drops units at random wants more of them. */
enum { EPOCHS = 6, REGULARISED_EPOCHS = 16 };

/* The smoothed loss of the training steps: at the end of the first epoch, and now. */
struct losses {
    double first, last;
};

static void take_loss(void *user, const struct loop_progress *progress)
{
    struct losses *losses = user;
    losses->first = losses->first > 0 || !progress->epoch_end ? losses->first : progress->loss;
    losses->last = progress->loss;
}

static void a_network_trains(struct stage_case *c, const char *json, int epochs)
{
    struct network *network = stage_case_network(c, json, "student", 5);
    struct losses losses = {0, 0};
    struct stage stage = stage_case_alone(c, network, 5);
    stage.budget.epochs = epochs;
    struct loop_spec spec = stage_case_loop(c, &stage);
    spec.progress = take_loss;
    spec.user = &losses;
    struct loop_result result;
    if (loop_run(&c->ctx, &spec, &result) != STATUS_OK)
        fail_msg("%s: %s", json, c->ctx.error.message);
    print_message("%s: %.3f -> %.3f, %.2f s\n", json, losses.first, losses.last, result.seconds);
    if (!(losses.last < 0.97 * losses.first))
        fail_msg("%s: loss %g after the first epoch, %g after the last", json, losses.first, losses.last);
    network_free(network);
}

/* narrow: a quarter of the default width, where there is such an option: the test is to be fast. */
static const char *narrow(const struct zoo_entry *entry, char text[32])
{
    text[0] = '\0';
    for (size_t i = 0; i < entry->n_options; i++) {
        const struct option_spec *spec = &entry->options[i];
        double quarter = strcmp(spec->name, "width") == 0 ? strtod(spec->initial, NULL) / 4 : 0;
        if (quarter > 0)
            snprintf(text, 32, ",\"width\":%g", spec->type == OPTION_INTEGER ? ceil(quarter) : quarter);
    }
    return text;
}

static void every_network_by_name_trains(void **state)
{
    struct stage_case c;
    (void)state;
    stage_case_new(&c);
    for (size_t i = 0; i < zoo_table_count; i++) {
        char width[32], json[96];
        snprintf(json, sizeof json, "{\"name\":\"%s\"%s}", zoo_table[i]->name, narrow(zoo_table[i], width));
        a_network_trains(&c, json, EPOCHS);
    }
    stage_case_free(&c);
}

static void with_what_regularises_too(void **state)
{
    static const char *const json[] = {
        "{\"name\":\"resnet\",\"depth\":8,\"shortcut\":\"projection\",\"squeeze\":4,\"stochastic_depth\":0.2}",
        "{\"name\":\"wrn\",\"depth\":10,\"width\":1,\"dropout\":0.1,\"stochastic_depth\":0.2,\"squeeze\":8}",
        "{\"name\":\"mobilenet-v2\",\"width\":0.25,\"dropout\":0.1,\"stochastic_depth\":0.1,\"squeeze\":8}",
    };
    struct stage_case c;
    (void)state;
    stage_case_new(&c);
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++)
        a_network_trains(&c, json[i], REGULARISED_EPOCHS);
    stage_case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_network_by_name_trains),
        cmocka_unit_test(with_what_regularises_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
