/* tensor: shapes, element types, and views of memory that somebody else owns. Sees base.
 *
 * shape.h: a shape has up to SHAPE_MAX_RANK dimensions. A negative dimension -k stands for k times the batch
 * (usually -1, on axis 0); shape_bind replaces it. Maps are [B,H,W,C] inside, [N,C,H,W] at every border. */
#ifndef TENSOR_SHAPE_H
#define TENSOR_SHAPE_H

#include "base/context.h"

enum { SHAPE_MAX_RANK = 6, SHAPE_BATCH = -1, SHAPE_TEXT_SIZE = 128 };

struct shape {
    int rank; /* 0: a scalar */
    int64_t dim[SHAPE_MAX_RANK];
};

/* ELEMENT_REAL is a program's precision: it becomes F32 or F64 when a graph is compiled. */
#define ELEMENT_LIST(X)                                                                                                \
    X(REAL, "real", 0)                                                                                                 \
    X(F32, "f32", 4) X(F64, "f64", 8) X(U8, "u8", 1) X(I32, "i32", 4) X(U32, "u32", 4) X(I64, "i64", 8)
enum element {
#define X(name, text, size) ELEMENT_##name,
    ELEMENT_LIST(X)
#undef X
};

/* What a node's value is: its element type and shape. */
struct tensor_spec {
    enum element element;
    struct shape shape;
};

/* A view: memory that somebody else owns. */
struct tensor {
    enum element element;
    struct shape shape;
    void *data;
};

struct shape shape_of(int rank, const int64_t *dim);
#define SHAPE(...) shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})
#define SHAPE_SCALAR ((struct shape){0, {0}})

bool shape_equal(const struct shape *a, const struct shape *b);
bool shape_symbolic(const struct shape *shape); /* has a dimension that depends on the batch */
/* shape_elements: the product of the dimensions (a scalar: 1); -1 when it passes 2^31 or the shape is symbolic. */
int64_t shape_elements(const struct shape *shape);
/* shape_row: elements of one index of axis 0 (the shape without its first axis). */
int64_t shape_row(const struct shape *shape);
/* shape_bind: the shape with the batch put in. */
struct shape shape_bind(const struct shape *shape, int64_t batch);
/* shape_broadcast: NumPy's rule (aligned at the right, 1 stretches; the batch only fits itself or 1); false: they do not fit. */
bool shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out);
/* shape_text: "[B,28,28,1]" into out; returns out. */
const char *shape_text(const struct shape *shape, char out[SHAPE_TEXT_SIZE]);

/* shape_sample_text: one sample of a batch as it is at the border, "[C,H,W]" of [B,H,W,C]; likewise. The batch itself is not looked at. */
const char *shape_sample_text(const struct shape *shape, char out[SHAPE_TEXT_SIZE]);

size_t element_size(enum element element); /* ELEMENT_REAL: 0 */
const char *element_text(enum element element);

#endif
