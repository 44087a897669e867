/* kernel: numerical kernels. Sees base, tensor; alone sees oneDNN and LAPACKE.
 *
 * Two kinds. Level kernels (kernel/level/, listed in kernel/<topic>.def) are loops of our own, compiled for three
 * CPU levels and for float and double, and chosen at run time as one table, struct kernels. Library kernels
 * (kernel/dnnl.h) are prepared objects. All take plain pointers; `void *` stands for the table's precision.
 * A kernel writes only its outputs and allocates nothing. Maps are [B,H,W,C]. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "tensor/shape.h"

struct convolution_shape; /* kernel/convolution.h */
struct product_shape;
struct pool_shape;   /* kernel/pool.h */
struct resize_shape; /* kernel/resize.h */

/* The functions of a table: each topic's .def file lists LEVEL_KERNEL(return type, name, (parameters)). */
struct kernels {
    const char *level;    /* "v2", "v3", "v4", "generic" */
    enum element element; /* F32 or F64 */
#define LEVEL_KERNEL(type, name, parameters) type(*name) parameters;
#include "kernel/kernels.def"
#undef LEVEL_KERNEL
};

struct dnnl_state; /* kernel/dnnl.h */

/* Where our own loops and a library's kernel can do the same. */
enum kernel_choice {
    KERNEL_CHOICE_MEASURED, /* what was measured to be faster (docs/kernels.md) */
    KERNEL_CHOICE_OWN,      /* tests and benchmarks: RETORT_KERNELS=own in the environment, */
    KERNEL_CHOICE_LIBRARY,  /* RETORT_KERNELS=library */
};

/* What one thread of work needs to run kernels: the two tables for this CPU, and oneDNN's engine and stream. */
struct kernel_context {
    struct context *ctx; /* borrowed */
    const struct kernels *f32, *f64;
    struct dnnl_state *dnnl;
    int threads, library_threads; /* OpenMP threads that our own kernels may use, and oneDNN's */
    struct crew *crew;            /* threads for kernels of one thread each, side by side; NULL: none asked for yet */
    int crew_size;
    enum kernel_choice choice;
};

/* kernel_context_new: picks the highest level that the CPU has (RETORT_LEVEL=v2|v3|v4 in the environment lowers it). NULL: error
 * recorded. */
struct kernel_context *kernel_context_new(struct context *ctx, int threads);
/* kernel_context_widen: at least so many threads for our own kernels, whose bits do not depend on it, as oneDNN's do. Before programs are
 * made with it. */
void kernel_context_widen(struct kernel_context *kernels, int threads);
/* kernel_context_crew: makes the crew, where there is none, or a smaller one. */
enum status kernel_context_crew(struct kernel_context *kernels, int size);
void kernel_context_free(struct kernel_context *kernels);
/* kernels_of: the table for F32 or F64. */
const struct kernels *kernels_of(const struct kernel_context *kernels, enum element element);

#endif
