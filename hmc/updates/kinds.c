/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kinds.c: the kinds of updates that a configuration can name.  A new kind is one line here.
 */
#include "hmc/update.h"

const mc_update_table *const mc_update_tables[] = {
    &mc_update_hmc,   &mc_update_heatbath, &mc_update_overrelax, &mc_update_instanton,      &mc_update_flow,
    &mc_update_fthmc, &mc_update_direct,   &mc_update_tempering, &mc_update_nonequilibrium, NULL,
};
