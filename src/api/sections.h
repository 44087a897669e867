/* sections.h: the sections of a recipe, as a kind of `retort list`. */
#ifndef API_SECTIONS_H
#define API_SECTIONS_H

#include "api/kinds.h"

size_t sections_count(const struct context *ctx);
struct kind_entry sections_entry(const struct context *ctx, size_t index);

#endif
