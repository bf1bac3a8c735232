/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * analysis.c: estimates of columns, and of the shares of a charge.
 */
#include "src/analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHARGES = 1000, LISTED = 4 };

/* Of entries that may have weights. */
static mc_estimate estimate_of(const analysis *a, const double *entries)
{
    const dataset *set = a->set;
    return a->log_weight && entries != a->log_weight
               ? mc_gamma_weighted(entries, a->log_weight, set->replicas, set->rows)
               : mc_gamma_replicas(entries, set->replicas, set->rows);
}

static distribution charge_distribution(const analysis *a, const double *charge)
{
    const dataset *set = a->set;
    double least = INFINITY, most = -INFINITY;
    for (int64_t i = 0; i < set->entries; i++) {
        least = fmin(least, rint(charge[i]));
        most = fmax(most, rint(charge[i]));
    }
    distribution p = {0};
    if (!(most - least < MOST_CHARGES && fabs(least) < 1e15)) return p;
    p.least = (int64_t)least;
    p.count = (int)(most - least) + 1;
    p.share = lat_alloc(p.count, sizeof *p.share);
    double *indicator = lat_alloc(set->entries, sizeof *indicator);
    for (int k = 0; k < p.count; k++) {
        for (int64_t i = 0; i < set->entries; i++) indicator[i] = rint(charge[i]) == least + k;
        p.share[k] = estimate_of(a, indicator);
    }
    free(indicator);
    return p;
}

static void find_weights(analysis *a)
{
    const dataset *set = a->set;
    for (int i = 0; i < set->columns && !set->training; i++)
        if (strcmp(set->column[i], "log_weight") == 0) a->log_weight = set->series[i];
    a->ess = a->log_weight ? mc_weights_ess(a->log_weight, set->entries) : 1;
}

static void choose(analysis *a, const char *column, lat_error *error)
{
    const dataset *set = a->set;
    bool found = false;
    for (int i = 0; i < set->columns; i++) {
        a->chosen[i] = !column || strcmp(set->column[i], column) == 0;
        found = found || a->chosen[i];
    }
    if (found) return;
    const char **names = lat_alloc(set->columns + 1, sizeof *names);
    memcpy(names, set->column, (size_t)set->columns * sizeof *names);
    lat_fail(error, LAT_CONFIG, "%.200s: there is no column '%.60s': is '%.60s' meant?", set->name, column,
             lat_nearest(column, names));
    free(names);
}

analysis analyse(const dataset *set, const char *column, lat_error *error)
{
    analysis a = {.set = set};
    a.estimate = lat_alloc(set->columns, sizeof *a.estimate);
    a.chosen = lat_alloc(set->columns, sizeof *a.chosen);
    find_weights(&a);
    choose(&a, column, error);
    for (int i = 0; i < set->columns && error->status == LAT_DONE; i++) {
        if (!a.chosen[i] || set->training) continue;
        a.estimate[i] = estimate_of(&a, set->series[i]);
        if (strcmp(set->column[i], "charge") == 0) a.charge = charge_distribution(&a, set->series[i]);
    }
    return a;
}

double analysis_cost(const analysis *a, int column)
{
    return 2 * a->estimate[column].tau_int * a->set->core_seconds / a->ess;
}

void analysis_free(analysis *a)
{
    free(a->estimate);
    free(a->chosen);
    free(a->charge.share);
}

static bool equal_rows(const dataset *set)
{
    for (int r = 1; r < set->replicas; r++)
        if (set->rows[r] != set->rows[0]) return false;
    return true;
}

/* "1000 + 3000 + 200", or "200 to 3000" of many. */
static char *list_rows(const dataset *set)
{
    if (equal_rows(set)) return lat_text("%lld", (long long)set->rows[0]);
    int64_t least = set->rows[0], most = least;
    lat_bytes text = {0};
    for (int r = 0; r < set->replicas; r++) {
        if (set->rows[r] < least) least = set->rows[r];
        if (set->rows[r] > most) most = set->rows[r];
        if (set->replicas <= LISTED) lat_bytes_print(&text, "%s%lld", r ? " + " : "", (long long)set->rows[r]);
    }
    return text.data ? text.data : lat_text("%lld to %lld", (long long)least, (long long)most);
}

char *analysis_extent(const dataset *set)
{
    char *rows = list_rows(set), replicas[40] = "", every[40] = "";
    if (set->replicas > 1) snprintf(replicas, sizeof replicas, " of %d replicas", set->replicas);
    if (set->every > 1) snprintf(every, sizeof every, ", one every %lld steps", (long long)set->every);
    char *text = lat_text("%s row%s%s%s", rows, set->entries == 1 ? "" : "s", replicas, every);
    free(rows);
    return text;
}
