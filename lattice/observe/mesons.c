/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mesons.c: mesons, column by column of the propagator: G' gamma5 has one entry in each row, which pairs a column of S with one of S^+,
 *
 *     C = sum_{gamma c} (G' gamma5)_{gamma delta} S_{delta c}^+ (gamma5 G) S_{gamma c}
 */
#include "lattice/observe/mesons.h"

#include "lattice/dirac/spinor.h"
#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_COLUMNS = 12 };

struct lat_propagator {
    lat_dirac *dirac;
    lat_solver *solver;
    int spins, colours; /* columns: spin colours + colour; a wall counts as one colour */
    double sites;       /* that the source is spread over */
    lat_field *source, *noise, *column[MOST_COLUMNS];
    int64_t *slice; /* of the source of each member */
};

/* ---------------------------------------------------------------------------------------------------------- channels */

/* The structure at the beginning of a name, which moves on. */
static bool read_structure(const char **name, int dim, lat_gamma *out)
{
    const char kind = *(*name)++;
    *out = lat_gamma_one(dim);
    if (kind == 'S') return true;
    if (kind == 'V' || kind == 'A') {
        const int k = *(*name)++ - '0';
        if (k < 1 || (k >= dim && k != 4)) return false;
        *out = lat_gamma_mu(dim, k == 4 ? dim - 1 : k - 1);
    }
    if (kind == 'P' || kind == 'A') *out = lat_gamma_times(*out, lat_gamma_five(dim));
    return kind == 'P' || kind == 'A' || kind == 'V';
}

bool lat_meson_read(const char *name, int dim, lat_meson *meson)
{
    return read_structure(&name, dim, &meson->sink) && read_structure(&name, dim, &meson->source) && !*name;
}

/* ----------------------------------------------------------------------------------------------------------- sources */

void lat_random_sites(const lat_geometry *g, const lat_random *random, int64_t *site)
{
    for (int m = 0; m < g->members; m++) {
        double uniform[4];
        lat_uniform4(random, 0, 0, (uint64_t)m, 0, uniform);
        site[m] = 0;
        for (int mu = g->dim - 1; mu >= 0; mu--)
            site[m] = site[m] * g->size[mu] + (int64_t)(uniform[mu] * (double)g->size[mu]);
    }
}

/* (+-1 +- i) / sqrt 2 */
static void draw_noise(lat_field *source, const lat_random *random)
{
    const double root_half = 0.70710678118654752440;
    const int64_t count = source->geometry->all_sites * source->components * source->geometry->lanes;
    lat_field_gaussian(source, random);
    double *value = lat_field_map(source, LAT_CHANGE);
    for (int64_t i = 0; i < count; i++) value[i] = copysign(root_half, value[i]);
    lat_field_unmap(source, value, LAT_CHANGE);
}

/* ------------------------------------------------------------------------------------------------------- propagators */

lat_propagator *lat_propagator_create(lat_dirac *dirac)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    const lat_group group = lat_dirac_group(dirac);
    lat_propagator *p = lat_alloc(1, sizeof *p);
    *p = (lat_propagator){.dirac = dirac, .solver = lat_solver_create(dirac), .spins = lat_spins(g->dim)};
    p->source = lat_field_spinor(g, group, LAT_DOUBLE);
    p->noise = lat_field_spinor(g, group, LAT_DOUBLE);
    p->slice = lat_alloc(g->members, sizeof *p->slice);
    return p;
}

void lat_propagator_needs(const lat_geometry *g, lat_group group, lat_needs *needs)
{
    const int fields = 2 + lat_spinor_reals(group, g->dim) / 2;
    needs->kept += fields * lat_spinor_memory(g, group, LAT_DOUBLE);
    lat_solve_quark_needs(g, group, needs);
}

void lat_propagator_free(lat_propagator *p)
{
    if (!p) return;
    lat_solver_free(p->solver);
    lat_field_free(p->source);
    lat_field_free(p->noise);
    for (int c = 0; c < MOST_COLUMNS; c++) lat_field_free(p->column[c]);
    free(p->slice);
    free(p);
}

static int64_t slice_sites(const lat_geometry *g) { return g->volume / g->size[g->dim - 1]; }

/* 1 in a column of the site of each member, 0 elsewhere */
static void place_point(lat_field *source, const int64_t *site, int column)
{
    const lat_geometry *g = source->geometry;
    lat_field_zero(source);
    double *value = lat_field_map(source, LAT_CHANGE);
    for (int64_t i = 0; i < g->sites; i++)
        for (int lane = 0; lane < g->blocks * g->members; lane++)
            if (lat_global_site(g, i, lane) == site[g->lane_member[lane]])
                value[(i * source->components + 2 * column) * g->lanes + lane] = 1;
    lat_field_unmap(source, value, LAT_CHANGE);
}

/* The noise of the first spin, as that of another, in the slice of each member, 0 elsewhere */
static void place_wall(const lat_propagator *p, int spin)
{
    const lat_geometry *g = p->source->geometry;
    const int reals = p->source->components / p->spins;
    lat_field_zero(p->source);
    double *value = lat_field_map(p->source, LAT_CHANGE);
    double *noise = lat_field_map(p->noise, LAT_READ);
    for (int64_t i = 0; i < g->sites; i++)
        for (int lane = 0; lane < g->blocks * g->members; lane++) {
            const bool inside = lat_global_site(g, i, lane) / slice_sites(g) == p->slice[g->lane_member[lane]];
            const int64_t site = i * p->source->components;
            for (int c = 0; inside && c < reals; c++)
                value[(site + spin * reals + c) * g->lanes + lane] = noise[(site + c) * g->lanes + lane];
        }
    lat_field_unmap(p->noise, noise, LAT_READ);
    lat_field_unmap(p->source, value, LAT_CHANGE);
}

lat_status lat_propagator_solve(lat_propagator *p, const int64_t *site, const lat_random *noise,
                                const lat_solver_goal *goal, lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(p->dirac);
    p->colours = noise ? 1 : p->source->components / 2 / p->spins;
    p->sites = noise ? (double)slice_sites(g) : 1;
    for (int m = 0; m < g->members; m++) p->slice[m] = site[m] / slice_sites(g);
    if (noise) draw_noise(p->noise, noise);
    for (int c = 0; c < p->spins * p->colours && !error->status; c++) {
        if (!p->column[c]) p->column[c] = lat_field_spinor(g, lat_dirac_group(p->dirac), LAT_DOUBLE);
        if (noise)
            place_wall(p, c);
        else
            place_point(p->source, site, c);
        lat_solve_quark(p->solver, p->source, p->column[c], goal, NULL, error);
    }
    return error->status;
}

/* density += Re i^power x^+ W y */
static void add_form(const lat_field *x, lat_gamma w, int power, const lat_field *y, lat_field *density)
{
    static const double re[] = {1, 0, -1, 0}, im[] = {0, 1, 0, -1};
    spinor_form_args args = {
        lat_tables_of(x->geometry), x->data, y->data, density->data, x->components, w.spins, {0}, {0}, {0}};
    for (int s = 0; s < w.spins; s++) {
        args.column[s] = w.column[s];
        args.re[s] = re[(w.power[s] + power) % 4];
        args.im[s] = im[(w.power[s] + power) % 4];
    }
    lat_range range = lat_block(x->geometry);
    lat_field_kernels_of(x)->spinor_form(&args, &range);
}

void lat_propagator_correlate(const lat_propagator *p, const lat_meson *meson, double *out)
{
    const lat_geometry *g = p->source->geometry;
    const lat_gamma five = lat_gamma_five(g->dim), sink = lat_gamma_times(five, meson->sink),
                    source = lat_gamma_times(meson->source, five);
    const int64_t slices = g->size[g->dim - 1];
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    double *sums = lat_alloc(g->members * slices, sizeof *sums);
    for (int c = 0; c < p->spins * p->colours; c++) {
        const int spin = c / p->colours, partner = source.column[spin] * p->colours + c % p->colours;
        add_form(p->column[partner], sink, source.power[spin], p->column[c], density);
    }
    lat_sum_slices(density, sums);
    for (int m = 0; m < g->members; m++)
        for (int64_t t = 0; t < slices; t++) out[m * slices + t] = sums[m * slices + (p->slice[m] + t) % slices] / p->sites;
    free(sums);
    lat_field_free(density);
}

/* -------------------------------------------------------------------------------------------------------- condensate */

lat_status lat_condensate(lat_dirac *dirac, int sources, const lat_random *random, const lat_solver_goal *goal,
                          double *out, lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    lat_solver *solver = lat_solver_create(dirac);
    lat_field *source = lat_field_spinor(g, lat_dirac_group(dirac), LAT_DOUBLE),
              *x = lat_field_spinor(g, lat_dirac_group(dirac), LAT_DOUBLE);
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    double *sum = lat_alloc(g->members, sizeof *sum);
    for (int m = 0; m < g->members; m++) out[m] = 0;
    for (int i = 0; i < sources && !error->status; i++) {
        lat_random own = *random;
        own.update += (uint32_t)i;
        draw_noise(source, &own);
        if (lat_solve_quark(solver, source, x, goal, NULL, error)) break;
        lat_spinor_dot(LAT_ALL_SITES, source, x, density, sum);
        for (int m = 0; m < g->members; m++) out[m] += sum[m] / ((double)sources * (double)g->volume);
    }
    lat_solver_free(solver);
    lat_field_free(source);
    lat_field_free(x);
    lat_field_free(density);
    free(sum);
    return error->status;
}
