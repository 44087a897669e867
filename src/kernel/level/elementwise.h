/* elementwise.h: what the files of elementwise functions share. Include after level.h. */
#ifndef KERNEL_LEVEL_ELEMENTWISE_H
#define KERNEL_LEVEL_ELEMENTWISE_H

#include <stdint.h>

enum {
    BLOCK = 1024,         /* elements that are worked on at a time where a buffer is needed */
    THREAD_WORK = 100000, /* elements below which a second thread costs more than it saves */
    THREAD_BLOCK = 16384,
};

/* tile_rows: how many short rows make a line, 1: rows are long enough. A multiple of 16, where there is room, so that
 * each line of an aligned array is aligned. */
static inline int64_t tile_rows(int64_t cols)
{
    int64_t rows = cols < BLOCK / 8 ? 256 / cols : 1;
    return rows < 16 ? rows : rows / 16 * 16;
}

/* fill_tile: a short row repeated to a line. */
static inline const real *fill_tile(const real *row, int64_t cols, int64_t repeat, real tile[BLOCK])
{
    for (int64_t r = 0; r < repeat; r++)
        for (int64_t c = 0; c < cols; c++)
            tile[r * cols + c] = row[c];
    return tile;
}

/* whole: n elements of a strided line as an array; `buffer` [n] is used where the stride is 0. NULL stays NULL. */
static inline const real *whole(const real *data, const int64_t strides[2], int64_t r, int64_t c, int64_t n,
                                real *buffer)
{
    if (data == NULL)
        return NULL;
    const real *line = data + r * strides[0] + c * strides[1];
    if (strides[1] == 1)
        return line;
    for (int64_t i = 0; i < n; i++)
        buffer[i] = *line;
    return buffer;
}

#endif
