/* section.h: what a recipe's `data:` section says, before any file is read. Private to data.c and section.c. */
#ifndef DATA_SECTION_H
#define DATA_SECTION_H

#include "data/augment.h"
#include "data/labelled.h"
#include "data/reader.h"

struct data_options {
    const char *name;
    int64_t validation, augment_seed, classes, labelled_seed;
    const struct value *augment, *labelled, *extra;
    struct option_texts class_names;
};

/* Where samples come from: a reader and what it is told. */
struct source {
    const struct reader *reader; /* NULL: there is no source */
    void *options;               /* bound; paths are joined to the recipe's folder */
    const struct value *section; /* the reader's, for positions; NULL: there is none */
};

/* source_read: as a reader's read. */
enum status source_read(struct context *ctx, struct arena *arena, const struct source *source, struct samples *train,
                        struct samples *test);

struct data_section {
    struct data_options options;
    struct source files, extra;
    struct labelled labelled; /* its path is joined to the recipe's folder */
    struct augmentation *augmentation;
    struct option_texts class_names; /* the option's, else the reader's; count 0: none */
    const struct value *resolved;    /* every value that applied; paths are absolute */
};

/* section_bind: as data_open describes; everything is the arena's. */
enum status section_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                         struct data_section *out);

#endif
