/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bytes.c: bytes that grow.
 */
#include "lattice/base/base.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void lat_bytes_add(lat_bytes *bytes, const void *data, int64_t size)
{
    if (bytes->size + size + 1 > bytes->room) {
        bytes->room = 2 * bytes->room + size + 1;
        char *more = lat_alloc(bytes->room, 1);
        if (bytes->size) memcpy(more, bytes->data, (size_t)bytes->size);
        free(bytes->data);
        bytes->data = more;
    }
    if (size) memcpy(bytes->data + bytes->size, data, (size_t)size);
    bytes->size += size;
    bytes->data[bytes->size] = 0;
}

void lat_bytes_print(lat_bytes *bytes, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = lat_text_list(format, list);
    va_end(list);
    lat_bytes_add(bytes, text, (int64_t)strlen(text));
    free(text);
}
