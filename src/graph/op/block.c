#include "graph/op/block.h"

struct block block_of(const struct shape *whole, int axis, int64_t start, int64_t step, int64_t count)
{
    struct block block = {
        .outer = 1, .size = whole->dim[axis], .inner = 1, .start = start, .step = step, .count = count};
    for (int i = 0; i < axis; i++) {
        block.outer *= whole->dim[i];
    }
    for (int i = axis + 1; i < whole->rank; i++) {
        block.inner *= whole->dim[i];
    }
    return block;
}

/* Rows of `width` numbers, from_row apart in one array and to_row in the other. */
static void rows_move(const struct op_run *run, enum element element, const void *from, int64_t from_row, void *to,
                      int64_t to_row, int64_t rows, int64_t width, bool add)
{
    size_t size = element_size(element);
    if (add) {
        run->table->add_rows(from, rows, width, from_row, to, to_row);
    } else {
        run->table->copy_rows(from, rows, (size_t)width * size, (size_t)from_row * size, to, (size_t)to_row * size);
    }
}

static const void *at_const(const void *array, int64_t index, enum element element)
{
    return (const unsigned char *)array + (size_t)index * element_size(element);
}

static void *at(void *array, int64_t index, enum element element)
{
    return (unsigned char *)array + (size_t)index * element_size(element);
}

void block_cut(const struct op_run *run, const struct block *b, enum element element, const void *whole, void *part,
               bool add)
{
    const int64_t all = b->size * b->inner, some = b->count * b->inner;
    const void *first = at_const(whole, b->start * b->inner, element);
    if (b->step == 1) {
        rows_move(run, element, first, all, part, some, b->outer, some, add);
        return;
    }
    for (int64_t o = 0; o < b->outer; o++) {
        rows_move(run, element, at_const(first, o * all, element), b->step * b->inner, at(part, o * some, element),
                  b->inner, b->count, b->inner, add);
    }
}

void block_paste(const struct op_run *run, const struct block *b, enum element element, const void *part, void *whole,
                 bool add)
{
    const int64_t all = b->size * b->inner, some = b->count * b->inner;
    void *first = at(whole, b->start * b->inner, element);
    if (b->step == 1) {
        rows_move(run, element, part, some, first, all, b->outer, some, add);
        return;
    }
    for (int64_t o = 0; o < b->outer; o++) {
        rows_move(run, element, at_const(part, o * some, element), b->inner, at(first, o * all, element),
                  b->step * b->inner, b->count, b->inner, add);
    }
}
