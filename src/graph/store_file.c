/* store_file.c: see store_file.h. */
#include "graph/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HELD_MAX =
        64
        << 20, /* bytes of a file that is read once, into memory: reading small rows one by one costs more than a step's loss */
    PIECE = 4096 /* values that are converted at once */
};

struct store_file {
    int descriptor;
    bool half;
    size_t bytes;
};

/* --- float16 --- */

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

uint16_t half_from(float value)
{
    const uint32_t bits = float_bits(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x7f800000) /* infinite, or not a number */
        return (uint16_t)(sign | 0x7c00 | (magnitude > 0x7f800000 ? 0x200 : 0));
    if (magnitude >= 0x477ff000) /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) /* below 2^-14: multiples of 2^-24, which the addition rounds to */
        return (uint16_t)(sign | (float_bits(fabsf(value) + 0.5F) - 0x3f000000));
    const uint32_t odd = magnitude >> 13 & 1;
    return (uint16_t)(sign | (((magnitude + 0xfff + odd) >> 13) - (112 << 10)));
}

float half_to(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = half & 0x7fff;
    uint32_t bits = (magnitude << 13) + (112U << 23);
    float value;
    if (magnitude >= 0x7c00)
        bits += 112U << 23;
    if (magnitude < 0x400) {
        value = (float)magnitude * 0x1p-24F;
        bits = float_bits(value);
    }
    bits |= sign;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* --- the file --- */

static size_t value_bytes(const struct store *store)
{
    return store->file->half ? sizeof(uint16_t) : element_size(store->element);
}

static double value_at(const struct store *store, const unsigned char *at, int64_t i)
{
    uint16_t half;
    float single;
    double wide;
    if (store->file->half) {
        memcpy(&half, at + (size_t)i * sizeof half, sizeof half);
        return half_to(half);
    }
    if (store->element == ELEMENT_F32) {
        memcpy(&single, at + (size_t)i * sizeof single, sizeof single);
        return single;
    }
    memcpy(&wide, at + (size_t)i * sizeof wide, sizeof wide);
    return wide;
}

static void piece_convert(const struct store *store, const unsigned char *at, int64_t count, enum element element,
                          void *out, int64_t first)
{
    for (int64_t i = 0; i < count; i++)
        if (element == ELEMENT_F64)
            ((double *)out)[first + i] = value_at(store, at, i);
        else
            ((float *)out)[first + i] = (float)value_at(store, at, i);
}

/* bytes_read: false where the file has them no more. */
static bool bytes_read(const struct store_file *file, size_t at, void *out, size_t count)
{
    size_t done = 0;
    while (done < count) {
        const ssize_t got = pread(file->descriptor, (unsigned char *)out + done, count - done, (off_t)(at + done));
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static void row_spoil(int64_t count, enum element element, void *out)
{
    for (int64_t i = 0; i < count; i++)
        if (element == ELEMENT_F64)
            ((double *)out)[i] = NAN;
        else
            ((float *)out)[i] = NAN;
}

/* row_read: false where the file has the row no more. */
static bool row_read(const struct store *store, int64_t row, enum element element, void *out)
{
    unsigned char piece[PIECE * sizeof(double)];
    const size_t size = value_bytes(store), begin = (size_t)row * (size_t)store->row_elements * size;
    if (!store->file->half && element == store->element)
        return bytes_read(store->file, begin, out, (size_t)store->row_elements * size);
    for (int64_t i = 0; i < store->row_elements; i += PIECE) {
        const int64_t count = store->row_elements - i < PIECE ? store->row_elements - i : PIECE;
        if (!bytes_read(store->file, begin + (size_t)i * size, piece, (size_t)count * size))
            return false;
        piece_convert(store, piece, count, element, out, i);
    }
    return true;
}

void store_file_row(const struct store *store, int64_t row, enum element element, void *out)
{
    if (!row_read(store, row, element, out))
        row_spoil(store->row_elements, element, out);
}

void store_file_close(struct context *ctx, struct store_file *file)
{
    if (!file)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    memory_free(ctx, file);
}

static enum status file_open(struct context *ctx, const char *path, struct store *store)
{
    struct stat found;
    struct store_file *file = store->file;
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (file->descriptor < 0 || fstat(file->descriptor, &found) != 0)
        return fail(ctx, STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    file->bytes = (size_t)store->rows * (size_t)store->row_elements * value_bytes(store);
    if ((size_t)found.st_size != file->bytes)
        return fail(ctx, STATUS_BAD_INPUT, "%s: expected %zu bytes, found %lld; remove it", path, file->bytes,
                    (long long)found.st_size);
    return STATUS_OK;
}

/* file_hold: a small file's rows, in memory from now on. */
static enum status file_hold(struct context *ctx, const char *path, struct store *store)
{
    if (store->file->bytes > HELD_MAX)
        return STATUS_OK;
    const size_t row = (size_t)store->row_elements * element_size(store->element);
    unsigned char *values =
        memory_new(ctx, (size_t)store->rows * (size_t)store->row_elements, element_size(store->element));
    if (!values)
        return ctx->error.status;
    bool there = true;
    for (int64_t i = 0; there && i < store->rows; i++)
        there = row_read(store, i, store->element, values + (size_t)i * row);
    store->values = values;
    store_file_close(ctx, store->file);
    store->file = NULL;
    return there ? STATUS_OK : fail(ctx, STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
}

struct store *store_open(struct context *ctx, const char *name, const char *path, enum element element, bool half,
                         int64_t rows, struct shape row)
{
    struct store *store = memory_new(ctx, 1, sizeof *store);
    if (!store)
        return NULL;
    *store = (struct store){.ctx = ctx,
                            .name = name,
                            .element = half ? ELEMENT_F32 : element,
                            .rows = rows,
                            .row = row,
                            .row_elements = shape_elements(&row),
                            .file = memory_new(ctx, 1, sizeof *store->file)};
    if (store->file) {
        *store->file = (struct store_file){.descriptor = -1, .half = half};
        if (file_open(ctx, path, store) == STATUS_OK && file_hold(ctx, path, store) == STATUS_OK)
            return store;
    }
    store_free(store);
    return NULL;
}
