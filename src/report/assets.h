/* assets.h: the page's own style and script, line by line (C11 promises only 4,095 characters to one string). */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

/* Each ends with NULL. page_script draws the charts, page_similarity_script moves the temperature. */
extern const char *const page_style[];
extern const char *const page_script[];
extern const char *const page_similarity_script[];

#endif
