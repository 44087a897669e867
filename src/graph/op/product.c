#include "graph/op/product.h"

#include "kernel/dnnl.h"

#include <stdio.h>

/* The library is faster where all three sides are long; else packing and short sums cost it more than us (docs/kernels.md). */
enum { LIBRARY_SIDE = 64 };

static bool library_wanted(const struct op_call *call, const struct product_shape *s)
{
    const struct kernel_context *kernels = call->kernels;
    if (call->in[0].element != ELEMENT_F32 || kernels->choice == KERNEL_CHOICE_OWN)
        return false;
    return kernels->choice == KERNEL_CHOICE_LIBRARY ||
           (s->m >= LIBRARY_SIDE && s->n >= LIBRARY_SIDE && s->k >= LIBRARY_SIDE);
}

enum status product_prepare(const struct op_call *call, const struct product_shape *shape, bool bias,
                            struct product *out)
{
    const size_t size = element_size(call->in[0].element);
    *out = (struct product){.shape = *shape, .kernel = "direct"};
    out->shape.add = false;
    if (library_wanted(call, shape)) {
        enum status status = onednn_product_new(call->kernels, &out->shape, bias, &out->library);
        if (status != STATUS_OK && status != STATUS_UNSUPPORTED)
            return status;
    }
    if (out->library) {
        snprintf(out->kernel, sizeof out->kernel, "dnnl:%s", onednn_pass_name(out->library));
        /* The library overwrites: what is to be added is made in scratch first. */
        out->scratch_bytes =
            bytes_rounded(onednn_scratch_bytes(out->library)) + bytes_rounded((size_t)(shape->m * shape->n) * size);
    } else {
        out->packed_bytes = product_packed_bytes(shape, size);
    }
    return STATUS_OK;
}

void product_release(struct product *product)
{
    onednn_pass_free(product->library);
    product->library = NULL;
}

void product_pack(const struct product *product, const struct op_run *run, const void *b, const void *bias,
                  void *packed)
{
    if (!product->library)
        run->table->product_pack(&product->shape, b, bias, packed);
}

void product_run(const struct product *product, const struct op_run *run, bool add, const void *a, const void *b,
                 const void *bias, const void *packed, void *c, void *scratch)
{
    struct product_shape shape = product->shape;
    shape.add = add;
    if (!product->library) {
        run->table->product(&shape, a, packed, c, run->threads);
        return;
    }
    void *to = add ? (char *)scratch + bytes_rounded(onednn_scratch_bytes(product->library)) : c;
    onednn_product(product->library, a, b, bias, to, scratch);
    if (add)
        run->table->add_rows(to, shape.m, shape.n, shape.c_row, c, shape.c_row);
}

void product_each(const struct product *product, const struct op_run *run, bool add, struct product_steps steps,
                  const void *a, const void *b, void *c, void *scratch)
{
    struct product_shape shape = product->shape;
    shape.add = add;
    if (!product->library) {
        run->table->product_each(&shape, steps.count, a, steps.a, b, steps.b, scratch, c, steps.c, run->threads);
        return;
    }
    const size_t size = element_size(run->call->in[0].element);
    for (int64_t i = 0; i < steps.count; i++)
        product_run(product, run, add, (const char *)a + (size_t)(i * steps.a) * size,
                    (const char *)b + (size_t)(i * steps.b) * size, NULL, NULL,
                    (char *)c + (size_t)(i * steps.c) * size, scratch);
}

size_t product_each_scratch(const struct product *product, int threads)
{
    return (size_t)threads * product->packed_bytes + product->scratch_bytes;
}
