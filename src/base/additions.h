/* additions.h: what a user of the library added to the tables, for one context and its children.
 *
 * Entries are the structs of that table's room, which asks for them after its own: there is one way to find an entry. */
#ifndef BASE_ADDITIONS_H
#define BASE_ADDITIONS_H

#include "base/context.h"

enum addition_kind { ADDITION_METHOD, ADDITION_LAYER };
enum { ADDITION_KINDS = ADDITION_LAYER + 1 };

struct additions {
    const void **entries[ADDITION_KINDS];
    size_t count[ADDITION_KINDS];
};

/* additions_count: how many there are of the kind; additions_at: the one at `index` of them. */
size_t additions_count(const struct context *ctx, enum addition_kind kind);
const void *additions_at(const struct context *ctx, enum addition_kind kind, size_t index);

/* additions_append: `entry` is borrowed. additions_free: the lists, not the entries; *additions is empty then. */
enum status additions_append(struct context *ctx, struct additions *additions, enum addition_kind kind,
                             const void *entry);
void additions_free(struct context *ctx, struct additions *additions);

#endif
