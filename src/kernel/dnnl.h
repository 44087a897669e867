/* dnnl.h: the one wrapper of oneDNN's C API (2.x): prepared convolutions and matrix products, float32, maps [B,H,W,C].
 *
 * A pass is described once and run often; it allocates nothing of ours when it runs, and its scratch is the caller's.
 * Weights are ours (OIHW); what layout the library wants them in is packed from them. Reference implementations of the
 * library are refused: they are far slower than our own loops. */
#ifndef KERNEL_DNNL_H
#define KERNEL_DNNL_H

#include "kernel/convolution.h"
#include "kernel/kernel.h"

/* threads: of OpenMP, that the library has in all passes of this state, whatever the calling thread had before. */
enum status dnnl_state_new(struct context *ctx, int threads, struct dnnl_state **out);
void dnnl_state_free(struct dnnl_state *state); /* NULL: no-op */

enum onednn_kind { ONEDNN_FORWARD, ONEDNN_DATA, ONEDNN_WEIGHTS, ONEDNN_PRODUCT };

struct onednn_pass;

/* onednn_convolution_new: one pass of a convolution. bias: forward takes one, weights gives its gradient. limit >= 0: forward
 * clips into [0, limit]. STATUS_UNSUPPORTED, without an error recorded, where the library has only its reference:
 * try something else. */
enum status onednn_convolution_new(struct kernel_context *kernels, const struct convolution_shape *shape,
                                   enum onednn_kind kind, bool bias, double limit, struct onednn_pass **out);
/* onednn_product_new: c = bias + a b, a product_shape with contiguous columns or rows in a and b; `add` is not supported. */
enum status onednn_product_new(struct kernel_context *kernels, const struct product_shape *shape, bool bias,
                               struct onednn_pass **out);
void onednn_pass_free(struct onednn_pass *pass); /* NULL: no-op */

const char *
onednn_pass_name(const struct onednn_pass *pass); /* the library's name, e.g. "jit:avx2"; lives as long as the pass */
size_t onednn_packed_bytes(const struct onednn_pass *pass); /* forward, data: the weights in the library's layout */
size_t onednn_scratch_bytes(const struct onednn_pass *pass);

/* Runs. A failure of the library is recorded in the context. Pointers are 64-byte aligned, but for those of products. */
void onednn_pack(struct onednn_pass *pass, const void *weight, void *packed);
void onednn_forward(struct onednn_pass *pass, const void *x, const void *packed, const void *bias, void *y,
                    void *scratch);
void onednn_data(struct onednn_pass *pass, const void *dy, const void *packed, void *dx, void *scratch);
void onednn_weights(struct onednn_pass *pass, const void *x, const void *dy, void *dw, void *db, void *scratch);
void onednn_product(struct onednn_pass *pass, const void *a, const void *b, const void *bias, void *c, void *scratch);

#endif
