/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * overrelax.c: every link in turn is reflected about its staple, which leaves the action as it is (M. Creutz, Phys.
 * Rev. D 36 (1987) 515).  It is exact, and moves far, but never leaves the surface of constant action: combine it with
 * another update.
 */
#include "hmc/updates/sweep.h"

static void update_links(const mc_sweep *sweep, mc_state *state, const lat_range *range, int mu, int round)
{
    (void)sweep;
    (void)round;
    const lat_kernels *kernels = lat_kernels_of(state->gauge->links, state->gauge->group);
    const lat_field *couplings = state->gauge->couplings;
    lat_tables tables = lat_tables_of(mc_lattice(state));
    if (couplings) {
        weighted_overrelax_args args = {tables, state->gauge->links->data, couplings->data, mu};
        kernels->weighted_overrelax(&args, range);
    } else {
        overrelax_args args = {tables, state->gauge->links->data, mu};
        kernels->overrelax(&args, range);
    }
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    return mc_sweep_create(&mc_update_overrelax, update_links, settings, context, index, error);
}

const mc_update_table mc_update_overrelax = {"overrelax", create, mc_sweep_step, mc_sweep_report, mc_sweep_free};
