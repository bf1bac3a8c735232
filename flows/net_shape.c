/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net_shape.c: what follows from the hyper-parameters of a network alone: its convolutions, its parameters, its halo.
 */
#include "flows/net_layout.h"

#include <math.h>

static int taps_of(const flow_net *net)
{
    int taps = 1;
    for (int mu = 0; mu < net->dim; mu++) taps *= net->kernel;
    return taps;
}

flow_stencil flow_net_stencil(const flow_net *net, int c)
{
    return (flow_stencil){.taps = taps_of(net), .inputs = net->channel[c], .outputs = net->channel[c + 1]};
}

int64_t flow_net_parameters(const flow_net *net)
{
    int64_t sum = 0;
    for (int c = 0; c < net->convs; c++) {
        flow_stencil s = flow_net_stencil(net, c);
        sum += flow_conv_parameters(&s);
    }
    return sum;
}

int flow_net_halo(const flow_net *net)
{
    int widest = 0;
    for (int c = 0; c < net->convs; c++)
        if (net->kernel / 2 * net->dilation[c] > widest) widest = net->kernel / 2 * net->dilation[c];
    return widest;
}

void flow_net_initialise(const flow_net *net, const lat_random *random, double last, double *parameters)
{
    for (int c = 0, at = 0; c < net->convs; c++) {
        flow_stencil s = flow_net_stencil(net, c);
        int64_t count = flow_conv_parameters(&s);
        bool final = c == net->convs - 1;
        double size = (final ? last : 1) / sqrt((double)s.taps * s.inputs);
        for (int64_t i = 0; i < count; i++, at++) {
            double u[4];
            lat_uniform4(random, (uint64_t)at, 0, 0, 0, u);
            parameters[at] = final && i >= count - s.outputs ? 0 : size * (2 * u[0] - 1);
        }
    }
}
