/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * heatbath.c: every link in turn is drawn from its distribution given all others, exp(beta Re U A) for the Wilson
 * action with staple A (M. Creutz, Phys. Rev. D 21 (1980) 2308).  Links of one direction and one parity do not see each
 * other and go together.  The random numbers of sweep s of update i are those of the stream i + s 2^16.
 */
#include "hmc/updates/sweep.h"

static void update_links(const mc_sweep *sweep, mc_state *state, const lat_range *range, int mu, int round)
{
    lat_random random = mc_random(state, LAT_RANDOM_HEATBATH, sweep->base.index + (round << MC_SWEEP_SHIFT));
    const lat_kernels *kernels = lat_kernels_of(state->gauge->links, state->gauge->group);
    const lat_field *couplings = state->gauge->couplings;
    lat_tables tables = lat_tables_of(mc_lattice(state));
    double beta = lat_action_beta(state->action);
    if (couplings) {
        weighted_heatbath_args args = {tables, state->gauge->links->data, couplings->data, beta, mu, lat_random_key(&random)};
        kernels->weighted_heatbath(&args, range);
    } else {
        heatbath_args args = {tables, state->gauge->links->data, beta, mu, lat_random_key(&random)};
        kernels->heatbath(&args, range);
    }
}

static mc_update *create(lat_settings *settings, const mc_context *context, int index, lat_error *error)
{
    return mc_sweep_create(&mc_update_heatbath, update_links, settings, context, index, error);
}

const mc_update_table mc_update_heatbath = {"heatbath", create, mc_sweep_step, mc_sweep_report, mc_sweep_free};
