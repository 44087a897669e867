/* fuzz_safetensors.c: any bytes as a safetensors file: tensors or a refusal, nothing else. */
#include "format/safetensors.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct context ctx;
    struct safetensors file;
    if (count > 1 << 16)
        return 0;
    context_init(&ctx);
    ctx.log_level = LOG_QUIET;
    if (safetensors_parse(&ctx, "fuzz.st", bytes, count, &file) == STATUS_OK) {
        for (size_t i = 0; i < file.count; i++)
            if (safetensors_find(&file, file.tensors[i].name) != &file.tensors[i])
                abort();
        safetensors_check_finite(&ctx, "fuzz.st", &file); /* looks at every number */
    } else if (ctx.error.message[0] == '\0' || file.arena != NULL) {
        abort();
    }
    safetensors_free(&ctx, &file);
    return 0;
}
