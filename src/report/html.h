/* html.h: texts and figures as HTML. An undefined figure (NaN) is written as a dash everywhere. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "base/text.h"
#include "base/value.h"

/* html_text: escaped for content and for attributes in double or single quotes; control characters but newline and tab
 * are left out. NULL: a dash. */
void html_text(struct text *out, const char *words);

void html_real(struct text *out, double number, int decimals);
void html_count(struct text *out, double count);      /* 140,266 */
void html_percent(struct text *out, double fraction); /* 0.9053 -> 90.53% */
void html_points(struct text *out, double fraction);  /* 0.0033 -> +0.33, with a minus sign where one is due */
void html_duration(struct text *out, double seconds); /* 3 min 12 s */
void html_bytes(struct text *out, double bytes);      /* 19.2 kB, in thousands */

enum figure { FIGURE_COUNT, FIGURE_PERCENT, FIGURE_LOSS, FIGURE_DURATION, FIGURE_BYTES };
/* html_cell: a table's cell with a figure. */
void html_cell(struct text *out, enum figure figure, double number);
/* html_spread: "90.53% ± 0.12"; without std only the mean. */
void html_spread(struct text *out, double mean, double std);

/* html_image: u8 [height, width, channels] (1 or 3) as the address of an <img>: a PNG in the page itself. */
void html_image(struct text *out, const unsigned char *pixels, uint32_t height, uint32_t width, int channels);

/* html_short: a number for a script: five digits are finer than any screen, and keep a page small. Not finite: null. */
struct value *html_short(struct arena *arena, double number);

/* html_json: the tree as JSON that is safe inside <script>, whatever texts it holds. */
void html_json(struct text *out, struct context *ctx, const struct value *data);

#endif
