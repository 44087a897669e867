/* evaluate.c: a network in evaluation mode over a split. */
#include "train/evaluate.h"

#include "data/loader.h"
#include "train/images.h"

#include <string.h>

enum { BATCH = 250 }; /* of whoever does not choose */

struct pass { /* one batch size */
    struct graph *graph;
    struct program *program;
    int64_t batch;
};

struct evaluator {
    struct context *ctx;
    const struct split *split;
    enum element precision;
    int64_t classes;
    const int *layers; /* [n_layers] those that give the logits */
    int n_layers;
    struct pass passes[2]; /* whole batches, the remainder */
    struct images *images;
};

static enum status pass_make(struct evaluator *evaluator, const struct network *network, int64_t batch,
                             struct kernel_context *kernels, struct program_memory *memory, struct pass *pass)
{
    struct instance instance;
    const struct split *split = evaluator->split;
    pass->batch = batch;
    pass->graph = graph_new(evaluator->ctx);
    if (!pass->graph)
        return evaluator->ctx->error.status;
    struct node *images = graph_input(pass->graph, "images", images_element(evaluator->images),
                                      SHAPE(SHAPE_BATCH, split->height, split->width, split->channels));
    RETURN_IF(network_instantiate(pass->graph, network, images, (struct instance_mode){.frozen = true}, &instance));
    struct node **outputs = memory_new(evaluator->ctx, (size_t)evaluator->n_layers, sizeof(*outputs));
    if (!outputs)
        return evaluator->ctx->error.status;
    for (int i = 0; i < evaluator->n_layers; i++)
        outputs[i] = instance.layers[evaluator->layers[i]];
    struct program_spec spec = {
        .outputs = outputs, .n_outputs = evaluator->n_layers, .batch = batch, .precision = evaluator->precision};
    enum status status = program_compile(pass->graph, &spec, kernels, memory, &pass->program);
    memory_free(evaluator->ctx, outputs);
    return status;
}

/* evaluator_make: the template says what is evaluated: everything but images and passes. */
static struct evaluator *evaluator_make(const struct evaluator *template, const struct network *network, int64_t batch,
                                        struct kernel_context *kernels, struct program_memory *memory)
{
    struct context *ctx = template->ctx;
    const struct split *split = template->split;
    struct evaluator *evaluator = memory_new(ctx, 1, sizeof *evaluator);
    if (!evaluator)
        return NULL;
    *evaluator = *template;
    if (batch > split->count)
        batch = split->count;
    int64_t rest = batch ? split->count % batch : 0;
    evaluator->images = images_new(ctx, split, batch, evaluator->precision);
    if (!evaluator->images ||
        (batch && pass_make(evaluator, network, batch, kernels, memory, &evaluator->passes[0]) != STATUS_OK) ||
        (rest && pass_make(evaluator, network, rest, kernels, memory, &evaluator->passes[1]) != STATUS_OK)) {
        evaluator_free(evaluator);
        return NULL;
    }
    return evaluator;
}

struct evaluator *evaluator_new(struct context *ctx, const struct network *network, const struct split *split,
                                int64_t batch, enum element precision, struct kernel_context *kernels,
                                struct program_memory *memory)
{
    const struct evaluator template = {.ctx = ctx,
                                       .split = split,
                                       .precision = precision,
                                       .classes = network->input.classes,
                                       .layers = &network->logits,
                                       .n_layers = 1};
    return evaluator_make(&template, network, batch, kernels, memory);
}

void evaluator_free(struct evaluator *evaluator)
{
    if (!evaluator)
        return;
    for (int i = 0; i < 2; i++) {
        program_free(evaluator->passes[i].program);
        graph_free(evaluator->passes[i].graph);
    }
    images_free(evaluator->images);
    memory_free(evaluator->ctx, evaluator);
}

/* logits_take: of the samples from `at` on, of all layers. */
static void logits_take(const struct evaluator *evaluator, const struct pass *pass, int64_t at, double *logits)
{
    const int64_t k = evaluator->classes;
    for (int layer = 0; layer < evaluator->n_layers; layer++) {
        const void *from = program_output(pass->program, layer);
        double *to = logits + (layer * evaluator->split->count + at) * k;
        for (int64_t i = 0; i < pass->batch * k; i++)
            to[i] = evaluator->precision == ELEMENT_F64 ? ((const double *)from)[i] : ((const float *)from)[i];
    }
}

enum status evaluator_logits(struct evaluator *evaluator, double *logits)
{
    const struct split *split = evaluator->split;
    for (int64_t at = 0; at < split->count;) {
        const struct pass *pass =
            split->count - at >= evaluator->passes[0].batch ? &evaluator->passes[0] : &evaluator->passes[1];
        const void *inputs[1] = {images_of_split(evaluator->images, at, pass->batch)};
        struct bindings bindings = {.inputs = inputs};
        if (context_cancelled(evaluator->ctx))
            return fail(evaluator->ctx, STATUS_CANCELLED, "interrupted");
        RETURN_IF(program_run(pass->program, &bindings, 0));
        logits_take(evaluator, pass, at, logits);
        at += pass->batch;
    }
    return STATUS_OK;
}

enum status evaluate(struct context *ctx, const struct network *network, const struct split *split,
                     enum element precision, struct kernel_context *kernels, struct program_memory *memory,
                     double *logits, struct metrics *out)
{
    enum status status = STATUS_OK;
    struct evaluator *evaluator = evaluator_new(ctx, network, split, BATCH, precision, kernels, memory);
    double *own = logits ? NULL : memory_new(ctx, (size_t)(split->count * network->input.classes), sizeof *own);
    if (!evaluator || (!logits && !own)) {
        status = ctx->error.status;
        goto cleanup;
    }
    TRY(evaluator_logits(evaluator, logits ? logits : own));
    *out = metrics_of(logits ? logits : own, split->labels, split->count, network->input.classes);
cleanup:
    evaluator_free(evaluator);
    memory_free(ctx, own);
    return status;
}

enum status evaluate_layers(struct context *ctx, const struct network *network, const int *layers, int count,
                            const struct split *split, enum element precision, struct kernel_context *kernels,
                            struct program_memory *memory, double *logits)
{
    const struct evaluator template = {.ctx = ctx,
                                       .split = split,
                                       .precision = precision,
                                       .classes = network->input.classes,
                                       .layers = layers,
                                       .n_layers = count};
    struct evaluator *evaluator = evaluator_make(&template, network, BATCH, kernels, memory);
    if (!evaluator)
        return ctx->error.status;
    enum status status = evaluator_logits(evaluator, logits);
    evaluator_free(evaluator);
    return status;
}
