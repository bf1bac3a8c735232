/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * sweep.h: what heatbath and overrelaxation share: sweeps through the links of a Wilson action, one direction and one
 * parity after the other.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include "lattice/gauge/kernels.h"
#include "hmc/update.h"

/* Random streams of a sweep: index of the update + (number of the sweep << MC_SWEEP_SHIFT). */
enum { MC_SWEEP_SHIFT = 16 };

typedef struct mc_sweep mc_sweep;
/* Updates the links in direction mu at the sites of the range. */
typedef void mc_sweep_kernel(const mc_sweep *sweep, mc_state *state, const lat_range *range, int mu, int round);

struct mc_sweep {
    mc_update base;
    mc_sweep_kernel *update_links;
    const lat_geometry *geometry;
    int count;                    /* sweeps in one step */
    lat_sites inner[2], outer[2]; /* the sites of each parity that do not, and do, need the halo */
};

mc_update *mc_sweep_create(const mc_update_table *table, mc_sweep_kernel *update_links, lat_settings *settings,
                           const mc_context *context, int index, lat_error *error);
lat_status mc_sweep_step(mc_update *update, mc_state *state, lat_error *error);
void mc_sweep_report(const mc_update *update, json_t *object);
void mc_sweep_free(mc_update *update);

#endif
