/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * audit.h: a flow checked at work: inverse, log q, covariance and Jacobian of the very proposals of a chain.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "hmc/updates/proposals.h"

/* What is kept of all audits: their number, and the worst figures. */
enum { MC_AUDIT_COUNT, MC_AUDIT_INVERSE, MC_AUDIT_LOG_Q, MC_AUDIT_COVARIANCE, MC_AUDIT_LOG_DET, MC_AUDIT_STATES };

/* Audits the proposals that were just drawn into proposals->gauge from v, with these log weights:
 *   inverse: largest |F^-1(F(V)) - V| of a link; log_q: largest difference of log q from the forward and the inverse map;
 *   covariance: largest |F(V^g) - F(V)^g|, and of the change of log det; log_det: of a random layer at a random site of each
 *   member, the layer's share of log det there against that of its numerical Jacobian at that site.
 * worst[MC_AUDIT_STATES] is updated, alike on all ranks of the group.  The links of the proposals are left as they are.  Fails where a
 * layer cannot be inverted.  Collective over the group. */
lat_status mc_audit(mc_proposals *proposals, const lat_random *random, const lat_gauge *v, const double *log_weight, double *worst,
                    lat_error *error);
/* LAT_NUMERICAL if a figure is beyond what rounding in this precision explains. */
lat_status mc_audit_verdict(const double *worst, lat_precision precision, lat_error *error);
void mc_audit_report(const double *worst, json_t *object);

#endif
