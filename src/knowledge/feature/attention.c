/* attention.c: see attention.h. */
#include "knowledge/feature/attention.h"

enum { CHANNELS = 8, SAMPLE = 14 }; /* axes, as masks */

struct node *attention_power(struct graph *graph, struct node *x, double power)
{
    if (power == 2)
        return graph_square(graph, x);
    x = graph_abs(graph, x);
    return power == 1 ? x : graph_power(graph, x, graph_scalar(graph, power));
}

struct node *attention_mean(struct graph *graph, struct node *x, double power)
{
    if (power > 2) {
        struct node *largest = graph_max(graph, graph_abs(graph, x), SAMPLE, true);
        largest = graph_maximum(graph, largest, graph_scalar(graph, 1));
        x = graph_div(graph, x, graph_stop_gradient(graph, largest));
    }
    return graph_mean(graph, attention_power(graph, x, power), CHANNELS, true);
}

struct node *attention_map(struct graph *graph, struct node *x, double power)
{
    x = attention_mean(graph, x, power);
    if (!x)
        return NULL;
    const int64_t *dim = x->spec.shape.dim;
    return graph_unit_rows(graph, graph_reshape(graph, x, SHAPE(dim[0], dim[1] * dim[2])));
}

struct map reference_attention_mean(const struct method_case *c, struct map m, double power)
{
    const int area = map_area(&m);
    struct map mean = reference_map(c, m.b, 1, m.h, m.w);
    for (int i = 0; i < m.b * map_row(&m); i++)
        mean.v[i / map_row(&m) * area + i % area] += pow(fabs(m.v[i]), power) / m.c;
    return mean;
}

struct map reference_attention(const struct method_case *c, struct map m, double power)
{
    return reference_unit_samples(reference_attention_mean(c, m, power));
}
