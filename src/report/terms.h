/* terms.h: the losses of a stage, from the record. */
#ifndef REPORT_TERMS_H
#define REPORT_TERMS_H

#include "record/record.h"

/* At the stage's start and at its end; NaN: unknown. */
struct report_term {
    const char *name;
    double value[2];  /* unweighted */
    double share[2];  /* of the weighted gradients' norms */
    double cosine[2]; /* of its gradient to that of the term labels */
};
struct report_terms {
    size_t count;
    struct report_term *term;
};

/* terms_read: those whose shares were recorded: stages of several terms have them. Everything lies in the arena. */
enum status terms_read(struct context *ctx, struct arena *arena, struct record *record, const char *stage,
                       struct report_terms *out);

#endif
