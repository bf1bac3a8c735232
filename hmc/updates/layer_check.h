/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layer_check.h: one layer of a flow, on the links where it is at work, held against its contract: all its links in all
 * members at once.
 */
#ifndef LAYER_CHECK_H
#define LAYER_CHECK_H

#include "flows/flows.h"

/* What is checked of a flow.  For each: by how much it is off, and in units of what rounding explains there, which a
 * layer that keeps its contract does not exceed. */
typedef enum { MC_INVERSE, MC_LOG_Q, MC_COVARIANCE, MC_LOG_DET, MC_ROUNDING, MC_LAYERS, MC_CHECKS } mc_check;
typedef struct {
    double off, excess;
} mc_deviation;

/* Raises the deviation to `off`, of which `allowed` is explained; what is no number counts as infinite. */
void mc_deviate(mc_deviation *worst, double off, double allowed);

/* A layer and its links.  In double precision, and beside it in that of the run; both are one where the run is in
 * double. */
typedef struct {
    flow_step *step, *exact;
    const double *parameters, *exact_parameters;
    lat_group group;
    lat_random random;
} mc_layer;

/* u <- f(u) in the precision of the run, density += the layer's share, as the layer does, and
 *   - MC_LOG_DET: its log det at each site against that of the numerical Jacobian of the site's links, which is made by
 * differences of all active links at once;
 *   - MC_ROUNDING: links and log det in float against those in double; links that the layer has to leave alone;
 *   - MC_INVERSE, MC_LOG_Q: links and log det of the inverse after the layer against those before;
 *   - MC_COVARIANCE: links and log det for the links turned by a gauge transformation.
 * worst[MC_CHECKS] is raised, on each rank by what lies there.  An inverse that fails leaves that in the map of the
 * step.  Collective over the geometry of the step. */
void mc_layer_check(const mc_layer *layer, lat_field *u, lat_field *density, mc_deviation *worst);

/* Brings links of double precision that were rounded to float back to the group, which those of U(1) cannot leave: gauge covariance is one
 * of group elements. */
void mc_links_to_group(lat_gauge *u);

/* Components of log(U V^+) in the algebra, to the second order in them, from the reals of two links near to each other;
 * and the largest difference of two links, of U(1) on the circle. */
void mc_link_logarithm(lat_group group, const double *u, const double *v, double *algebra);
double mc_link_distance(lat_group group, const double *u, const double *v);

#endif
