/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * map.h: a model laid out on a geometry: masks, halos, workspaces; and its application.
 */
#ifndef FLOWS_MAP_H
#define FLOWS_MAP_H

#include "flows/model.h"

struct flow_map {
    const flow_model *model;
    const flow_map *within; /* the map whose layer has made this one; NULL: none */
    const lat_geometry *geometry;
    lat_precision precision;
    struct flow_steps *steps;
    struct flow_workspace *work; /* scratch fields shared by the layers */
    double *parameters;          /* the model's, if kernels do not find them there; of `version` */
    uint64_t version;
    int64_t memory;              /* bytes that layers may still take to keep what they computed */
    int64_t row;                 /* backward gives every lane a gradient of its own, so many numbers apart; 0: it adds them up */
    bool recorded;               /* the last call was flow_record or flow_push: backward finds what its layers kept */
    lat_error error;             /* what went wrong in a sweep; the first failure stays: see flow_map_failed */
};

/* LAT_CONFIG where the lattice does not suit the model (dimension, period, halo) or the precision.  Fields given to the map have
 * the map's precision; densities are double with one component. */
lat_status flow_map_create(const flow_model *model, const lat_geometry *geometry, lat_precision precision, flow_map **map, lat_error *error);
void flow_map_free(flow_map *map);
/* The parameters of the model where kernels find them: the model's own, or a copy which is made anew when the model's version has
 * changed. */
double *flow_map_parameters(flow_map *map);
/* The failure left in the map by a sweep, its status; clears it.  Whoever calls flow_inverse asks.  Collective. */
lat_status flow_map_failed(flow_map *map, lat_error *error);

void flow_forward(flow_map *map, lat_gauge *u, lat_field *density);
/* The same, and keeps what flow_backward would have to compute again, for as many layers as fit into a fixed amount of
 * memory.  The next flow_backward of this map, if no other call comes between, must be given this very u. */
void flow_record(flow_map *map, lat_gauge *u, lat_field *density);
/* May fail: see flow_map_failed. */
void flow_inverse(flow_map *map, lat_gauge *u, lat_field *density);
/* As flow_forward, or flow_inverse if `back`, with a visitor in place of each layer that is not made of others. */
void flow_walk(flow_map *map, lat_gauge *u, lat_field *density, flow_visitor *visitor, bool back);
/* As in the table, through all layers; gradient: [stack.parameter_count] where kernels find it, or NULL. */
void flow_backward(flow_map *map, lat_gauge *u, lat_field *cotangent, const double *weight, double *gradient);
/* The same with the gradient of each member in a row of its own: rows[members][stack.parameter_count], their sum is what flow_backward adds.
 * Members are lanes: the lattice is not cut in blocks. */
void flow_backward_rows(flow_map *map, lat_gauge *u, lat_field *cotangent, const double *weight, double *rows);
/* flow_record and the transport of a cotangent in one sweep; not for models with stack.without_push. */
void flow_push(flow_map *map, lat_gauge *u, lat_field *cotangent, lat_field *density);

#endif
