/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * overrelax.c: every link in turn is reflected about its staple, which leaves the action as it is (M. Creutz, Phys.
 * Rev. D 36 (1987) 515).  It is exact, and moves far, but never leaves the surface of constant action: combine it with
 * another update.
 */
#include "hmc/updates/sweep.h"

static void update_links(const mc_sweep *sweep, const lat_range *range, int mu, int round)
{
    (void)round;
    mc_chain *chain = sweep->base.chain;
    const lat_kernels *kernels = lat_kernels_of(chain->links, chain->group);
    const lat_field *couplings = chain->action->couplings;
    lat_tables tables = lat_tables_of(chain->geometry);
    if (couplings) {
        weighted_overrelax_args args = {tables, chain->links->data, couplings->data, mu};
        kernels->weighted_overrelax(&args, range);
    } else {
        overrelax_args args = {tables, chain->links->data, mu};
        kernels->overrelax(&args, range);
    }
}

static mc_update *create(lat_settings *settings, mc_chain *chain, int index, lat_error *error)
{
    return mc_sweep_create(&mc_update_overrelax, update_links, settings, chain, index, error);
}

const mc_update_table mc_update_overrelax = {"overrelax", create, mc_sweep_step, mc_sweep_report, mc_sweep_free};
