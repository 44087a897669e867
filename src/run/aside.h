/* aside.h: networks that train side by side: each on a thread with kernels and program memory of its own. */
#ifndef RUN_ASIDE_H
#define RUN_ASIDE_H

#include "graph/program.h"

/* A piece of work; `user` is shared by all. */
typedef enum status aside_piece(struct context *ctx, void *user, int index, struct kernel_context *kernels,
                                struct program_memory *memory);

/* aside_run: pieces 0 … count-1, `jobs` at a time, on as many cores (0: all). The library has one thread for each, so that its
 * bits do not depend on what runs beside it; where there are fewer pieces than cores, our own kernels have the others' as well.
 * `wide`: a piece's steps are worth all cores (wants_all_cores), and pieces come one after another (jobs 0) with all threads. */
enum status aside_run(struct context *ctx, bool wide, int jobs, int count, aside_piece *piece, void *user);

#endif
