/* data.c: a recipe's `data:` section becomes splits. */
#include "data/data.h"

#include "base/file.h"
#include "data/augment.h"
#include "data/reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct data_options {
    const char *name;
    int64_t validation, augment_seed, classes;
    const struct value *augment;
};

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
     .help = "changes of the training images: {flip: true, shift: 2}"},
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
};
enum { DATA_OPTIONS = sizeof data_options / sizeof data_options[0] };

static const char *const split_texts[] = {
#define X(name, text) text,
    SPLIT_LIST(X)
#undef X
};

const char *split_text(enum split_kind kind)
{
    return split_texts[kind];
}

int split_find(const char *text)
{
    for (int i = 0; i < SPLIT_KINDS; i++)
        if (strcmp(split_texts[i], text) == 0)
            return i;
    return -1;
}

void samples_free(struct context *ctx, struct samples *samples)
{
    memory_free(ctx, samples->images);
    memory_free(ctx, samples->labels);
    memset(samples, 0, sizeof *samples);
}

/* bind_section: the section's own options, and the reader with its section (NULL where it has none). */
static enum status bind_section(struct context *ctx, struct arena *arena, const struct value *section,
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

/* resolve: the section with every value that applied, which means the same wherever it is read from. */
static enum status resolve(struct context *ctx, struct arena *arena, const struct data_options *options,
                           const struct reader *reader, const void *reader_options, struct value *augment,
                           const struct value **out)
{
    char folder[4096];
    struct value *own = options_value(arena, reader->options, reader_options);
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
    *out = all;
    return all != NULL ? STATUS_OK : ctx->error.status;
}

/* check_labels: those below `limit` are fine; `why` ends the message. */
static enum status check_labels(struct context *ctx, const struct samples *samples, int64_t limit, const char *why)
{
    for (int64_t i = 0; samples->labels != NULL && i < samples->count; i++)
        if (samples->labels[i] >= limit)
            return fail(ctx, STATUS_BAD_INPUT,
                        "%s: the label of sample %lld is out of range: expected 0 to %lld (%s), found %d",
                        samples->labels_path != NULL ? samples->labels_path : "data", (long long)i,
                        (long long)limit - 1, why, (int)samples->labels[i]);
    return STATUS_OK;
}

static int greatest_label(const struct samples *samples)
{
    int greatest = -1;
    for (int64_t i = 0; samples->labels != NULL && i < samples->count; i++)
        if (samples->labels[i] > greatest)
            greatest = samples->labels[i];
    return greatest;
}

static enum status count_classes(struct context *ctx, struct data *data, int64_t classes)
{
    if (classes > 0) {
        RETURN_IF(check_labels(ctx, &data->train, classes, "the section's `classes`"));
        RETURN_IF(check_labels(ctx, &data->test, classes, "the section's `classes`"));
        data->classes = (int)classes;
        return STATUS_OK;
    }
    int train = greatest_label(&data->train), test = greatest_label(&data->test);
    data->classes = (train > test ? train : test) + 1;
    return STATUS_OK;
}

enum status data_check_classes(struct context *ctx, const struct data *data, int64_t outputs)
{
    RETURN_IF(check_labels(ctx, &data->train, outputs, "the network's outputs"));
    return check_labels(ctx, &data->test, outputs, "the network's outputs");
}

/* label_all: samples without labels get -1, so that nobody has to ask. */
static enum status label_all(struct context *ctx, struct samples *samples)
{
    if (samples->labels != NULL || samples->count == 0)
        return STATUS_OK;
    samples->labels = memory_new(ctx, (size_t)samples->count, sizeof samples->labels[0]);
    if (samples->labels == NULL)
        return ctx->error.status;
    for (int64_t i = 0; i < samples->count; i++)
        samples->labels[i] = -1;
    return STATUS_OK;
}

static void make_split(struct data *data, enum split_kind kind, const struct samples *samples, int64_t first,
                       int64_t count)
{
    struct split *split = &data->splits[kind];
    *split = (struct split){.name = split_text(kind),
                            .element = samples->element,
                            .height = data->height,
                            .width = data->width,
                            .channels = data->channels};
    if (count == 0)
        return;
    size_t image = (size_t)(data->height * data->width * data->channels) * element_size(samples->element);
    split->count = count;
    split->images = (const unsigned char *)samples->images + (size_t)first * image;
    split->labels = samples->labels + first;
    split->first = first;
    for (int64_t i = 0; i < count; i++)
        split->labelled += split->labels[i] >= 0;
}

/* make_splits: checks that train and test go together, and holds out the validation samples. */
static enum status make_splits(struct context *ctx, struct data *data, const struct value *section, int64_t validation)
{
    const struct samples *train = &data->train, *test = &data->test;
    const struct samples *any = train->count > 0 ? train : test;
    data->height = any->height;
    data->width = any->width;
    data->channels = any->channels;
    if (train->count > 0 && test->count > 0 &&
        (train->height != test->height || train->width != test->width || train->channels != test->channels ||
         train->element != test->element))
        return fail(ctx, STATUS_BAD_SHAPE,
                    "%s has images of %lldx%lldx%lld, but %s has images of %lldx%lldx%lld (height, width, channels): "
                    "expected the same",
                    train->images_path, (long long)train->height, (long long)train->width, (long long)train->channels,
                    test->images_path, (long long)test->height, (long long)test->width, (long long)test->channels);
    if (validation > 0 && validation >= train->count)
        return value_fail(ctx, value_get(section, "validation"), STATUS_BAD_INPUT,
                          "validation: expected less than the %lld training samples, found %lld",
                          (long long)train->count, (long long)validation);
    make_split(data, SPLIT_TRAIN, train, 0, train->count - validation);
    make_split(data, SPLIT_VALIDATION, train, train->count - validation, validation);
    make_split(data, SPLIT_TEST, test, 0, test->count);
    return STATUS_OK;
}

enum status data_open(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                      struct data **out)
{
    enum status status = STATUS_OK;
    struct data_options options;
    const struct reader *reader = NULL;
    const struct value *reader_section = NULL;
    struct augmentation *augmentation = NULL;
    struct value *augment = NULL;
    void *reader_options = NULL;
    *out = NULL;
    struct data *data = memory_new(ctx, 1, sizeof *data);
    if (data == NULL)
        return ctx->error.status;

    TRY(bind_section(ctx, arena, section, &options, &reader, &reader_section));
    TRY(join_paths(ctx, arena, reader, recipe_path, reader_section, &reader_section));
    reader_options = arena_take(arena, 1, reader->options_size);
    augmentation = arena_take(arena, 1, sizeof *augmentation);
    if (reader_options == NULL || augmentation == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    TRY(options_bind(ctx, arena, reader->options, reader_section, reader->name, reader_options));
    TRY(augmentation_bind(ctx, arena, options.augment, (uint64_t)options.augment_seed, augmentation, &augment));
    TRY(resolve(ctx, arena, &options, reader, reader_options, augment, &data->resolved));
    TRY(reader->read(ctx, arena, reader_options, reader_section, &data->train, &data->test));
    TRY(count_classes(ctx, data, options.classes));
    TRY(label_all(ctx, &data->train));
    TRY(label_all(ctx, &data->test));
    TRY(make_splits(ctx, data, section, options.validation));
    data->name = reader->name;
    data->augmentation = augmentation->count > 0 ? augmentation : NULL;
    *out = data;

cleanup:
    if (status != STATUS_OK)
        data_free(ctx, data);
    return status;
}

void data_free(struct context *ctx, struct data *data)
{
    if (data == NULL)
        return;
    samples_free(ctx, &data->train);
    samples_free(ctx, &data->test);
    memory_free(ctx, data);
}
