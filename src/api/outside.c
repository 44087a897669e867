/* outside.c: lets a method or a layer from outside put itself into a graph. */
#include "api/register.h"

#include "base/arena.h"

static struct retort_node **taps_outside(struct graph *graph, const struct tap *taps, int count)
{
    struct retort_node **nodes = arena_take(graph->arena, (size_t)count, sizeof *nodes);
    for (int i = 0; nodes != NULL && i < count; i++)
        nodes[i] = node_outside(taps[i].node);
    return nodes;
}

struct node *outside_method_build(struct graph *graph, const struct method_site *site, const void *options)
{
    const struct outside_method *method = (const struct outside_method *)(const void *)site->method;
    struct retort_own own = {graph, site, NULL};
    const struct retort_method_site given = {.graph = (struct retort_graph *)graph,
                                             .own = &own,
                                             .student = taps_outside(graph, site->student, site->n_student),
                                             .teacher = taps_outside(graph, site->teacher, site->n_teacher),
                                             .student_count = (size_t)site->n_student,
                                             .teacher_count = (size_t)site->n_teacher,
                                             .labels = node_outside(site->labels),
                                             .targets = node_outside(site->targets),
                                             .sample = node_outside(site->sample),
                                             .samples = site->samples,
                                             .classes = site->classes,
                                             .options = options,
                                             .user = method->given.user};
    if (given.student == NULL || given.teacher == NULL)
        return NULL;
    struct node *loss = node_inside(method->given.build(&given));
    if (loss == NULL)
        fail(graph->ctx, STATUS_UNSUPPORTED, "method %s built nothing and did not say why", method->entry.name);
    else if (loss->spec.shape.rank != 0) {
        char found[SHAPE_TEXT_SIZE];
        fail(graph->ctx, STATUS_BAD_SHAPE, "method %s: expected a scalar from its build, found %s", method->entry.name,
             shape_text(&loss->spec.shape, found));
    }
    return graph->ctx->error.status == STATUS_OK ? loss : NULL;
}

struct node *outside_layer_build(const struct layer_site *site, const void *options)
{
    const struct outside_layer *layer = (const struct outside_layer *)(const void *)site->type;
    struct retort_own own = {site->graph, NULL, site};
    struct retort_node **inputs = arena_take(site->graph->arena, (size_t)site->n_inputs, sizeof *inputs);
    const struct retort_layer_site given = {.graph = (struct retort_graph *)site->graph,
                                            .own = &own,
                                            .inputs = inputs,
                                            .input_count = (size_t)site->n_inputs,
                                            .training = site->mode.training,
                                            .options = options,
                                            .user = layer->given.user};
    if (inputs == NULL)
        return NULL;
    for (int i = 0; i < site->n_inputs; i++)
        inputs[i] = node_outside(site->inputs[i]);
    struct node *output = node_inside(layer->given.build(&given));
    struct context *ctx = site->graph->ctx;
    if (output == NULL)
        fail(ctx, STATUS_UNSUPPORTED, "%s.%s: layer %s built nothing and did not say why", site->network->name,
             site->name, layer->entry.name);
    else if (output->spec.element != ELEMENT_REAL || output->spec.shape.rank < 2 ||
             output->spec.shape.dim[0] != SHAPE_BATCH) {
        char found[SHAPE_TEXT_SIZE];
        fail(ctx, STATUS_BAD_SHAPE,
             "%s.%s: layer %s: expected real numbers of the batch, [B,…], from its build, found %s %s",
             site->network->name, site->name, layer->entry.name, element_text(output->spec.element),
             shape_text(&output->spec.shape, found));
    }
    return ctx->error.status == STATUS_OK ? output : NULL;
}
