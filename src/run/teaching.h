/* teaching.h: who teaches in a run: the recipe's teachers as learners of a stage, their networks, and what of them is recorded. */
#ifndef RUN_TEACHING_H
#define RUN_TEACHING_H

#include "run/stage_job.h"

enum { RECORDINGS_MAX = 64 };

struct teaching {
    int count;                 /* of teachers */
    struct network **networks; /* [count]; NULL where a teacher is no network; owned (also those in it) */
    int n_learners; /* as a scheme wants them: the one that teaches, and behind it the members that it is made of */
    struct learner *learners;
    struct ensemble ensemble; /* of the first learner, where it is one */
    double **outside; /* [count] of teachers that are no network: [test samples, its outputs], owned; NULL: unknown */
    double *logits;   /* [test samples, classes] of the one that teaches; owned; NULL: unknown */
    char sha256[65];  /* of what it is made of; empty: unknown */
    struct recording recordings[RECORDINGS_MAX]; /* owned */
    int n_recordings;
};

/* teaching_open: networks with their first values, or those of their files. In any case teaching_close. */
enum status teaching_open(struct context *ctx, struct arena *arena, const struct plan *plan, struct teaching *teaching);
/* teaching_of: a single network of that name, which becomes the teaching's, also on failure. */
enum status teaching_of(struct context *ctx, struct arena *arena, struct network *network, const char *name,
                        struct teaching *teaching);
/* recording_add: its store becomes the teaching's, also on failure. */
enum status recording_add(struct context *ctx, struct teaching *teaching, struct recording recording);
/* teaching_network: the first of the teachers that is a network; NULL: none is. */
const struct network *teaching_network(const struct teaching *teaching);
void teaching_close(struct context *ctx, struct teaching *teaching);

/* teaching_make: trains who is to be trained, and measures all; their stages and that of the ensemble are then in the folder. */
enum status teaching_make(struct context *ctx, struct arena *arena, struct run_site *site, struct teaching *teaching,
                          struct kernel_context *kernels, struct program_memory *memory);
/* teaching_measure: its logits over the test split and its sha256, of teachers whose model files are in the folder by their names. */
enum status teaching_measure(struct context *ctx, struct arena *arena, struct run_site *site, struct teaching *teaching,
                             struct kernel_context *kernels, struct program_memory *memory);
/* teaching_site: the stages of the site are from now on those that it teaches. */
void teaching_site(const struct teaching *teaching, struct run_site *site);

#endif
