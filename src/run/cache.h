/* cache.h: recorded outputs of teachers on disk, under $XDG_CACHE_HOME/retort or ~/.cache/retort: one entry for each layer of each teacher,
 * under a key made of all that its values depend on, so that none is ever stale; shared by seeds, students, methods and runs.
 *
 *     KEY.rows      the rows, one behind another, as a store reads them; held by who writes them, while others wait
 *     KEY.json      what they are; written last: an entry without it is not whole
 *     KEY.progress  how many rows of an entry that is not whole are safely on disk */
#ifndef RUN_CACHE_H
#define RUN_CACHE_H

#include "base/arena.h"
#include "base/value.h"
#include "graph/store.h"

struct cache {
    struct context *ctx; /* borrowed */
    struct arena *arena; /* borrowed */
    const char *folder;
};

/* cache_folder: where it lies; NULL without an error: the environment names no place. */
const char *cache_folder(struct arena *arena);
/* cache_open: `otherwise`: a folder for when the environment names none, or one that cannot be made (NULL: an error then). Makes it. */
enum status cache_open(struct context *ctx, struct arena *arena, const char *otherwise, struct cache *out);

/* What an entry holds. */
struct cache_entry {
    const char *teacher, *layer; /* for people */
    const struct value *on;      /* what its values depend on: makes the key */
    int64_t rows;
    struct shape row;
    enum element element; /* of a run: F32 or F64 */
    bool half;            /* kept as float16 */
};
int64_t cache_entry_bytes(const struct cache_entry *entry);

/* cache_store: the entry, whole; the caller's (store_free). NULL without an error: there is none. */
struct store *cache_store(const struct cache *cache, const struct cache_entry *entry);

/* Writing: rows in order, from the first that is not there. */
struct cache_writer;
/* cache_writer_new: waits while another writes the same entry. *done: rows that are there; a multiple of `multiple`, or all. NULL: error
 * recorded (STATUS_CANCELLED while waiting). */
struct cache_writer *cache_writer_new(const struct cache *cache, const struct cache_entry *entry, int64_t multiple,
                                      int64_t *done);
/* cache_writer_rows: of the entry's element type. */
enum status cache_writer_rows(struct cache_writer *writer, int64_t first, int64_t count, const void *values);
/* cache_writer_finish: the entry is whole. cache_writer_leave: goes on another time. Both free the writer, also on failure; NULL: no-op. */
enum status cache_writer_finish(struct cache_writer *writer);
void cache_writer_leave(struct cache_writer *writer);

/* cache_list: [{"key","teacher","layer","rows","row","type","bytes","whole","used"}], the last used first; used: seconds since. */
enum status cache_list(const struct cache *cache, struct value **out);
/* cache_prune: removes what was not used for so many seconds, and the longest unused until no more than `most` bytes are left; what is
 * being written stays. *removed: entries and bytes. */
struct cache_pruned {
    int64_t entries, bytes;
};
enum status cache_prune(const struct cache *cache, double unused, int64_t most, struct cache_pruned *removed);

#endif
