/* extension.h: a student that a method changes: what it is to be evaluated and exported with. */
#ifndef RUN_EXTENSION_H
#define RUN_EXTENSION_H

#include "run/plan.h"

/* extension_add: where a term's method extends the student (method.h), the stage is about a network of the student's layers up to its
 * tap, those of the method, and the teacher's behind its own tap; it takes their values at each epoch's end. *extended: that network, the
 * caller's; NULL: no method extends. */
enum status extension_add(struct context *ctx, struct arena *arena, const struct plan *plan, struct stage *stage,
                          struct network **extended);

#endif
