/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * improved.c: plaquettes and rectangles, S = beta sum [c0 (1 - Re tr P / N) + c1 (1 - Re tr R / N)] with c0 = 1 - 8 c1, over
 * all plaquettes P and all rectangles R of 2 x 1 links, both ways round.  c1 = -1/12: M. Luescher and P. Weisz, Commun.
 * Math. Phys. 97 (1985) 59, at tree level; -0.331: Y. Iwasaki, Nucl. Phys. B 258 (1985) 141; -1.4088: DBW2, T. Takaishi,
 * Phys. Rev. D 54 (1996) 1050.
 */
#include "lattice/gauge/action/plaquette.h"

#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
    lat_action base;
    double beta, c1;
} improved;

static double c0(const improved *s) { return 1 - 8 * s->c1; }

/* Rectangles read more of the halo than the plaquettes ask for. */
static void add_rectangles(const improved *s, lat_gauge *gauge, const lat_range *range, lat_field *density)
{
    lat_field *links = gauge->links;
    double weight = s->beta * s->c1;
    rectangle_sum_args args = {lat_tables_of(links->geometry), links->data, lat_gauge_couplings(gauge), density->data, weight, -weight};
    lat_halo_exchange(links);
    lat_kernels_of(links, s->base.group)->rectangle_sum(&args, range);
}

static void value(lat_action *action, lat_gauge *gauge, lat_field *density)
{
    const improved *s = (const improved *)action;
    lat_range range = lat_block(gauge->links->geometry);
    lat_plaquette_value(s->beta * c0(s), gauge, density);
    add_rectangles(s, gauge, &range, density);
}

static void coupled(lat_action *action, lat_gauge *gauge, const lat_sites *sites, lat_field *density)
{
    const improved *s = (const improved *)action;
    lat_range range = lat_range_of(gauge->links->geometry, sites);
    lat_plaquette_value_at(s->beta * c0(s), gauge, sites, density);
    add_rectangles(s, gauge, &range, density);
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)level;
    const improved *s = (const improved *)action;
    lat_field *links = gauge->links;
    double weight = -scale * s->beta * s->c1 / lat_colours(action->group);
    rectangle_force_args args = {lat_tables_of(links->geometry), links->data, lat_gauge_couplings(gauge), force->data, weight};
    lat_range range = lat_block(links->geometry);
    lat_plaquette_force(s->beta * c0(s), gauge, scale, force);
    lat_halo_exchange(links);
    lat_kernels_of(links, action->group)->rectangle_force(&args, &range);
}

static void release(lat_action *action) { free(action); }

static const lat_action_table table = {.name = "improved", .value = value, .force = force, .free = release, .coupled = coupled};

lat_action *lat_action_improved(lat_group group, double beta, double c1)
{
    improved *s = lat_alloc(1, sizeof *s);
    *s = (improved){{.table = &table, .group = group, .halo = 2, .levels = 1}, beta, c1};
    return &s->base;
}

static lat_action *read_beta(lat_settings *term, const lat_action_context *context, double c1, lat_error *error)
{
    return lat_action_improved(context->group, lat_settings_real(term, "beta", NAN, 0, 1e6, error), c1);
}

static lat_action *read_improved(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    return read_beta(term, context, lat_settings_real(term, "c1", NAN, -10, 10, error), error);
}

static lat_action *read_luescher_weisz(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    return read_beta(term, context, -1.0 / 12, error);
}

static lat_action *read_iwasaki(lat_settings *term, const lat_action_context *context, lat_error *error) { return read_beta(term, context, -0.331, error); }

static lat_action *read_dbw2(lat_settings *term, const lat_action_context *context, lat_error *error) { return read_beta(term, context, -1.4088, error); }

const lat_action_kind lat_action_kind_improved = {"improved", read_improved}, lat_action_kind_luescher_weisz = {"luescher_weisz", read_luescher_weisz},
                      lat_action_kind_iwasaki = {"iwasaki", read_iwasaki}, lat_action_kind_dbw2 = {"dbw2", read_dbw2};
