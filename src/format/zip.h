/* zip.h: the members of a ZIP file, stored or deflated, of any size (zip64); private to NPZ.
 *
 *     local header, name, packed bytes  (once a member)    directory (all members)    end record
 *
 * The directory at the file's end says what there is; nothing of a member is read before it is asked for. Offsets and
 * sizes are anybody's: each is checked against the file before it is used. */
#ifndef FORMAT_ZIP_H
#define FORMAT_ZIP_H

#include "base/arena.h"

struct zip_member {
    const char *name;
    uint64_t size, packed; /* bytes: unpacked, and in the file */
    uint64_t header;       /* where its local header begins */
    uint32_t crc;          /* of the unpacked bytes */
    bool deflated;
};

struct zip {
    struct context *ctx;        /* borrowed */
    const char *name;           /* for messages; of the arena */
    int descriptor;             /* of the file; -1: it lies in memory */
    const unsigned char *bytes; /* of a file in memory; borrowed */
    uint64_t size;
    uint64_t directory; /* where it begins: members end before */
    struct arena *arena;
    struct zip_member *members;
    size_t count;
};

/* zip_open, zip_parse: reads the directory; the file stays open, the bytes stay borrowed until zip_free (also after a
 * failure). STATUS_IO; STATUS_BAD_INPUT: no ZIP file, cut short or damaged, or a name twice; STATUS_UNSUPPORTED: encrypted,
 * or packed in another way. */
enum status zip_open(struct context *ctx, const char *path, struct zip *out);
enum status zip_parse(struct context *ctx, const char *name, const unsigned char *bytes, size_t count, struct zip *out);
void zip_free(struct zip *zip);
/* zip_get: `count` bytes at `at`; STATUS_BAD_INPUT where the file ends before. */
enum status zip_get(const struct zip *zip, uint64_t at, void *to, size_t count);

/* A member's bytes, from the first to the last. */
struct zip_stream;
/* zip_stream_new: zip and member are borrowed; `label` is what messages call it, borrowed. *out is the caller's. */
enum status zip_stream_new(const struct zip *zip, const struct zip_member *member, const char *label,
                           struct zip_stream **out);
/* zip_stream_read: the next `count` bytes. The last byte of a member of which nothing was skipped checks its CRC. */
enum status zip_stream_read(struct zip_stream *stream, void *to, size_t count);
/* zip_stream_skip: leaves out `count` bytes: at once where they are stored, unpacking them otherwise. */
enum status zip_stream_skip(struct zip_stream *stream, uint64_t count);
void zip_stream_free(struct zip_stream *stream); /* NULL: no-op */

/* A ZIP file being written: stored members one after another, whose sizes are known before; atomic. */
struct zip_writer;
/* zip_writer_new: `limit`: sizes and offsets from there on are written in zip64's way: ZIP_LIMIT (tests: less). NULL: error recorded. */
#define ZIP_LIMIT ((uint64_t)0xffffffff)
struct zip_writer *zip_writer_new(struct context *ctx, const char *path, uint64_t limit);
enum status zip_writer_begin(struct zip_writer *writer, const char *name, uint64_t size);
enum status zip_writer_put(struct zip_writer *writer, const void *bytes, size_t count);
/* zip_writer_end: of the member; all its bytes must have been put. */
enum status zip_writer_end(struct zip_writer *writer);
/* zip_writer_finish: the file takes its place; frees the writer, also on failure. */
enum status zip_writer_finish(struct zip_writer *writer);
void zip_writer_discard(struct zip_writer *writer); /* NULL: no-op */

/* The parts of the format, little-endian. */
enum {
    ZIP_LOCAL = 0x04034b50,
    ZIP_LOCAL_SIZE = 30,
    ZIP_ENTRY = 0x02014b50,
    ZIP_ENTRY_SIZE = 46,
    ZIP_END = 0x06054b50,
    ZIP_END_SIZE = 22,
    ZIP_END64 = 0x06064b50,
    ZIP_END64_SIZE = 56,
    ZIP_LOCATOR64 = 0x07064b50,
    ZIP_LOCATOR64_SIZE = 20,
    ZIP_DESCRIPTOR = 0x08074b50,
    ZIP_EXTRA64 = 1,
    ZIP_FLAG_ENCRYPTED = 1,
    ZIP_FLAG_DESCRIPTOR = 8, /* CRC and sizes follow the bytes */
    ZIP_FLAG_UTF8 = 1 << 11,
    ZIP_STORED = 0,
    ZIP_DEFLATED = 8
};

#endif
