/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * observe.h: observables by name, for tests.
 */
#ifndef TEST_OBSERVE_H
#define TEST_OBSERVE_H

#include "lattice/lattice.h"

/* out[member][column] of the observable of this name; returns the number of columns.  Any failure ends the test program. */
__attribute__((unused)) static int observe(const char *name, lat_gauge *gauge, double *out)
{
    lat_error error = {0};
    const lat_observe_context context = {.gauge = gauge, .lattice = gauge->links->geometry};
    const lat_random random = {.purpose = LAT_RANDOM_SOURCES};
    lat_observable *observable = lat_observable_create(name, lat_observable_kinds, &context, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    int columns = observable->columns;
    if (lat_observable_measure(observable, gauge, &random, out, &error)) lat_abort(error.status, "%s", error.text);
    lat_observable_free(observable);
    return columns;
}

#endif
