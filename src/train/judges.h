/* judges.h: the networks of a stage that are evaluated on the validation split after each epoch: its subject, and whoever is saved beside
 * it. */
#ifndef TRAIN_JUDGES_H
#define TRAIN_JUDGES_H

#include "record/record.h"
#include "scheme/scheme.h"
#include "train/evaluate.h"

struct judges;

struct judges_spec {
    const struct stage *stage;
    const struct data *data;
    enum element precision;
    struct kernel_context *kernels;
    struct program_memory *memory;
};

/* judges_new: NULL: error recorded. Without labelled validation samples, or of a stage that is about a part of a network, nobody is judged.
 * The spec is borrowed. */
struct judges *judges_new(struct context *ctx, const struct judges_spec *spec);
void judges_free(struct judges *judges);
/* judges_any: is anybody judged? */
bool judges_any(const struct judges *judges);
/* judges_look: all of them, as they are now. */
enum status judges_look(struct judges *judges);
/* judges_metrics: of a learner, at the last look; samples 0 and NaN before it, and of who is not judged. */
struct metrics judges_metrics(const struct judges *judges, int learner);
/* judges_logits: [validation samples, classes] of the same; NULL of who is not judged. */
const double *judges_logits(const struct judges *judges, int learner);
/* judges_record: accuracy and loss of the last look, each under the name that it is saved by. judges_rewind: the record forgets what of those
 * beside the subject came after that step. */
enum status judges_record(const struct judges *judges, struct record *record, int64_t epoch, int64_t step);
enum status judges_rewind(struct context *ctx, const struct stage *stage, struct record *record, int64_t step);

#endif
