/* sweep.h: what the files of a sweep share. A sweep's folder:
 *
 *     sweep.json              which runs there are and what came of them; written first, and again after each run
 *     recipes/NAME.yaml       the recipe of each run, as resolved
 *     runs/NAME/              each run, as `retort distill` makes it
 *     shared/STAGE-HASH/      stages that several runs have (run/share.h) */
#ifndef RUN_SWEEP_H
#define RUN_SWEEP_H

#include "run/folder.h"

#include <pthread.h>

/* Where a run stands: its words in sweep.json. */
#define SWEEP_STATE_LIST(X) X(WAITING, "waiting") X(DONE, "done") X(FAILED, "failed")
enum sweep_state {
#define X(name, text) SWEEP_##name,
    SWEEP_STATE_LIST(X)
#undef X
};

struct sweep_run {
    const char *name;        /* of its folder: the recipe's, and the values that vary */
    const char *recipe;      /* as given */
    const struct value *set; /* {"a.b.c": value} */
    const char *text;        /* the resolved recipe; NULL: it lies in its file */
    const char *sha256;      /* of that */
    struct value *shared;    /* names of the stages that it can share (share_name) */
    enum sweep_state state;
    const char *error;           /* FAILED: why */
    const struct value *figures; /* DONE: sweep_figures */
};

struct sweep {
    struct context *ctx;
    struct arena *arena;
    const struct sweep_options *options;
    struct folder folder; /* held; no run lies in it */
    const char *id;       /* of this sweep: which runs and shared stages are its own */
    bool forced;          /* begun over an older one */
    struct sweep_run *runs;
    size_t count;
    struct share *share;
    pthread_mutex_t lock; /* of the arena, of the runs' states and of sweep.json while runs are on their way */
};

/* --- sweep_plan.c --- */
/* sweep_plan: every recipe with every combination of values, bound and named. */
enum status sweep_plan(struct sweep *sweep);

/* --- sweep_file.c --- */
const char *sweep_recipe(struct arena *arena, const struct sweep *sweep, const struct sweep_run *run);
/* sweep_open: holds the folder; a new sweep is planned and written, one that is there gone on with, or refused. */
enum status sweep_open(struct sweep *sweep);
/* sweep_write: sweep.json; *document: it, of `arena`, which need not be the sweep's. */
enum status sweep_write(struct context *ctx, struct arena *arena, const struct sweep *sweep, struct value **document);

/* --- sweep_result.c --- */
/* sweep_figures: of a run's result.json: what is compared. NULL: error recorded. */
struct value *sweep_figures(struct arena *arena, const struct value *result);
/* sweep_document: sweep.json, of `arena`. NULL: error recorded. */
struct value *sweep_document(struct arena *arena, const struct sweep *sweep);

#endif
