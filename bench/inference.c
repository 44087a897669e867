/* inference.c: samples a second of a model file's logits, as JSON: {"speed"}. Arguments: MODEL, batch (default 128),
 * seconds (default 2), threads (default 1). The images are made-up bytes, another batch at each run. For throughput.py;
 * not a test. */
#include "base/random.h"
#include "graph/program.h"
#include "train/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCHES = 64, WARM = 10 };

struct inference {
    struct context ctx;
    struct kernel_context *kernels;
    struct program_memory *memory;
    struct network *network;
    struct graph *graph;
    struct program *program;
    int64_t batch, bytes; /* of one batch of images */
    unsigned char *images;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static enum status inference_make(struct inference *i, const char *model, int threads)
{
    struct context *ctx = &i->ctx;
    struct instance instance;
    i->kernels = kernel_context_new(ctx, threads);
    i->memory = program_memory_new(ctx);
    i->graph = graph_new(ctx);
    RETURN_IF(ctx->error.status);
    RETURN_IF(model_load(ctx, model, ELEMENT_F32, &i->network));
    const struct network_input *in = &i->network->input;
    struct node *images =
        graph_input(i->graph, "images", ELEMENT_U8, SHAPE(SHAPE_BATCH, in->height, in->width, in->channels));
    RETURN_IF(network_instantiate(i->graph, i->network, images, (struct instance_mode){.frozen = true}, &instance));
    const struct program_spec spec = {
        .outputs = &instance.logits, .n_outputs = 1, .batch = i->batch, .precision = ELEMENT_F32};
    i->bytes = i->batch * in->height * in->width * in->channels;
    i->images = memory_new(ctx, BATCHES, (size_t)i->bytes);
    RETURN_IF(ctx->error.status);
    const struct random_key key = {1, 0, 0};
    for (int64_t j = 0; j < BATCHES * i->bytes; j++)
        i->images[j] = (unsigned char)(random_u32(&key, (uint64_t)j) & 255);
    return program_compile(i->graph, &spec, i->kernels, i->memory, &i->program);
}

static void inference_free(struct inference *i)
{
    memory_free(&i->ctx, i->images);
    program_free(i->program);
    graph_free(i->graph);
    network_free(i->network);
    program_memory_free(i->memory);
    kernel_context_free(i->kernels);
}

static enum status inference_time(struct inference *i, double limit, double *speed)
{
    double start = 0, now = 0;
    int64_t runs = -WARM;
    do {
        const void *inputs[1] = {i->images + (runs + WARM) % BATCHES * i->bytes};
        const struct bindings bindings = {.inputs = inputs};
        if (runs == 0)
            start = seconds();
        RETURN_IF(program_run(i->program, &bindings, 0));
        runs++;
        now = seconds();
    } while (runs < 1 || now - start < limit);
    *speed = (double)(runs * i->batch) / (now - start);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    struct inference i = {.batch = argc > 2 ? strtol(argv[2], NULL, 10) : 128};
    const double limit = argc > 3 ? strtod(argv[3], NULL) : 2;
    const long threads = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
    double speed = 0;
    if (argc < 2 || i.batch < 1 || !(limit > 0) || threads < 1 || threads > 1024) {
        fprintf(stderr, "inference: expected MODEL [batch [seconds [threads]]]\n");
        return 2;
    }
    context_init(&i.ctx);
    enum status status = inference_make(&i, argv[1], (int)threads);
    if (status == STATUS_OK)
        status = inference_time(&i, limit, &speed);
    if (status == STATUS_OK)
        printf("{\"speed\": %.6g}\n", speed);
    else
        fprintf(stderr, "inference: %s\n", i.ctx.error.message);
    inference_free(&i);
    return status == STATUS_OK ? 0 : 1;
}
