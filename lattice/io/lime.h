/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lime.h: the container of ILDG and SciDAC files (lime.c).
 */
#ifndef LIME_H
#define LIME_H

#include "lattice/io/io.h"

enum { LIME_HEADER_BYTES = 144, LIME_TYPE_BYTES = 128, LIME_MAGIC = 0x456789AB };

typedef struct {
    char type[LIME_TYPE_BYTES];
    int64_t offset, bytes; /* of the data, without padding */
    bool begins, ends;     /* first, last record of its message */
} lime_record;

/* The record at *at, which moves on to the next; false at the end of the file, where nothing but padding follows, and on
 * failure. */
bool lime_next(const char *path, int descriptor, int64_t file_bytes, int64_t *at, lime_record *record,
               lat_error *error);

/* The text of a record of at most limit bytes, without the NULs that some writers put at its end; free() it.  NULL,
 * and a failure, if it is too long or cannot be read. */
char *lime_text(const char *path, int descriptor, const lime_record *record, int64_t limit, lat_error *error);

/* Writing: the header of a record, and a whole record of text with its padding. */
void lime_put_header(lat_bytes *out, const char *type, int64_t bytes, bool begins, bool ends);
void lime_put_text(lat_bytes *out, const char *type, const char *text, bool begins, bool ends);

/* The padding behind so many bytes. */
static inline int64_t lime_padding(int64_t bytes) { return (8 - bytes % 8) % 8; }

#endif
