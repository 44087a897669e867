/* details.h: what the report shows of a stage beyond its figures: recorded once, at the stage's end.
 *
 * Arrays of the record (record/record.h), all of the test split; K classes:
 *   confusion        i32 [K,K]      how many samples of class (row) were answered as class (column); K at most 100
 *   outcomes         i32 [5]        how student and teacher meet (enum outcome of train/evaluate.h); with a teacher
 * and of the teacher and the first seed's stages alone, because a page shows one student closely:
 *   class_logits     f32 [M,K]      logits of the first samples of each class, as many of each class, class by class
 *   class_labels     i32 [M]        their classes
 *   differing_…      of the M samples on which student and teacher diverge most (Jensen-Shannon) among those that they
 *                    answer differently: samples i32 [M] (places in the split), labels i32 [M] (-1: none), images u8
 *                    [M,H,W,C] (C 1 or 3; made smaller above 64 pixels; none where samples are no images), logits and
 *                    teacher_logits f32 [M,K]
 *   early_exit       f32 [T,3]      of a subject with exits: threshold, accuracy, mean MACs of a sample, for each of
 *                    train/exits.h's thresholds (run/early_exit.h)
 * and the layers of their networks. The test split is only described here: nothing is chosen by it. */
#ifndef RUN_DETAILS_H
#define RUN_DETAILS_H

#include "run/stage_job.h"

/* details_record: logits [N,K] of the stage's subject over the test split. Writing twice changes nothing. */
enum status details_record(struct context *ctx, const struct run_site *site, const struct stage *stage,
                           const struct network *network, const double *logits);

/* A stage's details being recorded; shared by the files of details. */
struct details {
    struct context *ctx;
    struct arena *arena; /* for what is written */
    const struct run_site *site;
    const char *stage;
    const struct split *split; /* test */
    int64_t classes;
    const double *logits; /* [N,K] */
};

enum { EXIT_CURVE_COLUMNS = 3 };

/* details_closely: is it one of the stages that a page shows closely? */
bool details_closely(const struct run_site *site, const struct stage *stage);
/* details_array: one array of the record; `data` of the shape [dim 0, …]. */
enum status details_array(const struct details *details, const char *name, enum record_element element,
                          struct shape shape, const void *data);
/* details_logits: chosen rows of logits [N,K], as f32 [count,K]. */
enum status details_logits(const struct details *details, const char *name, const double *logits, const int32_t *rows,
                           int64_t count);
/* differing_record: the arrays differing_…; the site has the teacher's logits. */
enum status differing_record(const struct details *details);

#endif
