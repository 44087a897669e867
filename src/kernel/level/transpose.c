/* transpose.c: arrays with their axes in another order. */
#include "kernel/level/turn.h"

#include <string.h>

enum {
    TILE = 32,             /* rows whose columns stay in the first cache while they are read across */
    ENOUGH_MOVED = 200000, /* numbers for which threads pay */
};

/* matrix_turn: y[c][r] (+)= x[r][c]; the rows of x lie x_row apart, those of y y_row. */
static void matrix_turn(const real *x, int64_t x_row, int64_t rows, int64_t columns, real *y, int64_t y_row, bool add)
{
    const int64_t across = add ? 0 : columns - columns % LANES;
    for (int64_t top = 0; top < rows; top += TILE) {
        const int64_t end = top + TILE < rows ? top + TILE : rows;
        const int64_t down = across > 0 ? end - (end - top) % LANES : top;
        for (int64_t c = 0; c < across; c += LANES) {
            for (int64_t r = top; r < down; r += LANES) {
                block_turn(x + r * x_row + c, x_row, y + c * y_row + r, y_row);
            }
        }
        for (int64_t c = 0; c < columns; c++) {
            for (int64_t r = c < across ? down : top; r < end; r++) {
                y[c * y_row + r] = x[r * x_row + c] + (add ? y[c * y_row + r] : 0);
            }
        }
    }
}

/* matrix_move: y[r][c] (+)= x[r][c]. */
static void matrix_move(const real *x, int64_t x_row, int64_t rows, int64_t columns, real *y, int64_t y_row, bool add)
{
    for (int64_t r = 0; r < rows; r++) {
        if (!add) {
            memcpy(y + r * y_row, x + r * x_row, (size_t)columns * sizeof(real));
            continue;
        }
#pragma omp simd
        for (int64_t c = 0; c < columns; c++) {
            y[r * y_row + c] += x[r * x_row + c];
        }
    }
}

/* The axes of y but two: `second`, which is walked in matrices with the last. */
struct walk {
    int rank;
    int64_t count, dim[SHAPE_MAX_RANK], x_step[SHAPE_MAX_RANK], y_step[SHAPE_MAX_RANK];
};

static struct walk walk_of(int rank, const int64_t *dim, const int64_t *stride, int second)
{
    struct walk walk = {.count = 1};
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) { /* innermost first */
        if (i < rank - 1 && i != second) {
            walk.dim[walk.rank] = dim[i];
            walk.x_step[walk.rank] = stride[i];
            walk.y_step[walk.rank++] = step;
            walk.count *= dim[i];
        }
        step *= dim[i];
    }
    return walk;
}

void KERNEL(transpose_axes)(const void *x_, int rank, const int64_t *dim, const int64_t *stride, void *y_, bool add,
                            int threads)
{
    int second = rank - 2; /* where x's neighbours lie along another axis of y than the last, that one */
    for (int i = 0; i < rank - 1; i++) {
        second = stride[i] == 1 && stride[rank - 1] != 1 ? i : second;
    }
    const struct walk walk = walk_of(rank, dim, stride, second);
    const bool turned = second >= 0 && stride[second] == 1 && stride[rank - 1] != 1;
    const int64_t last = dim[rank - 1], x_last = stride[rank - 1];
    const int64_t rows = second >= 0 ? dim[second] : 1, x_row = second >= 0 ? stride[second] : 0;
    int64_t y_row = 1;
    for (int i = second + 1; i < rank; i++) {
        y_row *= dim[i];
    }
#pragma omp parallel for num_threads(threads) if (threads > 1 && walk.count * rows * last > ENOUGH_MOVED)
    for (int64_t o = 0; o < walk.count; o++) {
        const real *x = x_;
        real *y = y_;
        int64_t rest = o;
        for (int i = 0; i < walk.rank; i++) {
            x += rest % walk.dim[i] * walk.x_step[i];
            y += rest % walk.dim[i] * walk.y_step[i];
            rest /= walk.dim[i];
        }
        if (turned) {
            matrix_turn(x, x_last, last, rows, y, y_row, add);
        } else {
            matrix_move(x, x_row, rows, last, y, y_row, add);
        }
    }
    (void)threads;
}
