/* idx: the user's own IDX files. */
#include "data/reader.h"

struct idx_options {
    const char *train_images, *train_labels, *test_images, *test_labels;
};

static const struct option_spec idx_options[] = {
    {.name = "train_images",
     .type = OPTION_TEXT,
     .offset = offsetof(struct idx_options, train_images),
     .help = "training images, bytes [N,H,W] or [N,H,W,C]; plain or gzip; relative to the recipe"},
    {.name = "train_labels",
     .type = OPTION_TEXT,
     .offset = offsetof(struct idx_options, train_labels),
     .help = "their labels, bytes [N]; a transfer set may lack them"},
    {.name = "test_images",
     .type = OPTION_TEXT,
     .offset = offsetof(struct idx_options, test_images),
     .help = "test images, of the same height, width and channels"},
    {.name = "test_labels",
     .type = OPTION_TEXT,
     .offset = offsetof(struct idx_options, test_labels),
     .help = "their labels"},
};

static const char *const idx_path_options[] = {"train_images", "train_labels", "test_images", "test_labels", NULL};

static enum status idx_read_set(struct context *ctx, const struct value *section, const char *set, const char *images,
                                const char *labels, struct samples *out)
{
    if (images != NULL)
        return idx_read(ctx, images, labels, out);
    if (labels == NULL)
        return STATUS_OK;
    return value_fail(ctx, section, STATUS_BAD_INPUT, "idx: %s_labels without %s_images; add the images' file", set,
                      set);
}

static enum status idx_read_all(struct context *ctx, struct arena *arena, const void *options,
                                const struct value *section, struct samples *train, struct samples *test)
{
    const struct idx_options *o = options;
    (void)arena;
    if (o->train_images == NULL && o->test_images == NULL)
        return value_fail(ctx, section, STATUS_BAD_INPUT,
                          "idx: no images; expected `idx: {train_images: FILE, train_labels: FILE, test_images: FILE, "
                          "test_labels: FILE}`");
    RETURN_IF(idx_read_set(ctx, section, "train", o->train_images, o->train_labels, train));
    return idx_read_set(ctx, section, "test", o->test_images, o->test_labels, test);
}

const struct reader reader_idx = {
    .name = "idx",
    .summary = "IDX files, as MNIST and its like come in; plain or gzip",
    .help = "Images are unsigned bytes, [N,H,W] (grey) or [N,H,W,C]; labels are unsigned bytes [N]. Each set of images "
            "may\n"
            "lack its labels: a teacher can teach from a transfer set without them.\n"
            "\n"
            "    data:\n"
            "      idx: {train_images: train-images.gz, train_labels: train-labels.gz,\n"
            "            test_images: test-images.gz, test_labels: test-labels.gz}\n"
            "      validation: 5000",
    .options = {idx_options, sizeof idx_options / sizeof idx_options[0]},
    .options_size = sizeof(struct idx_options),
    .paths = idx_path_options,
    .read = idx_read_all,
};
