/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ensemble.c: what a run of flowhmc can tell of itself at any time.
 */
#include "src/ensemble.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

const mc_weighted *ensemble_weighted(const ensemble *e)
{
    for (int i = 0; i < e->update_count; i++)
        if (e->updates[i]->weighted) return e->updates[i]->weighted;
    return NULL;
}

lat_gauge *ensemble_sample(const ensemble *e)
{
    const mc_weighted *weighted = ensemble_weighted(e);
    return weighted ? weighted->gauge : mc_chain_sample(e->chain);
}

double ensemble_beta(const ensemble *e)
{
    const mc_weighted *weighted = ensemble_weighted(e);
    return weighted ? weighted->beta : lat_action_beta(e->chain->action);
}

/* "0.8712"; "-" if it is not known. */
char *ensemble_acceptance(const ensemble *e)
{
    double acceptance = ensemble_figure(e, "acceptance");
    return isnan(acceptance) ? lat_text("-") : lat_text("%.4g", acceptance);
}

/* The largest of the figures of this kind that an update tells of its last step. */
static double largest_figure(const mc_update *update, const char *kind, int members)
{
    double largest = 0;
    const int names = mc_names_count(update->figure_name);
    for (int i = 0; i < names * members; i++)
        if (strncmp(update->figure_name[i % names], kind, strlen(kind)) == 0)
            largest = fmax(largest, update->figure[i]);
    return largest;
}

char *ensemble_iterations(const ensemble *e)
{
    double most = 0;
    for (int i = 0; i < e->update_count; i++)
        most = fmax(most, largest_figure(e->updates[i], "most_iterations", mc_members(e->chain->state)));
    return most > 0 ? lat_text(", iterations %.0f", most) : lat_text("%s", "");
}
