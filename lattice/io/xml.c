/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * xml.c: XML as expat reads it: comments, entities, sections of characters and attributes are what the standard says.
 * Documents come from anywhere: those that could grow (entities of their own) or that nest without end are refused.
 */
#include "lattice/io/xml.h"

#include <expat.h>
#include <stddef.h>
#include <string.h>

enum { DEEPEST = 32 };

typedef struct {
    XML_Parser parser;
    xml_value *values;
    int count, depth;
    xml_value *open; /* the wanted element that is being read, */
    int open_depth;  /* and how deep it lies */
    const char *refused;
} reader;

static void refuse(reader *r, const char *why)
{
    if (!r->refused) r->refused = why;
    XML_StopParser(r->parser, XML_FALSE);
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

static void begin_element(void *data, const char *name, const char **attributes)
{
    reader *r = data;
    (void)attributes;
    if (++r->depth > DEEPEST) {
        refuse(r, "it is nested too deeply");
        return;
    }
    for (int i = 0; i < r->count && !r->open; i++) {
        if (strcmp(local_name(name), r->values[i].name) != 0) continue;
        r->open = &r->values[i];
        r->open_depth = r->depth;
        if (r->open->found++) refuse(r, "it says something twice");
    }
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static void trim(char *text)
{
    size_t first = 0, size = strlen(text);
    while (size > 0 && is_blank(text[size - 1])) size--;
    while (first < size && is_blank(text[first])) first++;
    memmove(text, text + first, size - first);
    text[size - first] = '\0';
}

static void end_element(void *data, const char *name)
{
    reader *r = data;
    (void)name;
    if (r->open && r->depth == r->open_depth) {
        trim(r->open->text);
        r->open = NULL;
    }
    r->depth--;
}

/* Blanks at the beginning do not count, however many they are; of those within and behind a text, one stands for all. */
static void characters(void *data, const char *text, int length)
{
    reader *r = data;
    if (!r->open) return;
    size_t n = strlen(r->open->text);
    for (int i = 0; i < length; i++) {
        bool blank = is_blank(text[i]);
        if (blank && (n == 0 || is_blank(r->open->text[n - 1]))) continue;
        if (n + 1 == sizeof r->open->text) {
            refuse(r, "a value in it is too long");
            return;
        }
        r->open->text[n++] = blank ? ' ' : text[i];
        r->open->text[n] = '\0';
    }
}

static void declare_entity(void *data, const char *name, int is_parameter, const char *value, int length, const char *base,
                           const char *system, const char *public, const char *notation)
{
    (void)name, (void)is_parameter, (void)value, (void)length, (void)base, (void)system, (void)public, (void)notation;
    refuse(data, "it declares entities");
}

const char *xml_read(const char *text, xml_value *values, int count)
{
    reader r = {.parser = XML_ParserCreate(NULL), .values = values, .count = count};
    if (!r.parser) return "there is no memory to read it";
    for (int i = 0; i < count; i++) {
        values[i].found = 0;
        values[i].text[0] = '\0';
    }
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, begin_element, end_element);
    XML_SetCharacterDataHandler(r.parser, characters);
    XML_SetEntityDeclHandler(r.parser, declare_entity);
    if (XML_Parse(r.parser, text, (int)strlen(text), XML_TRUE) != XML_STATUS_OK && !r.refused)
        r.refused = XML_ErrorString(XML_GetErrorCode(r.parser));
    XML_ParserFree(r.parser);
    return r.refused;
}
