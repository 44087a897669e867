/* Which outputs are exits, in which order, and what a sample costs that leaves at one. */
#include "nn/exits.h"

#include "support/fault_loop.h"
#include "support/network_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static struct network_case c;
    network_case_new(&c);
    *state = &c;
    return 0;
}

static int tear_down(void **state)
{
    return network_case_free(*state);
}

static const char layers[] = "layers:\n"
                             "  - {conv: {out: 4, kernel: 3, padding: 1}, name: stem}\n"
                             "  - {global_average_pool: , name: pool1}\n"
                             "  - {linear: {out: 10}, name: first}\n"
                             "  - {conv: {out: 6, kernel: 3, stride: 2}, inputs: [stem], name: body}\n"
                             "  - {global_average_pool: , name: pool2}\n"
                             "  - {linear: {out: 7}, name: hidden}\n"
                             "  - {linear: {out: 10}, name: second}\n"
                             "  - {linear: {out: 10}, inputs: [pool2], name: last}\n";

/* macs_of: of these layers alone, by their names. */
static int64_t macs_of(const struct network *network, int count, const char *const *names)
{
    int64_t macs = 0;
    for (int i = 0; i < count; i++)
        macs += network->layers[network_layer(network, names[i], NULL)].macs;
    return macs;
}

static void need(struct network_case *c, const char *outputs, struct network_exits *exits)
{
    network_case_need(c, arena_format(c->arena, "%soutputs: %s\n", layers, outputs));
    assert_int_equal(network_exits_find(c->network, c->arena, exits), STATUS_OK);
}

static void exits_come_in_the_order_of_their_macs(void **state)
{
    struct network_case *c = *state;
    struct network_exits exits;
    need(c, "{exit-late: second, logits: last, exit: first}", &exits);
    const struct network *network = c->network;
    assert_int_equal(exits.count, 3);
    assert_string_equal(exits.items[0].name, "exit");
    assert_string_equal(exits.items[1].name, "exit-late");
    assert_string_equal(exits.items[2].name, "logits");
    assert_int_equal(exits.layers[1], network_layer(network, "second", NULL));
    assert_int_equal(exits.layers[2], network->logits);
    /* Each layer counts once, and those of an exit that was passed count as well. */
    assert_int_equal(exits.items[0].macs, macs_of(network, 3, (const char *const[]){"stem", "pool1", "first"}));
    assert_int_equal(exits.items[1].macs - exits.items[0].macs,
                     macs_of(network, 4, (const char *const[]){"body", "pool2", "hidden", "second"}));
    assert_int_equal(exits.items[2].macs - exits.items[1].macs, macs_of(network, 1, (const char *const[]){"last"}));
    assert_int_equal(exits.plain_macs, macs_of(network, 4, (const char *const[]){"stem", "body", "pool2", "last"}));
    assert_true(exits.items[2].macs == network_count_macs(network) && exits.plain_macs < exits.items[2].macs);
}

static void exits_of_equal_macs_stay_as_they_are_listed(void **state)
{
    struct network_case *c = *state;
    struct network_exits exits;
    need(c, "{exitb: first, exita: first, logits: last, exitz: last}", &exits);
    assert_int_equal(exits.count, 4);
    assert_string_equal(exits.items[0].name, "exitb");
    assert_string_equal(exits.items[1].name, "exita");
    assert_int_equal(exits.items[0].macs, exits.items[1].macs);
    assert_string_equal(exits.items[2].name, "exitz");
    assert_string_equal(exits.items[3].name, "logits"); /* the last, also where another needs as much */
    assert_int_equal(exits.items[2].macs, exits.items[3].macs);
}

static void what_is_no_exit_is_left_out(void **state)
{
    struct network_case *c = *state;
    struct network_exits exits;
    need(c, "{logits: last, exit7: hidden, exit: body, early: first}", &exits);
    assert_int_equal(exits.count, 1);
    assert_string_equal(exits.items[0].name, "logits");
    assert_int_equal(exits.items[0].macs, exits.plain_macs);
    network_case_need(c, "{name: mlp}");
    assert_int_equal(network_exits_find(c->network, c->arena, &exits), STATUS_OK);
    assert_int_equal(exits.count, 1);
    assert_int_equal(exits.items[0].macs, network_count_macs(c->network));
}

static enum status find_exits(struct context *ctx, void *user)
{
    struct network_exits exits;
    struct arena *arena = arena_new(ctx);
    enum status status = arena ? network_exits_find(user, arena, &exits) : ctx->error.status;
    arena_free(arena);
    return status;
}

static void lack_of_memory_is_told(void **state)
{
    struct network_case *c = *state;
    struct network_exits exits;
    need(c, "{logits: last, exit: first}", &exits);
    assert_true(fault_loop(find_exits, c->network) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exits_come_in_the_order_of_their_macs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exits_of_equal_macs_stay_as_they_are_listed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_exit_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
