/* recipe.c: libyaml's events to a tree. */
#include "recipe/recipe.h"

#include "base/file.h"
#include "base/scalar.h"

#include <math.h>
#include <string.h>
#include <yaml.h>

/* A map or list that is being read; `key` waits for its value. */
struct recipe_level {
    struct value *value;
    const char *key; /* NULL: a key comes next, or this is a list */
    int line, column;
};

struct reader {
    struct context *ctx;
    struct arena *arena;
    const char *file; /* of the arena */
    const char *bytes;
    size_t count;
    yaml_parser_t parser;
    int nodes, depth, documents;
    struct recipe_level levels[RECIPE_MAX_DEPTH];
    struct value *root;
};

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

static int column_of(yaml_mark_t mark)
{
    return (int)mark.column + 1;
}

#define FAIL_AT(reader, mark, ...)                                                                                     \
    value_fail_at((reader)->ctx, (reader)->file, line_of(mark), column_of(mark), STATUS_BAD_INPUT, __VA_ARGS__)

/* parser_fail: libyaml's own complaint. Where it could not even read characters it knows an offset only. */
static enum status parser_fail(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem == NULL ? "unknown problem" : parser->problem;
    if (parser->error == YAML_MEMORY_ERROR)
        return fail(reader->ctx, STATUS_NO_MEMORY, "out of memory while reading %s", reader->file);
    if (parser->error == YAML_READER_ERROR) {
        int line = 1, column = 1;
        for (size_t i = 0; i < parser->problem_offset && i < reader->count; i++) {
            column = reader->bytes[i] == '\n' ? 1 : column + 1;
            line += reader->bytes[i] == '\n';
        }
        return value_fail_at(reader->ctx, reader->file, line, column, STATUS_BAD_INPUT,
                             "not UTF-8 text: %s; a recipe is a YAML file", problem);
    }
    const char *context = parser->context == NULL ? "" : parser->context;
    return FAIL_AT(reader, parser->problem_mark, "not valid YAML: %s%s%s", problem, context[0] == '\0' ? "" : " ",
                   context);
}

static enum status place(struct reader *reader, struct value *value, yaml_mark_t mark)
{
    if (value == NULL)
        return reader->ctx->error.status;
    value->file = reader->file;
    value->line = line_of(mark);
    value->column = column_of(mark);
    return STATUS_OK;
}

/* attach: the value becomes the root, the list's next item, or the waiting key's value. */
static enum status attach(struct reader *reader, struct value *value, yaml_mark_t mark)
{
    RETURN_IF(place(reader, value, mark));
    if (++reader->nodes > RECIPE_MAX_NODES)
        return FAIL_AT(reader, mark, "the recipe is too large: expected at most %d values", RECIPE_MAX_NODES);
    if (reader->depth == 0) {
        reader->root = value;
        return STATUS_OK;
    }
    struct recipe_level *level = &reader->levels[reader->depth - 1];
    if (level->value->kind == VALUE_LIST)
        return value_append(reader->arena, level->value, value) == NULL ? reader->ctx->error.status : STATUS_OK;
    if (value_set(reader->arena, level->value, level->key, value) == NULL)
        return reader->ctx->error.status;
    struct value_entry *entry = &level->value->entries[level->value->count - 1];
    entry->line = level->line;
    entry->column = level->column;
    level->key = NULL;
    return STATUS_OK;
}

/* awaits_key: the innermost open value is a map whose next scalar is a key. */
static bool awaits_key(const struct reader *reader)
{
    if (reader->depth == 0)
        return false;
    const struct recipe_level *level = &reader->levels[reader->depth - 1];
    return level->value->kind == VALUE_MAP && level->key == NULL;
}

static enum status take_key(struct reader *reader, const char *text, yaml_mark_t mark)
{
    struct recipe_level *level = &reader->levels[reader->depth - 1];
    if (text[0] == '\0')
        return FAIL_AT(reader, mark, "expected a key, found nothing");
    for (size_t i = 0; i < level->value->count; i++)
        if (strcmp(level->value->entries[i].key, text) == 0)
            return FAIL_AT(reader, mark, "the key \"%.64s\" stands twice in one map; the first is in line %d", text,
                           level->value->entries[i].line);
    if (level->value->count >= RECIPE_MAX_KEYS)
        return FAIL_AT(reader, mark, "the map is too large: expected at most %d keys", RECIPE_MAX_KEYS);
    level->key = arena_text(reader->arena, text);
    level->line = line_of(mark);
    level->column = column_of(mark);
    return level->key == NULL ? reader->ctx->error.status : STATUS_OK;
}

/* refuse_marks: what YAML has and a recipe does not. */
static enum status refuse_marks(struct reader *reader, const yaml_char_t *anchor, const yaml_char_t *tag,
                                yaml_mark_t mark)
{
    if (anchor != NULL)
        return FAIL_AT(reader, mark, "anchors are not supported, found &%.64s; write the value where it is needed",
                       (const char *)anchor);
    if (tag != NULL)
        return FAIL_AT(reader, mark, "tags are not supported, found %.64s; leave it out", (const char *)tag);
    return STATUS_OK;
}

static enum status read_scalar(struct reader *reader, const yaml_event_t *event)
{
    yaml_mark_t mark = event->start_mark;
    const char *text = (const char *)event->data.scalar.value;
    RETURN_IF(refuse_marks(reader, event->data.scalar.anchor, event->data.scalar.tag, mark));
    if (strlen(text) != event->data.scalar.length)
        return FAIL_AT(reader, mark, "a text holds a zero byte; expected none");
    if (awaits_key(reader))
        return take_key(reader, text, mark);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct value *value = plain ? value_plain(reader->arena, text) : value_text(reader->arena, text);
    if (value != NULL && value->kind == VALUE_REAL && !isfinite(value->real))
        return FAIL_AT(reader, mark, "expected a finite number, found %.64s", text);
    return attach(reader, value, mark);
}

static enum status open_level(struct reader *reader, struct value *value, const yaml_char_t *anchor,
                              const yaml_char_t *tag, yaml_mark_t mark)
{
    RETURN_IF(refuse_marks(reader, anchor, tag, mark));
    if (awaits_key(reader))
        return FAIL_AT(reader, mark, "expected a key, found %s; a key is a word", value_kind_text(value->kind));
    if (reader->depth >= RECIPE_MAX_DEPTH)
        return FAIL_AT(reader, mark, "too deep: expected at most %d maps and lists within each other",
                       RECIPE_MAX_DEPTH);
    RETURN_IF(attach(reader, value, mark));
    reader->levels[reader->depth++] = (struct recipe_level){.value = value};
    return STATUS_OK;
}

static enum status read_open(struct reader *reader, const yaml_event_t *event)
{
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    struct value *value = list ? value_list(reader->arena) : value_map(reader->arena);
    if (value == NULL)
        return reader->ctx->error.status;
    if (list)
        return open_level(reader, value, event->data.sequence_start.anchor, event->data.sequence_start.tag,
                          event->start_mark);
    return open_level(reader, value, event->data.mapping_start.anchor, event->data.mapping_start.tag,
                      event->start_mark);
}

static enum status read_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->documents++ > 0)
            return FAIL_AT(reader, event->start_mark, "a second document begins; expected one in a file");
        return STATUS_OK;
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_open(reader, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reader->depth--;
        return STATUS_OK;
    case YAML_ALIAS_EVENT:
        return FAIL_AT(reader, event->start_mark, "aliases are not supported, found *%.64s; write the value again",
                       (const char *)event->data.alias.anchor);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return STATUS_OK;
    }
    return STATUS_OK;
}

enum status recipe_parse(struct context *ctx, struct arena *arena, const char *name, const char *bytes, size_t count,
                         struct value **out)
{
    enum status status = STATUS_OK;
    *out = NULL;
    if (count > RECIPE_MAX_BYTES)
        return fail(ctx, STATUS_BAD_INPUT, "%s is too large: expected at most %d bytes, found %zu", name,
                    RECIPE_MAX_BYTES, count);
    struct reader reader = {.ctx = ctx, .arena = arena, .bytes = bytes, .count = count};
    reader.file = arena_text(arena, name);
    if (reader.file == NULL)
        return ctx->error.status;
    if (!yaml_parser_initialize(&reader.parser))
        return fail(ctx, STATUS_NO_MEMORY, "out of memory while reading %s", name);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)bytes, count);
    /* Said, not guessed: without it a file in UTF-16 would pass, and its positions would be of another text. */
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    for (bool done = false; !done;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader.parser, &event)) {
            status = parser_fail(&reader);
            goto cleanup;
        }
        done = event.type == YAML_STREAM_END_EVENT;
        status = read_event(&reader, &event);
        yaml_event_delete(&event);
        if (status != STATUS_OK)
            goto cleanup;
    }
    if (reader.root == NULL)
        status = value_fail_at(ctx, reader.file, 1, 1, STATUS_BAD_INPUT, "expected a map of keys, found an empty file");
    else
        *out = reader.root;
cleanup:
    yaml_parser_delete(&reader.parser);
    return status;
}

enum status recipe_read(struct context *ctx, struct arena *arena, const char *path, struct value **out)
{
    unsigned char *bytes = NULL;
    size_t count = 0;
    *out = NULL;
    RETURN_IF(file_read(ctx, path, RECIPE_MAX_BYTES, &bytes, &count));
    enum status status = recipe_parse(ctx, arena, path, (const char *)bytes, count, out);
    memory_free(ctx, bytes);
    return status;
}
