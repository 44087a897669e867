/* shape.c: arithmetic of shapes. */
#include "tensor/shape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SHAPE_ELEMENTS_MAX ((int64_t)1 << 31)

struct shape shape_of(int rank, const int64_t *dim)
{
    assert(rank >= 0 && rank <= SHAPE_MAX_RANK);
    struct shape shape = {.rank = rank};
    for (int i = 0; i < rank; i++)
        shape.dim[i] = dim[i];
    return shape;
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

bool shape_symbolic(const struct shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dim[i] < 0)
            return true;
    return false;
}

/* elements_from: the product of the dimensions from `first` on; -1 when it passes 2^31 or one depends on the batch. */
static int64_t elements_from(const struct shape *shape, int first)
{
    int64_t product = 1;
    bool zero = false;
    for (int i = first; i < shape->rank; i++) {
        int64_t dim = shape->dim[i];
        if (dim < 0)
            return -1;
        if (dim == 0)
            zero = true; /* no early return: a symbolic axis may follow */
        else if (product > 0 && dim > SHAPE_ELEMENTS_MAX / product)
            product = -1;
        else if (product > 0)
            product *= dim;
    }
    return zero ? 0 : product;
}

int64_t shape_elements(const struct shape *shape)
{
    return elements_from(shape, 0);
}

int64_t shape_row(const struct shape *shape)
{
    return elements_from(shape, 1);
}

struct shape shape_bind(const struct shape *shape, int64_t batch)
{
    assert(batch >= 0);
    struct shape bound = *shape;
    for (int i = 0; i < bound.rank; i++) {
        int64_t dim = bound.dim[i];
        if (dim >= 0)
            continue;
        bool fits = dim > -INT64_MAX && (batch == 0 || -dim <= INT64_MAX / batch);
        bound.dim[i] = fits ? -dim * batch : INT64_MAX; /* shape_elements then says -1 */
    }
    return bound;
}

bool shape_broadcast(const struct shape *a, const struct shape *b, struct shape *out)
{
    struct shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 1; i <= result.rank; i++) { /* from the right */
        int64_t p = i <= a->rank ? a->dim[a->rank - i] : 1;
        int64_t q = i <= b->rank ? b->dim[b->rank - i] : 1;
        if (p != q && p != 1 && q != 1)
            return false;
        result.dim[result.rank - i] = p == 1 ? q : p;
    }
    *out = result;
    return true;
}

const char *shape_text(const struct shape *shape, char out[SHAPE_TEXT_SIZE])
{
    size_t used = 0;
    out[used++] = '[';
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dim[i];
        uint64_t size = dim < 0 ? -(uint64_t)dim : (uint64_t)dim;
        const char *comma = i > 0 ? "," : "";
        int length = 0;
        if (dim == SHAPE_BATCH)
            length = snprintf(out + used, SHAPE_TEXT_SIZE - used, "%sB", comma);
        else
            length = snprintf(out + used, SHAPE_TEXT_SIZE - used, "%s%llu%s", comma, (unsigned long long)size,
                              dim < 0 ? "B" : "");
        used += (size_t)length; /* six times twenty digits, commas and brackets fit exactly */
    }
    memcpy(out + used, "]", 2);
    return out;
}

const char *shape_sample_text(const struct shape *shape, char out[SHAPE_TEXT_SIZE])
{
    struct shape sample = {.rank = shape->rank > 0 ? shape->rank - 1 : 0};
    for (int i = 0; i < sample.rank; i++)
        sample.dim[i] = shape->dim[i + 1];
    if (shape->rank == 4)
        sample = SHAPE(shape->dim[3], shape->dim[1], shape->dim[2]);
    return shape_text(&sample, out);
}

size_t element_size(enum element element)
{
    switch (element) {
#define X(name, text, size)                                                                                            \
    case ELEMENT_##name:                                                                                               \
        return size;
        ELEMENT_LIST(X)
#undef X
    }
    return 0;
}

const char *element_text(enum element element)
{
    switch (element) {
#define X(name, text, size)                                                                                            \
    case ELEMENT_##name:                                                                                               \
        return text;
        ELEMENT_LIST(X)
#undef X
    }
    return "unknown";
}
