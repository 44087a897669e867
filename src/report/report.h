/* report: the HTML page of a run, made from the run's folder alone. Sees base, format and record.
 *
 * The page is one file that needs no network: style, script, figures and Chart.js lie in it. Its numbers also stand in
 * plain HTML, so it can be read without scripts, printed, and searched. What is read: result.json (figures),
 * record.sqlite (curves, arrays and layers), recipe.yaml (as resolved). Of the record's series it draws, for each stage,
 *   split "train", name "loss": a number a step, and
 *   split "validation", name "accuracy": a number an epoch, under the count of epochs completed (0: before the first);
 * of its arrays those that src/run/details.h describes. Sections whose arrays are not there, as in older runs, are left
 * out. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/context.h"

/* report_write: the page of `count` >= 1 runs; their folders are borrowed for the call.
 * One run: its whole story; out_path NULL: FOLDER/report.html. Several: one page that compares them; out_path must then
 * be given. What is at out_path is replaced when the page is complete.
 * STATUS_BAD_INPUT: result.json or record.sqlite is not what it should be (names file, key, expected, found);
 * STATUS_IO: no result.json (the run is not finished), or the page cannot be written. A run without record.sqlite or
 * recipe.yaml, and a machine without Chart.js, give a page that says what is missing. */
enum status report_write(struct context *ctx, const char *const *run_folders, int count, const char *out_path);
/* report_write_noted: likewise, a page that compares runs, with a note below their table, where it says what the runs themselves cannot;
 * NULL: report_write. */
enum status report_write_noted(struct context *ctx, const char *const *run_folders, int count, const char *out_path,
                               const char *note);

#endif
