/* register.c: methods and layers from outside become entries of the context's tables. */
#include "api/register.h"

#include "api/call.h"
#include "base/arena.h"
#include "nn/block.h"
#include "run/losses.h"

#include <string.h>

enum { OUTSIDE_TAPS = 64 };

/* entry_check: the parts that methods and layers have in common. */
static enum status entry_check(struct context *ctx, const char *kind, const char *name, const char *summary,
                               bool builds)
{
    if (!outside_name(name))
        return fail(ctx, STATUS_BAD_INPUT, "a %s's name consists of letters, digits, _ and -; found \"%s\"", kind,
                    name != NULL ? name : "");
    if (summary == NULL)
        return fail(ctx, STATUS_BAD_INPUT, "%s %s: expected a summary, found none", kind, name);
    return builds ? STATUS_OK : fail(ctx, STATUS_BAD_INPUT, "%s %s: expected a build function, found none", kind, name);
}

static enum status taken(struct context *ctx, const char *kind, const char *name)
{
    return fail(ctx, STATUS_BAD_INPUT, "there is a %s \"%s\" already; call yours differently", kind, name);
}

static enum status method_check(struct context *ctx, const struct retort_method *given)
{
    RETURN_IF(entry_check(ctx, "method", given->name, given->summary, given->build != NULL));
    for (size_t i = 0; i < method_count(ctx); i++)
        if (strcmp(method_at(ctx, i)->name, given->name) == 0)
            return taken(ctx, "method", given->name);
    if (given->family > RETORT_RELATION)
        return fail(ctx, STATUS_BAD_INPUT, "method %s: there is no family %d", given->name, (int)given->family);
    if (given->input_count == 0 || given->input_count > OUTSIDE_TAPS)
        return fail(ctx, STATUS_BAD_INPUT, "method %s: expected 1 to %d inputs, found %zu", given->name, OUTSIDE_TAPS,
                    given->input_count);
    for (size_t i = 0; i < given->input_count; i++) {
        const struct retort_method_input *input = &given->inputs[i];
        if (input->name == NULL || input->role > RETORT_MAP_BEFORE_ACTIVATION || input->side > RETORT_TEACHER ||
            input->min < 0 || input->max < 1 || input->max < input->min || input->max > OUTSIDE_TAPS)
            return fail(ctx, STATUS_BAD_INPUT,
                        "method %s, input %zu: expected a name, a role, a side, and from min to max taps of 1 to %d",
                        given->name, i, OUTSIDE_TAPS);
    }
    for (size_t i = 0; i < given->option_count; i++)
        if (given->options[i].name != NULL && loss_key(given->options[i].name))
            return fail(ctx, STATUS_BAD_INPUT, "method %s: an option cannot be called \"%s\", which each term has",
                        given->name, given->options[i].name);
    return STATUS_OK;
}

static const struct method_input *inputs_copy(struct arena *arena, const struct retort_method *given)
{
    static const enum tap_role roles[] = {[RETORT_LOGITS] = ROLE_LOGITS,
                                          [RETORT_EMBEDDING] = ROLE_EMBEDDING,
                                          [RETORT_FEATURE_MAP] = ROLE_MAP,
                                          [RETORT_MAP_BEFORE_ACTIVATION] = ROLE_MAP_BEFORE_ACTIVATION};
    struct method_input *inputs = arena_take(arena, given->input_count, sizeof *inputs);
    for (size_t i = 0; inputs != NULL && i < given->input_count; i++) {
        const struct retort_method_input *from = &given->inputs[i];
        inputs[i] =
            (struct method_input){text_copy(arena, from->name), roles[from->role],
                                  from->side == RETORT_STUDENT ? SIDE_STUDENT : SIDE_TEACHER, from->min, from->max};
    }
    return inputs;
}

static unsigned wants_inside(unsigned given)
{
    static const unsigned pairs[][2] = {{RETORT_WANTS_LABELS, METHOD_WANTS_LABELS},
                                        {RETORT_WANTS_SAMPLE, METHOD_WANTS_SAMPLE},
                                        {RETORT_TAKES_TARGETS, METHOD_TAKES_TARGETS},
                                        {RETORT_LABELS_IF_GIVEN, METHOD_LABELS_IF_GIVEN}};
    unsigned wants = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        wants |= given & pairs[i][0] ? pairs[i][1] : 0;
    return wants;
}

static enum status method_add(struct retort_context *context, const struct retort_method *given)
{
    static const enum method_family families[] = {
        [RETORT_RESPONSE] = FAMILY_RESPONSE, [RETORT_FEATURE] = FAMILY_FEATURE, [RETORT_RELATION] = FAMILY_RELATION};
    struct context *ctx = &context->base;
    struct arena *arena = context->added;
    RETURN_IF(method_check(ctx, given));
    const char *what = arena_format(arena, "method %s", given->name);
    struct outside_method *method = arena_take(arena, 1, sizeof *method);
    const struct option_spec *specs = NULL;
    if (what == NULL || method == NULL)
        return ctx->error.status;
    RETURN_IF(outside_options(ctx, arena, what, given->options, given->option_count, given->options_size, &specs));
    method->given = *given;
    method->entry = (struct method){.name = arena_text(arena, given->name),
                                    .summary = arena_text(arena, given->summary),
                                    .formula = text_copy(arena, given->formula),
                                    .paper = text_copy(arena, given->paper),
                                    .when = text_copy(arena, given->when),
                                    .family = families[given->family],
                                    .wants = wants_inside(given->wants),
                                    .inputs = inputs_copy(arena, given),
                                    .n_inputs = (int)given->input_count,
                                    .options = specs,
                                    .n_options = given->option_count,
                                    .options_size = given->options_size,
                                    .batch_min = given->batch_min,
                                    .build = outside_method_build};
    RETURN_IF(ctx->error.status);
    return additions_append(ctx, &context->additions, ADDITION_METHOD, method);
}

static enum status layer_check(struct context *ctx, const struct retort_layer *given)
{
    static const char *const keys[] = {"name", "inputs", "input"}; /* of an item in a list of layers */
    RETURN_IF(entry_check(ctx, "layer", given->name, given->summary, given->build != NULL));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (strcmp(keys[i], given->name) == 0)
            return fail(ctx, STATUS_BAD_INPUT, "a layer cannot be called \"%s\"", given->name);
    for (size_t i = 0; i < block_table_count; i++)
        if (strcmp(block_table[i]->name, given->name) == 0)
            return taken(ctx, "block", given->name);
    if (layer_find_type(ctx, given->name) != NULL)
        return taken(ctx, "layer", given->name);
    if (given->inputs_min < 0 || given->inputs_max < given->inputs_min || given->inputs_max > OP_MAX_INPUTS)
        return fail(ctx, STATUS_BAD_INPUT, "layer %s: expected from inputs_min to inputs_max inputs, of 1 to %d",
                    given->name, OP_MAX_INPUTS);
    return STATUS_OK;
}

static enum status layer_add(struct retort_context *context, const struct retort_layer *given)
{
    struct context *ctx = &context->base;
    struct arena *arena = context->added;
    RETURN_IF(layer_check(ctx, given));
    const char *what = arena_format(arena, "layer %s", given->name);
    struct outside_layer *layer = arena_take(arena, 1, sizeof *layer);
    const struct option_spec *specs = NULL;
    if (what == NULL || layer == NULL)
        return ctx->error.status;
    RETURN_IF(outside_options(ctx, arena, what, given->options, given->option_count, given->options_size, &specs));
    layer->given = *given;
    layer->entry = (struct layer_type){.name = arena_text(arena, given->name),
                                       .summary = arena_text(arena, given->summary),
                                       .inputs_min = given->inputs_min > 0 ? given->inputs_min : 1,
                                       .inputs_max = given->inputs_max > 0 ? given->inputs_max : 1,
                                       .options = specs,
                                       .n_options = given->option_count,
                                       .options_size = given->options_size,
                                       .build = outside_layer_build};
    RETURN_IF(ctx->error.status);
    return additions_append(ctx, &context->additions, ADDITION_LAYER, layer);
}

/* register_begin: the memory of entries is made with the first of them. */
static enum status register_begin(struct retort_context *context)
{
    error_clear(&context->base);
    if (context->added == NULL)
        context->added = arena_new(&context->base);
    context->base.additions = &context->additions;
    return context->base.error.status;
}

static enum retort_status register_end(enum status status)
{
    return status == STATUS_OK ? RETORT_OK : status == STATUS_NO_MEMORY ? RETORT_NO_MEMORY : RETORT_USAGE;
}

enum retort_status retort_register_method(struct retort_context *context, const struct retort_method *method)
{
    enum status status = register_begin(context);
    return register_end(status == STATUS_OK ? method_add(context, method) : status);
}

enum retort_status retort_register_layer(struct retort_context *context, const struct retort_layer *layer)
{
    enum status status = register_begin(context);
    return register_end(status == STATUS_OK ? layer_add(context, layer) : status);
}
