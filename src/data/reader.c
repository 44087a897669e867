/* reader.c: the table of readers. */
#include "data/reader.h"

#include <string.h>

#define READER(identifier) extern const struct reader reader_##identifier;
#include "data/readers.def"
#undef READER

static const struct reader *const readers[] = {
#define READER(identifier) &reader_##identifier,
#include "data/readers.def"
#undef READER
};

const struct reader *const *reader_table(size_t *count)
{
    *count = sizeof readers / sizeof readers[0];
    return readers;
}

const struct reader *reader_find(const char *name)
{
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (strcmp(readers[i]->name, name) == 0)
            return readers[i];
    return NULL;
}
