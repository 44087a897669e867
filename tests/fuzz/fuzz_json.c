/* fuzz_json.c: any bytes as JSON: a tree that is written and read again to the same tree, or a refusal. */
#include "format/json.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct context ctx;
    struct value *value = NULL, *again = NULL;
    struct text text;
    if (count > 1 << 14)
        return 0;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    text_init(&text, &ctx);
    struct arena *arena = arena_new(&ctx);
    if (arena == NULL)
        return 0;
    if (json_parse(&ctx, arena, "fuzz.json", (const char *)bytes, count, &value) == STATUS_OK) {
        json_write(value, &text, count % 3 == 0 ? 2 : 0);
        if (json_parse(&ctx, arena, "again.json", text.bytes, text.length, &again) != STATUS_OK ||
            !value_equal(value, again))
            abort();
    } else if (ctx.error.message[0] == '\0' || value != NULL) {
        abort();
    }
    text_free(&text);
    arena_free(arena);
    return 0;
}
