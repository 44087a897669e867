/* list.c: reading a recipe's list of layers: types, names, inputs, blocks. */
#include "nn/block.h"

#include <ctype.h>
#include <string.h>

/* One item of the list, taken apart. Exactly one of type and block is set. */
struct item {
    const struct value *at;
    const struct layer_type *type;
    const struct block_type *block;
    const struct value *options, *name, *inputs; /* NULL where not given */
};

static const struct block_type *find_block(const char *name)
{
    for (size_t i = 0; i < block_table_count; i++)
        if (strcmp(block_table[i]->name, name) == 0)
            return block_table[i];
    return NULL;
}

static int find_layer(const struct network *network, const char *name)
{
    for (int i = 0; i < network->n_layers; i++)
        if (strcmp(network->layers[i].name, name) == 0)
            return i;
    return -1;
}

static enum status fail_type(struct builder *builder, const struct value *at, int line, int column, const char *found)
{
    struct context *ctx = builder->ctx;
    size_t count = 0;
    const char **names = arena_take(builder->network->arena, layer_type_count(ctx) + block_table_count, sizeof(*names));
    if (!names)
        return ctx->error.status;
    for (size_t i = 0; i < layer_type_count(ctx); i++)
        names[count++] = layer_type_at(ctx, i)->name;
    for (size_t i = 0; i < block_table_count; i++)
        names[count++] = block_table[i]->name;
    const char *nearest = nearest_name(found, names, count);
    at = at->line > 0 ? at : builder->at;
    if (at && at->line > 0 && line == 0) {
        line = at->line;
        column = at->column;
    }
    if (line == 0) /* not from a recipe: a model that somebody made with a layer of their own */
        return value_fail(ctx, at, STATUS_BAD_INPUT,
                          "no layer type \"%s\"; one from outside has to be registered before its model is read",
                          found);
    return value_fail_at(ctx, at ? at->file : NULL, line, column, STATUS_BAD_INPUT, "no layer type \"%s\"%s%s%s", found,
                         nearest ? "; nearest: \"" : "; `retort list layers` shows all", nearest ? nearest : "",
                         nearest ? "\"" : "");
}

static bool item_take_type(const struct builder *builder, struct item *item, const char *name)
{
    item->type = layer_find_type(builder->ctx, name);
    item->block = item->type ? NULL : find_block(name);
    return item->type || item->block;
}

/* A second key beside the type: most likely a slip in `name` or `inputs`. */
static enum status fail_key(struct builder *builder, const struct value *at, const struct value_entry *entry,
                            const char *type)
{
    static const char *const keys[] = {"name", "inputs"};
    const char *nearest = nearest_name(entry->key, keys, 2);
    return value_fail_at(builder->ctx, at->file, entry->line, entry->column, STATUS_BAD_INPUT,
                         "layer %s: unknown key \"%s\" beside the type%s%s%s", type, entry->key,
                         nearest ? "; nearest: \""
                                 : "; expected `name` or `inputs`, and the type's options inside its own map",
                         nearest ? nearest : "", nearest ? "\"" : "");
}

static enum status read_item(struct builder *builder, const struct value *at, struct item *item)
{
    char found[VALUE_FOUND_SIZE];
    *item = (struct item){.at = at};
    if (at->kind == VALUE_TEXT)
        return item_take_type(builder, item, at->text) ? STATUS_OK
                                                       : fail_type(builder, at, at->line, at->column, at->text);
    if (at->kind != VALUE_MAP)
        return value_fail(builder->ctx, at, STATUS_BAD_INPUT,
                          "expected a layer: a type's name or {TYPE: {options}, name: NAME, inputs: [NAMES]}, found %s",
                          value_found(at, found));
    const struct value_entry *type = NULL, *other = NULL;
    for (size_t i = 0; i < at->count; i++) {
        const struct value_entry *entry = &at->entries[i];
        if (strcmp(entry->key, "name") == 0)
            item->name = entry->value;
        else if (strcmp(entry->key, "inputs") == 0)
            item->inputs = entry->value;
        else if (!type && item_take_type(builder, item, entry->key))
            type = entry;
        else
            other = other ? other : entry;
    }
    if (!type && !other)
        return value_fail(builder->ctx, at, STATUS_BAD_INPUT,
                          "a layer without a type: expected {TYPE: {options}}, found %s",
                          at->count ? "only name or inputs" : "an empty map");
    if (!type)
        return fail_type(builder, at, other->line, other->column, other->key);
    if (other)
        return fail_key(builder, at, other, type->key);
    item->options = type->value;
    return STATUS_OK;
}

/* --- names --- */

static bool name_given(const struct builder_scope *scope, const char *full)
{
    size_t skip = strlen(scope->prefix);
    if (strncmp(full, scope->prefix, skip) != 0)
        return false;
    for (size_t i = 0; i < scope->list->count; i++) {
        const struct value *name =
            scope->list->items[i]->kind == VALUE_MAP ? value_get(scope->list->items[i], "name") : NULL;
        if (name && name->kind == VALUE_TEXT && strcmp(name->text, full + skip) == 0)
            return true;
    }
    return false;
}

/* TYPE1, TYPE2 …: the first number that no layer has and that no layer of the list is given. */
static char *automatic_name(struct builder *builder, const char *type)
{
    for (int n = 1;; n++) {
        char *name = arena_format(builder->network->arena, "%s%s%d", builder->scope->prefix, type, n);
        if (!name || (find_layer(builder->network, name) < 0 && !name_given(builder->scope, name)))
            return name;
    }
}

bool layer_name_legal(const char *name)
{
    if (!*name || strcmp(name, "input") == 0)
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
            return false;
    return true;
}

static enum status item_name(struct builder *builder, const struct item *item, const char **name)
{
    struct context *ctx = builder->ctx;
    char found[VALUE_FOUND_SIZE];
    if (!item->name) {
        *name = automatic_name(builder, item->type ? item->type->name : item->block->name);
        return *name ? STATUS_OK : ctx->error.status;
    }
    if (item->name->kind != VALUE_TEXT || !layer_name_legal(item->name->text))
        return value_fail(ctx, item->name, STATUS_BAD_INPUT,
                          "a layer's name consists of letters, digits, _ and -, and is not \"input\"; found %s",
                          value_found(item->name, found));
    *name = arena_format(builder->network->arena, "%s%s", builder->scope->prefix, item->name->text);
    if (!*name)
        return ctx->error.status;
    if (find_layer(builder->network, *name) >= 0)
        return value_fail(ctx, item->name, STATUS_BAD_INPUT, "a layer named \"%s\" is there already; names must differ",
                          *name);
    return STATUS_OK;
}

/* --- inputs --- */

/* Inside a block its own names come first, then those around it. */
static enum status find_input(struct builder *builder, const struct value *at, int *layer)
{
    struct context *ctx = builder->ctx;
    struct network *network = builder->network;
    char found[VALUE_FOUND_SIZE];
    if (at->kind != VALUE_TEXT)
        return value_fail(ctx, at, STATUS_BAD_INPUT, "inputs: expected a layer's name, found %s",
                          value_found(at, found));
    if (strcmp(at->text, "input") == 0) {
        *layer = builder->first;
        return STATUS_OK;
    }
    for (const struct builder_scope *scope = builder->scope; scope; scope = scope->outer) {
        char *full = arena_format(network->arena, "%s%s", scope->prefix, at->text);
        if (!full)
            return ctx->error.status;
        *layer = find_layer(network, full);
        if (*layer >= 0)
            return STATUS_OK;
    }
    const char **names = arena_take(network->arena, (size_t)network->n_layers + 1, sizeof(*names));
    if (!names)
        return ctx->error.status;
    size_t count = 0;
    names[count++] = "input";
    for (int i = 0; i < network->n_layers; i++)
        names[count++] = network->layers[i].name;
    const char *nearest = nearest_name(at->text, names, count);
    return value_fail(ctx, at, STATUS_BAD_INPUT, "inputs: no earlier layer \"%s\"%s%s%s", at->text,
                      nearest ? "; nearest: \"" : "; a layer can only read the input and layers above it",
                      nearest ? nearest : "", nearest ? "\"" : "");
}

static enum status item_inputs(struct builder *builder, const struct item *item, int previous, int *count,
                               int inputs[OP_MAX_INPUTS])
{
    const struct value *given = item->inputs;
    char found[VALUE_FOUND_SIZE];
    *count = 1;
    inputs[0] = previous;
    if (!given)
        return STATUS_OK;
    if (given->kind == VALUE_TEXT)
        return find_input(builder, given, &inputs[0]);
    if (given->kind != VALUE_LIST || given->count < 1 || given->count > OP_MAX_INPUTS)
        return value_fail(builder->ctx, given, STATUS_BAD_INPUT,
                          "inputs: expected a list of 1 to %d layer names, found %s", OP_MAX_INPUTS,
                          given->kind == VALUE_LIST ? (given->count ? "more" : "none") : value_found(given, found));
    *count = (int)given->count;
    for (size_t i = 0; i < given->count; i++)
        RETURN_IF(find_input(builder, given->items[i], &inputs[i]));
    return STATUS_OK;
}

/* --- blocks --- */

static enum status expand_block(struct builder *builder, const struct item *item, const char *name, int n_inputs,
                                int input)
{
    const struct block_type *block = item->block;
    struct arena *arena = builder->network->arena;
    if (n_inputs != 1)
        return value_fail(builder->ctx, item->inputs, STATUS_BAD_INPUT, "block %s takes 1 input, found %d", block->name,
                          n_inputs);
    void *options = arena_take(arena, 1, block->options_size);
    char *what = arena_format(arena, "block %s", block->name);
    if (!options || !what)
        return builder->ctx->error.status;
    RETURN_IF(options_bind(builder->ctx, arena, (struct option_set){block->options, block->n_options}, item->options,
                           what, options));
    struct block_site site = {builder, item->at, name, input};
    return block->expand(&site, options);
}

enum status builder_list(struct builder *builder, const char *prefix, const struct value *list, int input, int *last)
{
    enum status status = STATUS_OK;
    char found[VALUE_FOUND_SIZE];
    if (!list || list->kind != VALUE_LIST || list->count == 0)
        return value_fail(builder->ctx, list ? list : builder->at, STATUS_BAD_INPUT,
                          "expected a list of layers, found %s",
                          list && list->kind == VALUE_LIST ? "an empty list" : value_found(list, found));
    struct builder_scope scope = {builder->scope, prefix, list};
    builder->scope = &scope;
    *last = input;
    for (size_t i = 0; i < list->count; i++) {
        struct item item;
        const char *name = NULL;
        int n_inputs, inputs[OP_MAX_INPUTS];
        TRY(read_item(builder, list->items[i], &item));
        TRY(item_name(builder, &item, &name));
        TRY(item_inputs(builder, &item, *last, &n_inputs, inputs));
        if (item.block)
            TRY(expand_block(builder, &item, name, n_inputs, inputs[0]));
        else
            TRY(builder_layer(builder, item.at, item.type, name, n_inputs, inputs, item.options, NULL));
        *last = builder->network->n_layers - 1;
    }
cleanup:
    builder->scope = scope.outer;
    return status;
}
