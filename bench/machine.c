/* machine.c: what this machine can do, as JSON: {"threads", "level", "flops", "bytes", "cached_bytes"}, the rates of
 * kernel/peak.h in float. Argument: the number of threads (default 1). For throughput.py; not a test. */
#include "kernel/peak.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    const long threads = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
    if (threads < 1 || threads > 1024) {
        fprintf(stderr, "machine: expected a number of threads\n");
        return 2;
    }
    struct context ctx;
    context_init(&ctx);
    struct kernel_peak peak;
    struct kernel_context *kernels = kernel_context_new(&ctx, (int)threads);
    enum status status = kernels ? kernel_peak_measure(kernels, ELEMENT_F32, &peak) : ctx.error.status;
    if (status == STATUS_OK)
        printf("{\"threads\": %ld, \"level\": \"%s\", \"flops\": %.6g, \"bytes\": %.6g, \"cached_bytes\": %.6g}\n",
               threads, kernels->f32->level, peak.flops, peak.bytes, peak.cached_bytes);
    else
        fprintf(stderr, "machine: %s\n", ctx.error.message);
    kernel_context_free(kernels);
    return status == STATUS_OK ? 0 : 1;
}
