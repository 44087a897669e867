/* singular.h: the leading right singular vectors of taps, each seen as A [HW,C] a sample, and which of the student's stand for the
 * teacher's: of its first among + k the one of largest |cosine|, times the cosine's sign. Choice and signs are constants to the
 * loss. Vectors of s^2 < 1e-12 s_1^2 are 0. Shared by svd and mhgd. */
#ifndef KNOWLEDGE_RELATION_SINGULAR_H
#define KNOWLEDGE_RELATION_SINGULAR_H

#include "knowledge/reference.h"

/* SINGULAR_BOUNDED: how far a gradient may be from the slope where squares of singular values lie 3e-4 of the largest apart: there
 * (e / d)^2 of kernel/decompose.h is that. */
#define SINGULAR_BOUNDED 1e-5
enum { SINGULAR_MORE = 3 }; /* vectors of the student's beyond the teacher's k among which one is chosen */

/* singular_refused: true, and says why, unless all taps have k vectors, and the student has as many taps as the teacher. */
bool singular_refused(struct graph *graph, const struct method_site *site, int64_t k);
/* singular_teacher: of tap i the first k vectors [B,k,C], signed so that their largest elements are positive, and, where `values` is
 * not NULL, the singular values [B,k]. */
struct node *singular_teacher(struct graph *graph, const struct method_site *site, int i, int64_t k,
                              struct node **values);
/* singular_student: of tap i, through its connector (numbered by tap), the vectors that stand for the teacher's: [B,k,C]. */
struct node *singular_student(struct graph *graph, const struct method_site *site, int i,
                              const struct connector_options *connector, struct node *teacher);

/* The same in plain loops: maps of k channels by C rows, one column ([B,k,C]); values [B,k]. */
struct map reference_singular_teacher(const struct method_case *c, int i, int k, double *values);
struct map reference_singular_student(const struct method_case *c, int i, const struct connector_options *connector,
                                      struct map teacher);

#endif
