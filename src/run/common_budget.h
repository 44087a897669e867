/* common_budget.h: a teacher that learns in the student's steps has the student's budget. */
#ifndef RUN_COMMON_BUDGET_H
#define RUN_COMMON_BUDGET_H

#include "base/value.h"

/* common_budget_take: what `teacher`, resolved, says of epochs, batches and the like becomes what `student`, resolved, says; with a
 * warning where the recipe's own `section` of the teacher says something else. */
enum status common_budget_take(struct context *ctx, struct arena *arena, const struct value *section,
                               struct value *teacher, const struct value *student);

#endif
