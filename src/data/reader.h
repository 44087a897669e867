/* reader.h: a format or a data set, as a table entry: data/reader/<name>.c and one line in data/readers.def. */
#ifndef DATA_READER_H
#define DATA_READER_H

#include "data/data.h"

struct reader {
    const char *name, *summary, *help; /* help: some lines for `retort help data NAME`, with an example */
    struct option_set options;
    size_t options_size;
    const char *const *class_names; /* NULL-terminated; NULL: the files do not say what their classes are */
    const char *const *paths; /* names of its options that are paths, NULL-terminated; or NULL. They reach `read` joined
                                 to the recipe's folder */
    /* read: fills train and test (either may stay zeroed) from the bound options. `section` is the reader's own, for
     * positions (NULL: there is none). What it made it may leave in the samples when it fails: the caller frees. */
    enum status (*read)(struct context *ctx, struct arena *arena, const void *options, const struct value *section,
                        struct samples *train, struct samples *test);
};

/* reader_table: every reader, in the order of readers.def. */
const struct reader *const *reader_table(size_t *count);
const struct reader *reader_find(const char *name); /* NULL: no such reader */

/* idx_read: images and labels of one set of files, plain or gzip, for every reader whose files are IDX. The labels'
 * path may be NULL: no labels. Paths are borrowed for as long as the samples live. */
enum status idx_read(struct context *ctx, const char *images, const char *labels, struct samples *out);
/* idx_parse_images, idx_parse_labels: from unpacked bytes; the samples' images or labels are new memory. */
enum status idx_parse_images(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                             struct samples *out);
enum status idx_parse_labels(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                             int32_t **labels, int64_t *label_count);

#endif
