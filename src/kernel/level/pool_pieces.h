/* pool_pieces.h: rows of windows over one piece of the channels; included once for each width with PIECE_WIDTH defined
 * (pieces.h), before and behind PIECES_NORM for maxima behind batch norm. 2x2 windows of stride 2: x is the first
 * window's first pixel, `right` the way to the next pixel (the channels), `down` to the next row; `count` windows lie
 * side by side. */
#define PIECE_JOIN_(name, width) name##_##width
#define PIECE_JOIN(name, width) PIECE_JOIN_(name, width)
#define PIECE(name) PIECE_JOIN(name, PIECE_WIDTH)
#define LOAD(from) ((PIECE(piece))(*(const PIECE(piece_memory) *)(from)))
#define STORE(to, value) (*(PIECE(piece_memory) *)(to) = (value))
#define ALL(value) ((value) - (PIECE(piece)){0})
#define WHERE(mask, value) ((PIECE(piece))((PIECE(piece_mask))(value) & (mask)))
/* most becomes z where z is larger: by lanes, so that it is one instruction and keeps a NaN in most. */
#define RAISE(most, z)                                                                                                 \
    for (int lane = 0; lane < (int)(sizeof(most) / sizeof(real)); lane++)                                              \
    (most)[lane] = (z)[lane] > (most)[lane] ? (z)[lane] : (most)[lane]
#define FLIP(value, sign) ((PIECE(piece))((PIECE(piece_mask))(value) ^ (sign)))
#define CHOOSE(mask, yes, no)                                                                                          \
    ((PIECE(piece))(((PIECE(piece_mask))(yes) & (mask)) | ((PIECE(piece_mask))(no) & ~(mask))))

#ifndef PIECES_NORM

/* A maximum is the first largest of a window, or the last NaN if there is one. */
VECTOR_INLINE void PIECE(max_forward)(const real *x, int64_t right, int64_t down, int64_t count, real *y)
{
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) most = LOAD(x + j * 2 * right);
        for (int i = 1; i < 4; i++) {
            PIECE(piece) pixel = LOAD(x + j * 2 * right + i / 2 * down + i % 2 * right);
            RAISE(most, pixel);
            most = CHOOSE(pixel != pixel, pixel, most);
        }
        STORE(y + j * right, most);
    }
}

VECTOR_INLINE void PIECE(max_backward)(const real *x, int64_t right, int64_t down, int64_t count, const real *dy,
                                       real *dx, bool add)
{
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) most = LOAD(x + j * 2 * right), left = LOAD(dy + j * right);
        PIECE(piece_mask) later[4] = {{0}};
        for (int i = 1; i < 4; i++) {
            PIECE(piece) pixel = LOAD(x + j * 2 * right + i / 2 * down + i % 2 * right);
            later[i] = (pixel > most) | (pixel != pixel);
            most = CHOOSE(later[i], pixel, most);
        }
        for (int i = 3; i >= 0; i--) { /* the last that was larger than those before it takes what is left */
            PIECE(piece) mine = i == 0 ? left : WHERE(later[i], left);
            real *to = dx + j * 2 * right + i / 2 * down + i % 2 * right;
            left = WHERE(~later[i], left);
            STORE(to, add ? LOAD(to) + mine : mine);
        }
    }
}

VECTOR_INLINE void PIECE(average_forward)(const real *x, int64_t right, int64_t down, int64_t count, real *y)
{
    for (int64_t j = 0; j < count; j++, x += 2 * right)
        STORE(y + j * right,
              ((LOAD(x) + LOAD(x + right)) + (LOAD(x + down) + LOAD(x + down + right))) * ALL((real)0.25));
}

VECTOR_INLINE void PIECE(average_backward)(int64_t right, int64_t down, int64_t count, const real *dy, real *dx,
                                           bool add)
{
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) d = LOAD(dy + j * right) * ALL((real)0.25);
        for (int i = 0; i < 4; i++) {
            real *to = dx + j * 2 * right + i / 2 * down + i % 2 * right;
            STORE(to, add ? LOAD(to) + d : d);
        }
    }
}

/* window_sum: y = part times the sum over rows x columns pixels; window_spread: part times dy (added) to each of them. */
VECTOR_INLINE void PIECE(window_sum)(const real *x, int64_t rows, int64_t columns, int64_t right, int64_t down,
                                     real part, real *y)
{
    PIECE(piece) even = {0}, odd = {0}; /* two sums: neither waits for the other */
    for (int64_t i = 0; i < rows; i++, x += down) {
        for (int64_t j = 0; j + 1 < columns; j += 2) {
            even += LOAD(x + j * right);
            odd += LOAD(x + (j + 1) * right);
        }
        if (columns % 2 == 1)
            even += LOAD(x + (columns - 1) * right);
    }
    STORE(y, (even + odd) * part);
}

VECTOR_INLINE void PIECE(window_spread)(const real *dy, int64_t rows, int64_t columns, int64_t right, int64_t down,
                                        real part, real *dx, bool add)
{
    PIECE(piece) d = LOAD(dy) * part;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            STORE(dx + i * down + j * right, add ? LOAD(dx + i * down + j * right) + d : d);
}

#else

/* The same windows of z = (x - mean) scale + shift. Nothing is done for NaN: it would be in the mean, so in every z. */
struct PIECE(coefficients) {
    PIECE(piece) mean, scale, shift;
    PIECE(piece_mask) flip;  /* the sign, where the scale is negative */
    PIECE(piece_mask) still; /* where it is 0, so that the first z is the largest */
};

VECTOR_INLINE struct PIECE(coefficients) PIECE(coefficients_at)(const struct norm *n, int64_t c)
{
    struct PIECE(coefficients) k = {.mean = LOAD(n->mean + c), .scale = LOAD(n->scale + c)};
    k.shift = LOAD(n->shift + c);
    k.flip = (k.scale < (PIECE(piece)){0}) & (PIECE(piece_mask))ALL((real)-0.0);
    k.still = k.scale == (PIECE(piece)){0};
    return k;
}

/* most_apart: x - mean of a window's largest z. Rounding keeps the order, so that is the largest x or, where the scale is
 * negative, the smallest: one z is computed instead of four. */
VECTOR_INLINE PIECE(piece)
    PIECE(most_apart)(const struct PIECE(coefficients) * k, const real *x, int64_t right, int64_t down)
{
    PIECE(piece) first = FLIP(LOAD(x), k->flip), most = first;
    for (int i = 1; i < 4; i++) {
        PIECE(piece) pixel = FLIP(LOAD(x + i / 2 * down + i % 2 * right), k->flip);
        RAISE(most, pixel);
    }
    return FLIP(CHOOSE(k->still, first, most), k->flip) - k->mean;
}

VECTOR_INLINE void PIECE(norm_forward)(enum limit limit, const struct norm *n, int64_t c, const real *x, int64_t right,
                                       int64_t down, int64_t count, real *y)
{
    struct PIECE(coefficients) k = PIECE(coefficients_at)(n, c);
    PIECE(piece) low = ALL(n->low), high = ALL(n->high);
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) most = PIECE(most_apart)(&k, x + j * 2 * right, right, down) * k.scale + k.shift;
        if (limit != LIMIT_NONE)
            most = CHOOSE(most < low, low, most);
        if (limit == LIMIT_BOTH)
            most = CHOOSE(most > high, high, most);
        STORE(y + j * right, most);
    }
}

/* inside: where dy passes the limits. */
VECTOR_INLINE PIECE(piece) PIECE(inside)(enum limit limit, const struct norm *n, PIECE(piece) z, PIECE(piece) dy)
{
    if (limit == LIMIT_NONE)
        return dy;
    PIECE(piece_mask) mask = z > ALL(n->low);
    if (limit == LIMIT_BOTH)
        mask &= z < ALL(n->high);
    return WHERE(mask, dy);
}

VECTOR_INLINE void PIECE(norm_sums)(enum limit limit, const struct norm *n, int64_t c, const real *x, int64_t right,
                                    int64_t down, int64_t count, const real *dy, double *first, double *second)
{
    enum { LANES_ = sizeof(PIECE(piece)) / sizeof(real) };
    struct PIECE(coefficients) k = PIECE(coefficients_at)(n, c);
    PIECE(piece) a = {0}, b = {0};
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) apart = PIECE(most_apart)(&k, x + j * 2 * right, right, down);
        PIECE(piece) d = PIECE(inside)(limit, n, apart * k.scale + k.shift, LOAD(dy + j * right));
        a += d;
        b += d * apart;
    }
    for (int i = 0; i < LANES_; i++) {
        first[c + i] += (double)a[i];
        second[c + i] += (double)b[i];
    }
}

VECTOR_INLINE void PIECE(norm_backward)(enum limit limit, const struct norm *n, int64_t c, const real *x, int64_t right,
                                        int64_t down, int64_t count, const real *dy, real *dx)
{
    struct PIECE(coefficients) k = PIECE(coefficients_at)(n, c);
    PIECE(piece) slope = LOAD(n->slope + c), offset = LOAD(n->offset + c);
    const bool add = n->add; /* a copy, which stores to dx cannot change */
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) apart[4], most = {0};
        PIECE(piece_mask) later[4];
        for (int i = 0; i < 4; i++) {
            apart[i] = LOAD(x + j * 2 * right + i / 2 * down + i % 2 * right) - k.mean;
            PIECE(piece) z = apart[i] * k.scale + k.shift;
            later[i] = z > most;
            most = i == 0 ? z : CHOOSE(later[i], z, most);
        }
        PIECE(piece) left = PIECE(inside)(limit, n, most, LOAD(dy + j * right)) * k.scale;
        for (int i = 3; i >= 0; i--) { /* as in max_backward */
            PIECE(piece) mine = i == 0 ? left : WHERE(later[i], left);
            real *to = dx + j * 2 * right + i / 2 * down + i % 2 * right;
            mine += apart[i] * slope + offset;
            left = WHERE(~later[i], left);
            STORE(to, add ? LOAD(to) + mine : mine);
        }
    }
}

#endif

#undef PIECE_JOIN_
#undef PIECE_JOIN
#undef PIECE
#undef LOAD
#undef STORE
#undef ALL
#undef WHERE
#undef RAISE
#undef FLIP
#undef CHOOSE
#undef PIECE_WIDTH
