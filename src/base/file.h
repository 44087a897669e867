/* file.h: files that are either whole or not there. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"

/* A file being written beside its place; it takes its place at file_commit. */
struct file_writer;

/* file_writer_new: opens PATH.partial-<pid>; NULL with the error recorded (names the path as given and why). */
struct file_writer *file_writer_new(struct context *ctx, const char *path);
enum status file_write(struct file_writer *writer, const void *bytes, size_t count);
enum status file_printf(struct file_writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* file_commit: flushes, fsyncs, renames into place and frees the writer, also when it fails (then the partial file is gone
 * and what was at PATH is untouched). */
enum status file_commit(struct file_writer *writer);
void file_discard(struct file_writer *writer); /* NULL: no-op */

/* file_read: the whole file; *bytes is the caller's (memory_free), with one zero byte behind its end. Refuses more than
 * `limit` bytes (0: 4 GiB). */
enum status file_read(struct context *ctx, const char *path, size_t limit, unsigned char **bytes, size_t *count);
bool file_exists(const char *path);
enum status directory_make(struct context *ctx, const char *path); /* with its parents; an existing one is fine */
/* path_join: "a" + "b" -> "a/b"; b absolute: b. The caller's (memory_free). */
char *path_join(struct context *ctx, const char *a, const char *b);
char *path_directory(struct context *ctx, const char *path); /* "." where there is none */
/* path_beside: a path that a file names, relative to the file's folder; in the working directory it stays as it was given, for messages.
 * path_absolute: from the root on, so that it means the same wherever it is read from. Of the arena; NULL: error recorded. */
char *path_beside(struct context *ctx, struct arena *arena, const char *file, const char *path);
char *path_absolute(struct context *ctx, struct arena *arena, const char *path);

/* sha256 of bytes, as 64 hexadecimal digits and a zero. */
void sha256_hex(const void *bytes, size_t count, char out[65]);
/* file_sha256: of a file of any size. */
enum status file_sha256(struct context *ctx, const char *path, char out[65]);

#endif
