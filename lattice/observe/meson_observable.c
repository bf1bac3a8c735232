/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meson_observable.c: correlators of mesons and the condensate while a chain runs.  The members that are measured are copied to a lattice of
 * their own, so that quarks can be measured of chains without any.
 */
#include "lattice/observe/apart.h"
#include "lattice/observe/meson_columns.h"
#include "lattice/observe/observable.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    lat_observable base;
    lat_meson_columns asked;
    lat_apart apart;
    lat_dirac *dirac; /* of the lattice apart */
} mesons;

static lat_status measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out,
                          lat_error *error)
{
    mesons *m = (mesons *)observable;
    lat_random own = *random;
    if (observable->member > 0) own.member += (uint64_t)observable->member;
    lat_apart_take(&m->apart, gauge);
    if (lat_dirac_prepare(m->dirac, m->apart.gauge, error)) return error->status;
    return lat_meson_columns_measure(&m->asked, m->dirac, &own, out, error);
}

static void needs(const lat_observable *observable, lat_needs *needs)
{
    const mesons *m = (const mesons *)observable;
    lat_meson_columns_needs(&m->asked, m->apart.geometry, needs);
}

static void release(lat_observable *observable) { lat_apart_free(&((mesons *)observable)->apart); }

/* A correlator in units of the lattice spacing, as that of two quark fields with a propagator a^(1 - dim) each. */
static void name_columns(mesons *m, int64_t slices, int dim)
{
    for (int c = 0; c < m->base.columns; c++) {
        char *name = lat_meson_columns_name(&m->asked, slices, c);
        lat_observable_name(&m->base, c, dim == 4 ? "a^-3" : "a^-1", "%s", name);
        free(name);
    }
}

static lat_status lay_out(mesons *m, const lat_observe_context *context, lat_error *error)
{
    lat_shape shape = {0};
    lat_operator_shape(&m->asked.operator, & shape);
    if (lat_operator_fit(&m->asked.operator, context->gauge, error)) return error->status;
    if (lat_apart_create(context->gauge, m->base.member, &shape, &m->apart, error)) return error->status;
    m->dirac = lat_operator_on(&m->asked.operator, m->apart.geometry, error);
    return error->status;
}

static lat_observable *create(const char *name, const lat_observe_context *context, lat_error *error)
{
    if (strcmp(name, "mesons") != 0) return NULL;
    if (!context->measure) {
        lat_fail(error, LAT_CONFIG,
                 "measure.observables: mesons is for runs: of stored configurations the group mesons measures them");
        return NULL;
    }
    const lat_geometry *g = context->lattice;
    const lat_action_context quarks = {.group = context->gauge->group, .operators = context->operators};
    lat_settings *group = lat_settings_group(context->measure, name, error);
    lat_meson_columns asked = {0};
    lat_error why = {0};
    if (lat_meson_columns_read(group, &quarks, &asked, NULL, error)) return NULL;
    const int64_t slices = g->size[g->dim - 1];
    mesons *m = (mesons *)lat_observable_blank(&lat_observable_mesons, sizeof *m, name,
                                               (int)lat_meson_columns_count(&asked, slices));
    m->asked = asked;
    name_columns(m, slices, g->dim);
    lat_observable_read_when(&m->base, group, context->gauge->links->geometry->members, error);
    if (!error->status && lat_meson_columns_check(&asked, g, &why) == LAT_DONE) lay_out(m, context, &why);
    if (why.status) lat_fail(error, why.status, "measure.mesons: %s", why.text);
    if (!error->status) return &m->base;
    lat_observable_free(&m->base);
    return NULL;
}

const lat_observable_kind lat_observable_mesons = {"mesons", create, measure, release, needs};
