/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dirac.c: Dirac operators, from their parameters to what they keep of the links.
 */
#include "lattice/dirac/operator.h"

#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const lat_dirac_table *const lat_dirac_tables[] = {&lat_dirac_wilson, &lat_dirac_clover, &lat_dirac_exponential_clover,
                                                   NULL};

int lat_spins(int dim) { return dim == 2 ? 2 : dim == 4 ? 4 : 0; }
int lat_spinor_reals(lat_group group, int dim) { return 2 * lat_spins(dim) * lat_colours(group); }

lat_field *lat_field_spinor(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    return lat_field_create(geometry, lat_spinor_reals(group, geometry->dim), precision);
}

int lat_dirac_corners(const lat_dirac_table *table, const lat_dirac_parameters *parameters)
{
    return parameters->stout.steps > 0 && table->corners < 2 ? 2 : table->corners;
}

double lat_spinor_memory(const lat_geometry *geometry, lat_group group, lat_precision precision)
{
    return lat_field_memory(geometry, lat_spinor_reals(group, geometry->dim), precision);
}

const char *lat_dirac_text(const lat_dirac *dirac, char text[LAT_DIRAC_TEXT])
{
    const lat_dirac_parameters *p = &dirac->parameters;
    snprintf(text, LAT_DIRAC_TEXT, "%s, kappa %g, csw %g, mu %g", dirac->table->name, p->kappa, p->csw, p->mu);
    return text;
}

const lat_dirac_parameters *lat_dirac_parameters_of(const lat_dirac *dirac) { return &dirac->parameters; }
lat_group lat_dirac_group(const lat_dirac *dirac) { return dirac->group; }
const lat_geometry *lat_dirac_geometry(const lat_dirac *dirac) { return dirac->geometry; }
const lat_field *lat_dirac_links(const lat_dirac *dirac) { return dirac->of[LAT_DOUBLE].links; }

/* ---------------------------------------------------------------------------------------------------------- life */

static lat_status check(const lat_geometry *g, lat_error *error)
{
    if (!lat_spins(g->dim))
        return lat_fail(error, LAT_CONFIG, "quarks live in two and in four dimensions, not in %d", g->dim);
    for (int mu = 0; mu < g->dim; mu++)
        if (g->size[mu] % 2)
            return lat_fail(error, LAT_CONFIG, "quarks need even extents, and direction %d has %lld sites", mu,
                            (long long)g->size[mu]);
    return LAT_DONE;
}

/* Reals a site of the matrices of links and of the blocks of A */
static int link_reals(lat_group group, int dim) { return dim * 2 * lat_colours(group) * lat_colours(group); }
static int block_reals(lat_group group, int dim)
{
    const int rows = lat_spins(dim) / 2 * lat_colours(group);
    return 2 * rows * rows;
}

static dirac_fields create_fields(const lat_dirac *dirac, lat_precision precision)
{
    const lat_geometry *g = dirac->geometry;
    dirac_fields fields = {.links = lat_field_create(g, link_reals(dirac->group, g->dim), precision),
                           .hopped = lat_field_spinor(g, dirac->group, precision)};
    if (dirac->table->fill) {
        fields.blocks = lat_field_create(g, block_reals(dirac->group, g->dim), precision);
        fields.inverse = lat_field_create(g, block_reals(dirac->group, g->dim), precision);
    }
    return fields;
}

static double fields_memory(const lat_dirac_table *table, const lat_geometry *g, lat_group group,
                            lat_precision precision)
{
    return lat_field_memory(g, link_reals(group, g->dim), precision) + lat_spinor_memory(g, group, precision) +
           (table->fill ? 2 * lat_field_memory(g, block_reals(group, g->dim), precision) : 0);
}

/* Of spinors exchanges of either parity, and in forces of two fields at a time; of links those that are hopped over, and all for A. */
static double exchange_memory(const lat_dirac_table *table, const lat_geometry *g, lat_group group)
{
    const int spinor = lat_spinor_reals(group, g->dim), links = link_reals(group, g->dim);
    double sum =
        3 * lat_halo_memory(g, spinor, LAT_DOUBLE, true) + lat_halo_memory(g, links / g->dim, LAT_DOUBLE, true) / 2;
    if (lat_geometry_serves(g, LAT_FLOAT)) sum += lat_halo_memory(g, spinor, LAT_FLOAT, true);
    if (table->fill) sum += lat_halo_memory(g, lat_link_reals(group) * g->dim, LAT_DOUBLE, false);
    if (table->force_reals) sum += lat_halo_memory(g, table->force_reals(group, g->dim), LAT_DOUBLE, false);
    return sum;
}

void lat_dirac_needs(const lat_dirac_table *table, const lat_dirac_parameters *parameters, const lat_geometry *g,
                     lat_group group, lat_needs *needs)
{
    needs->kept += fields_memory(table, g, group, LAT_DOUBLE) + lat_field_memory(g, 1, LAT_DOUBLE) +
                   lat_field_memory(g, lat_algebra_reals(group) * g->dim, LAT_DOUBLE) +
                   exchange_memory(table, g, group);
    if (lat_geometry_serves(g, LAT_FLOAT)) needs->kept += fields_memory(table, g, group, LAT_FLOAT);
    if (table->fill) needs->kept += lat_field_memory(g, block_reals(group, g->dim), LAT_DOUBLE);
    if (parameters->stout.steps > 0) needs->kept += lat_stout_memory(g, group, parameters->stout.steps);
    if (table->force_reals)
        needs->passing = fmax(needs->passing, lat_field_memory(g, table->force_reals(group, g->dim), LAT_DOUBLE));
}

/* Where A = 1, log |det D(x)| is a number. */
static void fill_log_det(lat_dirac *dirac)
{
    const lat_geometry *g = dirac->geometry;
    double twist = lat_dirac_twist(dirac), rows = lat_spinor_reals(dirac->group, g->dim) / 4;
    double *number = lat_field_map(dirac->log_det, LAT_WRITE);
    for (int64_t i = 0; i < g->all_sites * g->lanes; i++) number[i] = 0;
    for (int64_t i = 0; i < g->parity[1].count; i++)
        for (int lane = 0; lane < g->lanes; lane++)
            number[g->parity[1].site[i] * g->lanes + lane] = rows * log1p(twist * twist);
    lat_field_unmap(dirac->log_det, number, LAT_WRITE);
}

lat_status lat_dirac_create(const lat_dirac_table *table, const lat_geometry *geometry, lat_group group,
                            const lat_dirac_parameters *parameters, lat_dirac **out, lat_error *error)
{
    *out = NULL;
    if (check(geometry, error)) return error->status;
    lat_dirac *dirac = *out = lat_alloc(1, sizeof *dirac);
    *dirac = (lat_dirac){.table = table, .geometry = geometry, .group = group, .parameters = *parameters};
    dirac->of[LAT_DOUBLE] = create_fields(dirac, LAT_DOUBLE);
    if (lat_geometry_serves(geometry, LAT_FLOAT)) dirac->of[LAT_FLOAT] = create_fields(dirac, LAT_FLOAT);
    dirac->log_det = lat_field_create(geometry, 1, LAT_DOUBLE);
    if (parameters->stout.steps > 0)
        dirac->stout = lat_stout_create(geometry, group, parameters->stout.steps, parameters->stout.rho);
    dirac->gathered = lat_field_algebra(geometry, group, LAT_DOUBLE);
    if (table->fill)
        dirac->weights = lat_field_create(geometry, dirac->of[LAT_DOUBLE].blocks->components, LAT_DOUBLE);
    else
        fill_log_det(dirac);
    for (int parity = 0; parity < 2; parity++) {
        dirac->sites[parity][0] = lat_sites_common(geometry, &geometry->parity[parity], &geometry->inner);
        dirac->sites[parity][1] = lat_sites_common(geometry, &geometry->parity[parity], &geometry->outer);
    }
    return LAT_DONE;
}

void lat_dirac_free(lat_dirac *dirac)
{
    if (!dirac) return;
    for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
        lat_field_free(dirac->of[precision].links);
        lat_field_free(dirac->of[precision].blocks);
        lat_field_free(dirac->of[precision].inverse);
        lat_field_free(dirac->of[precision].hopped);
    }
    lat_field_free(dirac->log_det);
    lat_stout_free(dirac->stout);
    lat_field_free(dirac->gathered);
    lat_field_free(dirac->weights);
    for (int parity = 0; parity < 2; parity++)
        for (int part = 0; part < 2; part++) lat_sites_free(dirac->geometry, &dirac->sites[parity][part]);
    free(dirac);
}

/* --------------------------------------------------------------------------------------------------------- links */

/* Of links, what comes from below in their own direction */
static int runs_of_links(const lat_field *links, const int offset[LAT_MAX_DIM], int argument, lat_run run[LAT_MAX_DIM])
{
    int outside = 0, runs = 0, reals = links->components / links->geometry->dim;
    (void)argument;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        outside += offset[mu] != 0;
        if (offset[mu] < 0) run[runs++] = (lat_run){mu * reals, reals};
    }
    return outside == 1 ? runs : 0;
}

/* exp(i pi angle), exact where it is a power of i */
static lat_phase phase_of(double angle)
{
    double quarters = 2 * angle, whole = rint(quarters);
    if (quarters != whole) return (lat_phase){cos(M_PI * angle), sin(M_PI * angle)};
    const double cosine[] = {1, 0, -1, 0};
    int power = (int)(whole - 4 * floor(whole / 4));
    return (lat_phase){cosine[power], cosine[(power + 3) % 4]};
}

static void fill_links(lat_dirac *dirac, const lat_gauge *gauge)
{
    const lat_geometry *g = dirac->geometry;
    lat_field *links = dirac->of[LAT_DOUBLE].links;
    hop_links_args args = {.t = lat_tables_of(g), .u = gauge->links->data, .entries = links->data};
    lat_range block = lat_block(g);
    for (int mu = 0; mu < g->dim; mu++) args.phase[mu] = phase_of(dirac->parameters.angle[mu]);
    lat_kernels_of(links, dirac->group)->hop_links(&args, &block);
    lat_exchange *exchange = lat_halo_start(links, (lat_halo_choice){.runs = runs_of_links});
    lat_halo_finish(exchange);
}

static void fill_blocks(lat_dirac *dirac, lat_gauge *gauge)
{
    const lat_geometry *g = dirac->geometry;
    dirac_fields *f = &dirac->of[LAT_DOUBLE];
    block_invert_args args = {lat_tables_of(g), f->blocks->data, f->inverse->data, dirac->log_det->data,
                              lat_dirac_twist(dirac)};
    lat_range odd = lat_range_of(g, &g->parity[1]);
    lat_halo_exchange(gauge->links);
    dirac->table->fill(dirac, gauge, f->blocks);
    lat_field_zero(dirac->log_det);
    if (lat_dirac_is_unimodular(dirac))
        dirac->table->invert(dirac, gauge, f->inverse);
    else
        lat_kernels_of(f->blocks, dirac->group)->block_invert(&args, &odd);
}

/* Of members whose links are not finite nothing is, and whatever is made of them tells so. */
static lat_status check_inverse(const lat_dirac *dirac, const lat_gauge *gauge, lat_error *error)
{
    lat_status status = LAT_DONE;
    double *sum = lat_alloc(dirac->geometry->members, sizeof *sum);
    lat_sum(dirac->log_det, sum);
    for (int m = 0; m < dirac->geometry->members && !status; m++)
        if (!isfinite(sum[m]) && !lat_gauge_is_lost(gauge, m))
            status = lat_fail(error, LAT_NUMERICAL, "%s operator, kappa = %g, csw = %g: its diagonal has no inverse",
                              dirac->table->name, dirac->parameters.kappa, dirac->parameters.csw);
    free(sum);
    return status;
}

lat_status lat_dirac_prepare(lat_dirac *dirac, lat_gauge *gauge, lat_error *error)
{
    if (dirac->gauge == gauge->id && dirac->version == gauge->version) return LAT_DONE;
    dirac_fields *from = &dirac->of[LAT_DOUBLE], *to = &dirac->of[LAT_FLOAT];
    dirac->gauge = 0;
    if (dirac->stout) lat_stout_smear(dirac->stout, gauge);
    fill_links(dirac, lat_dirac_gauge(dirac, gauge));
    if (to->links) lat_field_copy(to->links, from->links);
    if (dirac->table->fill) {
        fill_blocks(dirac, lat_dirac_gauge(dirac, gauge));
        if (check_inverse(dirac, gauge, error)) return error->status;
        if (to->blocks) lat_field_copy(to->blocks, from->blocks);
        if (to->inverse) lat_field_copy(to->inverse, from->inverse);
    }
    dirac->gauge = gauge->id;
    dirac->version = gauge->version;
    return LAT_DONE;
}
