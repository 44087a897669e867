/* expect.h: what most ops ask of their inputs, and in which words they refuse. */
#ifndef GRAPH_OP_EXPECT_H
#define GRAPH_OP_EXPECT_H

#include "graph/op.h"

/* expect_input: `input` has this element type and a rank within [rank_min, rank_max], or the call fails with
 * "NAME: expected WORDS, found i32 [B,3]". */
enum status expect_input(const struct op_call *call, int input, enum element element, int rank_min, int rank_max,
                         const char *words);
/* expect_failure: fails in these words. */
enum status expect_failure(const struct op_call *call, int input, const char *words);
/* expect_axis: *out is `axis`, a negative one counted from the end of input 0, or the call fails. */
enum status expect_axis(const struct op_call *call, int axis, int *out);

/* last_axis_rows, last_axis_columns: a bound shape seen as a matrix of its last axis' rows. */
int64_t last_axis_rows(const struct shape *shape);
int64_t last_axis_columns(const struct shape *shape);
/* last_axis_batch: `batch` of an op that works along the last axis, which may be the batch itself. */
enum batch_kind last_axis_batch(const struct op_call *call);

#endif
