/* section.c: binds a recipe's `data:` section: which reader, with which files, and what is done to the images. */
#include "data/section.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct option_spec data_options[] = {
    {.name = "name",
     .type = OPTION_TEXT,
     .offset = offsetof(struct data_options, name),
     .help = "a data set or format of `retort list data`; may be left out where its section is there"},
    {.name = "validation",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct data_options, validation),
     .initial = "0",
     .min = 0,
     .max = 2147483647,
     .help = "samples held out at the end of the training data, never of the test data"},
    {.name = "augment",
     .type = OPTION_VALUE,
     .offset = offsetof(struct data_options, augment),
     .help = "changes of the training images: {flip: true, shift: 2}; `retort list augments` has all"},
    {.name = "augment_seed",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct data_options, augment_seed),
     .initial = "0",
     .help = "seed of the augmentation; not the run's, so that all seeds see the same images"},
    {.name = "classes",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct data_options, classes),
     .initial = "0",
     .min = 0,
     .max = 1000000,
     .help = "number of classes; 0: the greatest label plus 1"},
    {.name = "class_names",
     .type = OPTION_TEXTS,
     .offset = offsetof(struct data_options, class_names),
     .help = "what the classes are, for the report: one text for each, in their order"},
};
enum { DATA_OPTIONS = sizeof data_options / sizeof data_options[0] };

struct option_set data_section_options(void)
{
    return OPTION_SET(data_options);
}

/* bind_options: the section's own options, and the reader with its section (NULL where it has none). */
static enum status bind_options(struct context *ctx, struct arena *arena, const struct value *section,
                                struct data_options *options, const struct reader **reader,
                                const struct value **reader_section)
{
    struct bound { /* the section's options, and behind them a subtree for each reader */
        struct data_options own;
        const struct value *sections[];
    };
    size_t count = 0;
    const struct reader *const *table = reader_table(&count);
    struct option_spec *specs = arena_take(arena, DATA_OPTIONS + count, sizeof *specs);
    struct bound *bound = arena_take(arena, 1, sizeof *bound + count * sizeof bound->sections[0]);
    if (specs == NULL || bound == NULL)
        return ctx->error.status;
    memcpy(specs, data_options, sizeof data_options);
    for (size_t i = 0; i < count; i++)
        specs[DATA_OPTIONS + i] = (struct option_spec){.name = table[i]->name,
                                                       .type = OPTION_VALUE,
                                                       .offset = sizeof *bound + i * sizeof bound->sections[0],
                                                       .help = table[i]->summary};
    RETURN_IF(options_bind(ctx, arena, (struct option_set){specs, DATA_OPTIONS + count}, section, "data", bound));
    *options = bound->own;

    *reader = NULL;
    *reader_section = NULL;
    for (size_t i = 0; i < count; i++) {
        if (value_get(section, table[i]->name) == NULL)
            continue;
        if (*reader != NULL)
            return value_fail(ctx, bound->sections[i], STATUS_BAD_INPUT,
                              "data: expected one data set, found \"%s\" and \"%s\"", (*reader)->name, table[i]->name);
        *reader = table[i];
        *reader_section = bound->sections[i];
    }
    if (options->name == NULL) {
        if (*reader != NULL)
            return STATUS_OK;
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "data: no data set; expected `name: NAME` or a section of its name; `retort list data` lists "
                          "them");
    }
    const struct value *at = value_get(section, "name");
    const struct reader *named = reader_find(options->name);
    if (named == NULL) {
        const char **names = arena_take(arena, count, sizeof *names);
        if (names == NULL)
            return ctx->error.status;
        for (size_t i = 0; i < count; i++)
            names[i] = table[i]->name;
        const char *nearest = nearest_name(options->name, names, count);
        return value_fail(ctx, at, STATUS_BAD_INPUT, "no data set \"%s\"; %s%s%s`retort list data` lists them",
                          options->name, nearest != NULL ? "nearest: \"" : "", nearest != NULL ? nearest : "",
                          nearest != NULL ? "\"; " : "");
    }
    if (*reader != NULL && *reader != named)
        return value_fail(ctx, at, STATUS_BAD_INPUT, "data: expected one data set, found \"%s\" and \"%s\"",
                          named->name, (*reader)->name);
    *reader = named;
    return STATUS_OK;
}

/* join_paths: the reader's section with its paths joined to the recipe's folder. */
static enum status join_paths(struct context *ctx, struct arena *arena, const struct reader *reader,
                              const char *recipe_path, const struct value *section, const struct value **out)
{
    *out = section;
    if (section == NULL || section->kind != VALUE_MAP || reader->paths == NULL || recipe_path == NULL)
        return STATUS_OK;
    enum status status = STATUS_OK;
    char *joined = NULL;
    char *folder = path_directory(ctx, recipe_path);
    struct value *copy = value_copy(arena, section);
    if (folder == NULL || copy == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    for (size_t i = 0; reader->paths[i] != NULL; i++) {
        struct value *path = value_get(copy, reader->paths[i]);
        if (path == NULL || path->kind != VALUE_TEXT)
            continue;
        /* In the recipe's own folder a path stays as it was given, for messages. */
        joined = path_join(ctx, strcmp(folder, ".") == 0 ? "" : folder, path->text);
        path->text = joined == NULL ? NULL : arena_text(arena, joined);
        if (path->text == NULL) {
            status = ctx->error.status;
            goto cleanup;
        }
        memory_free(ctx, joined);
        joined = NULL;
    }
    *out = copy;

cleanup:
    memory_free(ctx, joined);
    memory_free(ctx, folder);
    return status;
}

/* class_names_of: those of the recipe, else those that the reader knows. */
static struct option_texts class_names_of(const struct data_options *options, const struct reader *reader)
{
    struct option_texts names = options->class_names;
    if (names.count > 0 || reader->class_names == NULL)
        return names;
    names.values = reader->class_names;
    while (names.values[names.count] != NULL)
        names.count++;
    return names;
}

/* resolve: the section with every value that applied, which means the same wherever it is read from. */
static enum status resolve(struct context *ctx, struct arena *arena, const struct data_section *section,
                           struct value *augment, const struct value **out)
{
    const struct data_options *options = &section->options;
    const struct reader *reader = section->reader;
    char folder[4096];
    struct value *own = options_value(arena, reader->options, section->reader_options);
    for (size_t i = 0; own != NULL && reader->paths != NULL && reader->paths[i] != NULL; i++) {
        struct value *path = value_get(own, reader->paths[i]);
        if (path == NULL || path->kind != VALUE_TEXT || path->text[0] == '/')
            continue;
        if (getcwd(folder, sizeof folder) == NULL)
            return fail(ctx, STATUS_IO, "cannot tell the working directory: %s", strerror(errno));
        path->text = arena_format(arena, "%s/%s", folder, path->text);
        if (path->text == NULL)
            return ctx->error.status;
    }
    struct value *all = value_map(arena);
    all = value_set(arena, all, "name", value_text(arena, reader->name));
    all = value_set(arena, all, reader->name, own);
    all = value_set(arena, all, "validation", value_integer(arena, options->validation));
    all = value_set(arena, all, "augment", augment);
    all = value_set(arena, all, "augment_seed", value_integer(arena, options->augment_seed));
    all = value_set(arena, all, "classes", value_integer(arena, options->classes));
    const struct option_texts *names = &options->class_names; /* the reader's apply again where these are none */
    struct value *list = value_list(arena);
    for (size_t i = 0; i < names->count; i++)
        list = value_append(arena, list, value_text(arena, names->values[i]));
    if (names->count > 0)
        all = value_set(arena, all, "class_names", list);
    *out = all;
    return all != NULL ? STATUS_OK : ctx->error.status;
}

enum status section_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                         struct data_section *out)
{
    struct value *augment = NULL;
    memset(out, 0, sizeof *out);
    RETURN_IF(bind_options(ctx, arena, section, &out->options, &out->reader, &out->reader_section));
    RETURN_IF(join_paths(ctx, arena, out->reader, recipe_path, out->reader_section, &out->reader_section));
    out->reader_options = arena_take(arena, 1, out->reader->options_size);
    out->augmentation = arena_take(arena, 1, sizeof *out->augmentation);
    if (out->reader_options == NULL || out->augmentation == NULL)
        return ctx->error.status;
    RETURN_IF(
        options_bind(ctx, arena, out->reader->options, out->reader_section, out->reader->name, out->reader_options));
    RETURN_IF(augmentation_bind(ctx, arena, out->options.augment, (uint64_t)out->options.augment_seed,
                                out->augmentation, &augment));
    out->class_names = class_names_of(&out->options, out->reader);
    return resolve(ctx, arena, out, augment, &out->resolved);
}
