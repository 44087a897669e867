/* guarded.h: a piece of memory with marked bytes before and behind it, which tell whether somebody wrote beyond it. */
#ifndef SUPPORT_GUARDED_H
#define SUPPORT_GUARDED_H

#include <stdbool.h>
#include <stddef.h>

struct guarded {
    void *data; /* 64-byte aligned; every bit is set at first: NaN as a real, -1 as an integer */
    size_t bytes;
    unsigned char *block;
};

/* guarded_new: ends the program when there is no memory. bytes may be 0. */
struct guarded guarded_new(size_t bytes);
struct guarded guarded_copy(const struct guarded *from);
void guarded_free(struct guarded *guarded);
void guarded_poison(struct guarded *guarded); /* every bit set again */
bool guarded_intact(const struct guarded *guarded);
bool guarded_same(const struct guarded *a, const struct guarded *b); /* the same bytes */

#endif
