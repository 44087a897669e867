/* section.c: binds a recipe's `data:` section: which reader, with which files, and what is done to the images. */
#include "data/section.h"

#include "base/file.h"

#include <string.h>

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
    {.name = "labelled",
     .type = OPTION_VALUE,
     .offset = offsetof(struct data_options, labelled),
     .help = "how many samples of the train split keep their labels, evenly over the classes; or an NPY file, int64 "
             "[n], of their indices; default: all do"},
    {.name = "labelled_seed",
     .type = OPTION_INTEGER,
     .offset = offsetof(struct data_options, labelled_seed),
     .initial = "0",
     .help = "seed of the choice with labelled: N; not the run's, so that all seeds have the same labels"},
    {.name = "extra",
     .type = OPTION_VALUE,
     .offset = offsetof(struct data_options, extra),
     .help = "a data set whose training samples join the train split without labels: {idx: {train_images: FILE}}"},
};
enum { DATA_OPTIONS = sizeof data_options / sizeof data_options[0], SOURCE_OPTIONS = 1 /* its name */ };

struct option_set data_section_options(void)
{
    return OPTION_SET(data_options);
}

/* bind_options: the first `n_own` of the section's own options, and the reader with its section (NULL where it has
 * none). */
static enum status bind_options(struct context *ctx, struct arena *arena, const struct value *section, const char *what,
                                size_t n_own, struct data_options *options, const struct reader **reader,
                                const struct value **reader_section)
{
    struct bound { /* the section's options, and behind them a subtree for each reader */
        struct data_options own;
        const struct value *sections[];
    };
    size_t count = 0;
    const struct reader *const *table = reader_table(&count);
    struct option_spec *specs = arena_take(arena, n_own + count, sizeof *specs);
    struct bound *bound = arena_take(arena, 1, sizeof *bound + count * sizeof bound->sections[0]);
    if (specs == NULL || bound == NULL)
        return ctx->error.status;
    memcpy(specs, data_options, n_own * sizeof data_options[0]);
    for (size_t i = 0; i < count; i++)
        specs[n_own + i] = (struct option_spec){.name = table[i]->name,
                                                .type = OPTION_VALUE,
                                                .offset = sizeof *bound + i * sizeof bound->sections[0],
                                                .help = table[i]->summary};
    RETURN_IF(options_bind(ctx, arena, (struct option_set){specs, n_own + count}, section, what, bound));
    *options = bound->own;

    *reader = NULL;
    *reader_section = NULL;
    for (size_t i = 0; i < count; i++) {
        if (value_get(section, table[i]->name) == NULL)
            continue;
        if (*reader != NULL)
            return value_fail(ctx, bound->sections[i], STATUS_BAD_INPUT,
                              "%s: expected one data set, found \"%s\" and \"%s\"", what, (*reader)->name,
                              table[i]->name);
        *reader = table[i];
        *reader_section = bound->sections[i];
    }
    if (options->name == NULL) {
        if (*reader != NULL)
            return STATUS_OK;
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "%s: no data set; expected `name: NAME` or a section of its name; `retort list data` lists "
                          "them",
                          what);
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
        return value_fail(ctx, at, STATUS_BAD_INPUT, "%s: expected one data set, found \"%s\" and \"%s\"", what,
                          named->name, (*reader)->name);
    *reader = named;
    return STATUS_OK;
}

/* beside_recipe: recipe_path NULL: the section is of no file. NULL: the error is recorded. */
static char *beside_recipe(struct context *ctx, struct arena *arena, const char *recipe_path, const char *path)
{
    return recipe_path == NULL ? arena_text(arena, path) : path_beside(ctx, arena, recipe_path, path);
}

/* join_paths: the reader's section with its paths joined to the recipe's folder. */
static enum status join_paths(struct context *ctx, struct arena *arena, const struct reader *reader,
                              const char *recipe_path, const struct value *section, const struct value **out)
{
    *out = section;
    if (section == NULL || section->kind != VALUE_MAP || reader->paths == NULL || recipe_path == NULL)
        return STATUS_OK;
    struct value *copy = value_copy(arena, section);
    if (copy == NULL)
        return ctx->error.status;
    for (size_t i = 0; reader->paths[i] != NULL; i++) {
        struct value *path = value_get(copy, reader->paths[i]);
        if (path == NULL || path->kind != VALUE_TEXT)
            continue;
        path->text = beside_recipe(ctx, arena, recipe_path, path->text);
        if (path->text == NULL)
            return ctx->error.status;
    }
    *out = copy;
    return STATUS_OK;
}

/* source_bind: the reader's options; its section is as bind_options found it. */
static enum status source_bind(struct context *ctx, struct arena *arena, const char *recipe_path, struct source *source)
{
    RETURN_IF(join_paths(ctx, arena, source->reader, recipe_path, source->section, &source->section));
    source->options = arena_take(arena, 1, source->reader->options_size);
    if (source->options == NULL)
        return ctx->error.status;
    return options_bind(ctx, arena, source->reader->options, source->section, source->reader->name, source->options);
}

enum status source_read(struct context *ctx, struct arena *arena, const struct source *source, struct samples *train,
                        struct samples *test)
{
    return source->reader->read(ctx, arena, source->options, source->section, train, test);
}

/* extra_bind: the section `extra`, which has a name and a reader's section alone. */
static enum status extra_bind(struct context *ctx, struct arena *arena, const char *recipe_path,
                              const struct value *section, struct source *source)
{
    struct data_options name;
    if (section == NULL || section->kind == VALUE_NULL)
        return STATUS_OK;
    RETURN_IF(
        bind_options(ctx, arena, section, "data.extra", SOURCE_OPTIONS, &name, &source->reader, &source->section));
    return source_bind(ctx, arena, recipe_path, source);
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

/* resolve_source: adds name and section of a source to the map. */
static enum status resolve_source(struct context *ctx, struct arena *arena, const struct source *source,
                                  struct value *map)
{
    const struct reader *reader = source->reader;
    struct value *own = options_value(arena, reader->options, source->options);
    for (size_t i = 0; own != NULL && reader->paths != NULL && reader->paths[i] != NULL; i++) {
        struct value *path = value_get(own, reader->paths[i]);
        if (path == NULL || path->kind != VALUE_TEXT)
            continue;
        path->text = path_absolute(ctx, arena, path->text);
        if (path->text == NULL)
            return ctx->error.status;
    }
    map = value_set(arena, map, "name", value_text(arena, reader->name));
    map = value_set(arena, map, reader->name, own);
    return map != NULL ? STATUS_OK : ctx->error.status;
}

/* resolve_labelled: NULL: the error is recorded. */
static struct value *resolve_labelled(struct context *ctx, struct arena *arena, const struct labelled *labelled)
{
    if (labelled->path == NULL)
        return value_integer(arena, labelled->count);
    const char *path = path_absolute(ctx, arena, labelled->path);
    return path != NULL ? value_text(arena, path) : NULL;
}

/* resolve: the section with every value that applied, which means the same wherever it is read from. */
static enum status resolve(struct context *ctx, struct arena *arena, const struct data_section *section,
                           struct value *augment, const struct value **out)
{
    const struct data_options *options = &section->options;
    struct value *all = value_map(arena), *extra = value_map(arena);
    RETURN_IF(resolve_source(ctx, arena, &section->files, all));
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
    if (section->labelled.at != NULL)
        all = value_set(arena, all, "labelled", resolve_labelled(ctx, arena, &section->labelled));
    all = value_set(arena, all, "labelled_seed", value_integer(arena, options->labelled_seed));
    if (section->extra.reader != NULL) {
        RETURN_IF(resolve_source(ctx, arena, &section->extra, extra));
        all = value_set(arena, all, "extra", extra);
    }
    *out = all;
    return all != NULL ? STATUS_OK : ctx->error.status;
}

/* bind_labelled: with the path joined to the recipe's folder. */
static enum status bind_labelled(struct context *ctx, struct arena *arena, const struct data_options *options,
                                 const char *recipe_path, struct labelled *out)
{
    RETURN_IF(labelled_bind(ctx, arena, options->labelled, out));
    out->seed = (uint64_t)options->labelled_seed;
    if (out->path == NULL)
        return STATUS_OK;
    out->path = beside_recipe(ctx, arena, recipe_path, out->path);
    return out->path != NULL ? STATUS_OK : ctx->error.status;
}

enum status section_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                         struct data_section *out)
{
    struct value *augment = NULL;
    memset(out, 0, sizeof *out);
    RETURN_IF(bind_options(ctx, arena, section, "data", DATA_OPTIONS, &out->options, &out->files.reader,
                           &out->files.section));
    RETURN_IF(source_bind(ctx, arena, recipe_path, &out->files));
    RETURN_IF(extra_bind(ctx, arena, recipe_path, out->options.extra, &out->extra));
    RETURN_IF(bind_labelled(ctx, arena, &out->options, recipe_path, &out->labelled));
    out->augmentation = arena_take(arena, 1, sizeof *out->augmentation);
    if (out->augmentation == NULL)
        return ctx->error.status;
    RETURN_IF(augmentation_bind(ctx, arena, out->options.augment, (uint64_t)out->options.augment_seed,
                                out->augmentation, &augment));
    out->class_names = class_names_of(&out->options, out->files.reader);
    return resolve(ctx, arena, out, augment, &out->resolved);
}
