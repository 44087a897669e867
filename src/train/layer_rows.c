/* layer_rows.c: see layer_rows.h. One program serves all samples: its last batch ends with the split, and gives what is new. */
#include "train/layer_rows.h"

#include "train/images.h"

#include <string.h>

enum { BATCH_MOST = 250 };

struct layer_rows {
    struct context *ctx;
    const struct split *split;
    struct graph *graph;
    struct program *program;
    struct images *images;
    struct shape shape; /* of one sample */
    int64_t batch, done;
};

static enum status rows_compile(struct layer_rows *rows, const struct network *network, int layer,
                                struct kernel_context *kernels, struct program_memory *memory)
{
    struct instance instance;
    const struct split *split = rows->split;
    struct node *images = graph_input(rows->graph, "images", images_element(rows->images),
                                      SHAPE(SHAPE_BATCH, split->height, split->width, split->channels));
    RETURN_IF(network_instantiate(rows->graph, network, images, (struct instance_mode){.frozen = true}, &instance));
    struct node *output = instance.layers[layer];
    if (output->spec.shape.rank == 4)
        output = graph_to_chw(rows->graph, output);
    if (output == NULL)
        return rows->ctx->error.status;
    rows->shape = output->spec.shape;
    rows->shape.rank--;
    memmove(rows->shape.dim, rows->shape.dim + 1, (size_t)rows->shape.rank * sizeof *rows->shape.dim);
    struct program_spec spec = {.outputs = &output, .n_outputs = 1, .batch = rows->batch, .precision = ELEMENT_F32};
    return program_compile(rows->graph, &spec, kernels, memory, &rows->program);
}

struct layer_rows *layer_rows_new(struct context *ctx, const struct network *network, int layer,
                                  const struct split *split, struct kernel_context *kernels,
                                  struct program_memory *memory)
{
    struct layer_rows *rows = memory_new(ctx, 1, sizeof *rows);
    if (rows == NULL)
        return NULL;
    rows->ctx = ctx;
    rows->split = split;
    rows->batch = split->count < BATCH_MOST ? split->count : BATCH_MOST;
    rows->graph = graph_new(ctx);
    rows->images = images_new(ctx, split, rows->batch, ELEMENT_F32);
    if (rows->graph == NULL || rows->images == NULL ||
        rows_compile(rows, network, layer, kernels, memory) != STATUS_OK) {
        layer_rows_free(rows);
        return NULL;
    }
    return rows;
}

struct shape layer_rows_shape(const struct layer_rows *rows)
{
    return rows->shape;
}

enum status layer_rows_next(struct layer_rows *rows, const float **values, int64_t *count)
{
    const int64_t left = rows->split->count - rows->done;
    *count = left < rows->batch ? left : rows->batch;
    *values = NULL;
    if (left == 0)
        return STATUS_OK;
    if (context_cancelled(rows->ctx))
        return fail(rows->ctx, STATUS_CANCELLED, "interrupted");
    const int64_t again = rows->batch - *count; /* samples of the last batch that were there before */
    const void *inputs[1] = {images_of_split(rows->images, rows->done - again, rows->batch)};
    struct bindings bindings = {.inputs = inputs};
    RETURN_IF(program_run(rows->program, &bindings, 0));
    *values = (const float *)program_output(rows->program, 0) + again * shape_elements(&rows->shape);
    rows->done += *count;
    return STATUS_OK;
}

void layer_rows_free(struct layer_rows *rows)
{
    if (rows == NULL)
        return;
    program_free(rows->program);
    graph_free(rows->graph);
    images_free(rows->images);
    memory_free(rows->ctx, rows);
}
