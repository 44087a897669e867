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
struct node *graph_power(struct graph *, struct node *a,
                         struct node *b); /* a^b; NaN for a < 0 unless b is an integer */
struct node *graph_maximum(struct graph *, struct node *a, struct node *b); /* gradient: half to each where equal */
struct node *graph_minimum(struct graph *, struct node *a, struct node *b);
/* graph_smooth_l1: of z = a - b: z^2 / (2 beta) where |z| < beta, else |z| - beta / 2; beta >= 0. */
struct node *graph_smooth_l1(struct graph *, struct node *a, struct node *b, double beta);
/* graph_compare: 1 where `a relation b` holds, else 0; no gradient. graph_where: a where the condition is not 0, else b; no
 * gradient to the condition. */
enum relation {
    RELATION_EQUAL,
    RELATION_NOT_EQUAL,
    RELATION_GREATER,
    RELATION_GREATER_EQUAL,
    RELATION_LESS,
    RELATION_LESS_EQUAL
};
struct node *graph_compare(struct graph *, struct node *a, enum relation relation, struct node *b);
struct node *graph_where(struct graph *, struct node *condition, struct node *a, struct node *b);
struct node *graph_exp(struct graph *, struct node *x);
struct node *graph_log(struct graph *, struct node *x);
struct node *graph_sqrt(struct graph *, struct node *x);
struct node *graph_square(struct graph *, struct node *x);
struct node *graph_abs(struct graph *, struct node *x);
struct node *graph_relu(struct graph *, struct node *x);
struct node *graph_relu6(struct graph *, struct node *x);
struct node *graph_sign(struct graph *, struct node *x);                          /* no gradient */
struct node *graph_clip(struct graph *, struct node *x, double low, double high); /* low <= high, may be infinite */
struct node *graph_leaky_relu(struct graph *, struct node *x, double slope);      /* slope >= 0 */
struct node *graph_hard_sigmoid(struct graph *, struct node *x);
struct node *graph_hard_swish(struct graph *, struct node *x);
struct node *graph_sigmoid(struct graph *, struct node *x);
struct node *graph_log_sigmoid(struct graph *, struct node *x); /* log(sigmoid(x)), finite where x is */
struct node *graph_tanh(struct graph *, struct node *x);
struct node *graph_gelu(struct graph *, struct node *x); /* exact, by erf */
struct node *graph_silu(struct graph *, struct node *x);
struct node *graph_softplus(struct graph *, struct node *x); /* log(1 + exp(x)) */
struct node *graph_stop_gradient(struct graph *, struct node *x);
/* graph_standardise: (x * scale - mean) / deviation per channel (last axis); x REAL, or U8, whose values are first divided by 255.
 * mean, deviation: `channels` numbers, 1 or the last axis; copied. */
struct node *graph_standardise(struct graph *, struct node *x, int channels, const double *mean,
                               const double *deviation);

/* --- reductions; axes: bit i set = axis i; keep: reduced axes stay as 1 --- */
struct node *graph_sum(struct graph *, struct node *x, unsigned axes, bool keep);
struct node *graph_mean(struct graph *, struct node *x, unsigned axes, bool keep);
struct node *graph_max(struct graph *, struct node *x, unsigned axes, bool keep); /* gradient shared among equals */
struct node *graph_min(struct graph *, struct node *x, unsigned axes, bool keep);
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
/* graph_unit_rows: x / |x| over the last axis; a row shorter than 1e-12 becomes 0 with zero gradient. */
struct node *graph_unit_rows(struct graph *, struct node *x);
/* graph_square_distances: x [B,D] -> [B,B], sum_d (x_id - x_jd)^2. */
struct node *graph_square_distances(struct graph *, struct node *x);
/* graph_corner_cosines: squared distances q [B,B] -> [B,B,B], (q_ij + q_ik - q_jk) / (2 sqrt(q_ij q_ik)): the cosine at corner i
 * between the ways to j and k; 0 with zero gradient where one of the ways is shorter than 1e-12. */
struct node *graph_corner_cosines(struct graph *, struct node *q);

/* --- shape --- */
struct node *graph_reshape(struct graph *, struct node *x, struct shape shape); /* shape may be symbolic as x is */
/* graph_flatten: [B,H,W,C] -> [B, C*H*W] in C, H, W order; [B,T,C] -> [B, T*C]; [B,D] as it is. */
struct node *graph_flatten(struct graph *, struct node *x);
/* graph_transpose: axis i of the result is axis axes[i] of x, which has `rank` axes. graph_to_chw: [B,H,W,C] -> [B,C,H,W],
 * as at borders; graph_to_hwc the other way. */
struct node *graph_transpose(struct graph *, struct node *x, int rank, const int *axes);
struct node *graph_to_chw(struct graph *, struct node *x);
struct node *graph_to_hwc(struct graph *, struct node *x);
struct node *graph_concat(struct graph *, int n, struct node *const *x, int axis);
/* graph_slice: every step-th index of an axis (not the batch's) from start to before stop, which count from the end where
 * negative. graph_split: an axis cut into n parts of these sizes (NULL: equal ones); parts [n], all NULL on failure. */
#define GRAPH_SLICE_END INT64_MAX
struct node *graph_slice(struct graph *, struct node *x, int axis, int64_t start, int64_t stop, int64_t step);
void graph_split(struct graph *, struct node *x, int axis, int n, const int64_t *sizes, struct node **parts);
/* graph_pad: zeros around a map. graph_pad_axis: `before` and `after` times the value along one axis. */
struct node *graph_pad(struct graph *, struct node *x, int top, int bottom, int left, int right);
struct node *graph_pad_axis(struct graph *, struct node *x, int axis, int64_t before, int64_t after, double value);

/* --- by index (I32; where it names nothing, e.g. -1, it gives zeros) --- */
/* graph_gather: the parts of an axis that the index names: [a…, n, c…] and [i…] -> [a…, i…, c…]. */
struct node *graph_gather(struct graph *, struct node *x, struct node *index, int axis);
struct node *graph_embedding(struct graph *, struct node *table, struct node *index); /* table [V,D]: [i…, D] */
struct node *graph_one_hot(struct graph *, struct node *labels, int64_t classes); /* [l…] -> REAL [l…, classes] */
/* graph_top_k: the k largest of each row of the last axis, the largest first, of equal ones that of lower index:
 * [..., k], and as output 1 their indices I32 [..., k]. */
struct node *graph_top_k(struct graph *, struct node *x, int64_t k);

/* --- decompositions of small matrices, one a sample, in float64; gradients are bounded at ties (kernel/decompose.h) ---
 * Vectors are rows, leading first; each has its element of largest magnitude positive; k <= 0: all.
 * graph_eigen: of x [B,n,n], made symmetric as (x + x^T) / 2: values [B,k], descending, and as output 1 vectors [B,k,n]. */
struct node *graph_eigen(struct graph *, struct node *x, int k);
/* graph_svd: of x [B,m,n]: singular values [B,k], descending, as output 1 right vectors [B,k,n], as output 2 left vectors
 * [B,k,m]. Where sigma^2 < 1e-12 sigma_1^2 value and vectors are 0, with zero gradient. */
struct node *graph_svd(struct graph *, struct node *x, int k);

/* --- layers --- */
struct convolution {
    int out, kernel[2], stride[2], padding[2], dilation[2], groups; /* [height, width] */
};
/* graph_convolution: x [B,H,W,Cin], weight [O, Cin/groups, kh, kw], bias [O] or NULL -> [B,H',W',O]. */
struct node *graph_convolution(struct graph *, struct node *x, struct node *weight, struct node *bias,
                               const struct convolution *);
/* graph_convolution_1d: x [B,L,Cin], weight [O, Cin/groups, k], bias [O] or NULL -> [B,L',O]. */
struct convolution_1d {
    int out, kernel, stride, padding, dilation, groups;
};
struct node *graph_convolution_1d(struct graph *, struct node *x, struct node *weight, struct node *bias,
                                  const struct convolution_1d *);
/* graph_convolution_transpose: the adjoint of a convolution: x [B,H,W,Cin], weight [Cin, O/groups, kh, kw], bias [O] or NULL
 * -> [B,H',W',O], H' = (H-1) stride - 2 padding + dilation (kh-1) + output_padding + 1. */
struct convolution_transpose {
    struct convolution c; /* out: O */
    int output_padding[2];
};
struct node *graph_convolution_transpose(struct graph *, struct node *x, struct node *weight, struct node *bias,
                                         const struct convolution_transpose *);
/* graph_linear: x [B,D] (or [..., D]), weight [O,D], bias [O] or NULL -> [B,O]. */
struct node *graph_linear(struct graph *, struct node *x, struct node *weight, struct node *bias);
/* graph_matmul: a [...,M,K], b [...,K,N] -> [...,M,N], axes before the last two equal: products side by side.
 * transpose_a: a is [...,K,M]; transpose_b: b is [...,N,K]. */
struct node *graph_matmul(struct graph *, struct node *a, struct node *b, bool transpose_a, bool transpose_b);
enum activation { ACTIVATION_NONE, ACTIVATION_RELU, ACTIVATION_RELU6 };
/* graph_batch_norm: training mode: biased variance of the batch and positions normalises; gamma, beta [C]; the running
 * statistics [C] (state nodes) are updated at commit by 0.1 with the unbiased variance (running_mean NULL: none are kept).
 * graph_batch_norm_inference: by running statistics. Both over the last axis of x. */
struct node *graph_batch_norm(struct graph *, struct node *x, struct node *gamma, struct node *beta,
                              struct node *running_mean, struct node *running_var, double epsilon);
struct node *graph_batch_norm_inference(struct graph *, struct node *x, struct node *gamma, struct node *beta,
                                        struct node *mean, struct node *var, double epsilon);
/* graph_layer_norm: (x - mean) / sqrt(variance + epsilon) gamma + beta over the last `axes` axes together, biased variance;
 * gamma, beta have the shape of these axes; both NULL: 1 and 0. */
struct node *graph_layer_norm(struct graph *, struct node *x, struct node *gamma, struct node *beta, int axes,
                              double epsilon);
struct pooling {
    int kernel[2], stride[2], padding[2]; /* padding: max ignores it, average counts it (PyTorch's defaults) */
};
struct node *graph_max_pool(struct graph *, struct node *x, const struct pooling *);
struct node *graph_average_pool(struct graph *, struct node *x, const struct pooling *);
struct node *graph_global_average_pool(struct graph *, struct node *x); /* [B,H,W,C] -> [B,C] */
struct node *graph_global_max_pool(struct graph *, struct node *x);
/* graph_resize: a map [B,H,W,C] of another height and width (PyTorch's, align_corners=false). */
enum interpolation { INTERPOLATION_NEAREST, INTERPOLATION_BILINEAR };
struct node *graph_resize(struct graph *, struct node *x, enum interpolation interpolation, int64_t height,
                          int64_t width);
/* graph_attention: softmax(q k^T / sqrt(D)) v over the last two axes: q [...,T,D], k [...,S,D], v [...,S,E] -> [...,T,E]. */
struct node *graph_attention(struct graph *, struct node *q, struct node *k, struct node *v);
/* graph_adaptive_average_pool: x [B,H,W,C] -> [B,height,width,C]; bin i of m along an axis of n averages the positions from
 * floor(i n / m) to ceil((i+1) n / m), so any size fits any other. */
struct node *graph_adaptive_average_pool(struct graph *, struct node *x, int height, int width);
/* graph_dropout: keeps each unit (an element, a channel of a sample, a whole sample) with probability 1-rate, scaled by
 * 1/(1-rate); recomputed in backward from its counter. `stream` from random_stream of the layer's full name. */
enum dropout_unit { DROPOUT_ELEMENT, DROPOUT_CHANNEL, DROPOUT_SAMPLE };
struct node *graph_dropout(struct graph *, struct node *x, double rate, enum dropout_unit unit, uint32_t stream);
/* graph_random: REAL of the given shape from the counter (uniform [0,1) or normal), new at every step. */
enum distribution { DISTRIBUTION_UNIFORM, DISTRIBUTION_NORMAL };
struct node *graph_random(struct graph *, enum distribution, struct shape shape, uint32_t stream);
/* graph_other_samples: I32 [B, 1+count]: sample[b] (I32 [B]) and then `count` drawn of the `samples` of a split, new at every step:
 * of those with another label (labels [samples], copied; a sample of no label or of the only one: of all others; NULL: always),
 * each at most once where there are enough of them. */
struct node *graph_other_samples(struct graph *, struct node *sample, const int32_t *labels, int64_t samples,
                                 int64_t count, uint32_t stream);

#endif
