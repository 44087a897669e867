/* gram.h: attributes of the op `gram`, which a matmul of a matrix with itself becomes. */
#ifndef GRAPH_OP_GRAM_H
#define GRAPH_OP_GRAM_H

#include "graph/ops.h"

struct gram_attributes {
    bool columns; /* are multiplied with each other, else rows */
};

#endif
