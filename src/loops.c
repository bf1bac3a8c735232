/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * loops.c: Wilson loops on smeared links.
 */
#include "src/loops.h"

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

lat_status loops_check(const loops *loops, const lat_gauge *gauge, const char *path, lat_error *error)
{
    const lat_geometry *g = gauge->links->geometry;
    if (!loops->wanted) return LAT_DONE;
    if (lat_gauge_has_gaps(gauge))
        return lat_fail(error, LAT_CONFIG, "%s: is of a lattice with an open boundary: loops are there for others only",
                        path);
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

void loops_measure(const loops *loops, const lat_gauge *gauge, double *value)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_gauge *smeared = lat_gauge_create(g, gauge->group, gauge->links->precision);
    lat_gauge_copy(smeared, gauge);
    lat_smear(smeared, loops->smearing, loops->steps, loops->weight, g->dim - 1);
    lat_wilson_loops(smeared, loops->r, loops->t, value);
    lat_gauge_free(smeared);
}

int loops_columns(const loops *loops) { return loops->wanted ? loops->r * loops->t : 0; }

void loops_add_names(const loops *loops, lat_bytes *text)
{
    for (int r = 1; r <= loops->r && loops->wanted; r++)
        for (int t = 1; t <= loops->t; t++) lat_bytes_print(text, " loop_%dx%d", r, t);
}
