/* gzip.h: a file's bytes, unpacked when it is a gzip file. */
#ifndef FORMAT_GZIP_H
#define FORMAT_GZIP_H

#include "base/context.h"

/* gzip_read: the file's bytes, whether plain or gzip (told by its first two bytes). *bytes is the caller's
 * (memory_free), with one zero byte behind its end. More than `limit` unpacked bytes are refused. STATUS_IO;
 * STATUS_BAD_INPUT: the packed data is cut short or damaged, or there is something else behind it. */
enum status gzip_read(struct context *ctx, const char *path, size_t limit, unsigned char **bytes, size_t *count);

/* gzip_unpack: the same for packed bytes in memory (several members one after another are one file, as for gunzip). */
enum status gzip_unpack(struct context *ctx, const char *name, const unsigned char *packed, size_t packed_count,
                        size_t limit, unsigned char **bytes, size_t *count);

#endif
