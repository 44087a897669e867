/* pool_pieces.h: 2x2 windows of stride 2 over one piece of the channels; included once for each width with PIECE_WIDTH
 * defined (pieces.h). x is the window's first pixel, right and down the way to the next pixel and row. */
#define PIECE_JOIN_(name, width) name##_##width
#define PIECE_JOIN(name, width) PIECE_JOIN_(name, width)
#define PIECE(name) PIECE_JOIN(name, PIECE_WIDTH)
#define LOAD(from) ((PIECE(piece))(*(const PIECE(piece_memory) *)(from)))
#define STORE(to, value) (*(PIECE(piece_memory) *)(to) = (value))
#define ALL(value) ((value) - (PIECE(piece)){0})
#define WHERE(mask, value) ((PIECE(piece))((PIECE(piece_mask))(value) & (mask)))
#define CHOOSE(mask, yes, no) \
    ((PIECE(piece))(((PIECE(piece_mask))(yes) & (mask)) | ((PIECE(piece_mask))(no) & ~(mask))))

/* The four pixels of a window, their first largest (the last NaN, if one is there), and where it lies. */
struct PIECE(window) {
    PIECE(piece) pixel[4];
    PIECE(piece) most;
    PIECE(piece_mask) at[4];
};

VECTOR_INLINE void PIECE(window_find)(struct PIECE(window) *w)
{
    PIECE(piece_mask) later[4];
    w->most = w->pixel[0];
    for (int i = 1; i < 4; i++) {
        later[i] = (w->pixel[i] > w->most) | (w->pixel[i] != w->pixel[i]);
        w->most = CHOOSE(later[i], w->pixel[i], w->most);
    }
    w->at[3] = later[3];
    w->at[2] = later[2] & ~later[3];
    w->at[1] = later[1] & ~(later[2] | later[3]);
    w->at[0] = ~(later[1] | later[2] | later[3]);
}

VECTOR_INLINE void PIECE(max_forward)(const real *x, int64_t right, int64_t down, real *y)
{
    struct PIECE(window) w = {{LOAD(x), LOAD(x + right), LOAD(x + down), LOAD(x + down + right)}, {0}, {{0}}};
    PIECE(window_find)(&w);
    STORE(y, w.most);
}

VECTOR_INLINE void PIECE(max_backward)(const real *x, int64_t right, int64_t down, const real *dy, real *dx, bool add)
{
    struct PIECE(window) w = {{LOAD(x), LOAD(x + right), LOAD(x + down), LOAD(x + down + right)}, {0}, {{0}}};
    PIECE(window_find)(&w);
    PIECE(piece) d = LOAD(dy);
    for (int i = 0; i < 4; i++) {
        real *to = dx + i / 2 * down + i % 2 * right;
        STORE(to, add ? LOAD(to) + WHERE(w.at[i], d) : WHERE(w.at[i], d));
    }
}

#ifdef PIECES_NORM

/* The same with z = (x - mean) scale + shift in the window; coefficients point at this piece's first channel. */
struct PIECE(normed) {
    struct PIECE(window) window; /* of z */
    PIECE(piece) apart[4];       /* x - mean */
    PIECE(piece) d;              /* dz at the window's largest */
};

VECTOR_INLINE void PIECE(norm_window)(struct PIECE(normed) *w, const struct norm *n, int64_t c, const real *x, int64_t right,
                                      int64_t down)
{
    PIECE(piece) mean = LOAD(n->mean + c), scale = LOAD(n->scale + c), shift = LOAD(n->shift + c);
    for (int i = 0; i < 4; i++) {
        w->apart[i] = LOAD(x + i / 2 * down + i % 2 * right) - mean;
        w->window.pixel[i] = w->apart[i] * scale + shift;
    }
    PIECE(window_find)(&w->window);
}

VECTOR_INLINE void PIECE(norm_forward)(const struct norm *n, int64_t c, const real *x, int64_t right, int64_t down, real *y)
{
    struct PIECE(normed) w;
    PIECE(norm_window)(&w, n, c, x, right, down);
    PIECE(piece) z = w.window.most;
    z = CHOOSE(z < ALL(n->low), ALL(n->low), z);
    z = CHOOSE(z > ALL(n->high), ALL(n->high), z);
    STORE(y, z);
}

VECTOR_INLINE void PIECE(norm_inside)(struct PIECE(normed) *w, const struct norm *n, const real *dy)
{
    PIECE(piece_mask) inside = (w->window.most > ALL(n->low)) & (w->window.most < ALL(n->high));
    /* Without limits all is inside, also what is not finite. */
    w->d = n->limit == LIMIT_NONE ? LOAD(dy) : WHERE(inside, LOAD(dy));
}

VECTOR_INLINE void PIECE(norm_sums)(const struct norm *n, int64_t c, const real *x, int64_t right, int64_t down,
                                    const real *dy, real *first, real *second)
{
    struct PIECE(normed) w;
    PIECE(norm_window)(&w, n, c, x, right, down);
    PIECE(norm_inside)(&w, n, dy);
    PIECE(piece) apart = {0};
    for (int i = 0; i < 4; i++)
        apart = (PIECE(piece))((PIECE(piece_mask))apart | (w.window.at[i] & (PIECE(piece_mask))w.apart[i]));
    STORE(first, LOAD(first) + w.d);
    STORE(second, LOAD(second) + w.d * apart);
}

VECTOR_INLINE void PIECE(norm_backward)(const struct norm *n, int64_t c, const real *x, int64_t right, int64_t down,
                                        const real *dy, real *dx)
{
    struct PIECE(normed) w;
    PIECE(norm_window)(&w, n, c, x, right, down);
    PIECE(norm_inside)(&w, n, dy);
    PIECE(piece) slope = LOAD(n->slope + c), offset = LOAD(n->offset + c), scaled = w.d * LOAD(n->scale + c);
    for (int i = 0; i < 4; i++) {
        real *to = dx + i / 2 * down + i % 2 * right;
        PIECE(piece) d = WHERE(w.window.at[i], scaled) + (w.apart[i] * slope + offset);
        STORE(to, n->add ? LOAD(to) + d : d);
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
