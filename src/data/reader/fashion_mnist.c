/* fashion-mnist: 70,000 grey images of clothes, 28x28, ten classes (Xiao 2017, arXiv 1708.07747), from Debian's
 * package. */
#include "data/reader.h"

#include "base/file.h"

struct fashion_mnist_options {
    const char *directory;
};

static const struct option_spec fashion_mnist_options[] = {
    {.name = "directory",
     .type = OPTION_TEXT,
     .offset = offsetof(struct fashion_mnist_options, directory),
     .initial = "/usr/share/datasets/fashion-mnist",
     .help = "where the four IDX files lie; the default is where Debian's package dataset-fashion-mnist puts them"},
};

static const char *const fashion_mnist_classes[] = {"T-shirt", "trouser", "pullover", "dress",      "coat", "sandal",
                                                    "shirt",   "sneaker", "bag",      "ankle boot", NULL};

static const char *const fashion_mnist_path_options[] = {"directory", NULL};

static enum status fashion_mnist_read(struct context *ctx, struct arena *arena, const void *options,
                                      const struct value *section, struct samples *train, struct samples *test)
{
    static const char *const names[] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
    const struct fashion_mnist_options *o = options;
    const char *paths[4];
    (void)section;
    for (int i = 0; i < 4; i++) {
        paths[i] = arena_format(arena, "%s/%s", o->directory, names[i]);
        if (paths[i] == NULL)
            return ctx->error.status;
        if (!file_exists(paths[i]))
            return fail(
                ctx, STATUS_IO,
                "%s is not there: the data set fashion-mnist comes with Debian's package dataset-fashion-mnist; "
                "install it with `apt-get install dataset-fashion-mnist`",
                paths[i]);
    }
    RETURN_IF(idx_read(ctx, paths[0], paths[1], train));
    return idx_read(ctx, paths[2], paths[3], test);
}

const struct reader reader_fashion_mnist = {
    .name = "fashion-mnist",
    .summary = "Fashion-MNIST: 60,000 training and 10,000 test images of clothes, 28x28 grey, 10 classes",
    .help = "Zalando's drop-in for MNIST (Xiao 2017, arXiv 1708.07747), from Debian's package dataset-fashion-mnist.\n"
            "\n"
            "    data: {name: fashion-mnist, validation: 5000, augment: {flip: true}}",
    .options = {fashion_mnist_options, sizeof fashion_mnist_options / sizeof fashion_mnist_options[0]},
    .options_size = sizeof(struct fashion_mnist_options),
    .class_names = fashion_mnist_classes,
    .paths = fashion_mnist_path_options,
    .read = fashion_mnist_read,
};
