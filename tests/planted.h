/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * planted.h: layers of flows with a fault, for tests of what finds it.
 */
#ifndef TEST_PLANTED_H
#define TEST_PLANTED_H

#include "flows/flows.h"
#include "flows/map.h"
#include "flows/stack.h"
#include "hmc/hmc.h"

#include <math.h>

typedef enum {
    NONE,
    LOG_DET,         /* log det scaled by 1.001, everywhere and alike in all functions */
    LOG_DET_OF_SITE, /* by 1.05, at one site */
    INVERSE,         /* of one link off by 0.001 */
    COVARIANCE,      /* an active link moves by 0.001 times the sine of another that is no active one */
    LEAK,            /* another link moves by 0.001 */
    FAULTS
} fault;
static const char *const fault_names[FAULTS] = {"no fault",
                                                "log det * 1.001",
                                                "log det of a site * 1.05",
                                                "inverse of a link + 0.001",
                                                "covariance of a link",
                                                "a link moves that should not"};

/* A layer with a fault has this table in place of its own. */
static struct {
    fault fault;
    bool float_alone; /* only where the map is in float */
    const flow_layer_table *table;
    int64_t site; /* of the whole lattice */
} planted;

static double get(const lat_field *f, const void *numbers, int64_t site, int component, int lane)
{
    return lat_real_at(f, numbers, (site * f->components + component) * f->geometry->lanes + lane);
}

static void set(const lat_field *f, void *numbers, int64_t site, int component, int lane, double value)
{
    int64_t i = (site * f->components + component) * f->geometry->lanes + lane;
    if (f->precision == LAT_FLOAT)
        ((float *)numbers)[i] = (float)value;
    else
        ((double *)numbers)[i] = value;
}

static bool is_planted(const flow_step *step, fault what)
{
    return planted.fault == what && (!planted.float_alone || step->map->precision == LAT_FLOAT);
}

/* Of the links that the layer changes; those of a layer of layers lie in all directions. */
static int active_direction(const flow_step *step)
{
    const lat_geometry *g = step->map->geometry;
    for (int64_t site = 0; site < g->sites && planted.table->active; site++)
        for (int mu = 0; mu < g->dim; mu++)
            if (planted.table->active(step, site, mu)) return mu;
    return 0;
}

/* Does the layer change a link of the site?  One of layers changes all. */
static bool is_active(const flow_step *step, int64_t site)
{
    if (!planted.table->active) return true;
    for (int mu = 0; mu < step->map->geometry->dim; mu++)
        if (planted.table->active(step, site, mu)) return true;
    return false;
}

/* The link along mu at the site moves by `more`, or, if there is a nu, by more times the sine of the link along that.
 */
static void disturb(const flow_step *step, lat_field *u, int mu, int nu, double more)
{
    const lat_geometry *g = u->geometry;
    void *numbers = lat_field_map(u, LAT_CHANGE);
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < g->blocks * g->members; lane++) {
            if (lat_global_site(g, site, lane) != planted.site || !is_active(step, site)) continue;
            double distance = more * (nu < 0 ? 1 : sin(get(u, numbers, site, nu, lane)));
            set(u, numbers, site, mu, lane, remainder(get(u, numbers, site, mu, lane) + distance, 2 * M_PI));
        }
    lat_field_unmap(u, numbers, LAT_CHANGE);
}

static void spoil_density(const flow_step *step, lat_field *share)
{
    const lat_geometry *g = share->geometry;
    double *numbers = lat_field_map(share, LAT_CHANGE);
    for (int64_t i = 0; i < g->sites * g->lanes; i++) {
        if (is_planted(step, LOG_DET)) numbers[i] *= 1.001;
        if (is_planted(step, LOG_DET_OF_SITE) && lat_global_site(g, i / g->lanes, (int)(i % g->lanes)) == planted.site)
            numbers[i] *= 1.05;
    }
    lat_field_unmap(share, numbers, LAT_CHANGE);
}

static void apply(flow_step *step, const double *parameters, lat_field *u, lat_field *density, bool back)
{
    const int mu = active_direction(step), other = 1 - mu;
    const double distance = back ? -0.001 : 0.001;
    lat_field *share = lat_field_create(u->geometry, 1, LAT_DOUBLE);
    for (int after = 0; after < 2; after++) {
        if (after) (back ? planted.table->inverse : planted.table->forward)(step, parameters, u, share);
        if (after == back) continue;
        if (is_planted(step, COVARIANCE)) disturb(step, u, mu, other, distance);
        if (is_planted(step, LEAK)) disturb(step, u, other, -1, distance);
    }
    if (back && is_planted(step, INVERSE)) disturb(step, u, mu, -1, distance);
    spoil_density(step, share);
    lat_field_axpy(density, 1, share);
    lat_field_free(share);
}

static void planted_forward(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply(step, parameters, u, density, false);
}
static void planted_inverse(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    apply(step, parameters, u, density, true);
}

static flow_layer_table faulty;

static flow_layer *planted_create(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    flow_layer *layer = planted.table->create(settings, context, index, error);
    if (layer) layer->table = &faulty;
    return layer;
}

/* Fills in the faulty table, in place of one that is kept. */
static void plant_table(const flow_layer_table *table, fault what, bool float_alone, int64_t site)
{
    planted.fault = what;
    planted.float_alone = float_alone;
    planted.table = table;
    planted.site = site;
    faulty = *table;
    faulty.create = planted_create;
    faulty.forward = planted_forward;
    faulty.inverse = planted_inverse;
}

/* Far from the identity, with networks that see neighbours. */
__attribute__((unused)) static flow_model *make_model(void)
{
    static const char flow[] =
        "layers = ( { kind = \"plaquette_coupling\"; repeat = 4; knots = 4; hidden = [4]; activation = \"tanh\"; },"
        " { kind = \"multiscale\"; levels = 4; split = { hidden = [4]; knots = 4; kernel = 3; }; layers = ("
        " { kind = \"plaquette_coupling\"; transform = \"tangents\"; knots = 2; } ); } );";
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    lat_random random = {.seed = 2, .purpose = LAT_RANDOM_TEST};
    if (lat_settings_parse(flow, "test", &settings, &error) ||
        flow_model_create(settings, flow_layer_kinds, LAT_U1, 2, 3, &model, &error))
        lat_abort(error.status, "%s", error.text);
    for (int64_t i = 0; i < model->stack.parameter_count; i++) {
        double u[4];
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        model->parameters[i] += 0.3 * (u[0] - 0.5);
    }
    lat_settings_free(settings);
    return model;
}

#endif
