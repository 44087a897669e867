/* channels.h: a map [rows, channels] seen as lines of whole vectors, so that channels of any number fill the lanes.
 *
 * A line is as many rows as make a whole number of vectors (12 channels, 8 lanes: 2 rows, 3 vectors), so each lane
 * always holds the same channel: coefficients are repeated to a line's length, and sums stay in registers while a block
 * of lines is walked through, a few vectors' columns at a time. From NARROW channels on a line is one row, whose last
 * lanes are done one by one. Rows that fill no line are done by plain loops. Include after level.h and vector.h. */
#ifndef KERNEL_LEVEL_CHANNELS_H
#define KERNEL_LEVEL_CHANNELS_H

#include <stdint.h>

enum {
    CHANNELS_NARROW = 64,
    CHANNELS_LINE_MAX = CHANNELS_NARROW * VECTOR_LANES, /* elements of a line of narrow rows, at most */
    CHANNELS_GROUP = 4,    /* vectors worked on together: independent sums hide the latency */
    CHANNELS_BLOCK = 2048, /* elements walked through several times: they stay in the first cache */
};

struct line {
    int64_t rows, length; /* length = rows * channels */
    int64_t vectors;      /* whole vectors of a line; the lanes behind them are length % VECTOR_LANES */
    int64_t block;        /* lines of a block */
};

static inline struct line line_of(int64_t channels)
{
    struct line line = {.rows = 1};
    if (channels < CHANNELS_NARROW) {
        while (line.rows * channels % VECTOR_LANES != 0)
            line.rows++;
        /* One or two vectors are too few independent sums. Three are enough, and are walked through in memory's
         * order. */
        while (line.rows * channels < 3 * VECTOR_LANES)
            line.rows *= 2;
    }
    line.length = line.rows * channels;
    line.vectors = line.length / VECTOR_LANES;
    line.block = CHANNELS_BLOCK / line.length;
    if (line.block < 16)
        line.block = 16;
    return line;
}

/* line_coefficients: `count` coefficients [channels] repeated to a line's length; those of wide rows are used as they
 * are. */
static inline const real *line_coefficients(const struct line *line, int64_t channels, int count, const real *from,
                                            real *buffer)
{
    if (line->rows == 1)
        return from;
    for (int k = 0; k < count; k++)
        for (int64_t r = 0; r < line->rows; r++)
            for (int64_t c = 0; c < channels; c++)
                buffer[k * line->length + r * channels + c] = from[k * channels + c];
    return buffer;
}

/* Rows of a segment: a whole number of lines. */
static inline int64_t segment_rows(const struct line *line, int64_t rows, int64_t channels, int64_t segments_max)
{
    enum { SEGMENT_WORK = 16384 };
    int64_t segments = rows * channels / SEGMENT_WORK + 1;
    if (segments > segments_max)
        segments = segments_max;
    int64_t each = (rows + segments - 1) / segments;
    return (each + line->rows - 1) / line->rows * line->rows;
}

#endif
