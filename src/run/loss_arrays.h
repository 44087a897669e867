/* loss_arrays.h: the arrays of `retort loss`, from files to nodes and back. Maps are [B,C,H,W] in files and [B,H,W,C]
 * inside. */
#ifndef RUN_LOSS_ARRAYS_H
#define RUN_LOSS_ARRAYS_H

#include "format/npy.h"
#include "knowledge/method.h"
#include "run/run.h"

/* A method's own array that was given. */
struct loss_own {
    const char *name, *path;
    struct npy array;
    bool used; /* the method asked for it while it was built */
};

struct loss_arrays {
    struct context *ctx;
    struct npy *student, *teacher;
    struct npy labels; /* data NULL: none */
    struct loss_own *own;
    int n_student, n_teacher, n_own;
    int64_t batch;
    int classes;
    enum element precision; /* F64 when any array of numbers is float64, else F32 */
};

/* loss_arrays_read: reads them all, and checks their number, ranks and batches against what the method takes. In any
 * case loss_arrays_free. */
enum status loss_arrays_read(struct context *ctx, struct arena *arena, const struct run_loss *asked,
                             const struct method *method, struct loss_arrays *out);
void loss_arrays_free(struct loss_arrays *arrays);

/* array_inner: its shape inside. array_values: its elements as doubles in the order inside; the caller's
 * (memory_free). NULL: error recorded. */
struct shape array_inner(const struct npy *array);
double *array_values(struct context *ctx, const struct npy *array);

/* array_write: `values` in the order inside, of the given file shape, as an NPY file of the precision. */
enum status array_write(struct context *ctx, const char *path, enum element precision, const struct shape *shape,
                        bool map, const double *values);

#endif
