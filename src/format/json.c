/* json.c: JSON text to a value tree (jansson reads it). */
#include "format/json.h"

#include "base/file.h"

#include <jansson.h>
#include <string.h>

/* from_json: NULL, with the error recorded, when the arena has no memory. As deep as jansson lets a text be (2,048). */
static struct value *from_json(struct arena *arena, const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_TRUE:
        return value_boolean(arena, true);
    case JSON_FALSE:
        return value_boolean(arena, false);
    case JSON_INTEGER:
        return value_integer(arena, json_integer_value(json));
    case JSON_REAL:
        return value_real(arena, json_real_value(json));
    case JSON_STRING:
        return value_text(arena, json_string_value(json));
    case JSON_ARRAY: {
        struct value *list = value_list(arena);
        for (size_t i = 0; list != NULL && i < json_array_size(json); i++)
            list = value_append(arena, list, from_json(arena, json_array_get(json, i)));
        return list;
    }
    case JSON_OBJECT: {
        /* value_set looks for the key first; jansson has refused duplicates, but a map of a million keys would
         * take its square. Nothing that we read has more than thousands. */
        struct value *map = value_map(arena);
        for (void *at = json_object_iter((json_t *)json); map != NULL && at != NULL;
             at = json_object_iter_next((json_t *)json, at))
            map = value_set(arena, map, json_object_iter_key(at), from_json(arena, json_object_iter_value(at)));
        return map;
    }
    case JSON_NULL:
        break;
    }
    return value_null(arena);
}

enum status json_parse(struct context *ctx, struct arena *arena, const char *name, const char *bytes, size_t count,
                       struct value **out)
{
    *out = NULL;
    json_error_t error;
    memset(&error, 0, sizeof error);
    json_t *json = json_loadb(count > 0 ? bytes : "", count, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory)
            return fail(ctx, STATUS_NO_MEMORY, "%s: no memory to read it", name);
        return fail(ctx, STATUS_BAD_INPUT, "%s:%d:%d: not valid JSON: %s", name, error.line < 1 ? 1 : error.line,
                    error.column < 1 ? 1 : error.column, error.text);
    }
    *out = from_json(arena, json);
    json_decref(json);
    return *out != NULL ? STATUS_OK : ctx->error.status;
}

enum status json_read(struct context *ctx, struct arena *arena, const char *path, struct value **out)
{
    *out = NULL;
    unsigned char *bytes = NULL;
    size_t count = 0;
    RETURN_IF(file_read(ctx, path, (size_t)1 << 30, &bytes, &count));
    enum status status = json_parse(ctx, arena, path, (const char *)bytes, count, out);
    memory_free(ctx, bytes);
    return status;
}
