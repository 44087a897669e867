/* pairing.h: which layers a method reads where nobody names any.
 *
 * A network's maps are the last ones of each resolution. The i-th of the student's n goes with that of the teacher's m at the same
 * relative depth, round((i+1) m / n). A method that takes fewer pairs gets the deepest. An embedding is what the logits are made of. */
#ifndef KNOWLEDGE_PAIRING_H
#define KNOWLEDGE_PAIRING_H

#include "knowledge/method.h"
#include "nn/network.h"

struct pairing {
    int n[2];                   /* by side */
    int layers[2][METHOD_TAPS]; /* in the order in which the method takes them */
};

/* pairing_choose: fails in words where the method needs more maps than a network has. teacher NULL: for methods without one. Where the
 * options leave the student out, the teacher's layers are those that it would be paired with. */
enum status pairing_choose(struct context *ctx, const struct method *method, const void *options,
                           const struct network *student, const struct network *teacher, struct pairing *out);

#endif
