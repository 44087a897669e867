/* pieces.h: loops over the channels of one pixel in vectors of every size that this build has, widest first, so that 12
 * channels are one vector of 8 and one of 4.
 *
 *     PIECES(channels, CALL): CALL(suffix, c) for pieces of width 64, 32, 16 bytes and single elements.
 *
 * pool_pieces.h is such code, included once for each width. */
#ifndef KERNEL_LEVEL_PIECES_H
#define KERNEL_LEVEL_PIECES_H

#include <stdint.h>

#ifdef KERNEL_F64
typedef int64_t piece_integer;
#else
typedef int32_t piece_integer;
#endif

#define PIECE_TYPES(suffix, bytes)                                                                                     \
    typedef real piece_##suffix __attribute__((vector_size(bytes)));                                                   \
    typedef real piece_memory_##suffix __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));          \
    typedef piece_integer piece_mask_##suffix __attribute__((vector_size(bytes)));

PIECE_TYPES(w64, 64)
PIECE_TYPES(w32, 32)
PIECE_TYPES(w16, 16)
#ifdef KERNEL_F64
PIECE_TYPES(w1, 8)
#else
PIECE_TYPES(w1, 4)
#endif

#define PIECES_OF(channels, CALL, suffix)                                                                              \
    for (; c + (int64_t)(sizeof(piece_##suffix) / sizeof(real)) <= (channels);                                         \
         c += (int64_t)(sizeof(piece_##suffix) / sizeof(real)))                                                        \
    CALL(suffix, c)

#if VECTOR_BYTES == 64
#define PIECES(channels, CALL)                                                                                         \
    for (int64_t c = 0; c < (channels);) {                                                                             \
        PIECES_OF(channels, CALL, w64);                                                                                \
        PIECES_OF(channels, CALL, w32);                                                                                \
        PIECES_OF(channels, CALL, w16);                                                                                \
        PIECES_OF(channels, CALL, w1);                                                                                 \
    }
#elif VECTOR_BYTES == 32
#define PIECES(channels, CALL)                                                                                         \
    for (int64_t c = 0; c < (channels);) {                                                                             \
        PIECES_OF(channels, CALL, w32);                                                                                \
        PIECES_OF(channels, CALL, w16);                                                                                \
        PIECES_OF(channels, CALL, w1);                                                                                 \
    }
#else
#define PIECES(channels, CALL)                                                                                         \
    for (int64_t c = 0; c < (channels);) {                                                                             \
        PIECES_OF(channels, CALL, w16);                                                                                \
        PIECES_OF(channels, CALL, w1);                                                                                 \
    }
#endif

#endif
