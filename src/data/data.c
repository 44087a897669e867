/* data.c: a recipe's `data:` section becomes splits. */
#include "data/data.h"

#include "data/samples.h"
#include "data/section.h"

#include <string.h>

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

int64_t data_file_row(const struct data *data, enum split_kind kind, int64_t sample)
{
    const int64_t of_files = data->splits[SPLIT_TRAIN].count - data->extra;
    if (kind == SPLIT_VALIDATION)
        return of_files + sample;
    return kind == SPLIT_TRAIN && sample >= of_files ? sample + data->splits[SPLIT_VALIDATION].count : sample;
}

/* check_labels: a split's labels below `limit` are fine; `why` ends the message. */
static enum status check_labels(struct context *ctx, const struct data *data, enum split_kind kind,
                                const struct split *split, int64_t limit, const char *why)
{
    const char *path = kind == SPLIT_TEST ? data->test.labels_path : data->train.labels_path;
    for (int64_t i = 0; i < split->count; i++)
        if (split->labels[i] >= limit)
            return fail(ctx, STATUS_BAD_INPUT,
                        "%s: the label of sample %lld is out of range: expected 0 to %lld (%s), found %d",
                        path != NULL ? path : "data", (long long)data_file_row(data, kind, i), (long long)limit - 1,
                        why, (int)split->labels[i]);
    return STATUS_OK;
}

static enum status check_splits(struct context *ctx, const struct data *data, int64_t limit, const char *why)
{
    for (int kind = 0; kind < SPLIT_KINDS; kind++)
        RETURN_IF(check_labels(ctx, data, (enum split_kind)kind, &data->splits[kind], limit, why));
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

static int count_labels(const struct data *data)
{
    const int train = greatest_label(&data->train), test = greatest_label(&data->test);
    return (train > test ? train : test) + 1;
}

static enum status count_classes(struct context *ctx, struct data *data, int64_t classes)
{
    data->classes = classes > 0 ? (int)classes : count_labels(data);
    return check_splits(ctx, data, data->classes, "the section's `classes`");
}

enum status data_check_classes(struct context *ctx, const struct data *data, int64_t outputs)
{
    return check_splits(ctx, data, outputs, "the network's outputs");
}

enum status data_check_all_labels(struct context *ctx, const struct data *data)
{
    return check_labels(ctx, data, SPLIT_TRAIN, &data->all_labels, data->classes,
                        "the data's classes; `classes` in its section may set more");
}

/* make_split: `count` samples from `at` on; `first`: data_file_row of the first one. */
static void make_split(const struct data *data, enum split_kind kind, const struct samples *samples,
                       const int32_t *labels, int64_t at, int64_t count, int64_t first, struct split *split)
{
    *split = (struct split){.name = split_text(kind),
                            .element = samples->element,
                            .height = data->height,
                            .width = data->width,
                            .channels = data->channels};
    if (count == 0)
        return;
    size_t image = (size_t)(data->height * data->width * data->channels) * element_size(samples->element);
    split->count = count;
    split->images = (const unsigned char *)samples->images + (size_t)at * image;
    split->labels = labels + at;
    split->first = first;
    for (int64_t i = 0; i < count; i++)
        split->labelled += split->labels[i] >= 0;
}

static void make_splits(struct data *data, int64_t validation)
{
    const struct samples *train = &data->train, *test = &data->test, *any = train->count > 0 ? train : test;
    const int64_t learnt = train->count - validation;
    const int32_t *all = data->given_labels != NULL ? data->given_labels : train->labels;
    data->height = any->height;
    data->width = any->width;
    data->channels = any->channels;
    make_split(data, SPLIT_TRAIN, train, train->labels, 0, learnt, 0, &data->splits[SPLIT_TRAIN]);
    make_split(data, SPLIT_TRAIN, train, all, 0, learnt, 0, &data->all_labels);
    make_split(data, SPLIT_VALIDATION, train, train->labels, learnt, validation, learnt - data->extra,
               &data->splits[SPLIT_VALIDATION]);
    make_split(data, SPLIT_TEST, test, test->labels, 0, test->count, 0, &data->splits[SPLIT_TEST]);
}

/* mask_labels: takes the labels of the train split away that `labelled` does not keep. */
static enum status mask_labels(struct context *ctx, struct data *data, const struct data_section *bound)
{
    enum status status = STATUS_OK;
    struct samples *train = &data->train;
    const int64_t samples = train->count - bound->options.validation - data->extra;
    const int64_t classes = bound->options.classes > 0 ? bound->options.classes : count_labels(data);
    if (bound->labelled.at == NULL)
        return STATUS_OK;
    bool *kept = memory_new(ctx, (size_t)samples, sizeof *kept);
    data->given_labels = memory_new(ctx, (size_t)train->count, sizeof data->given_labels[0]);
    if (kept == NULL || data->given_labels == NULL)
        TRY(ctx->error.status);
    if (train->count > 0)
        memcpy(data->given_labels, train->labels, (size_t)train->count * sizeof train->labels[0]);
    TRY(labelled_choose(ctx, &bound->labelled, train->labels, samples, classes, kept));
    for (int64_t i = 0; i < samples; i++)
        if (!kept[i])
            train->labels[i] = -1;

cleanup:
    memory_free(ctx, kept);
    return status;
}

/* read_samples: everything that the section names, in the order of the splits: training samples, extra ones, validation. */
static enum status read_samples(struct context *ctx, struct arena *arena, const struct value *section,
                                const struct data_section *bound, struct data *data)
{
    enum status status = STATUS_OK;
    struct samples *train = &data->train, *test = &data->test, extra = {.count = 0}, unused = {.count = 0};
    const int64_t validation = bound->options.validation;
    TRY(source_read(ctx, arena, &bound->files, train, test));
    TRY(samples_alike(ctx, train, test));
    if (validation > 0 && validation >= train->count)
        TRY(value_fail(ctx, value_get(section, "validation"), STATUS_BAD_INPUT,
                       "validation: expected less than the %lld training samples, found %lld", (long long)train->count,
                       (long long)validation));
    TRY(samples_label(ctx, train));
    TRY(samples_label(ctx, test));
    if (bound->extra.reader != NULL) {
        TRY(source_read(ctx, arena, &bound->extra, &extra, &unused));
        if (extra.count == 0)
            TRY(value_fail(ctx, value_get(section, "extra"), STATUS_BAD_INPUT,
                           "extra: expected training images, found none; give train_images"));
        TRY(samples_alike(ctx, train->count > 0 ? train : test, &extra));
        TRY(samples_insert(ctx, train, train->count - validation, &extra));
        data->extra = extra.count;
    }

cleanup:
    samples_free(ctx, &extra);
    samples_free(ctx, &unused);
    return status;
}

/* name_classes: a name for each class, or none at all. What the reader knows need not fit a recipe's `classes`. */
static enum status name_classes(struct context *ctx, struct data *data, const struct value *section,
                                const struct data_section *bound)
{
    const struct option_texts *names = &bound->class_names;
    if (names->count == (size_t)data->classes)
        data->class_names = names->values;
    else if (bound->options.class_names.count > 0 && data->classes == 0)
        return value_fail(ctx, value_get(section, "class_names"), STATUS_BAD_INPUT,
                          "class_names: the data has no labels that say how many classes there are, found %zu names; "
                          "add classes: %zu",
                          names->count, names->count);
    else if (bound->options.class_names.count > 0)
        return value_fail(ctx, value_get(section, "class_names"), STATUS_BAD_INPUT,
                          "class_names: expected a name for each of the %d classes, found %zu", data->classes,
                          names->count);
    return STATUS_OK;
}

enum status data_open(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                      struct data **out)
{
    enum status status = STATUS_OK;
    struct data_section bound;
    *out = NULL;
    struct data *data = memory_new(ctx, 1, sizeof *data);
    if (data == NULL)
        return ctx->error.status;
    TRY(section_bind(ctx, arena, section, recipe_path, &bound));
    TRY(read_samples(ctx, arena, section, &bound, data));
    TRY(mask_labels(ctx, data, &bound));
    make_splits(data, bound.options.validation);
    TRY(count_classes(ctx, data, bound.options.classes));
    TRY(name_classes(ctx, data, section, &bound));
    data->name = bound.files.reader->name;
    bool augments = bound.augmentation->count > 0 || augmentation_mixes(bound.augmentation);
    data->augmentation = augments ? bound.augmentation : NULL;
    data->resolved = bound.resolved;
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
    memory_free(ctx, data->given_labels);
    memory_free(ctx, data);
}
