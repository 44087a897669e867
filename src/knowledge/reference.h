/* reference.h: the plain loops that the methods' references share: float64, [B,C,H,W], independent of the graph. Memory comes from
 * the case's arena; a reference that finds none left gives NaN (reference_take ends nothing). */
#ifndef KNOWLEDGE_REFERENCE_H
#define KNOWLEDGE_REFERENCE_H

#include "knowledge/connector/connector.h"

#include <math.h>

/* An embedding [B,D] is a map of D channels and one position. */
struct map {
    int b, c, h, w;
    double *v; /* NULL: no memory */
};
static inline int map_area(const struct map *m)
{
    return m->h * m->w;
}
static inline int map_row(const struct map *m) /* elements of a sample */
{
    return m->c * m->h * m->w;
}

struct map reference_student(const struct method_case *c, int i); /* a copy */
struct map reference_teacher(const struct method_case *c, int i);
struct map reference_map(const struct method_case *c, int b, int channels, int h, int w); /* zeros */
double *reference_take(const struct method_case *c, int64_t n);                           /* zeros */
const double *reference_own(const struct method_case *c, const char *name); /* with the pair's prefix; NULL: none */

struct map reference_pool(const struct method_case *c, struct map m, int h, int w); /* adaptive average */
struct map reference_nearest(const struct method_case *c, struct map m, int h, int w);
void reference_sizes(const struct method_case *c, struct map *a, struct map *b); /* as connector_sizes */
/* NAME.weight [out,C,k,k] or [out,C], and NAME.bias where there is one. */
struct map reference_convolution(const struct method_case *c, struct map m, const char *name);
void reference_batch_norm(const struct method_case *c, struct map m, const char *name); /* in place; NAME.bn.* */
/* the same by the statistics of the batch where running ones are kept as well */
void reference_batch_norm_training(const struct method_case *c, struct map m, const char *name);
/* as connector_fit */
void reference_fit(const struct method_case *c, const struct connector_options *options, struct map *student,
                   struct map *teacher);

void reference_unit(double *v, int n, int stride); /* 0 where shorter than 1e-12 */
struct map reference_unit_samples(struct map m);   /* each sample as one vector, in place */
double reference_mean_square(const double *a, const double *b, int64_t n);
double reference_smooth_l1(double difference);
void reference_log_softmax(double *z, int n, double temperature);
double reference_kl(const double *log_p, const double *log_q, int n); /* sum p (log p - log q) */
void reference_standardise(double *z, int n);                         /* as graph_standardise_rows */
double *reference_squares(const struct method_case *c, struct map m); /* [B,B] squared distances of samples */

#endif
