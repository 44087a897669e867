/* ops.h: the builders of all ops, in the words of the field. Each is defined in graph/op/<op>.c (compositions: graph/compose.c).
 * All are sticky (graph.h). Shapes: maps [B,H,W,C], matrices [B,D]; a negative axis counts from the end. */
#ifndef GRAPH_OPS_H
#define GRAPH_OPS_H

#include "graph/graph.h"

/* --- element-wise, with NumPy's broadcasting --- */
struct node *graph_add(struct graph *, struct node *a, struct node *b);
struct node *graph_sub(struct graph *, struct node *a, struct node *b);
struct node *graph_mul(struct graph *, struct node *a, struct node *b);
struct node *graph_div(struct graph *, struct node *a, struct node *b);
struct node *graph_exp(struct graph *, struct node *x);
struct node *graph_log(struct graph *, struct node *x);
struct node *graph_sqrt(struct graph *, struct node *x);
struct node *graph_square(struct graph *, struct node *x);
struct node *graph_abs(struct graph *, struct node *x);
struct node *graph_relu(struct graph *, struct node *x);
struct node *graph_relu6(struct graph *, struct node *x);
struct node *graph_stop_gradient(struct graph *, struct node *x);
/* graph_standardise: (x * scale - mean) / deviation per channel (last axis); x REAL, or U8, whose values are first divided by 255.
 * mean, deviation: `channels` numbers, 1 or the last axis; copied. */
struct node *graph_standardise(struct graph *, struct node *x, int channels, const double *mean,
                               const double *deviation);

/* --- reductions; axes: bit i set = axis i; keep: reduced axes stay as 1 --- */
struct node *graph_sum(struct graph *, struct node *x, unsigned axes, bool keep);
struct node *graph_mean(struct graph *, struct node *x, unsigned axes, bool keep);
struct node *graph_sum_all(struct graph *, struct node *x);  /* a scalar */
struct node *graph_mean_all(struct graph *, struct node *x); /* a scalar */
struct node *graph_row_sum(struct graph *, struct node *x);  /* over all axes but 0: [B] */
/* graph_count: the number of elements of axis `axis` as a REAL scalar (the batch size for axis 0). */
struct node *graph_count(struct graph *, struct node *x, int axis);

/* --- rows --- */
struct node *graph_softmax(struct graph *, struct node *x);     /* over the last axis */
struct node *graph_log_softmax(struct graph *, struct node *x); /* over the last axis */
/* graph_cross_entropy: -sum_k target_k log softmax(x)_k for each row: [B]. labels I32 [B]: target (1-e) one-hot + e/K,
 * a label of -1 gives 0. */
struct node *graph_cross_entropy(struct graph *, struct node *logits, struct node *labels, double smoothing);
struct node *graph_cross_entropy_soft(struct graph *, struct node *logits,
                                      struct node *targets); /* targets [B,K] constant or not: [B] */
/* graph_argmax: I32 [B], the first largest of the last axis; no gradient. */
struct node *graph_argmax(struct graph *, struct node *x);
/* graph_swap_columns: x [B,K] with the elements at a[b] and b[b] exchanged in each row; a negative index: row unchanged. */
struct node *graph_swap_columns(struct graph *, struct node *x, struct node *a, struct node *b);
/* graph_match: REAL [B], 1 where a[b] == b[b], else 0; I32 inputs; graph_has_label: 1 where a[b] >= 0. No gradient. */
struct node *graph_match(struct graph *, struct node *a, struct node *b);
struct node *graph_has_label(struct graph *, struct node *labels);
/* graph_standardise_rows: (x - mean) / (1e-7 + std) over the last axis, std unbiased; a row whose std is below 1e-6 of its
 * largest magnitude becomes 0 with zero gradient. */
struct node *graph_standardise_rows(struct graph *, struct node *x);

/* --- shape --- */
struct node *graph_reshape(struct graph *, struct node *x, struct shape shape); /* shape may be symbolic as x is */
struct node *graph_flatten(struct graph *,
                           struct node *x); /* [B,H,W,C] -> [B, C*H*W] in C, H, W order; [B,D] as it is */
struct node *graph_concat(struct graph *, int n, struct node *const *x, int axis);
struct node *graph_pad(struct graph *, struct node *x, int top, int bottom, int left,
                       int right); /* zeros around a map */
/* graph_to_chw: [B,H,W,C] -> [B,C,H,W]; graph_to_hwc the other way: borders only. */
struct node *graph_to_chw(struct graph *, struct node *x);
struct node *graph_to_hwc(struct graph *, struct node *x);

/* --- layers --- */
struct convolution {
    int out, kernel[2], stride[2], padding[2], dilation[2], groups; /* [height, width] */
};
/* graph_convolution: x [B,H,W,Cin], weight [O, Cin/groups, kh, kw], bias [O] or NULL -> [B,H',W',O]. */
struct node *graph_convolution(struct graph *, struct node *x, struct node *weight, struct node *bias,
                               const struct convolution *);
/* graph_linear: x [B,D] (or [..., D]), weight [O,D], bias [O] or NULL -> [B,O]. */
struct node *graph_linear(struct graph *, struct node *x, struct node *weight, struct node *bias);
/* graph_matmul: a [M,K], b [K,N] -> [M,N]; transpose_a: a is [K,M]; transpose_b: b is [N,K]. */
struct node *graph_matmul(struct graph *, struct node *a, struct node *b, bool transpose_a, bool transpose_b);
enum activation { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_RELU6 };
/* graph_batch_norm: training mode: biased variance of the batch and positions normalises; gamma, beta [C]; the running
 * statistics [C] (state nodes) are updated at commit by 0.1 with the unbiased variance (running_mean NULL: none are kept).
 * graph_batch_norm_inference: by running statistics. Both over the last axis of x. */
struct node *graph_batch_norm(struct graph *, struct node *x, struct node *gamma, struct node *beta,
                              struct node *running_mean, struct node *running_var, double epsilon);
struct node *graph_batch_norm_inference(struct graph *, struct node *x, struct node *gamma, struct node *beta,
                                        struct node *mean, struct node *var, double epsilon);
struct pooling {
    int kernel[2], stride[2], padding[2]; /* padding: max ignores it, average counts it (PyTorch's defaults) */
};
struct node *graph_max_pool(struct graph *, struct node *x, const struct pooling *);
struct node *graph_average_pool(struct graph *, struct node *x, const struct pooling *);
struct node *graph_global_average_pool(struct graph *, struct node *x); /* [B,H,W,C] -> [B,C] */
struct node *graph_global_max_pool(struct graph *, struct node *x);
/* graph_dropout: keeps with probability 1-rate, scaled by 1/(1-rate); recomputed in backward from its counter.
 * `stream` from random_stream of the layer's full name. */
struct node *graph_dropout(struct graph *, struct node *x, double rate, uint32_t stream);
/* graph_random: REAL of the given shape from the counter (uniform [0,1) or normal), new at every step. */
enum distribution { DISTRIBUTION_UNIFORM, DISTRIBUTION_NORMAL };
struct node *graph_random(struct graph *, enum distribution, struct shape shape, uint32_t stream);

#endif
