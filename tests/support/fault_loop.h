/* fault_loop.h: runs a piece of work once for each of its allocations, which then fails.
 *
 * Every failure must end in STATUS_NO_MEMORY with a message, and with all memory given back. */
#ifndef SUPPORT_FAULT_LOOP_H
#define SUPPORT_FAULT_LOOP_H

#include "base/context.h"

/* fault_loop: calls work(ctx, user), each time with a fresh and silent context, until no planned failure was reached and
 * the work is done. Returns how many allocations were made to fail; a finding fails the cmocka test. */
int fault_loop(enum status (*work)(struct context *ctx, void *user), void *user);

/* counted_context: a silent context whose blocks are counted; counted_blocks: how many are not freed yet. */
void counted_context(struct context *ctx);
int counted_blocks(void);

#endif
