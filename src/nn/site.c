/* site.c: what layer types use while they put themselves into a graph, and the one call that lets them. */
#include "nn/builder.h"

#include <inttypes.h>
#include <string.h>

enum { PARAMETER_COPIES = 2 /* values and gradients */ };

/* Systems that overcommit would let us reserve it and end the process later. */
static bool fits_memory(const struct parameters *parameters, int64_t elements)
{
    double bytes = ((double)parameters->n_values + (double)elements) * (double)element_size(parameters->element) *
                   PARAMETER_COPIES;
    return bytes < (double)memory_physical();
}

static const char *entry_name(const struct layer_site *site, const char *suffix, const struct shape *shape)
{
    struct graph *graph = site->graph;
    const struct parameters *parameters = site->network->parameters;
    int64_t elements = shape_elements(shape);
    char text[SHAPE_TEXT_SIZE];
    if (elements < 0) {
        fail(graph->ctx, STATUS_BAD_SHAPE, "%s.%s: %s %s has more than 2^31 elements", site->network->name, site->name,
             suffix, shape_text(shape, text));
        return NULL;
    }
    char *name = arena_format(graph->arena, "%s.%s", site->name, suffix);
    if (name && parameters_find(parameters, name) < 0 && !fits_memory(parameters, elements)) {
        fail(graph->ctx, STATUS_NO_MEMORY,
             "%s.%s: %s %s, %" PRId64 " elements, does not fit into this machine's memory", site->network->name,
             site->name, suffix, shape_text(shape, text), elements);
        return NULL;
    }
    return name;
}

struct node *layer_parameter(const struct layer_site *site, const char *suffix, struct shape shape, struct init init)
{
    const char *name = entry_name(site, suffix, &shape);
    if (!name)
        return NULL;
    struct parameters *own = site->network->parameters;
    struct node *node = graph_parameter(site->graph, own, name, shape, init, site->mode.frozen);
    const bool decay = shape.rank > 1 && strcmp(suffix, "weight") == 0;
    /* A frozen network may come into the graphs of several threads at a time, which then only read it. */
    if (node && own->entries[node->entry].decay != decay)
        own->entries[node->entry].decay = decay;
    return node;
}

struct node *layer_state(const struct layer_site *site, const char *suffix, struct shape shape, struct init init)
{
    const char *name = entry_name(site, suffix, &shape);
    return name ? graph_state(site->graph, site->network->parameters, name, shape, init) : NULL;
}

static bool wants_ranks(const struct layer_site *site, int i, int least, int most, const char *expected,
                        const char *advice)
{
    const struct shape *found = &site->inputs[i]->spec.shape;
    char text[SHAPE_TEXT_SIZE];
    if (found->rank >= least && found->rank <= most)
        return true;
    fail(site->graph->ctx, STATUS_BAD_SHAPE, "%s.%s: expected %s, found %s; %s", site->network->name, site->name,
         expected, shape_text(found, text), advice);
    return false;
}

bool layer_wants_map(const struct layer_site *site, int i)
{
    return wants_ranks(site, i, 4, 4, "a map [B,H,W,C]", "no map is left after flatten, tokens or a global pool");
}

bool layer_wants_tokens(const struct layer_site *site, int i)
{
    return wants_ranks(site, i, 3, 3, "tokens [B,T,C]", "tokens makes them of a map");
}

bool layer_wants_positions(const struct layer_site *site, int i)
{
    return wants_ranks(site, i, 3, 4, "a map [B,H,W,C] or tokens [B,T,C]",
                       "none are left after flatten or a global pool");
}

bool layer_wants_rows(const struct layer_site *site, int i)
{
    return wants_ranks(site, i, 2, 3, "a vector [B,D] or tokens [B,T,C]",
                       "put flatten, tokens or a global pool before it");
}

bool layer_same_rank(const struct layer_site *site, int i)
{
    const struct shape *first = &site->inputs[0]->spec.shape, *found = &site->inputs[i]->spec.shape;
    char expected[SHAPE_TEXT_SIZE], text[SHAPE_TEXT_SIZE];
    if (first->rank == found->rank)
        return true;
    fail(site->graph->ctx, STATUS_BAD_SHAPE,
         "%s.%s: its inputs are all maps or all vectors, or all tokens; expected one like %s, found %s",
         site->network->name, site->name, shape_text(first, expected), shape_text(found, text));
    return false;
}

struct node *layer_beside(const struct layer_site *site, int i)
{
    const struct shape *first = &site->inputs[0]->spec.shape, *found = &site->inputs[i]->spec.shape;
    if (found->rank != 2 || first->rank <= 2)
        return layer_same_rank(site, i) ? site->inputs[i] : NULL;
    struct shape stretched = {.rank = first->rank, .dim = {found->dim[0]}};
    for (int axis = 1; axis + 1 < first->rank; axis++)
        stretched.dim[axis] = 1;
    stretched.dim[first->rank - 1] = found->dim[1];
    return graph_reshape(site->graph, site->inputs[i], stretched);
}

struct node *layer_build(struct graph *graph, const struct network *network, const struct layer *layer,
                         struct node *const *inputs, struct instance_mode mode)
{
    struct layer_site site = {graph, network, layer->name, mode, layer->n_inputs, inputs, layer->type};
    const char *label_before = graph->label;
    char *label = arena_format(graph->arena, "%s.%s", network->name, layer->name);
    if (!label)
        return NULL;
    graph_label(graph, label);
    struct node *node = layer->type->build(&site, layer->options);
    graph_label(graph, label_before);
    return node;
}
