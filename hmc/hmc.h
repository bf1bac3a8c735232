/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hmc.h: the public contract of the Markov-chain floor: states, updates and their composition, statistics, checkpoints.
 *
 * Everything random is keyed by (seed, purpose, update, step, site, direction, replica), so that a chain is a function of its
 * configuration, its models and its seed: bit-identical on any number of ranks and after any resume.
 */
#ifndef HMC_H
#define HMC_H

#include "hmc/chain.h"
#include "hmc/checkpoint.h"
#include "hmc/find.h"
#include "hmc/history.h"
#include "hmc/integrator.h"
#include "hmc/state.h"
#include "hmc/statistics/gamma.h"
#include "hmc/statistics/weights.h"
#include "hmc/trajectory.h"
#include "hmc/update.h"

#endif
