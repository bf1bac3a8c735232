/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ensemble.c: what a run of flowhmc can tell of itself at any time.
 */
#include "src/ensemble.h"

#include <math.h>
#include <stdlib.h>

uint64_t ensemble_end(const ensemble *e) { return e->chain->thermalise + (uint64_t)e->steps; }

int64_t ensemble_counted(const ensemble *e) { return (int64_t)(e->chain->state->step - e->chain->thermalise); }

/* A figure of the first update that reports it; NaN if it is not known. */
double ensemble_figure(const ensemble *e, const char *name)
{
    double value = NAN;
    for (int i = 0; i < e->update_count && isnan(value); i++) {
        json_t *report = json_object();
        e->updates[i]->table->report(e->updates[i], report);
        const json_t *found = json_object_get(report, name);
        if (json_is_number(found)) value = json_number_value(found);
        json_decref(report);
    }
    return value;
}

/* "0.8712"; "-" if it is not known. */
char *ensemble_acceptance(const ensemble *e)
{
    double acceptance = ensemble_figure(e, "acceptance");
    return isnan(acceptance) ? lat_text("-") : lat_text("%.4g", acceptance);
}
