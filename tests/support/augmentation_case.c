/* augmentation_case.c: see augmentation_case.h. */
#include "support/augmentation_case.h"

#include "recipe/recipe.h"
#include "support/fault_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct augmentation augmentation_of(const char *yaml)
{
    struct context ctx;
    struct augmentation augmentation;
    struct value *section = NULL, *resolved = NULL;
    counted_context(&ctx);
    struct arena *arena = arena_new(&ctx);
    assert_int_equal(recipe_parse(&ctx, arena, "r.yaml", yaml, strlen(yaml), &section), STATUS_OK);
    assert_int_equal(augmentation_bind(&ctx, arena, section, AUGMENTATION_SEED, &augmentation, &resolved), STATUS_OK);
    assert_int_equal(resolved->kind, VALUE_MAP);
    arena_free(arena);
    return augmentation;
}
