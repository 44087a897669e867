/* normalise.h: what the ops of batch norm share.
 *
 *     xh = (x - mean) / sqrt(var + epsilon);  z = gamma xh + beta;  y = activation(z)
 *
 * x [..., C], the others [C]. In training mean and biased variance are those of all positions of x. Inputs: x, gamma,
 * beta, and running mean and variance or nothing; outputs: y, and the running values moved by `momentum` towards mean
 * and unbiased variance (without running values: these themselves). All three outputs have gradients. */
#ifndef GRAPH_OP_NORMALISE_H
#define GRAPH_OP_NORMALISE_H

#include "graph/op/batch_norm.h"

/* normalise_expect: inputs 1 to n_inputs - 1 are [C] with the C of x, which has a rank of rank_min to rank_max. */
enum status normalise_expect(const struct op_call *call, int rank_min, int rank_max, const char *words);
void normalise_limits(enum activation activation, double *low, double *high);
int64_t normalise_channels(const struct op_call *call);
int64_t normalise_rows(const struct op_call *call);

/* A call's scratch. */
struct normalise_memory {
    void *sums;             /* for norm_moments and norm_sums */
    double *first, *second; /* [C], one behind the other */
    void *coefficients, *kept;
};
size_t normalise_scratch(const struct op_call *call);
struct normalise_memory normalise_memory_of(const struct op_run *run);

/* The training forms; pooled: y and dy are behind a 2x2 maximum of stride 2. */
enum status training_shape(struct op_call *call, bool pooled);
enum status training_prepare(const struct op_call *call, struct op_needs *needs, bool pooled);
void training_forward(const struct op_run *run, bool pooled);
void training_recompute(const struct op_run *run); /* not pooled */
void training_backward(const struct op_run *run, bool pooled);
/* What they are made of, for who has y and dy in pieces. training_statistics: all of forward but y, with coefficients to
 * make it; training_statistics_again: the same for recompute, from what was saved; training_begin: coefficients for sums over dz, with this gamma, and gradients of the running values;
 * training_sums_use: from m->first and m->second, the sums, gradients of gamma and beta and coefficients for dx. */
void training_statistics(const struct op_run *run, struct normalise_memory *m);
void training_statistics_again(const struct op_run *run, struct normalise_memory *m);
void training_begin(const struct op_run *run, const void *gamma, struct normalise_memory *m);
void training_sums_use(const struct op_run *run, const struct normalise_memory *m);

/* reference_channels: mean and biased variance of channel c. reference_value: y of one x. */
void reference_moments(const struct op_call *call, const double *x, int64_t c, double *mean, double *variance);
double reference_value(const struct op_call *call, double x, double mean, double variance, double gamma, double beta);
/* reference_running: outputs 1 and 2. */
void reference_running(const struct op_call *call, const double *const *in, double *const *out);

#endif
