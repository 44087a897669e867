/* parts.c: see parts.h. */
#include "knowledge/parts.h"

#include "base/arena.h"
#include "base/random.h"

#include <math.h>

static const double epsilon = 1e-5; /* of batch norms */

struct method_site part_at(const struct method_site *site, int i, int n)
{
    struct method_site at = *site;
    at.pair = i;
    at.pairs = n;
    return at;
}

const char *part_name(struct graph *graph, const struct method_site *site, const char *name, const char *suffix)
{
    return site->pairs > 1 ? arena_format(graph->arena, "%d.%s%s", site->pair, name, suffix)
                           : arena_format(graph->arena, "%s%s", name, suffix);
}

static struct node *named_parameter(struct graph *graph, const struct method_site *site, const char *name,
                                    const char *suffix, struct shape shape, struct init init, unsigned flags)
{
    const char *full = part_name(graph, site, name, suffix);
    return full ? graph_parameter(graph, site->own, full, shape, init, flags & PART_FROZEN) : NULL;
}

struct node *part_parameter(struct graph *graph, const struct method_site *site, const char *name, struct shape shape,
                            struct init init, unsigned flags)
{
    return named_parameter(graph, site, name, "", shape, init, flags);
}

/* weight: of `out` outputs that `each` elements of the weight lead to. */
static struct node *weight(struct graph *graph, const struct method_site *site, const char *name, struct shape shape,
                           int64_t fan_out, unsigned flags)
{
    const struct init init = {INIT_NORMAL, sqrt(2.0 / (double)fan_out)};
    return named_parameter(graph, site, name, ".weight", shape, init, flags);
}

static struct node *bias(struct graph *graph, const struct method_site *site, const char *name, int64_t out,
                         unsigned flags)
{
    return named_parameter(graph, site, name, ".bias", SHAPE(out), (struct init){INIT_ZERO, 0}, flags);
}

struct node *part_convolution(struct graph *graph, const struct method_site *site, struct node *x, const char *name,
                              int64_t out, int kernel, unsigned flags)
{
    if (!x)
        return NULL;
    const int half = (kernel - 1) / 2;
    const struct convolution convolution = {.out = (int)out,
                                            .kernel = {kernel, kernel},
                                            .stride = {1, 1},
                                            .padding = {half, half},
                                            .dilation = {1, 1},
                                            .groups = 1};
    const struct shape shape = SHAPE(out, x->spec.shape.dim[3], kernel, kernel);
    struct node *w = weight(graph, site, name, shape, out * kernel * kernel, flags);
    struct node *b = flags & PART_BIAS ? bias(graph, site, name, out, flags) : NULL;
    return flags & PART_BIAS && !b ? NULL : graph_convolution(graph, x, w, b, &convolution);
}

struct node *part_linear(struct graph *graph, const struct method_site *site, struct node *x, const char *name,
                         int64_t out, unsigned flags)
{
    if (!x)
        return NULL;
    struct node *w = weight(graph, site, name, SHAPE(out, x->spec.shape.dim[1]), out, flags);
    struct node *b = flags & PART_BIAS ? bias(graph, site, name, out, flags) : NULL;
    return flags & PART_BIAS && !b ? NULL : graph_linear(graph, x, w, b);
}

struct node *part_batch_norm(struct graph *graph, const struct method_site *site, struct node *x, const char *name,
                             unsigned flags)
{
    if (!x)
        return NULL;
    const struct shape channels = SHAPE(x->spec.shape.dim[x->spec.shape.rank - 1]);
    const struct init one = {INIT_CONSTANT, 1}, zero = {INIT_ZERO, 0};
    struct node *gamma = named_parameter(graph, site, name, ".bn.weight", channels, one, flags);
    struct node *beta = named_parameter(graph, site, name, ".bn.bias", channels, zero, flags);
    if (!(flags & (PART_FROZEN | PART_RUNNING)))
        return graph_batch_norm(graph, x, gamma, beta, NULL, NULL, epsilon);
    const char *mean_name = part_name(graph, site, name, ".bn.running_mean");
    const char *var_name = part_name(graph, site, name, ".bn.running_var");
    if (!mean_name || !var_name)
        return NULL;
    struct node *mean = graph_state(graph, site->own, mean_name, channels, zero);
    struct node *var = graph_state(graph, site->own, var_name, channels, one);
    return flags & PART_FROZEN ? graph_batch_norm_inference(graph, x, gamma, beta, mean, var, epsilon)
                               : graph_batch_norm(graph, x, gamma, beta, mean, var, epsilon);
}

struct node *part_given(struct graph *graph, const struct method_site *site, const char *name, enum element element,
                        struct shape shape)
{
    const char *full = site->given ? part_name(graph, site, name, "") : NULL;
    return full ? site->given(site->given_user, full, element, shape) : NULL;
}

struct node *part_random(struct graph *graph, const struct method_site *site, const char *name,
                         enum distribution distribution, struct shape shape)
{
    const char *full = part_name(graph, site, name, "");
    full = full ? arena_format(graph->arena, "%s.%s", site->term, full) : NULL;
    return full ? graph_random(graph, distribution, shape, random_stream(full)) : NULL;
}
