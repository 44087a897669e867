/* table.c: the ops of ops.def as one table. */
#include "graph/op.h"

#include <string.h>

#define OP(identifier) extern const struct op op_##identifier;
#include "graph/ops.def"
#undef OP

const struct op *const op_table[] = {
#define OP(identifier) &op_##identifier,
#include "graph/ops.def"
#undef OP
};
const size_t op_table_count = sizeof(op_table) / sizeof(op_table[0]);

const struct op *op_find(const char *name)
{
    for (size_t i = 0; i < op_table_count; i++) {
        if (strcmp(op_table[i]->name, name) == 0) {
            return op_table[i];
        }
    }
    return NULL;
}
