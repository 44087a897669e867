/* table.h: rows of texts under named columns, as aligned text for a terminal or as CSV.
 *
 * Sticky: after an allocation failed, further calls do nothing and the error is in the context. Cells are UTF-8; a
 * column is as wide as its longest cell in code points (combining marks take no room). */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/text.h"

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };

/* table_new: NULL with the error recorded. `ctx` is borrowed until table_free. */
struct table *table_new(struct context *ctx);
void table_free(struct table *table); /* NULL: no-op; so are the calls that fill it */

/* table_column: columns come before the first row. The name is copied. */
void table_column(struct table *table, const char *name, enum table_align align);
/* table_row: begins a row; cells that are not given stay empty. */
void table_row(struct table *table);
/* table_cell: the next cell of the row, copied; NULL: an empty one. More cells than columns are our own mistake. */
void table_cell(struct table *table, const char *text);
void table_cell_format(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* table_write: header, a rule, the rows; each line ends with a newline and has no blanks at its end. Control characters
 * (a newline in a cell) become spaces. A table that is NULL or failed makes `out` fail. */
void table_write(const struct table *table, struct text *out);
/* table_write_csv: RFC 4180 with a header line; lines end with a newline alone. */
void table_write_csv(const struct table *table, struct text *out);

#endif
