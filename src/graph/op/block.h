/* block.h: a part of an array along one axis, for ops that cut and join. */
#ifndef GRAPH_OP_BLOCK_H
#define GRAPH_OP_BLOCK_H

#include "graph/op.h"

/* whole [outer, size, inner], part [outer, count, inner]: index i of the part is index start + i * step of the whole. */
struct block {
    int64_t outer, size, inner;
    int64_t start, step, count;
};

/* block_of: `count` indices of axis `axis` of a whole of this bound shape. */
struct block block_of(const struct shape *whole, int axis, int64_t start, int64_t step, int64_t count);
/* block_cut: part (+)= that part of the whole; block_paste: that part of the whole (+)= part. `add` is for real numbers;
 * else any element type. */
void block_cut(const struct op_run *run, const struct block *block, enum element element, const void *whole, void *part,
               bool add);
void block_paste(const struct op_run *run, const struct block *block, enum element element, const void *part,
                 void *whole, bool add);

#endif
