/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xml.h: the few values that are wanted of a small XML document.
 */
#ifndef LAT_IO_XML_H
#define LAT_IO_XML_H

#include <stdbool.h>

/* The text of the element of this name, without blanks around it. */
typedef struct {
    const char *name;
    int found; /* elements of the name */
    char text[64];
} xml_value;

/* Looks for elements by their local names (prefixes of name spaces do not count) at any depth.  NULL, or why the document
 * is refused: it is not well-formed, nested too deeply, declares entities, or has a wanted element twice or with too
 * long a text. */
const char *xml_read(const char *text, xml_value *values, int count);

#endif
