/* product_each.c: many small matrix products of one shape, side by side. */
#include "kernel/convolution.h"
#include "kernel/level/level.h"

/* Threads share out the products, or the rows of each where there are few: no sum is split between two. */
void KERNEL(product_each)(const struct product_shape *s, int64_t count, const void *a_, int64_t a_step, const void *b_,
                          int64_t b_step, void *packed_, void *c_, int64_t c_step, int threads)
{
    const size_t each = product_packed_bytes(s, sizeof(real));
    const bool pays = (double)count * (double)s->m * (double)s->n * (double)s->k > 4e5;
    const int64_t pieces = count < threads || !pays ? 1 : threads;
#pragma omp parallel for num_threads(threads) if (pieces > 1) schedule(static)
    for (int64_t piece = 0; piece < pieces; piece++) {
        void *packed = (unsigned char *)packed_ + (size_t)piece * each;
        for (int64_t i = count * piece / pieces; i < count * (piece + 1) / pieces; i++) {
            KERNEL(product_pack)(s, (const real *)b_ + i * b_step, NULL, packed);
            KERNEL(product)
            (s, (const real *)a_ + i * a_step, packed, (real *)c_ + i * c_step, pieces > 1 ? 1 : threads);
        }
    }
}
