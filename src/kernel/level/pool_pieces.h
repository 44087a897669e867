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
#define CHOOSE(mask, yes, no)                                                                                          \
    ((PIECE(piece))(((PIECE(piece_mask))(yes) & (mask)) | ((PIECE(piece_mask))(no) & ~(mask))))

#ifndef PIECES_NORM

/* max_find: the first largest of a window, or the last NaN if there is one, and where it lies. */
VECTOR_INLINE PIECE(piece) PIECE(max_find)(const real *x, int64_t right, int64_t down, PIECE(piece_mask) at[4])
{
    PIECE(piece) most = LOAD(x);
    PIECE(piece_mask) later[4];
    for (int i = 1; i < 4; i++) {
        PIECE(piece) pixel = LOAD(x + i / 2 * down + i % 2 * right);
        later[i] = (pixel > most) | (pixel != pixel);
        most = CHOOSE(later[i], pixel, most);
    }
    at[3] = later[3];
    at[2] = later[2] & ~later[3];
    at[1] = later[1] & ~(later[2] | later[3]);
    at[0] = ~(later[1] | later[2] | later[3]);
    return most;
}

VECTOR_INLINE void PIECE(max_forward)(const real *x, int64_t right, int64_t down, int64_t count, real *y)
{
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece_mask) at[4];
        STORE(y + j * right, PIECE(max_find)(x + j * 2 * right, right, down, at));
    }
}

VECTOR_INLINE void PIECE(max_backward)(const real *x, int64_t right, int64_t down, int64_t count, const real *dy,
                                       real *dx, bool add)
{
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece_mask) at[4];
        PIECE(max_find)(x + j * 2 * right, right, down, at);
        PIECE(piece) d = LOAD(dy + j * right);
        for (int i = 0; i < 4; i++) {
            real *to = dx + j * 2 * right + i / 2 * down + i % 2 * right;
            STORE(to, add ? LOAD(to) + WHERE(at[i], d) : WHERE(at[i], d));
        }
    }
}

/* window_sum: y = part times the sum over rows x columns pixels; window_spread: adds part times dy to each of them. */
VECTOR_INLINE void PIECE(window_sum)(const real *x, int64_t rows, int64_t columns, int64_t right, int64_t down,
                                     real part, real *y)
{
    PIECE(piece) sum = {0};
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            sum += LOAD(x + i * down + j * right);
    STORE(y, sum * part);
}

VECTOR_INLINE void PIECE(window_spread)(const real *dy, int64_t rows, int64_t columns, int64_t right, int64_t down,
                                        real part, real *dx)
{
    PIECE(piece) d = LOAD(dy) * part;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            STORE(dx + i * down + j * right, LOAD(dx + i * down + j * right) + d);
}

#else

/* The same windows of z = (x - mean) scale + shift. Nothing is done for NaN: it would be in the mean, so in every z. */
struct PIECE(coefficients) {
    PIECE(piece) mean, scale, shift;
};

VECTOR_INLINE struct PIECE(coefficients) PIECE(coefficients_at)(const struct norm *n, int64_t c)
{
    return (struct PIECE(coefficients)){LOAD(n->mean + c), LOAD(n->scale + c), LOAD(n->shift + c)};
}

VECTOR_INLINE void PIECE(norm_forward)(enum limit limit, const struct norm *n, int64_t c, const real *x, int64_t right,
                                       int64_t down, int64_t count, real *y)
{
    struct PIECE(coefficients) k = PIECE(coefficients_at)(n, c);
    PIECE(piece) low = ALL(n->low), high = ALL(n->high);
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) most = {0};
        for (int i = 0; i < 4; i++) {
            PIECE(piece) z = (LOAD(x + j * 2 * right + i / 2 * down + i % 2 * right) - k.mean) * k.scale + k.shift;
            most = i == 0 ? z : CHOOSE(z > most, z, most);
        }
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
        PIECE(piece) most = {0}, best = {0}; /* the largest z, and its x - mean */
        for (int i = 0; i < 4; i++) {
            PIECE(piece) apart = LOAD(x + j * 2 * right + i / 2 * down + i % 2 * right) - k.mean;
            PIECE(piece) z = apart * k.scale + k.shift;
            PIECE(piece_mask) later = z > most;
            most = i == 0 ? z : CHOOSE(later, z, most);
            best = i == 0 ? apart : CHOOSE(later, apart, best);
        }
        PIECE(piece) d = PIECE(inside)(limit, n, most, LOAD(dy + j * right));
        a += d;
        b += d * best;
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
    for (int64_t j = 0; j < count; j++) {
        PIECE(piece) apart[4], most = {0};
        PIECE(piece_mask) later[4];
        for (int i = 0; i < 4; i++) {
            apart[i] = LOAD(x + j * 2 * right + i / 2 * down + i % 2 * right) - k.mean;
            PIECE(piece) z = apart[i] * k.scale + k.shift;
            later[i] = z > most;
            most = i == 0 ? z : CHOOSE(later[i], z, most);
        }
        PIECE(piece) d = PIECE(inside)(limit, n, most, LOAD(dy + j * right)) * k.scale;
        PIECE(piece_mask) taken = {0};
        for (int i = 3; i >= 0; i--) { /* the last that was larger than those before it */
            PIECE(piece) mine = i == 0 ? WHERE(~taken, d) : WHERE(later[i] & ~taken, d);
            real *to = dx + j * 2 * right + i / 2 * down + i % 2 * right;
            mine += apart[i] * slope + offset;
            taken |= later[i];
            STORE(to, n->add ? LOAD(to) + mine : mine);
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
#undef CHOOSE
#undef PIECE_WIDTH
