/* product.h: matrix products inside ops (linear, matmul): which kernel, its memory, its run. */
#ifndef GRAPH_OP_PRODUCT_H
#define GRAPH_OP_PRODUCT_H

#include "graph/op.h"
#include "kernel/convolution.h"

struct onednn_pass;

struct product {
    struct product_shape shape;  /* c is contiguous; `add` is not used: product_run is told */
    struct onednn_pass *library; /* NULL: our own loops */
    char kernel[80];
    size_t packed_bytes, scratch_bytes; /* packed: what product_pack makes of b and bias; 0 for the library */
};

/* product_prepare: for call's precision; bias: there is one. product_release frees it (also a zeroed one). */
enum status product_prepare(const struct op_call *call, const struct product_shape *shape, bool bias,
                            struct product *out);
void product_release(struct product *product);
/* product_pack: b and bias (or NULL) in the form that our loops read. */
void product_pack(const struct product *product, const struct op_run *run, const void *b, const void *bias,
                  void *packed);
/* product_run: c (+)= bias + a b. packed: of product_pack. scratch: scratch_bytes. */
void product_run(const struct product *product, const struct op_run *run, bool add, const void *a, const void *b,
                 const void *bias, const void *packed, void *c, void *scratch);

/* Products side by side: how many, and how far each operand lies from the one before, in numbers. */
struct product_steps {
    int64_t count, a, b, c;
};
/* product_each: packs and runs them without bias, c (+)= a b. scratch: product_each_scratch bytes. */
void product_each(const struct product *product, const struct op_run *run, bool add, struct product_steps steps,
                  const void *a, const void *b, void *c, void *scratch);
size_t product_each_scratch(const struct product *product, int threads);

#endif
