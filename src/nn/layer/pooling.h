/* nn/layer/pooling.h: what max_pool and average_pool share: options and checks. */
#ifndef NN_LAYER_POOLING_H
#define NN_LAYER_POOLING_H

#include "nn/builder.h"

struct pooling_options {
    struct option_pair kernel, stride /* 0: the kernel's */, padding;
};

enum { POOLING_OPTIONS = 3 };
extern const struct option_spec pooling_specs[POOLING_OPTIONS];

/* pooling_read: checks input and options; false: error recorded. */
bool pooling_read(const struct layer_site *site, const struct pooling_options *options, struct pooling *pooling);
/* pooling_resolved: the stride as it applies. */
void pooling_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options);

#endif
