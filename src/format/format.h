/* format: bytes to values and back: NPY, safetensors, JSON, gzip, NPZ. Sees base and tensor; alone sees jansson and zlib.
 *
 * Readers take bytes that anybody may have written: every length and offset is checked before it is used, and a
 * refusal names the file, what was expected and what was found. Each format has a parser that works on memory
 * (NAME_parse; `name` is what messages call it) and a reader of files. Non-finite numbers are data here;
 * who may not have them asks for format_not_finite. */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "tensor/shape.h"

/* format_not_finite: the index of the first of `count` elements that is NaN or infinite, or -1. Elements that are
 * not floating-point numbers are finite. */
int64_t format_not_finite(enum element element, const void *data, int64_t count);

/* format_crc32: of bytes, as zlib's crc32 and Python's zlib.crc32. */
uint32_t format_crc32(const void *bytes, size_t count);

/* format_not_finite_text: "NaN", "inf" or "-inf". */
const char *format_not_finite_text(enum element element, const void *data, int64_t index);

#endif
