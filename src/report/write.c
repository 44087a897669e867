/* write.c: from folders to a file. */
#include "report/report.h"

#include "base/file.h"
#include "report/chart.h"
#include "report/page.h"

#include <assert.h>

/* Where Debian's libjs-chart.js lies; it is looked for when a page is made. */
#ifndef RETORT_CHART_JS
#define RETORT_CHART_JS "/usr/share/javascript/chart.js/chart.min.js"
#endif

static enum status save(struct context *ctx, const char *path, const struct text *page)
{
    struct file_writer *writer = file_writer_new(ctx, path);
    if (writer == NULL)
        return ctx->error.status;
    enum status status = file_write(writer, page->bytes, page->length);
    if (status != STATUS_OK) {
        file_discard(writer);
        return status;
    }
    return file_commit(writer);
}

enum status report_write(struct context *ctx, const char *const *run_folders, int count, const char *out_path)
{
    return report_write_noted(ctx, run_folders, count, out_path, NULL);
}

enum status report_write_noted(struct context *ctx, const char *const *run_folders, int count, const char *out_path,
                               const char *note)
{
    assert(count >= 1 && (count == 1 || out_path != NULL));
    enum status status = STATUS_OK;
    char *own_path = NULL, *library = NULL;
    struct text out;
    text_init(&out, ctx);
    struct arena *arena = arena_new(ctx);
    struct report_run *runs = arena != NULL ? arena_take(arena, (size_t)count, sizeof *runs) : NULL;
    if (runs == NULL) {
        status = ctx->error.status;
        goto cleanup;
    }
    for (int i = 0; i < count; i++)
        TRY(report_run_read(ctx, arena, run_folders[i], &runs[i]));
    if (out_path == NULL) {
        out_path = own_path = path_join(ctx, run_folders[0], "report.html");
        TRY(ctx->error.status);
    }
    TRY(chart_library(ctx, RETORT_CHART_JS, &library));
    struct page page = {.ctx = ctx, .arena = arena, .library = library, .out = &out};
    if (count == 1 && note == NULL)
        page_of_run(&page, &runs[0]);
    else
        page_of_runs(&page, runs, count, note);
    TRY(ctx->error.status); /* the page is sticky: whatever failed has recorded why */
    assert(!out.failed);
    TRY(save(ctx, out_path, &out));
cleanup:
    text_free(&out);
    memory_free(ctx, library);
    memory_free(ctx, own_path);
    arena_free(arena);
    return status;
}
