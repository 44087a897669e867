/* folder.h: a run's folder: what lies where, and when a run counts as there, begun or finished. */
#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include "record/record.h"
#include "run/plan.h"

#include <dirent.h>

struct folder {
    const char *path;        /* of the arena, as the user gave it */
    const char *record_path; /* where the record is being written: beside an old one until the run is finished */
    struct record *record;
    DIR *lock;     /* the folder itself, held against other processes; NULL: not yet, or a file system without locks */
    bool finished; /* resume: there is nothing left to do */
};

/* folder_file: PATH/a or PATH/a/b of the arena. */
const char *folder_file(struct arena *arena, const struct folder *folder, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* folder_put: a whole file, which takes its place when it is complete. path NULL: an earlier error is passed on. */
enum status folder_put(struct context *ctx, const char *path, const void *bytes, size_t count);
/* folder_hold: takes the folder for this process, until folder_close; fails while another one is at work there. */
enum status folder_hold(struct context *ctx, struct folder *folder);
/* folder_create: for a new run: makes it, refuses one with a run in it unless forced, or in which another process is at work; opens the
 * record; writes recipe.yaml last, from when on the run can be resumed. */
enum status folder_create(struct context *ctx, const struct plan *plan, const char *path,
                          const struct run_options *options, struct folder *folder);
/* folder_resume: opens what folder_create left, unless another process is at work there. */
enum status folder_resume(struct context *ctx, struct arena *arena, const char *path, struct folder *folder);
/* folder_begun: has this sweep begun a run with a recipe of this hash there, which folder_resume can open? */
bool folder_begun(struct context *ctx, struct arena *arena, const char *path, const char *sweep, const char *sha256);
/* folder_open_shared: a folder for a stage alone, without recipe and run, made where it is not there; what another sweep left in it counts as
 * nothing. */
enum status folder_open_shared(struct context *ctx, struct arena *arena, const char *path, const char *sweep,
                               struct folder *folder);
/* folder_finish: the record takes its place, checkpoints go. */
enum status folder_finish(struct context *ctx, struct arena *arena, struct folder *folder);
void folder_close(struct context *ctx, struct folder *folder);
/* folder_default: runs/NAME-YYYYMMDD-HHMMSS. */
const char *folder_default(struct arena *arena, const char *name);

#endif
