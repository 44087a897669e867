/* section.h: what a recipe's `data:` section says, before any file is read. Private to data.c and section.c. */
#ifndef DATA_SECTION_H
#define DATA_SECTION_H

#include "data/augment.h"
#include "data/reader.h"

struct data_options {
    const char *name;
    int64_t validation, augment_seed, classes;
    const struct value *augment;
    struct option_texts class_names;
};

struct data_section {
    struct data_options options;
    const struct reader *reader;
    void *reader_options;               /* bound; paths are joined to the recipe's folder */
    const struct value *reader_section; /* for positions; NULL: there is none */
    struct augmentation *augmentation;
    struct option_texts class_names; /* the option's, else the reader's; count 0: none */
    const struct value *resolved;    /* every value that applied; paths are absolute */
};

/* section_bind: as data_open describes; everything is the arena's. */
enum status section_bind(struct context *ctx, struct arena *arena, const struct value *section, const char *recipe_path,
                         struct data_section *out);

#endif
