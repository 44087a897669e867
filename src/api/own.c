/* own.c: what a term or a layer from outside owns: parameters, states, random numbers, values for each sample. */
#include "api/register.h"

#include "base/arena.h"
#include "base/random.h"

static const enum init_kind init_kinds[] = {[RETORT_INIT_ZERO] = INIT_ZERO,
                                            [RETORT_INIT_CONSTANT] = INIT_CONSTANT,
                                            [RETORT_INIT_NORMAL] = INIT_NORMAL,
                                            [RETORT_INIT_UNIFORM] = INIT_UNIFORM};

/* own_check: what is owned has a name, and as many elements in every batch. */
static bool own_check(struct retort_own *own, const char *name, const struct retort_shape *given, enum retort_init init,
                      struct shape *shape)
{
    struct context *ctx = own->graph->ctx;
    char found[SHAPE_TEXT_SIZE];
    if (!outside_name(name))
        fail(ctx, STATUS_BAD_INPUT, "a parameter's name consists of letters, digits, _ and -; found \"%s\"",
             name != NULL ? name : "");
    else if ((size_t)init >= sizeof init_kinds / sizeof init_kinds[0])
        fail(ctx, STATUS_BAD_INPUT, "%s: there are no initial values %d", name, (int)init);
    else if (shape_inside(own->graph, given, shape) && shape_elements(shape) < 1)
        fail(ctx, STATUS_BAD_SHAPE, "%s: expected a shape without the batch and of at most 2^31 elements, found %s",
             name, shape_text(shape, found));
    return ctx->error.status == STATUS_OK;
}

struct retort_node *retort_parameter(struct retort_own *own, const char *name, struct retort_shape shape,
                                     enum retort_init init, double scale)
{
    struct shape inside;
    if (!own_check(own, name, &shape, init, &inside))
        return NULL;
    struct init start = {init_kinds[init], scale};
    return node_outside(own->layer != NULL ? layer_parameter(own->layer, name, inside, start)
                                           : graph_parameter(own->graph, own->method->own, name, inside, start, false));
}

struct retort_node *retort_state(struct retort_own *own, const char *name, struct retort_shape shape,
                                 enum retort_init init, double scale)
{
    struct shape inside;
    if (!own_check(own, name, &shape, init, &inside))
        return NULL;
    struct init start = {init_kinds[init], scale};
    return node_outside(own->layer != NULL ? layer_state(own->layer, name, inside, start)
                                           : graph_state(own->graph, own->method->own, name, inside, start));
}

struct retort_node *retort_update(struct retort_own *own, struct retort_node *state, struct retort_node *value)
{
    struct node *target = node_inside(state);
    if (target == NULL || value == NULL)
        return NULL;
    if (target->kind != NODE_STATE) {
        fail(own->graph->ctx, STATUS_BAD_INPUT, "update of \"%s\": expected a node of retort_state", target->name);
        return NULL;
    }
    if (own->layer != NULL && (!own->layer->mode.training || own->layer->mode.frozen))
        return value;
    return graph_update(own->graph, target, node_inside(value)) == STATUS_OK ? value : NULL;
}

/* own_stream: random numbers of this name. They belong to who asks, so that two terms of one method draw different ones. */
static bool own_stream(struct retort_own *own, const char *name, uint32_t *stream)
{
    char *full = own->layer != NULL
                     ? arena_format(own->graph->arena, "%s.%s.%s", own->layer->network->name, own->layer->name, name)
                     : arena_format(own->graph->arena, "%s.%s", own->method->term, name);
    if (full != NULL)
        *stream = random_stream(full);
    return full != NULL;
}

struct retort_node *retort_random(struct retort_own *own, const char *name, bool normal, struct retort_shape shape)
{
    struct shape inside;
    uint32_t stream;
    if (!shape_inside(own->graph, &shape, &inside) || !own_stream(own, name, &stream))
        return NULL;
    return node_outside(graph_random(own->graph, normal ? DISTRIBUTION_NORMAL : DISTRIBUTION_UNIFORM, inside, stream));
}

struct retort_node *retort_dropout(struct retort_own *own, const char *name, struct retort_node *x, double rate,
                                   enum retort_unit unit)
{
    static const enum dropout_unit units[] = {[RETORT_UNIT_ELEMENT] = DROPOUT_ELEMENT,
                                              [RETORT_UNIT_CHANNEL] = DROPOUT_CHANNEL,
                                              [RETORT_UNIT_SAMPLE] = DROPOUT_SAMPLE};
    struct node *node = node_inside(x);
    uint32_t stream;
    if (node == NULL || !own_stream(own, name, &stream))
        return NULL;
    if ((size_t)unit >= sizeof units / sizeof units[0]) {
        fail(own->graph->ctx, STATUS_BAD_INPUT, "dropout: there is no unit %d", (int)unit);
        return NULL;
    }
    return node_outside(graph_dropout(own->graph, node, rate, units[unit], stream));
}

struct retort_store *retort_store(struct retort_own *own, const char *name, struct retort_shape row)
{
    struct shape inside;
    if (!own_check(own, name, &row, RETORT_INIT_ZERO, &inside))
        return NULL;
    if (own->method == NULL || own->method->sample == NULL) {
        fail(own->graph->ctx, STATUS_BAD_INPUT,
             "store \"%s\": only a method that wants the samples' numbers has values for each sample", name);
        return NULL;
    }
    const struct method_site *site = own->method;
    return (struct retort_store *)site->store(site->store_user, name, site->samples, inside);
}

struct retort_node *retort_store_read(struct retort_store *store, struct retort_node *sample)
{
    struct node *rows = node_inside(sample);
    if (store == NULL || rows == NULL)
        return NULL;
    return node_outside(graph_store_read(rows->graph, (struct store *)store, rows));
}

struct retort_node *retort_store_valid(struct retort_store *store, struct retort_node *sample)
{
    struct node *rows = node_inside(sample);
    if (store == NULL || rows == NULL)
        return NULL;
    return node_outside(graph_store_valid(rows->graph, (struct store *)store, rows));
}

struct retort_node *retort_store_update(struct retort_store *store, struct retort_node *sample,
                                        struct retort_node *value)
{
    struct node *rows = node_inside(sample), *taken = node_inside(value);
    if (store == NULL || rows == NULL || taken == NULL)
        return NULL;
    return graph_store_update(rows->graph, (struct store *)store, rows, taken) == STATUS_OK ? value : NULL;
}
