/* data.c: a recipe's `data:` section becomes splits. */
#include "data/data.h"

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

void samples_free(struct context *ctx, struct samples *samples)
{
    memory_free(ctx, samples->images);
    memory_free(ctx, samples->labels);
    memset(samples, 0, sizeof *samples);
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

/* name_classes: a name for each class, or none at all. What the reader knows need not fit a recipe's `classes`. */
static enum status name_classes(struct context *ctx, struct data *data, const struct value *section,
                                const struct data_section *bound)
{
    const struct option_texts *names = &bound->class_names;
    if (names->count == (size_t)data->classes)
        data->class_names = names->values;
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
    TRY(bound.reader->read(ctx, arena, bound.reader_options, bound.reader_section, &data->train, &data->test));
    TRY(count_classes(ctx, data, bound.options.classes));
    TRY(name_classes(ctx, data, section, &bound));
    TRY(label_all(ctx, &data->train));
    TRY(label_all(ctx, &data->test));
    TRY(make_splits(ctx, data, section, bound.options.validation));
    data->name = bound.reader->name;
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
    memory_free(ctx, data);
}
