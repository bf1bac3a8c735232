/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net.h: convolutional networks whose inputs and outputs live on stripes of the lattice.
 *
 * A site's phase is its coordinate in one direction modulo the period of a mask.  Inputs are known to vanish outside the
 * phases `open`, outputs are wanted on the phases `wanted` only; what lies between is computed where it is needed, and
 * taps that read zeros are left out.
 */
#ifndef NET_H
#define NET_H

#include "flows/layout.h"

enum { FLOW_MAX_CONVS = 8, FLOW_MAX_CHANNELS = 512, FLOW_MAX_PERIOD = 8 };

/* Hyper-parameters.  channel[0] inputs ... channel[convs] outputs. */
typedef struct {
    int dim, kernel, convs;
    int channel[FLOW_MAX_CONVS + 1];
    int dilation[FLOW_MAX_CONVS];
    flow_activation activation; /* of all but the last convolution, which has none */
} flow_net;

/* Parameters of all convolutions one after another, each as in flow_kernels.h. */
int64_t flow_net_parameters(const flow_net *net);
/* Hidden weights uniform in +- 1/sqrt(inputs * taps); those of the last convolution `last` times that, its biases zero. */
void flow_net_initialise(const flow_net *net, const lat_random *random, double last, double *parameters);
int flow_net_halo(const flow_net *net); /* radius of the widest convolution */

typedef struct {
    int direction, period;
    int shift;                   /* phase 0 is at coordinate `shift` modulo period */
    bool open[FLOW_MAX_PERIOD];
    bool wanted[FLOW_MAX_PERIOD];
} flow_stripes;

typedef struct flow_net_layout flow_net_layout;
/* slot: the first scratch slot that is free; FLOW_NET_SLOTS are used. */
enum { FLOW_NET_SLOTS = 4 * (FLOW_MAX_CONVS + 1) };
flow_net_layout *flow_net_lay_out(const flow_net *net, flow_map *map, const flow_stripes *stripes, int slot);
void flow_net_layout_free(flow_net_layout *layout);
/* Gives the layout fields of its own for its activations, if the map has memory left, which is counted for the whole lattice so
 * that ranks and lanes do not matter; otherwise false. */
bool flow_net_keep(flow_net_layout *layout);
/* Whether the next calls work in these fields or in the scratch fields that all layers share. */
void flow_net_use_kept(flow_net_layout *layout, bool kept);

/* Fields of the map's precision: fill the input on its open phases, zero where a component vanishes there. */
lat_field *flow_net_input(flow_net_layout *layout);
lat_field *flow_net_output(flow_net_layout *layout);
lat_field *flow_net_output_cotangent(flow_net_layout *layout);
lat_field *flow_net_input_cotangent(flow_net_layout *layout); /* valid on the open phases */

void flow_net_forward(flow_net_layout *layout, const double *parameters);

/* A network without neighbours can be run on some of the wanted sites at a time, so few that all its values stay in the cache
 * until somebody has read them.  How many are good; 0: there are neighbours, or the backend has no
 * such cache. */
int64_t flow_net_portion(const flow_net_layout *layout);
/* Where the values of these sites, in ascending order, have their place: as in a field, data[(site * components + component) *
 * lanes + lane], but only for them, and until the next portion, unless the layout works in fields of its own. */
void *flow_net_portion_input(const flow_net_layout *layout, const lat_sites *sites);
void *flow_net_portion_output(const flow_net_layout *layout, const lat_sites *sites);
/* As flow_net_forward. */
void flow_net_forward_portion(flow_net_layout *layout, const double *parameters, const lat_sites *sites);

/* After forward and with the cotangent of the output filled in on the wanted phases: fills the cotangent of the input,
 * and adds the derivatives with respect to the parameters to gradient, unless that is NULL.  On one rank these are sums over all sites;
 * where the lattice is split over ranks each of the same sums is done by one of them, and zero is added on the others. */
void flow_net_backward(flow_net_layout *layout, double *gradient);

#endif
