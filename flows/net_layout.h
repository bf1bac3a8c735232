/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net_layout.h: what the files of the networks share.
 */
#ifndef FLOWS_NET_LAYOUT_H
#define FLOWS_NET_LAYOUT_H

#include "flows/net.h"

/* What one convolution does at the sites of one phase. */
typedef struct {
    int kept, kept_behind;
    int32_t *keep;        /* taps of the forward sum */
    int32_t *keep_behind; /* taps through which outputs that are wanted read a site of this phase */
    lat_sites tiles;      /* of the weights whose derivatives this rank sums, where the lattice is split over ranks */
} flow_phase_taps;

typedef struct {
    flow_stencil ahead, behind; /* without lists of taps */
    bool in[FLOW_MAX_PERIOD], out[FLOW_MAX_PERIOD];
    flow_phase_taps phase[FLOW_MAX_PERIOD];
    lat_sites biases; /* likewise */
    lat_field *input, *output, *slope; /* scratch or kept */
    lat_field *output_cotangent, *input_cotangent;
    int64_t first; /* parameter */
    void *packed;
} flow_conv;

struct flow_net_layout {
    const flow_net *net;
    flow_map *map;
    flow_stripes stripes;
    const lat_sites *sites[FLOW_MAX_PERIOD]; /* by phase */
    flow_conv conv[FLOW_MAX_CONVS];
    lat_field *scratch[2][FLOW_MAX_CONVS + 1], *kept[2][FLOW_MAX_CONVS + 1]; /* values and slopes of each stage */
    int64_t parameters;      /* of all convolutions */
    uint64_t packed_version; /* of the model's parameters, plus one; 0: never */
    void *gradient;          /* [parameters][lanes]: of the lattice where derivatives are summed; NULL: not needed so far */
};

static inline size_t flow_real_size(const flow_map *map) { return map->precision == LAT_FLOAT ? sizeof(float) : sizeof(double); }

/* ------------------------------------------------------------------------- derivatives by parameters (net_gradient.c) */

/* Where the lattice is split over ranks: which weights of the phase, and which biases, are this rank's. */
void flow_net_share_weights(const flow_net_layout *layout, const flow_conv *conv, flow_phase_taps *phase);
void flow_net_share_biases(const flow_net_layout *layout, flow_conv *conv);
void flow_net_gradient_begin(flow_net_layout *layout);
/* From the input of convolution c and the cotangent of its output. */
void flow_net_gradient_add(flow_net_layout *layout, int c);
/* The sums are added to gradient. */
void flow_net_gradient_end(flow_net_layout *layout, double *gradient);

/* Convolution c of a network; the tables of neighbours are left out (net_shape.c). */
flow_stencil flow_net_stencil(const flow_net *net, int c);

#endif
