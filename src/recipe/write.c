/* write.c: a tree to YAML that reads back to the same tree. */
#include "recipe/recipe.h"

#include "base/scalar.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

struct writer {
    struct context *ctx;
    struct text *out;
    yaml_emitter_t emitter;
};

static int write_bytes(void *user, unsigned char *bytes, size_t count)
{
    struct writer *writer = user;
    text_add_bytes(writer->out, (const char *)bytes, count);
    return !writer->out->failed;
}

/* emit: hands the event over, also one that could not be made (made 0). */
static enum status emit(struct writer *writer, yaml_event_t *event, int made, const char *text)
{
    if (made && yaml_emitter_emit(&writer->emitter, event))
        return STATUS_OK;
    if (writer->out->failed)
        return writer->ctx->error.status;
    if (!made && text != NULL)
        return fail(writer->ctx, STATUS_BAD_INPUT, "a recipe cannot hold a text that is not UTF-8: \"%.64s\"", text);
    if (!made || writer->emitter.error == YAML_MEMORY_ERROR)
        return fail(writer->ctx, STATUS_NO_MEMORY, "out of memory while writing a recipe");
    return fail(writer->ctx, STATUS_BAD_INPUT, "a recipe cannot be written: %s",
                writer->emitter.problem == NULL ? "unknown problem" : writer->emitter.problem);
}

/* text_style: a text that would read back as a number is quoted; one with control characters (line breaks too) goes into
 * double quotes, where they are escaped and not folded; else libyaml decides. */
static enum status text_style(struct writer *writer, const char *text, bool key, yaml_scalar_style_t *style)
{
    *style = YAML_PLAIN_SCALAR_STYLE;
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7F)
            *style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    if (key || *style != YAML_PLAIN_SCALAR_STYLE)
        return STATUS_OK;
    struct arena *arena = arena_new(writer->ctx);
    struct value *typed = arena == NULL ? NULL : value_plain(arena, text);
    enum status status = typed == NULL ? writer->ctx->error.status : STATUS_OK;
    if (typed != NULL && typed->kind != VALUE_TEXT)
        *style = YAML_SINGLE_QUOTED_SCALAR_STYLE;
    arena_free(arena);
    return status;
}

static enum status write_scalar(struct writer *writer, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    int made =
        yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)strlen(text), 1, 1, style);
    return emit(writer, &event, made, text);
}

static enum status write_text(struct writer *writer, const char *text, bool key)
{
    yaml_scalar_style_t style;
    RETURN_IF(text_style(writer, text, key, &style));
    return write_scalar(writer, text, style);
}

/* is_row: a list of scalars stands in one line. */
static bool is_row(const struct value *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->kind == VALUE_LIST || list->items[i]->kind == VALUE_MAP)
            return false;
    return true;
}

static enum status write_value(struct writer *writer, const struct value *value);

static enum status write_list(struct writer *writer, const struct value *list)
{
    yaml_event_t event;
    yaml_sequence_style_t style = is_row(list) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE;
    int made = yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style);
    RETURN_IF(emit(writer, &event, made, NULL));
    for (size_t i = 0; i < list->count; i++)
        RETURN_IF(write_value(writer, list->items[i]));
    made = yaml_sequence_end_event_initialize(&event);
    return emit(writer, &event, made, NULL);
}

static enum status write_map(struct writer *writer, const struct value *map)
{
    yaml_event_t event;
    int made = yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
    RETURN_IF(emit(writer, &event, made, NULL));
    for (size_t i = 0; i < map->count; i++) {
        RETURN_IF(write_text(writer, map->entries[i].key, true));
        RETURN_IF(write_value(writer, map->entries[i].value));
    }
    made = yaml_mapping_end_event_initialize(&event);
    return emit(writer, &event, made, NULL);
}

static enum status write_value(struct writer *writer, const struct value *value)
{
    char number[NUMBER_TEXT_SIZE];
    switch (value->kind) {
    case VALUE_NULL:
        return write_scalar(writer, "null", YAML_PLAIN_SCALAR_STYLE);
    case VALUE_BOOLEAN:
        return write_scalar(writer, value->boolean ? "true" : "false", YAML_PLAIN_SCALAR_STYLE);
    case VALUE_INTEGER:
        return write_scalar(writer, value->text, YAML_PLAIN_SCALAR_STYLE);
    case VALUE_REAL:
        return write_scalar(writer, number_text(value->real, number), YAML_PLAIN_SCALAR_STYLE);
    case VALUE_TEXT:
        return write_text(writer, value->text, false);
    case VALUE_LIST:
        return write_list(writer, value);
    case VALUE_MAP:
        return write_map(writer, value);
    }
    assert(!"a kind of value that is not in its enum");
    return STATUS_BAD_INPUT;
}

enum status recipe_write(struct context *ctx, const struct value *value, struct text *out)
{
    enum status status = STATUS_OK;
    struct writer writer = {.ctx = ctx, .out = out};
    yaml_event_t event;
    if (!yaml_emitter_initialize(&writer.emitter))
        return fail(ctx, STATUS_NO_MEMORY, "out of memory while writing a recipe");
    yaml_emitter_set_output(&writer.emitter, write_bytes, &writer);
    yaml_emitter_set_unicode(&writer.emitter, 1);
    yaml_emitter_set_width(&writer.emitter, -1); /* no text is broken over lines */
    TRY(emit(&writer, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING), NULL));
    TRY(emit(&writer, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1), NULL));
    TRY(write_value(&writer, value));
    TRY(emit(&writer, &event, yaml_document_end_event_initialize(&event, 1), NULL));
    TRY(emit(&writer, &event, yaml_stream_end_event_initialize(&event), NULL));
cleanup:
    yaml_emitter_delete(&writer.emitter);
    return status;
}
