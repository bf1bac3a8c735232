/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flows.h: the flows floor: gauge-equivariant invertible maps of gauge fields with known Jacobian.  In its names a flow is always
 * such a map, never the gradient flow.
 */
#ifndef FLOWS_H
#define FLOWS_H

#include "flows/layer.h"
#include "flows/map.h"
#include "flows/model.h"
#include "flows/pullback.h"
#include "flows/sampler.h"
#include "flows/stack.h"
#include "flows/trainer.h"

#endif
