/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * audit.h: a flow checked at work, on the very configurations of a chain: each of its layers, all links and members,
 * and the map against its layers.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "hmc/update.h"
#include "hmc/updates/layer_check.h"

/* What an update keeps of all audits in its memory: their number, by how much each check was off at worst, and the
 * worst of that in units of what rounding explains. */
enum { MC_AUDIT_COUNT, MC_AUDIT_OFF, MC_AUDIT_EXCESS = MC_AUDIT_OFF + MC_CHECKS, MC_AUDIT_STATES };

/* A map, and the same model in double precision on the same lattice. */
typedef struct {
    flow_map *map, *exact; /* one map where that is double */
    flow_step **step;      /* of the exact map: those that a walk visits, in its order */
    const double **parameters;
    int steps;
} mc_auditor;

/* The map stays the caller's.  Collective over its geometry, as are all functions here. */
lat_status mc_auditor_create(flow_map *map, mc_auditor *auditor, lat_error *error);
void mc_auditor_free(mc_auditor *auditor);

/* Audits U = F(V) with log det[members], both as the map gave them.  One layer, drawn from the stream, or each of them,
 * on the links where it is at work, is held against its contract (layer_check.h); and
 *   - MC_LAYERS: U and log det, and F^-1(U), are those of the layers one after another;
 *   - MC_LOG_Q: largest difference of log det from the map and from its inverse;
 *   - MC_COVARIANCE, with all layers: F(V^g) is F(V)^g, and log det is the same, in double precision.
 * worst[MC_CHECKS] is raised to what was found, alike on all ranks.  Fails where a layer cannot be inverted. */
lat_status mc_audit(mc_auditor *auditor, const lat_random *random, bool all_layers, const lat_gauge *v,
                    const lat_gauge *u, const double *log_det, mc_deviation *worst, lat_error *error);
/* Adds what audits have found to the memory of an update. */
void mc_audit_record(const mc_deviation *worst, int audits, double *memory);
/* LAT_NUMERICAL if something is off by more than rounding explains. */
lat_status mc_audit_verdict(const mc_deviation *worst, lat_error *error);
void mc_audit_report(const double *memory, json_t *object);

#endif
