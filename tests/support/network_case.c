/* network_case.c: networks from text. */
#include "support/network_case.h"

#include "recipe/recipe.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

void network_case_new(struct network_case *c)
{
    *c = (struct network_case){.network = NULL};
    counted_context(&c->ctx);
    c->arena = arena_new(&c->ctx);
    assert_non_null(c->arena);
}

int network_case_free(struct network_case *c)
{
    network_free(c->network);
    arena_free(c->arena);
    return counted_blocks();
}

struct network_input network_case_input(void)
{
    return (struct network_input){.channels = 1, .height = 28, .width = 28, .classes = 10};
}

enum status network_case_build(struct network_case *c, const char *yaml, const struct network_input *input)
{
    struct value *description;
    network_free(c->network);
    c->network = NULL;
    error_clear(&c->ctx);
    if (recipe_parse(&c->ctx, c->arena, "recipe.yaml", yaml, strlen(yaml), &description) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
    return network_build(&c->ctx, description, "net", input, ELEMENT_F32, 3, &c->network);
}

void network_case_need(struct network_case *c, const char *yaml)
{
    struct network_input input = network_case_input();
    if (network_case_build(c, yaml, &input) != STATUS_OK)
        fail_msg("%s", c->ctx.error.message);
}
