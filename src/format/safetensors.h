/* safetensors.h: named tensors and a map of texts in one file, as models and checkpoints are kept.
 *
 * The file: 8 bytes, the header's length n (little-endian); n bytes of JSON; the tensors' bytes. Read strictly: offsets
 * lie in the file, neither overlap nor leave holes, and fit type and shape; names are unique. */
#ifndef FORMAT_SAFETENSORS_H
#define FORMAT_SAFETENSORS_H

#include "base/arena.h"
#include "format/format.h"

struct safetensor {
    const char *name;
    struct tensor tensor; /* F32, F64, I64, I32 or U8; data 64-byte aligned after reading */
};

struct safetensors_entry {
    const char *key, *text;
};

struct safetensors {
    size_t count;
    struct safetensor *tensors; /* in the order of the file's header */
    size_t metadata_count;
    struct safetensors_entry *metadata;
    struct arena *arena; /* names, texts and lists of what was read; NULL when the caller made the struct */
    void *block;         /* the tensors' memory of what was read */
};

/* safetensors_read, safetensors_parse: *out is the caller's (safetensors_free); zeroed on failure. STATUS_IO,
 * STATUS_BAD_INPUT (not such a file, or broken), STATUS_UNSUPPORTED (an element type that we lack, such as F16),
 * STATUS_BAD_SHAPE. */
enum status safetensors_read(struct context *ctx, const char *path, struct safetensors *out);
enum status safetensors_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count,
                              struct safetensors *out);
void safetensors_free(struct context *ctx, struct safetensors *file); /* NULL: no-op; zeroes it */

/* safetensors_find: the tensor of that name, or NULL. safetensors_text: the metadata's text, or NULL. Both borrowed. */
const struct safetensor *safetensors_find(const struct safetensors *file, const char *name);
const char *safetensors_text(const struct safetensors *file, const char *key);

/* safetensors_check_finite: STATUS_NOT_FINITE, naming the first tensor with a NaN or an infinity and its place. `name`
 * is what the message calls the file. */
enum status safetensors_check_finite(struct context *ctx, const char *name, const struct safetensors *file);

/* safetensors_write: tensors and metadata in the order given; atomic; the same input gives the same bytes. The tensors'
 * bytes start at a multiple of 8. */
enum status safetensors_write(struct context *ctx, const char *path, const struct safetensors *file);

#endif
