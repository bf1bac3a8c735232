/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * net.c: convolutional networks on stripes; see net.h.
 */
#include "lattice/grid/kernels.h"
#include "flows/net_layout.h"

#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- layout */

static int tap_offset(const flow_net_layout *layout, const flow_box *box, int tap)
{
    return box->offset[tap * layout->net->dim + layout->stripes.direction];
}

static int phase_at(const flow_net_layout *layout, int phase, int offset)
{
    int period = layout->stripes.period;
    return ((phase + offset) % period + period) % period;
}

/* Which phases each convolution must produce: from the last one back, all that the next one reads. */
static void find_wanted(flow_net_layout *layout)
{
    int period = layout->stripes.period;
    for (int c = layout->net->convs - 1; c >= 0; c--) {
        flow_conv *now = &layout->conv[c];
        const flow_box *box = flow_box_of(layout->map, layout->net->kernel, layout->net->dilation[c]);
        if (c == layout->net->convs - 1) memcpy(now->out, layout->stripes.wanted, sizeof now->out);
        for (int phase = 0; phase < period; phase++)
            for (int tap = 0; tap < box->taps && now->out[phase]; tap++) now->in[phase_at(layout, phase, tap_offset(layout, box, tap))] = true;
        if (c == 0)
            for (int phase = 0; phase < period; phase++) now->in[phase] = now->in[phase] && layout->stripes.open[phase];
        else
            memcpy(layout->conv[c - 1].out, now->in, sizeof now->in);
    }
}

static void list_taps(flow_net_layout *layout, int c)
{
    flow_conv *now = &layout->conv[c];
    const flow_box *box = flow_box_of(layout->map, layout->net->kernel, layout->net->dilation[c]);
    now->ahead = now->behind = flow_net_stencil(layout->net, c);
    flow_net_share_biases(layout, now);
    for (int phase = 0; phase < layout->stripes.period; phase++) {
        flow_phase_taps *p = &now->phase[phase];
        p->keep = lat_alloc(box->taps, sizeof *p->keep);
        p->keep_behind = lat_alloc(box->taps, sizeof *p->keep_behind);
        for (int tap = 0; tap < box->taps; tap++) {
            int offset = tap_offset(layout, box, tap);
            if (now->out[phase] && now->in[phase_at(layout, phase, offset)]) p->keep[p->kept++] = tap;
            if (now->in[phase] && now->out[phase_at(layout, phase, -offset)]) p->keep_behind[p->kept_behind++] = tap;
        }
        flow_net_share_weights(layout, now, p);
        p->keep = lat_hand_over(layout->map->geometry, p->keep, box->taps * (int64_t)sizeof *p->keep);
        p->keep_behind = lat_hand_over(layout->map->geometry, p->keep_behind, box->taps * (int64_t)sizeof *p->keep_behind);
    }
    now->ahead.neighbour = box->ahead;
    now->behind.neighbour = box->behind;
}

/* Stage 0 is the input, stage c + 1 the output of convolution c.  Only silu needs a slope of its own. */
static bool has_slope(const flow_net *net, int stage)
{
    return net->activation == FLOW_SILU && stage > 0 && stage < net->convs;
}

bool flow_net_keep(flow_net_layout *layout)
{
    flow_map *map = layout->map;
    const flow_net *net = layout->net;
    int64_t bytes = 0;
    for (int stage = 0; stage <= net->convs; stage++)
        bytes += map->geometry->volume * map->geometry->members * net->channel[stage] * (int64_t)flow_real_size(map) * (1 + has_slope(net, stage));
    if (bytes > map->memory) return false;
    map->memory -= bytes;
    for (int stage = 0; stage <= net->convs; stage++) {
        layout->kept[0][stage] = lat_field_create(map->geometry, net->channel[stage], map->precision);
        if (has_slope(net, stage)) layout->kept[1][stage] = lat_field_create(map->geometry, net->channel[stage], map->precision);
    }
    return true;
}

void flow_net_use_kept(flow_net_layout *layout, bool kept)
{
    for (int c = 0; c < layout->net->convs; c++) {
        flow_conv *now = &layout->conv[c];
        now->input = kept ? layout->kept[0][c] : layout->scratch[0][c];
        now->output = kept ? layout->kept[0][c + 1] : layout->scratch[0][c + 1];
        now->slope = kept ? layout->kept[1][c + 1] : layout->scratch[1][c + 1];
    }
}

flow_net_layout *flow_net_lay_out(const flow_net *net, flow_map *map, const flow_stripes *stripes, int slot)
{
    flow_net_layout *layout = lat_alloc(1, sizeof *layout);
    *layout = (flow_net_layout){.net = net, .map = map, .stripes = *stripes};
    const lat_sites *phases = flow_sites_of(map, flow_stripes_along(stripes->direction, stripes->period));
    for (int phase = 0; phase < stripes->period; phase++) layout->sites[phase] = &phases[(phase + stripes->shift) % stripes->period];
    find_wanted(layout);
    int64_t first = 0;
    for (int c = 0; c < net->convs; c++) {
        flow_conv *now = &layout->conv[c];
        list_taps(layout, c);
        now->first = first;
        first += flow_conv_parameters(&now->ahead);
        now->packed = map->geometry->backend->allocate(flow_conv_packed(&now->ahead) * (int64_t)flow_real_size(map));
        now->input_cotangent = flow_scratch(map, slot + 4 * c + 1, net->channel[c], map->precision);
        now->output_cotangent = flow_scratch(map, slot + 4 * (c + 1) + 1, net->channel[c + 1], map->precision);
    }
    for (int stage = 0; stage <= net->convs; stage++) {
        layout->scratch[0][stage] = flow_scratch(map, slot + 4 * stage, net->channel[stage], map->precision);
        if (has_slope(net, stage)) layout->scratch[1][stage] = flow_scratch(map, slot + 4 * stage + 2, net->channel[stage], map->precision);
    }
    flow_net_use_kept(layout, false);
    layout->parameters = first;
    return layout;
}

void flow_net_layout_free(flow_net_layout *layout)
{
    if (!layout) return;
    const lat_backend *backend = layout->map->geometry->backend;
    for (int c = 0; c < layout->net->convs; c++) {
        for (int phase = 0; phase < layout->stripes.period; phase++) {
            backend->release(layout->conv[c].phase[phase].keep);
            backend->release(layout->conv[c].phase[phase].keep_behind);
            lat_sites_free(layout->map->geometry, &layout->conv[c].phase[phase].tiles);
        }
        lat_sites_free(layout->map->geometry, &layout->conv[c].biases);
        backend->release(layout->conv[c].packed);
    }
    for (int stage = 0; stage <= layout->net->convs; stage++) {
        lat_field_free(layout->kept[0][stage]);
        lat_field_free(layout->kept[1][stage]);
    }
    backend->release(layout->gradient);
    free(layout);
}

lat_field *flow_net_input(flow_net_layout *layout) { return layout->conv[0].input; }
lat_field *flow_net_input_cotangent(flow_net_layout *layout) { return layout->conv[0].input_cotangent; }
lat_field *flow_net_output(flow_net_layout *layout) { return layout->conv[layout->net->convs - 1].output; }
lat_field *flow_net_output_cotangent(flow_net_layout *layout) { return layout->conv[layout->net->convs - 1].output_cotangent; }

/* ------------------------------------------------------------------------------------------------------ application */

static void pack(flow_net_layout *layout, const double *parameters)
{
    /* A sequence that is recorded has to pack them, whatever they are when it is replayed. */
    if (layout->map->geometry->backend->on_host && layout->packed_version == layout->map->model->version + 1) return;
    for (int c = 0; c < layout->net->convs; c++) {
        flow_conv *now = &layout->conv[c];
        conv_pack_args args = {now->ahead.taps, now->ahead.inputs, now->ahead.outputs, parameters + now->first, now->packed};
        lat_range range = {.count = flow_conv_parameters(&now->ahead), .lanes = 1};
        flow_kernels_of(layout->map)->conv_pack(&args, &range);
    }
    layout->packed_version = layout->map->model->version + 1;
}

static flow_activation activation_of(const flow_net *net, int c) { return c < net->convs - 1 ? net->activation : FLOW_NONE; }

static lat_tables tables_of(const flow_net_layout *layout)
{
    return (lat_tables){.lanes = layout->map->geometry->lanes, .dim = layout->map->geometry->dim};
}

void flow_net_forward(flow_net_layout *layout, const double *parameters)
{
    const flow_kernels *kernels = flow_kernels_of(layout->map);
    pack(layout, parameters);
    for (int c = 0; c < layout->net->convs; c++) {
        flow_conv *now = &layout->conv[c];
        if (layout->net->kernel > 1) lat_halo_exchange(now->input);
        conv_forward_args args = {tables_of(layout), now->ahead, now->packed, now->input->data, now->output->data,
                                  now->slope ? now->slope->data : NULL, activation_of(layout->net, c)};
        for (int phase = 0; phase < layout->stripes.period; phase++) {
            if (!now->out[phase]) continue;
            lat_range range = flow_range(layout->map, layout->sites[phase]);
            args.s.kept = now->phase[phase].kept;
            args.s.keep = now->phase[phase].keep;
            kernels->conv_forward(&args, &range);
        }
    }
}

int64_t flow_net_portion(const flow_net_layout *layout)
{
    const int64_t bytes = 1 << 17;
    int64_t per_site = 0;
    if (layout->net->kernel > 1 || !layout->map->geometry->backend->on_host) return 0;
    for (int stage = 0; stage <= layout->net->convs; stage++)
        per_site += layout->net->channel[stage] * layout->map->geometry->lanes * (int64_t)flow_real_size(layout->map);
    return 2 * (1 + bytes / (2 * per_site + 1));
}

/* A field of which only the part that begins with the first of these sites is in use, and lies where the field does. */
static void *portion_of(const flow_net_layout *layout, const lat_field *field, const lat_sites *sites)
{
    bool kept = layout->conv[0].input == layout->kept[0][0];
    int64_t reals = kept ? 0 : sites->site[0] * field->components * layout->map->geometry->lanes;
    return (void *)((uintptr_t)field->data - (size_t)reals * flow_real_size(layout->map));
}

void *flow_net_portion_input(const flow_net_layout *layout, const lat_sites *sites) { return portion_of(layout, layout->conv[0].input, sites); }

void *flow_net_portion_output(const flow_net_layout *layout, const lat_sites *sites)
{
    return portion_of(layout, layout->conv[layout->net->convs - 1].output, sites);
}

void flow_net_forward_portion(flow_net_layout *layout, const double *parameters, const lat_sites *sites)
{
    lat_range range = flow_range(layout->map, sites);
    pack(layout, parameters);
    for (int c = 0; c < layout->net->convs; c++) {
        flow_conv *now = &layout->conv[c];
        conv_forward_args args = {tables_of(layout), now->ahead, now->packed, portion_of(layout, now->input, sites),
                                  portion_of(layout, now->output, sites), now->slope ? portion_of(layout, now->slope, sites) : NULL,
                                  activation_of(layout->net, c)};
        args.s.kept = 1;
        flow_kernels_of(layout->map)->conv_forward(&args, &range);
    }
}

static void backward_input(flow_net_layout *layout, int c)
{
    flow_conv *now = &layout->conv[c];
    const flow_conv *before = c > 0 ? &layout->conv[c - 1] : NULL;
    flow_activation activation = before ? activation_of(layout->net, c - 1) : FLOW_NONE;
    const lat_field *previous = activation == FLOW_SILU ? before->slope : now->input;
    if (layout->net->kernel > 1) lat_halo_exchange(now->output_cotangent);
    conv_backward_input_args args = {tables_of(layout), now->behind, now->packed, now->output_cotangent->data, previous->data,
                                     now->input_cotangent->data, activation};
    for (int phase = 0; phase < layout->stripes.period; phase++) {
        if (!now->in[phase]) continue;
        lat_range range = flow_range(layout->map, layout->sites[phase]);
        args.s.kept = now->phase[phase].kept_behind;
        args.s.keep = now->phase[phase].keep_behind;
        flow_kernels_of(layout->map)->conv_backward_input(&args, &range);
    }
}

void flow_net_backward(flow_net_layout *layout, double *gradient)
{
    if (gradient) flow_net_gradient_begin(layout);
    for (int c = layout->net->convs - 1; c >= 0; c--) {
        if (gradient) flow_net_gradient_add(layout, c);
        backward_input(layout, c);
    }
    if (gradient) flow_net_gradient_end(layout, gradient);
}
