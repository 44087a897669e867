/* record: the run's log, one SQLite file: what ran, its stages, its metrics. Sees base; alone sees SQLite.
 *
 * The report is made from a record alone. Tables: runs, notes, stages, series, metrics_data, arrays, layers; and for
 * others the view metrics(stage, epoch, step, split, name, value). Metrics are kept in memory and written in one transaction at
 * record_flush. After kill -9 the file is what it was at the last flush; a resumed stage calls
 * record_rewind with its checkpoint's step and goes on, and ends up with the record of an uninterrupted run. So: flush
 * first, then commit the checkpoint.
 *
 * Thread safety: any thread may call with its own context (one mutex inside). Errors go to that context. */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "base/arena.h"

struct record;

enum record_mode {
    RECORD_CREATE, /* a new file; one that exists is refused */
    RECORD_RESUME, /* an existing one, to go on writing; made when it is not there */
    RECORD_READ,   /* an existing one, read only */
};

/* record_open: *out is the caller's (record_close); NULL on failure. STATUS_IO: cannot be opened or made;
 * STATUS_BAD_INPUT: not a record, or of another version. */
enum status record_open(struct context *ctx, const char *path, enum record_mode mode, struct record **out);
/* record_close: flushes, closes and frees, also when the flush fails. One file is left. NULL: no-op. */
enum status record_close(struct context *ctx, struct record *record);

/* The run; one a record. Texts may be NULL. */
struct record_run {
    const char *name, *started, *version, *recipe_sha256, *recipe;
};
enum status record_run(struct context *ctx, struct record *record, const struct record_run *run); /* replaces */
/* record_run_read: NULLs when there is none yet. */
enum status record_run_read(struct context *ctx, struct arena *arena, struct record *record, struct record_run *out);

/* record_note: any text under a key (results, machine: as JSON); replaces. Written at once. */
enum status record_note(struct context *ctx, struct record *record, const char *key, const char *text);
/* record_note_read: *text is NULL when there is no such note. */
enum status record_note_read(struct context *ctx, struct arena *arena, struct record *record, const char *key,
                             const char **text);

struct record_stage {
    const char *name;  /* unique in a record: "teacher", "alone-0" */
    const char *role;  /* "teacher", "alone", "distilled", … */
    const char *model; /* path of its model in the run's folder; NULL: none */
    int64_t seed, parameters, macs, epochs, steps;
    double seconds, samples_per_second;
};
/* record_stage: adds the stage or replaces what is known of it (by name; its metrics stay). Written at once. */
enum status record_stage(struct context *ctx, struct record *record, const struct record_stage *stage);
/* record_stages_read: in the order in which they were first added. */
enum status record_stages_read(struct context *ctx, struct arena *arena, struct record *record,
                               struct record_stage **out, size_t *count);

/* record_metric: one number; kept in memory, so nothing touches the disk in a step (but once in a few thousand calls,
 * when the buffer is full). The stage need not be known yet. The same (stage, split, name, step) again replaces the
 * number. A value that is not finite is kept as NULL (read back as NaN). Allocates only for a series' first metric. */
enum status record_metric(struct context *ctx, struct record *record, const char *stage, int64_t epoch, int64_t step,
                          const char *split, const char *name, double value);
enum status record_flush(struct context *ctx, struct record *record);
/* record_rewind: forgets the stage's metrics with a step greater than `step` (also those still in memory). -1: all. */
enum status record_rewind(struct context *ctx, struct record *record, const char *stage, int64_t step);

/* An array that a stage leaves: what was counted or computed once, at its end. Table arrays(stage, name, element, shape,
 * data): element as below, shape "10,10", data the bytes in the machine's order, the last axis fastest. Which arrays
 * there are is for the writer to say (src/run/details.h). */
#define RECORD_ELEMENT_LIST(X) X(U8, "u8", 1) X(I32, "i32", 4) X(F32, "f32", 4)
enum record_element {
#define X(name, text, size) RECORD_##name,
    RECORD_ELEMENT_LIST(X)
#undef X
};
const char *record_element_text(enum record_element element);
enum { RECORD_RANK_MAX = 4 };
struct record_array {
    const char *name;
    enum record_element element;
    int rank;
    int64_t dim[RECORD_RANK_MAX];
    const void *data;
};
/* record_array: adds the stage's array or replaces the one of that name. Written at once; borrowed for the call. */
enum status record_array(struct context *ctx, struct record *record, const char *stage,
                         const struct record_array *array);
/* record_array_read: into the arena, 16-byte aligned; data NULL: there is none. STATUS_BAD_INPUT: the bytes are not
 * those of the shape. */
enum status record_array_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                              const char *name, struct record_array *out);

/* A layer of a stage's network, in the order of evaluation: table layers(stage, place, name, type, output, parameters,
 * macs). */
struct record_layer {
    const char *name, *type, *output; /* output: "[12,28,28]", of one sample */
    int64_t parameters, macs;
};
/* record_layers: adds the stage's layers or replaces those at the same places. Written at once. */
enum status record_layers(struct context *ctx, struct record *record, const char *stage,
                          const struct record_layer *layers, size_t count);
/* record_layers_read: count 0 when there are none. */
enum status record_layers_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                               struct record_layer **out, size_t *count);

/* A series of metrics, ordered by step. */
struct record_series {
    const char *stage, *split, *name;
    size_t count;
    int64_t *epochs, *steps; /* [count] */
    double *values;          /* [count]; NaN: undefined */
};
/* record_series_read: count 0 when there is none. What is still in memory is flushed first (not in RECORD_READ). */
enum status record_series_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                               const char *split, const char *name, struct record_series *out);
/* record_series_list: every series that has metrics, by stage, split, name; the arrays are NULL, count is filled. */
enum status record_series_list(struct context *ctx, struct arena *arena, struct record *record,
                               struct record_series **out, size_t *count);

#endif
