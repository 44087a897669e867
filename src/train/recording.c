/* recording.c: see recording.h. */
#include "train/recording.h"

#include "data/loader.h"
#include "graph/frontier.h"
#include "train/images.h"

#include <string.h>

void recording_free(struct recording *recording)
{
    if (recording)
        store_free(recording->store);
}

const struct recording *recording_find(const struct recording *recordings, int count, const char *teacher,
                                       const char *layer)
{
    for (int i = 0; i < count; i++)
        if (strcmp(recordings[i].teacher, teacher) == 0 && strcmp(recordings[i].layer, layer) == 0)
            return &recordings[i];
    return NULL;
}

struct shape recording_row(const struct network *network, int layer)
{
    struct shape row = network->layers[layer].output;
    row.rank--;
    memmove(row.dim, row.dim + 1, (size_t)row.rank * sizeof *row.dim);
    return row;
}

int64_t recording_rows(const struct split *split, const struct augmentation *augmentation)
{
    const int64_t views = augmentation_views(augmentation);
    return split->count > 0 && views > INT32_MAX / split->count ? 0 : split->count * views;
}

/* What a pass needs while it runs. */
struct passing {
    struct context *ctx;
    const struct recording_pass *pass;
    struct loader *loader;
    struct images *images;
    struct graph *graph;
    struct program *program;
    unsigned char *padded; /* [batch] images */
    size_t image_bytes;
};

/* batch_pad: the batch filled up by repeating its last image, so that one program serves all. */
static void batch_pad(const struct passing *p, const struct batch *batch)
{
    memcpy(p->padded, batch->images, (size_t)batch->count * p->image_bytes);
    const unsigned char *last = p->padded + (size_t)(batch->count - 1) * p->image_bytes;
    for (int64_t i = batch->count; i < p->pass->batch; i++)
        memcpy(p->padded + (size_t)i * p->image_bytes, last, p->image_bytes);
}

static enum status pass_walk(const struct passing *p)
{
    struct batch batch;
    const struct recording_pass *pass = p->pass;
    int64_t row = pass->done;
    loader_seek(p->loader, 0, pass->done / pass->batch);
    while (loader_next(p->loader, &batch)) {
        batch_pad(p, &batch);
        const void *inputs[1] = {images_of(p->images, p->padded, pass->batch)};
        struct bindings bindings = {.inputs = inputs};
        if (context_cancelled(p->ctx))
            return fail(p->ctx, STATUS_CANCELLED, "interrupted");
        RETURN_IF(program_run(p->program, &bindings, 0));
        for (int i = 0; i < pass->count; i++)
            RETURN_IF(pass->rows(pass->user, i, row, batch.count, program_output(p->program, i)));
        row += batch.count;
    }
    return STATUS_OK;
}

static enum status pass_compile(struct passing *p, struct kernel_context *kernels, struct program_memory *memory)
{
    const struct recording_pass *pass = p->pass;
    const struct split *split = pass->split;
    const struct network *network = pass->network;
    struct instance instance;
    struct node *taps[RECORDING_LAYERS_MAX];
    struct node *input = graph_input(p->graph, "images", images_element(p->images),
                                     SHAPE(SHAPE_BATCH, split->height, split->width, split->channels));
    RETURN_IF(network_instantiate(p->graph, network, input, (struct instance_mode){.frozen = true}, &instance));
    for (int i = 0; i < pass->count; i++) {
        taps[i] = instance.layers[pass->layers[i]];
        if (!frontier_rows(taps[i]))
            return fail(p->ctx, STATUS_UNSUPPORTED, "%s.%s depends on the batch: it cannot be recorded", network->name,
                        network->layers[pass->layers[i]].name);
    }
    struct program_spec spec = {.outputs = taps,
                                .n_outputs = pass->count,
                                .batch = pass->batch,
                                .precision = pass->precision,
                                .flags = PLAN_WHOLE_BATCH};
    return program_compile(p->graph, &spec, kernels, memory, &p->program);
}

enum status recording_run(struct context *ctx, const struct recording_pass *pass, struct kernel_context *kernels,
                          struct program_memory *memory)
{
    enum status status = STATUS_OK;
    const struct split *split = pass->split;
    struct passing p = {.ctx = ctx, .pass = pass, .graph = graph_new(ctx)};
    p.image_bytes = (size_t)(split->height * split->width * split->channels) * element_size(split->element);
    if (!p.graph)
        return ctx->error.status;
    if (pass->count > RECORDING_LAYERS_MAX)
        TRY(fail(ctx, STATUS_UNSUPPORTED, "at most %d layers of a teacher can be recorded", RECORDING_LAYERS_MAX));
    p.images = images_new(ctx, split, pass->batch, pass->precision);
    p.loader = loader_new(
        ctx, &(struct loader_spec){
                 .split = split, .batch = pass->batch, .augmentation = pass->augmentation, .every_view = true});
    p.padded = memory_new(ctx, (size_t)pass->batch, p.image_bytes);
    if (!p.images || !p.loader || !p.padded)
        TRY(ctx->error.status);
    TRY(pass_compile(&p, kernels, memory));
    TRY(pass_walk(&p));
cleanup:
    program_free(p.program);
    loader_free(p.loader);
    images_free(p.images);
    memory_free(ctx, p.padded);
    graph_free(p.graph);
    return status;
}

static enum status rows_keep(void *user, int layer, int64_t first, int64_t count, const void *values)
{
    struct recording *recordings = user;
    struct store *store = recordings[layer].store;
    const size_t bytes = (size_t)store->row_elements * element_size(store->element);
    for (int64_t i = 0; i < count; i++)
        store_write(store, first + i, (const char *)values + (size_t)i * bytes);
    return STATUS_OK;
}

enum status recordings_make(struct context *ctx, const struct recording_pass *pass, struct kernel_context *kernels,
                            struct program_memory *memory, struct recording *recordings)
{
    struct recording_pass kept = *pass;
    const int64_t rows = recording_rows(pass->split, pass->augmentation);
    kept.done = 0;
    kept.rows = rows_keep;
    kept.user = recordings;
    for (int i = 0; i < pass->count && i < RECORDING_LAYERS_MAX; i++) {
        const char *layer = pass->network->layers[pass->layers[i]].name;
        recordings[i] = (struct recording){
            .teacher = pass->network->name,
            .layer = layer,
            .store = store_new(ctx, layer, pass->precision, rows, recording_row(pass->network, pass->layers[i]))};
        if (!recordings[i].store)
            return ctx->error.status;
    }
    return recording_run(ctx, &kept, kernels, memory);
}
