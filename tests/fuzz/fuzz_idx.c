/* fuzz_idx.c: any bytes as an IDX file, plain or packed, of images or labels: samples or a refusal. */
#include "data/reader.h"
#include "format/gzip.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void parse(struct context *ctx, const uint8_t *bytes, size_t count)
{
    struct samples samples = {0};
    int32_t *labels = NULL;
    int64_t label_count = 0, sum = 0;
    if (idx_parse_images(ctx, "fuzz.idx", bytes, count, &samples) == STATUS_OK) {
        int64_t numbers = samples.count * samples.height * samples.width * samples.channels;
        for (int64_t i = 0; i < numbers; i++)
            sum += ((const uint8_t *)samples.images)[i];
    } else if (ctx->error.message[0] == '\0' || samples.images != NULL) {
        abort();
    }
    error_clear(ctx);
    if (idx_parse_labels(ctx, "fuzz.idx", bytes, count, &labels, &label_count) == STATUS_OK)
        for (int64_t i = 0; i < label_count; i++)
            sum += labels[i];
    else if (labels != NULL)
        abort();
    if (sum < 0)
        abort();
    error_clear(ctx);
    samples_free(ctx, &samples);
    memory_free(ctx, labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct context ctx;
    unsigned char *plain = NULL;
    size_t plain_count = 0;
    if (count > 1 << 16)
        return 0;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    parse(&ctx, bytes, count);
    if (gzip_unpack(&ctx, "fuzz.gz", bytes, count, 1 << 20, &plain, &plain_count) == STATUS_OK)
        parse(&ctx, plain, plain_count);
    else if (plain != NULL)
        abort();
    memory_free(&ctx, plain);
    return 0;
}
