/* fuzz_recipe.c: any bytes end as a tree or as a message with a place; a tree that is written reads back the same. */
#include "recipe/recipe.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void demand(bool holds)
{
    if (!holds)
        abort(); /* what a fuzzer calls a finding */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count > INPUT_MAX)
        return 0;
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    struct arena *arena = arena_new(&ctx);
    demand(arena != NULL);
    struct value *root = NULL, *again = NULL;
    struct text out;
    text_init(&out, &ctx);
    enum status status = recipe_parse(&ctx, arena, "fuzz.yaml", (const char *)bytes, count, &root);
    demand(status == ctx.error.status && (status == STATUS_OK) == (root != NULL));
    if (status != STATUS_OK) {
        demand(status == STATUS_BAD_INPUT && strncmp(ctx.error.message, "fuzz.yaml:", 10) == 0);
    } else {
        demand(recipe_write(&ctx, root, &out) == STATUS_OK);
        demand(recipe_parse(&ctx, arena, "again.yaml", out.bytes, out.length, &again) == STATUS_OK);
        demand(value_equal(root, again));
        /* The same bytes as a --set: whatever they say, the tree stays one that can be written. */
        char *assignment = arena_format(arena, "%.*s", (int)count, (const char *)bytes);
        recipe_set(&ctx, arena, root, assignment);
        error_clear(&ctx);
        text_free(&out);
        demand(recipe_write(&ctx, root, &out) == STATUS_OK);
    }
    text_free(&out);
    arena_free(arena);
    return 0;
}
