/* block_section.h: a recipe's `distill.blocks`. Private to distill_section.c but for its options. */
#ifndef RUN_BLOCK_SECTION_H
#define RUN_BLOCK_SECTION_H

#include "run/block_plan.h"
#include "run/losses.h"

/* What blocks are bound against. */
struct block_site {
    const struct losses_site *networks;
    const struct scheme *scheme;
    bool staged;    /* the recipe has stages: */
    int64_t epochs; /* of the student's training */
};

/* block_section_bind: `section`: true, or a map; false, null, NULL: none. *resolved: what applied; `section` itself where there is nobody
 * to learn from (the student alone). All but the terms of the last block; everything lies in the arena. */
enum status block_section_bind(struct context *ctx, struct arena *arena, const struct value *section,
                               const struct block_site *site, struct block_plan *out, const struct value **resolved);
/* block_section_options: the keys of the map, for `retort help`. */
struct option_set block_section_options(void);

#endif
