/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * observable.c: observables by name.
 */
#include "lattice/observe/observable.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* "plaquette, rectangle or charge", in new memory */
static char *list_of(const lat_observable_kind *const *kinds)
{
    char *text = lat_text("%s", kinds[0]->names);
    for (int i = 1; kinds[i]; i++) {
        char *longer = lat_text("%s%s%s", text, kinds[i + 1] ? ", " : " or ", kinds[i]->names);
        free(text);
        text = longer;
    }
    return text;
}

lat_observable *lat_observable_create(const char *name, const lat_observable_kind *const *kinds, const lat_observe_context *context,
                                      lat_error *error)
{
    for (int i = 0; kinds[i]; i++) {
        lat_observable *found = kinds[i]->create(name, context, error);
        if (found || error->status) return found;
    }
    char *known = list_of(kinds);
    lat_fail(error, LAT_CONFIG, "measure.observables: \"%s\" is not known: use %s", name, known);
    free(known);
    return NULL;
}

lat_status lat_observable_measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error)
{
    lat_error why = {0};
    if (observable->kind->measure(observable, gauge, random, out, &why))
        lat_fail(error, why.status, "measure.%s: step %llu: %s", observable->name, (unsigned long long)random->step, why.text);
    return error->status;
}

void lat_observable_free(lat_observable *observable)
{
    if (!observable) return;
    if (observable->kind->free) observable->kind->free(observable);
    for (int c = 0; c < observable->columns; c++) free(observable->column[c].name);
    free(observable->column);
    free(observable->name);
    free(observable);
}

lat_observable *lat_observable_blank(const lat_observable_kind *kind, size_t size, const char *name, int columns)
{
    lat_observable *o = lat_alloc(1, size);
    *o = (lat_observable){kind, lat_text("%s", name), columns, lat_alloc(columns, sizeof *o->column), .member = -1};
    return o;
}

void lat_observable_name(lat_observable *o, int column, const char *unit, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    o->column[column] = (lat_column){lat_text_list(format, list), unit};
    va_end(list);
}

lat_observable *lat_observable_new(const lat_observable_kind *kind, size_t size, const char *name, int columns,
                                   const char *const *suffix, const char *unit)
{
    lat_observable *o = lat_observable_blank(kind, size, name, columns);
    for (int c = 0; c < columns; c++) lat_observable_name(o, c, unit, "%s%s", name, suffix[c]);
    return o;
}

void lat_observable_read_when(lat_observable *o, lat_settings *group, int members, lat_error *error)
{
    o->every = lat_settings_int(group, "every", 0, 1, INT64_MAX / 4, error);
    o->member = (int)lat_settings_int(group, "replica", -1, 0, members - 1, error);
}

lat_status lat_observable_needs_all_loops(const char *name, const lat_gauge *gauge, lat_error *error)
{
    if (!lat_gauge_has_gaps(gauge)) return LAT_DONE;
    return lat_fail(error, LAT_CONFIG, "measure.observables: %s needs a lattice without open boundaries: leave it out", name);
}
