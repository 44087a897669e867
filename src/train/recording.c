/* recording.c: see recording.h. */
#include "train/recording.h"

#include "data/loader.h"
#include "graph/frontier.h"
#include "train/images.h"

#include <string.h>

bool recording_possible(const struct network *network, int layer, const struct augmentation *augmentation)
{
    return augmentation_views(augmentation) > 0 && layer >= 0 && layer < network->n_layers;
}

static struct shape row_shape(const struct network *network, int layer)
{
    struct shape row = network->layers[layer].output;
    row.rank--;
    memmove(row.dim, row.dim + 1, (size_t)row.rank * sizeof *row.dim);
    return row;
}

int64_t recording_bytes(const struct network *network, int layer, const struct augmentation *augmentation,
                        int64_t samples, enum element precision)
{
    struct shape row = row_shape(network, layer);
    return samples * augmentation_views(augmentation) * shape_elements(&row) * (int64_t)element_size(precision);
}

void recording_free(struct recording *recording)
{
    if (recording)
        store_free(recording->store);
}

/* loader_fill: the next batch padded to `batch` images by repeating its last one, so that one program serves all. */
static int64_t batch_pad(struct batch *batch, unsigned char *padded, int64_t size, size_t image_bytes)
{
    memcpy(padded, batch->images, (size_t)batch->count * image_bytes);
    for (int64_t i = batch->count; i < size; i++)
        memcpy(padded + (size_t)i * image_bytes, padded + (size_t)(batch->count - 1) * image_bytes, image_bytes);
    return batch->count;
}

static enum status pass_run(struct context *ctx, struct loader *loader, struct images *images, struct program *program,
                            unsigned char *padded, int64_t size, size_t image_bytes, struct recording *recordings,
                            int count)
{
    struct batch batch;
    loader_epoch(loader, 0);
    while (loader_next(loader, &batch)) {
        int64_t n = batch_pad(&batch, padded, size, image_bytes);
        const void *inputs[1] = {images_of(images, padded, size)};
        struct bindings bindings = {.inputs = inputs};
        if (context_cancelled(ctx))
            return fail(ctx, STATUS_CANCELLED, "interrupted");
        RETURN_IF(program_run(program, &bindings, 0));
        for (int i = 0; i < count; i++) {
            struct store *store = recordings[i].store;
            size_t bytes = (size_t)store->row_elements * element_size(store->element);
            const char *from = program_output(program, i);
            for (int64_t b = 0; b < n; b++)
                store_write(store, batch.rows[b], from + (size_t)b * bytes);
        }
    }
    return STATUS_OK;
}

enum status recordings_make(struct context *ctx, const struct network *network, const int *layers, int count,
                            const struct split *split, const struct augmentation *augmentation, int64_t batch,
                            enum element precision, struct kernel_context *kernels, struct program_memory *memory,
                            struct recording *recordings)
{
    enum status status = STATUS_OK;
    struct program *program = NULL;
    struct loader *loader = NULL;
    struct images *images = NULL;
    unsigned char *padded = NULL;
    struct instance instance;
    struct node *taps[16];
    struct graph *graph = graph_new(ctx);
    int64_t views = augmentation_views(augmentation);
    size_t image_bytes = (size_t)(split->height * split->width * split->channels) * element_size(split->element);
    if (!graph)
        return ctx->error.status;
    if (count > (int)(sizeof taps / sizeof *taps))
        TRY(fail(ctx, STATUS_UNSUPPORTED, "at most %zu layers of a teacher can be recorded",
                 sizeof taps / sizeof *taps));
    images = images_new(ctx, split, batch, precision);
    loader = loader_new(
        ctx, &(struct loader_spec){.split = split, .batch = batch, .augmentation = augmentation, .every_view = true});
    padded = memory_new(ctx, (size_t)batch, image_bytes);
    if (!images || !loader || !padded)
        TRY(ctx->error.status);
    struct node *input = graph_input(graph, "images", images_element(images),
                                     SHAPE(SHAPE_BATCH, split->height, split->width, split->channels));
    TRY(network_instantiate(graph, network, input, (struct instance_mode){.frozen = true}, &instance));
    for (int i = 0; i < count; i++) {
        taps[i] = instance.layers[layers[i]];
        if (!frontier_rows(taps[i]))
            TRY(fail(ctx, STATUS_UNSUPPORTED, "%s.%s depends on the batch: it cannot be recorded", network->name,
                     network->layers[layers[i]].name));
        recordings[i] = (struct recording){network, layers[i], views,
                                           store_new(ctx, network->layers[layers[i]].name, precision,
                                                     split->count * views, row_shape(network, layers[i]))};
        if (!recordings[i].store)
            TRY(ctx->error.status);
    }
    struct program_spec spec = {
        .outputs = taps, .n_outputs = count, .batch = batch, .precision = precision, .flags = PLAN_WHOLE_BATCH};
    TRY(program_compile(graph, &spec, kernels, memory, &program));
    TRY(pass_run(ctx, loader, images, program, padded, batch, image_bytes, recordings, count));
cleanup:
    program_free(program);
    loader_free(loader);
    images_free(images);
    memory_free(ctx, padded);
    graph_free(graph);
    return status;
}
