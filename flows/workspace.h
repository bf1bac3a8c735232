/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * workspace.h: what a map keeps for its layers, each thing made when it is asked for first.
 */
#ifndef FLOWS_WORKSPACE_H
#define FLOWS_WORKSPACE_H

#include "flows/layout.h"
#include "lattice/grid/kernels.h"

typedef struct flow_scratch_field flow_scratch_field;
typedef struct flow_mask flow_mask;

struct flow_workspace {
    flow_scratch_field *fields;
    flow_box *boxes;
    flow_mask *masks;
    int64_t *unsolved; /* of a map that is within no other: links whose inverse was not found, where kernels count; NULL: none does */
    flow_map *whole; /* on a geometry of its own; NULL: not needed so far */
    lat_repeats *repeats; /* sweeps of the whole map */
    double *weights,
        *last_weights; /* [lanes]: of log det in a reverse sweep, on a device; as they came from the host */
};

struct flow_workspace *flow_workspace_create(const lat_geometry *geometry);
void flow_workspace_free(const lat_geometry *geometry, struct flow_workspace *work);
void flow_masks_free(const lat_geometry *geometry, flow_mask *masks);

#endif
