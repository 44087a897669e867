/* distill_section.h: a recipe's `distill:` section. Private to plan.c. */
#ifndef RUN_DISTILL_SECTION_H
#define RUN_DISTILL_SECTION_H

#include "run/plan.h"

/* distill_bind: into the plan, whose networks and data are there already; the site: its student and its teachers (none for the student
 * alone). *resolved: every value that applied. Everything lies in the arena. */
enum status distill_bind(struct context *ctx, struct arena *arena, const struct value *section,
                         const struct losses_site *site, struct plan *plan, struct value **resolved);

#endif
