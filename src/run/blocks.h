/* blocks.h: the stages in which blocks of the student learn, before the student as a whole does.
 *
 *     block 1: images ──> b1      block i: the teacher's b(i-1) ──> bi      last block: the teacher's bn ──> logits
 *
 * Block i makes of the teacher's activation at one boundary that at the next: mean squared error; the last learns from the recipe's losses
 * on logits. No block needs another one's values, so all learn side by side, each a stage on a copy of the student with the same initial
 * values; the student then starts with the layers of each block as its copy has learnt them. Li et al. 2020, arXiv 1911.13053; Blakeney
 * et al. 2020, arXiv 2012.03096. */
#ifndef RUN_BLOCKS_H
#define RUN_BLOCKS_H

#include "run/stages.h"

/* blocks_count: of the plan's student; 0: it has none. */
int blocks_count(const struct plan *plan);
/* block_name: of a block's stage, from block 0: "block1-SEED"; of the arena. */
const char *block_name(struct arena *arena, int index, uint64_t seed);
/* blocks_add: the stages of all blocks, to be looked at: all of the student's own network. */
enum status blocks_add(struct context *ctx, const struct plan *plan, const struct teaching *teaching, uint64_t seed,
                       struct student *student);
/* blocks_run: all blocks of all seeds, which are then in the folder. */
enum status blocks_run(struct context *ctx, struct run_site *site, const struct teaching *teaching);
/* blocks_assemble: the network takes what the blocks of its seed have learnt, from their files; without blocks it stays as it
 * is. */
enum status blocks_assemble(struct context *ctx, struct arena *arena, const struct run_site *site, uint64_t seed,
                            struct network *network);

#endif
