/* nn/layer/pooling.c: what max_pool and average_pool share. */
#include "nn/layer/pooling.h"

#define OPTION(field) .name = #field, .offset = offsetof(struct pooling_options, field)
const struct option_spec pooling_specs[POOLING_OPTIONS] = {
    {OPTION(kernel), .type = OPTION_PAIR, .min = 1, .max = 65535, .flags = OPTION_REQUIRED,
     .help = "size of the window"},
    {OPTION(stride), .type = OPTION_PAIR, .initial = "0", .min = 0, .max = 65535,
     .help = "step between windows; 0: the kernel's size"},
    {OPTION(padding), .type = OPTION_PAIR, .initial = "0", .min = 0, .max = 65535,
     .help = "border around the map, at most half a kernel; a maximum ignores it, an average counts its zeros"},
};

static struct option_pair stride_of(const struct pooling_options *o)
{
    return (struct option_pair){o->stride.height ? o->stride.height : o->kernel.height,
                                o->stride.width ? o->stride.width : o->kernel.width};
}

bool pooling_read(const struct layer_site *site, const struct pooling_options *o, struct pooling *pooling)
{
    if (!layer_wants_map(site, 0))
        return false;
    if (2 * o->padding.height > o->kernel.height || 2 * o->padding.width > o->kernel.width) {
        fail(site->graph->ctx, STATUS_BAD_INPUT,
             "%s.%s: a pool's padding is at most half its kernel, found %dx%d for a kernel of %dx%d",
             site->network->name, site->name, (int)o->padding.height, (int)o->padding.width, (int)o->kernel.height,
             (int)o->kernel.width);
        return false;
    }
    struct option_pair stride = stride_of(o);
    *pooling = (struct pooling){
        .kernel = {(int)o->kernel.height, (int)o->kernel.width},
        .stride = {(int)stride.height, (int)stride.width},
        .padding = {(int)o->padding.height, (int)o->padding.width},
    };
    return true;
}

void pooling_resolved(struct arena *arena, struct value *map, const struct shape *in, const void *options)
{
    (void)in;
    struct option_pair stride = stride_of(options);
    struct value *value = value_integer(arena, stride.height);
    if (stride.height != stride.width)
        value = value_append(arena, value_append(arena, value_list(arena), value), value_integer(arena, stride.width));
    value_set(arena, map, "stride", value);
}
