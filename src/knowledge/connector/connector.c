/* connector.c: see connector.h. */
#include "knowledge/connector/connector.h"

const char *const connector_kinds[] = {"auto", "none", "conv", "conv-bn", "linear", NULL};

static struct node *pooled(struct graph *graph, struct node *x, int64_t height, int64_t width)
{
    const int64_t *dim = x->spec.shape.dim;
    return dim[1] == height && dim[2] == width ? x : graph_adaptive_average_pool(graph, x, (int)height, (int)width);
}

void connector_sizes(struct graph *graph, struct node **a, struct node **b)
{
    if (!*a || !*b || (*a)->spec.shape.rank != 4 || (*b)->spec.shape.rank != 4)
        return;
    const int64_t *one = (*a)->spec.shape.dim, *other = (*b)->spec.shape.dim;
    const int64_t height = one[1] < other[1] ? one[1] : other[1], width = one[2] < other[2] ? one[2] : other[2];
    *a = pooled(graph, *a, height, width);
    *b = pooled(graph, *b, height, width);
}

static int64_t channels_of(const struct node *x)
{
    return x->spec.shape.dim[x->spec.shape.rank - 1];
}

static struct node *refuse(struct graph *graph, const struct method_site *site, const struct node *x,
                           const struct node *target, const char *why)
{
    char one[SHAPE_TEXT_SIZE], other[SHAPE_TEXT_SIZE];
    fail(graph->ctx, STATUS_BAD_SHAPE, "method %s: %s, found %s of the student and %s of the teacher",
         site->method->name, why, shape_text(&x->spec.shape, one), shape_text(&target->spec.shape, other));
    return NULL;
}

struct node *connector_channels(struct graph *graph, const struct method_site *site, struct node *x,
                                const struct node *target, const struct connector_options *options)
{
    if (!x || !target)
        return NULL;
    const bool map = x->spec.shape.rank == 4;
    const int64_t out = channels_of(target);
    int kind = options->kind;
    if (kind == CONNECTOR_AUTO)
        kind = channels_of(x) == out ? CONNECTOR_NONE : (map ? CONNECTOR_CONV : CONNECTOR_LINEAR);
    if (options->kernel % 2 == 0) {
        fail(graph->ctx, STATUS_BAD_INPUT, "method %s: kernel: expected an odd number, found %lld", site->method->name,
             (long long)options->kernel);
        return NULL;
    }
    switch ((enum connector_kind)kind) {
    case CONNECTOR_CONV:
    case CONNECTOR_CONV_BN:
        if (!map)
            return refuse(graph, site, x, target, "connector conv: expected maps (linear is for embeddings)");
        x = part_convolution(graph, site, x, "connector", out, (int)options->kernel,
                             kind == CONNECTOR_CONV ? PART_BIAS : 0);
        return kind == CONNECTOR_CONV ? x : part_batch_norm(graph, site, x, "connector", 0);
    case CONNECTOR_LINEAR:
        return map ? refuse(graph, site, x, target, "connector linear: expected embeddings (conv is for maps)")
                   : part_linear(graph, site, x, "connector", out, PART_BIAS);
    case CONNECTOR_NONE:
    case CONNECTOR_AUTO:
        break;
    }
    return channels_of(x) == out
               ? x
               : refuse(graph, site, x, target, "connector none: expected as many channels on both sides");
}

struct node *connector_tap(struct graph *graph, const struct method_site *site, struct node *x, int i,
                           const struct connector_options *options)
{
    const struct method_site at = part_at(site, i, site->n_student);
    return connector_channels(graph, &at, x, site->teacher[i].node, options);
}

void connector_fit(struct graph *graph, const struct method_site *site, const struct connector_options *options,
                   struct node **student, struct node **teacher)
{
    if (*student && *teacher && (*student)->spec.shape.rank != (*teacher)->spec.shape.rank)
        refuse(graph, site, *student, *teacher, "expected two maps or two embeddings");
    connector_sizes(graph, student, teacher);
    if (graph->ctx->error.status == STATUS_OK)
        *student = connector_channels(graph, site, *student, *teacher, options);
    if (graph->ctx->error.status != STATUS_OK)
        *student = *teacher = NULL;
}
