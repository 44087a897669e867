/* fuzz_idx_gzip.c: any bytes inside a sound gzip file, cut into blocks and members as the first bytes say, then read as
 * an IDX file: what is unpacked is what was packed, and is samples or a refusal. fuzz_idx.c has the damaged packing. */
#include "data/reader.h"
#include "format/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { INPUT_MAX = 1 << 15, PACKED_MAX = 1 << 18, BLOCK_MAX = 1 << 12 };

struct packed {
    uint8_t bytes[PACKED_MAX];
    size_t count;
};

static void put(struct packed *packed, uint64_t value, int width)
{
    for (int i = 0; i < width; i++)
        packed->bytes[packed->count++] = (uint8_t)(value >> 8 * i);
}

/* put_member: one gzip member of stored blocks (RFC 1951, 1952); `name` adds a file's name to the header. */
static void put_member(struct packed *packed, const uint8_t *bytes, size_t count, size_t block, int name)
{
    put(packed, 0x00088b1fu | (name ? 0x08000000u : 0), 4);
    put(packed, 0, 4);
    put(packed, 0xff00, 2);
    if (name)
        put(packed, 'x', 2);
    for (size_t done = 0, part; done < count || done == 0; done += part) {
        part = count - done < block ? count - done : block;
        put(packed, done + part >= count, 1);
        put(packed, part | (~part & 0xffff) << 16, 4);
        memcpy(packed->bytes + packed->count, bytes + done, part);
        packed->count += part;
        if (part == 0)
            break;
    }
    put(packed, crc32(0, bytes, (uInt)count), 4);
    put(packed, count, 4);
}

static void parse(struct context *ctx, const uint8_t *bytes, size_t count)
{
    struct samples samples = {0};
    int32_t *labels = NULL;
    int64_t label_count = 0;
    if (idx_parse_images(ctx, "fuzz.idx.gz", bytes, count, &samples) != STATUS_OK && samples.images != NULL)
        abort();
    error_clear(ctx);
    if (idx_parse_labels(ctx, "fuzz.idx.gz", bytes, count, &labels, &label_count) != STATUS_OK && labels != NULL)
        abort();
    error_clear(ctx);
    samples_free(ctx, &samples);
    memory_free(ctx, labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 3 || count > INPUT_MAX)
        return 0;
    size_t block = 16 + (size_t)bytes[0] * bytes[0] % BLOCK_MAX, plain_count = count - 3;
    size_t cut = plain_count * bytes[1] / 255;
    int two_members = bytes[2] & 1, name = bytes[2] & 2;
    const uint8_t *plain = bytes + 3;
    struct packed *packed = calloc(1, sizeof(*packed));
    if (packed == NULL)
        return 0;
    if (two_members) {
        put_member(packed, plain, cut, block, name);
        put_member(packed, plain + cut, plain_count - cut, block, 0);
    } else {
        put_member(packed, plain, plain_count, block, name);
    }

    struct context ctx;
    unsigned char *unpacked = NULL;
    size_t unpacked_count = 0;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    if (gzip_unpack(&ctx, "fuzz.gz", packed->bytes, packed->count, 1 << 20, &unpacked, &unpacked_count) != STATUS_OK)
        abort();
    if (unpacked_count != plain_count || (plain_count > 0 && memcmp(unpacked, plain, plain_count) != 0))
        abort();
    parse(&ctx, unpacked, unpacked_count);
    memory_free(&ctx, unpacked);
    free(packed);
    return 0;
}
