/* fuzz_npy_stream.c: any bytes as a stream of arrays [3,4] and [3,4,2] by turns: the same arrays, or the same refusal, in
 * pieces of any size (the first byte says which) as in one. */
#include "format/npy_stream.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

struct found {
    enum status status;
    size_t arrays, at; /* at: the byte behind the last whole array */
    unsigned bits;     /* of the numbers, mixed */
};

static struct found stream_read(const uint8_t *bytes, size_t count, size_t piece)
{
    static const struct shape shapes[] = {{2, {3, 4}}, {3, {3, 4, 2}}};
    struct context ctx;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    struct found found = {.status = STATUS_OK};
    struct npy_stream *stream = npy_stream_new(&ctx, 24);
    if (stream == NULL)
        abort();
    npy_stream_expect(stream, "fuzz", &shapes[0]);
    for (size_t at = 0; at < count && found.status == STATUS_OK;) {
        size_t taken = 0, given = piece < count - at ? piece : count - at;
        found.status = npy_stream_take(stream, bytes + at, given, &taken);
        if (taken > given || (found.status != STATUS_OK) != (ctx.error.message[0] != '\0'))
            abort();
        at += taken;
        const float *numbers = npy_stream_numbers(stream);
        if (numbers == NULL && found.status == STATUS_OK && taken < given)
            abort();
        if (numbers == NULL)
            continue;
        const struct shape *shape = &shapes[found.arrays % 2];
        for (int64_t i = 0; i < shape_elements(shape); i++) {
            unsigned bits;
            memcpy(&bits, &numbers[i], sizeof bits);
            found.bits = 31 * found.bits + bits;
        }
        found.at = at;
        npy_stream_expect(stream, "fuzz", &shapes[++found.arrays % 2]);
    }
    npy_stream_free(stream);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count < 1 || count > 1 << 16)
        return 0;
    struct found whole = stream_read(bytes + 1, count - 1, count);
    struct found pieces = stream_read(bytes + 1, count - 1, 1 + bytes[0]);
    if (whole.status != pieces.status || whole.arrays != pieces.arrays || whole.at != pieces.at ||
        whole.bits != pieces.bits)
        abort();
    return 0;
}
