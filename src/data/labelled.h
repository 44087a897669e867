/* labelled.h: which training samples keep their labels: a recipe's `data.labelled`. Private to data.c and section.c. */
#ifndef DATA_LABELLED_H
#define DATA_LABELLED_H

#include "data/data.h"

struct labelled {
    const struct value *at; /* where the recipe says it; NULL: all samples keep their labels */
    int64_t count;          /* so many keep theirs, evenly over the classes; with a path: unused */
    const char *path;       /* an NPY file of their indices; NULL: a number is given */
    uint64_t seed;          /* of the choice, with a number */
};

/* labelled_bind: `labelled: N` or `labelled: FILE.npy`; value NULL or null: all. The path is as it is written. */
enum status labelled_bind(struct context *ctx, struct arena *arena, const struct value *value, struct labelled *out);

/* labelled_choose: kept [samples], zeroed by the caller, becomes true where a sample keeps its label. labels [samples]:
 * of the train split, -1: none; labels from `classes` on are nobody's, and no number chooses them. Of N each of K
 * classes gets N/K, and the first N mod K one more. Fails at the recipe's position: a class with too few samples, an
 * index that is not below `samples`, stands twice or has no label, a file that is not int64 [n]. */
enum status labelled_choose(struct context *ctx, const struct labelled *labelled, const int32_t *labels,
                            int64_t samples, int64_t classes, bool *kept);

#endif
