/* fuzz_npy.c: any bytes as an NPY file: an array or a refusal, nothing else. */
#include "format/npy.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct context ctx;
    struct npy npy;
    if (count > 1 << 16)
        return 0;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    if (npy_parse(&ctx, "fuzz.npy", bytes, count, &npy) == STATUS_OK) {
        /* every number can be looked at */
        if (format_not_finite(npy.element, npy.data, shape_elements(&npy.shape)) >= shape_elements(&npy.shape))
            abort();
    } else if (ctx.error.message[0] == '\0' || npy.data != NULL) {
        abort();
    }
    npy_free(&ctx, &npy);
    return 0;
}
