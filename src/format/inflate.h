/* inflate.h: zlib's inflate with a context's memory; private to the formats that unpack. */
#ifndef FORMAT_INFLATE_H
#define FORMAT_INFLATE_H

#include "base/context.h"

#define ZLIB_CONST /* input is only read */
#include <zlib.h>

/* inflate_begin: a stream for what `window` says, as of zlib's inflateInit2; the caller's (inflateEnd). */
enum status inflate_begin(struct context *ctx, const char *name, int window, z_stream *stream);

#endif
