/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.c: Wilson loops and Creutz ratios (M. Creutz, Phys. Rev. D 21 (1980) 2308),
 * chi(R, T) = -ln [W(R, T) W(R-1, T-1) / (W(R, T-1) W(R-1, T))], W = 1 for loops without area.
 */
#include "src/loops.h"
#include "src/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void loops_read(lat_settings *root, loops *loops, lat_error *error)
{
    loops->wanted = lat_settings_has(root, "loops");
    if (!loops->wanted) return;
    lat_settings *group = lat_settings_group(root, "loops", error);
    loops->r = (int)lat_settings_int(group, "r", 2, 1, 64, error);
    loops->t = (int)lat_settings_int(group, "t", 2, 1, 64, error);
    loops->smearing = (lat_smearing)lat_settings_choice(group, "smearing", "none", lat_smearing_names, error);
    loops->steps = (int)lat_settings_int(group, "steps", 10, 1, 1000, error);
    loops->weight = lat_settings_real(group, "weight", loops->smearing == LAT_SMEARING_STOUT ? 0.1 : 0.5, 0, 1, error);
}

static lat_status fits(const loops *loops, const lat_geometry *g, const char *path, lat_error *error)
{
    for (int mu = 0; mu < g->dim; mu++) {
        bool last = mu == g->dim - 1;
        int longest = last ? loops->t : loops->r;
        if (longest >= g->size[mu])
            return lat_fail(error, LAT_CONFIG, "%s: loops.%s: must be smaller than the extent %lld", path,
                            last ? "t" : "r", (long long)g->size[mu]);
    }
    if (g->dim == 2 && loops->smearing != LAT_SMEARING_NONE)
        return lat_fail(error, LAT_CONFIG, "%s: loops.smearing: one direction of space has no staples: write \"none\"",
                        path);
    return LAT_DONE;
}

lat_status loops_measure(loops *loops, const lat_gauge *gauge, const char *path, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    int64_t columns = (int64_t)loops->r * loops->t;
    if (fits(loops, g, path, error)) return error->status;
    if (loops->count == loops->room) {
        loops->room = 2 * loops->room + 16;
        double *more = lat_alloc(loops->room * columns, sizeof *more);
        if (loops->count > 0) memcpy(more, loops->value, (size_t)(loops->count * columns) * sizeof *more);
        free(loops->value);
        loops->value = more;
    }
    lat_gauge *smeared = lat_gauge_create(g, gauge->group, gauge->links->precision);
    lat_gauge_copy(smeared, gauge);
    lat_smear(smeared, loops->smearing, loops->steps, loops->weight, g->dim - 1);
    lat_wilson_loops(smeared, loops->r, loops->t, loops->value + loops->count++ * columns);
    lat_gauge_free(smeared);
    return LAT_DONE;
}

void loops_print_heading(const loops *loops)
{
    for (int r = 1; r <= loops->r; r++)
        for (int t = 1; t <= loops->t; t++) printf(" loop_%dx%d", r, t);
}

void loops_print_row(const loops *loops)
{
    int64_t columns = (int64_t)loops->r * loops->t;
    for (int64_t i = (loops->count - 1) * columns; i < loops->count * columns; i++) printf(" %.17g", loops->value[i]);
}

/* The mean over all configurations but `without` (-1: all). */
static double mean_loop(const loops *loops, int r, int t, int64_t without)
{
    if (r == 0 || t == 0) return 1;
    double sum = 0;
    for (int64_t n = 0; n < loops->count; n++)
        if (n != without) sum += loops->value[(n * loops->r + r - 1) * loops->t + t - 1];
    return sum / (double)(loops->count - (without >= 0));
}

static double creutz_ratio(const loops *loops, int r, int t, int64_t without)
{
    double large = mean_loop(loops, r, t, without) * mean_loop(loops, r - 1, t - 1, without);
    return -log(large / (mean_loop(loops, r, t - 1, without) * mean_loop(loops, r - 1, t, without)));
}

void loops_print_ratios(const loops *loops)
{
    for (int r = 1; r <= loops->r; r++)
        for (int t = 1; t <= loops->t; t++) {
            double n = (double)loops->count, all = creutz_ratio(loops, r, t, -1), spread = 0;
            for (int64_t i = 0; i < loops->count && loops->count > 1; i++)
                spread += pow(creutz_ratio(loops, r, t, i) - all, 2);
            char *text = table_format(all, sqrt(spread * (n - 1) / n));
            printf("# creutz_%dx%d %s\n", r, t, text);
            free(text);
        }
}

void loops_free(loops *loops) { free(loops->value); }
