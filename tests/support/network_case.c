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

void network_case_holds(const struct network *whole, const struct network *part)
{
    const struct parameters *a = whole->parameters, *b = part->parameters;
    assert_true(b->count > 0);
    for (int i = 0; i < b->count; i++) {
        const struct parameter *entry = &b->entries[i];
        const int found = parameters_find(a, entry->name);
        if (found < 0 || !shape_equal(&a->entries[found].shape, &entry->shape))
            fail_msg("%s: expected it in both networks, of one shape", entry->name);
        if (memcmp(parameters_value(a, found), parameters_value(b, i),
                   (size_t)entry->elements * element_size(b->element)) != 0)
            fail_msg("%s: expected the same values in both networks", entry->name);
    }
}

void network_case_same(const struct network *whole, const struct network *part)
{
    network_case_holds(whole, part);
    assert_int_equal(whole->n_layers, part->n_layers);
    assert_int_equal(whole->parameters->count, part->parameters->count);
    assert_int_equal(network_count_parameters(whole), network_count_parameters(part));
    assert_int_equal(network_count_macs(whole), network_count_macs(part));
    assert_string_equal(whole->layers[whole->logits].name, part->layers[part->logits].name);
    for (int i = 0; i < whole->n_layers; i++) {
        assert_string_equal(whole->layers[i].name, part->layers[i].name);
        assert_int_equal(whole->layers[i].n_inputs, part->layers[i].n_inputs);
        assert_memory_equal(whole->layers[i].inputs, part->layers[i].inputs,
                            (size_t)part->layers[i].n_inputs * sizeof *part->layers[i].inputs);
    }
}
