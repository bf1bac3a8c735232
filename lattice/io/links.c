/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * links.c: what tells that links were read in the right order and are elements of their group: mean plaquette, mean
 * trace, and the largest deviation from the group.
 */
#include "lattice/gauge/kernels.h"
#include "lattice/io/io.h"
#include "lattice/kernels/real.h"
#include "lattice/group/su3.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The larger of two squares, and their sum, which is a number where both are. */
typedef struct {
    real largest, sum;
} deviation;
static inline deviation worse(deviation d, complex_t difference)
{
    real now = complex_square(difference);
    return (deviation){real_select(real_less(d.largest, now), now, d.largest), d.sum + now};
}
static inline complex_t less_one(complex_t a) { return (complex_t){a.re - 1, a.im}; }

/* sum_k a_k b_k^* */
static inline complex_t overlap(row_t a, row_t b)
{
    complex_t sum = {{0}, {0}};
    sum = complex_conj_mul_add(b.x, a.x, sum);
    sum = complex_conj_mul_add(b.y, a.y, sum);
    return complex_conj_mul_add(b.z, a.z, sum);
}

/* a_x b_y - a_y b_x */
static inline complex_t minor_of(complex_t ax, complex_t ay, complex_t bx, complex_t by)
{
    complex_t zero = {{0}, {0}}, minus = {-ay.re, -ay.im};
    return complex_mul_add(minus, bx, complex_mul_add(ax, by, zero));
}

/* Of |U U^+ - 1| and |det U - 1|. */
static deviation su3_deviation(link_t u)
{
    deviation d = {{0}, {0}};
    complex_t determinant = {{0}, {0}};
    d = worse(d, less_one(overlap(u.r, u.r)));
    d = worse(d, overlap(u.r, u.s));
    d = worse(d, overlap(u.r, u.t));
    d = worse(d, less_one(overlap(u.s, u.s)));
    d = worse(d, overlap(u.s, u.t));
    d = worse(d, less_one(overlap(u.t, u.t)));
    determinant = complex_mul_add(u.r.x, minor_of(u.s.y, u.s.z, u.t.y, u.t.z), determinant);
    determinant = complex_mul_add(u.r.y, minor_of(u.s.z, u.s.x, u.t.z, u.t.x), determinant);
    determinant = complex_mul_add(u.r.z, minor_of(u.s.x, u.s.y, u.t.x, u.t.y), determinant);
    return worse(d, less_one(determinant));
}

/* Mean trace and squared violation of all lanes at once: number c of lane l of a link is u[c * lanes + l], and there is a
 * whole number of vectors of lanes.  A sum that is not a number is not less than anything. */
static void inspect_su3(const double *u, int lanes, double *trace, double *violation)
{
    for (int l = 0; l < lanes; l += REAL_LANES) {
        link_t link = link_load(u + l, lanes);
        deviation d = su3_deviation(link);
        real infinity = real_of(INFINITY);
        real_store(violation + l, real_select(real_less(d.sum, infinity), d.largest, infinity));
        real_store(trace + l, (link.r.x.re + link.s.y.re + link.t.z.re) / 3);
    }
}

/* U = a0 + i a.sigma: U U^+ and det U are both a.a. */
static void inspect_su2(const double *u, int lanes, double *trace, double *violation)
{
    for (int l = 0; l < lanes; l++) {
        double norm = 0;
        for (int c = 0; c < 4; c++) norm += u[c * lanes + l] * u[c * lanes + l];
        violation[l] = isfinite(norm) ? (norm - 1) * (norm - 1) : INFINITY;
        trace[l] = u[l];
    }
}

/* An angle is always one of the group; far outside of [-pi, pi] it was not written as one. */
static void inspect_u1(const double *u, int lanes, double *trace, double *violation)
{
    const double pi = 3.14159265358979323846;
    for (int l = 0; l < lanes; l++) {
        double excess = fabs(u[l]) - pi;
        violation[l] = !isfinite(u[l]) ? INFINITY : excess > 0 ? excess * excess : 0;
        trace[l] = cos(u[l]);
    }
}

static void inspect(const lat_gauge *gauge, int member, lat_links_summary *out)
{
    const double tolerance = 1e-4;
    const lat_geometry *g = gauge->links->geometry;
    const int reals = lat_link_reals(gauge->group), lanes = g->lanes;
    double *trace = lat_alloc(2 * (int64_t)lanes, sizeof *trace), *violation = trace + lanes;
    lat_accumulator *sum = lat_alloc(1, sizeof *sum);
    struct {
        double violation;
        int64_t bad;
    } found = {0, 0};
    const double *numbers = lat_field_map(gauge->links, LAT_READ);
    for (int64_t link = 0; link < g->sites * g->dim; link++) {
        const double *u = numbers + link * reals * lanes;
        (gauge->group == LAT_SU3 ? inspect_su3 : gauge->group == LAT_SU2 ? inspect_su2 : inspect_u1)(u, lanes, trace, violation);
        for (int block = 0; block < g->blocks; block++) {
            int lane = block * g->members + member;
            lat_accumulator_add(sum, trace[lane]);
            found.bad += !(violation[lane] <= tolerance * tolerance);
            if (violation[lane] > found.violation) found.violation = violation[lane];
        }
    }
    lat_field_unmap(gauge->links, (void *)numbers, LAT_READ);
    lat_accumulator_reduce(g->comm, sum, 1);
    MPI_Allreduce(MPI_IN_PLACE, &found.violation, 1, MPI_DOUBLE, MPI_MAX, g->comm);
    MPI_Allreduce(MPI_IN_PLACE, &found.bad, 1, MPI_INT64_T, MPI_SUM, g->comm);
    out->trace = lat_accumulator_value(sum) / ((double)g->volume * g->dim);
    out->violation = sqrt(found.violation);
    out->bad = found.bad;
    free(sum);
    free(trace);
}

/* Of all plaquettes, those across an open boundary too: that is what a file means, whoever reads it. */
static double plaquette(lat_gauge *gauge, int member)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    plaquette_sum_args args = {lat_tables_of(g), gauge->links->data, density->data, 0, 1};
    lat_range range = lat_block(g);
    double *all = lat_alloc(g->members, sizeof *all), value;
    lat_halo_exchange(gauge->links);
    lat_kernels_of(gauge->links, gauge->group)->plaquette_sum(&args, &range);
    lat_sum(density, all);
    value = all[member] / ((double)g->volume * (g->dim * (g->dim - 1) / 2));
    free(all);
    lat_field_free(density);
    return value;
}

lat_links_summary lat_links_summarise(lat_gauge *gauge, int member, bool with_plaquette)
{
    lat_links_summary out;
    lat_gauge *exact = gauge;
    if (gauge->links->precision != LAT_DOUBLE) {
        exact = lat_gauge_create(gauge->links->geometry, gauge->group, LAT_DOUBLE);
        lat_gauge_copy(exact, gauge);
    }
    inspect(exact, member, &out);
    out.plaquette = with_plaquette ? plaquette(exact, member) : NAN;
    if (exact != gauge) lat_gauge_free(exact);
    return out;
}

/* Is this link one of those that leave the last slice in t? */
static bool leaves(const lat_geometry *g, int64_t site, int lane, int mu)
{
    const int64_t slice = g->volume / g->size[g->dim - 1];
    return mu == g->dim - 1 && lat_global_site(g, site, lane) / slice == g->size[g->dim - 1] - 1;
}

static bool is_zero(const lat_field *links, const void *numbers, int64_t at, int reals)
{
    bool zero = true;
    for (int c = 0; c < reals; c++, at += links->geometry->lanes)
        zero = zero && (links->precision == LAT_FLOAT ? ((const float *)numbers)[at] == 0 : ((const double *)numbers)[at] == 0);
    return zero;
}

/* A multiple of the unit matrix. */
static void set_multiple(const lat_field *links, void *numbers, int64_t at, lat_group group, double value)
{
    for (int c = 0; c < lat_link_reals(group); c++, at += links->geometry->lanes) {
        double number = c % 8 == 0 ? value : 0; /* the diagonal of a 3x3 matrix, the first number of SU(2) */
        if (links->precision == LAT_FLOAT)
            ((float *)numbers)[at] = (float)number;
        else
            ((double *)numbers)[at] = number;
    }
}

/* Of all links that are zero: those that leave the last slice, and others. */
static void count_zeros(const lat_field *links, const void *numbers, int reals, int64_t zero[2])
{
    const lat_geometry *g = links->geometry;
    const int lanes = g->members * g->blocks;
    zero[0] = zero[1] = 0;
    for (int64_t link = 0; link < g->sites * g->dim; link++)
        for (int lane = 0; lane < lanes; lane++)
            if (is_zero(links, numbers, link * reals * g->lanes + lane, reals))
                zero[!leaves(g, link / g->dim, lane, (int)(link % g->dim))]++;
    MPI_Allreduce(MPI_IN_PLACE, zero, 2, MPI_INT64_T, MPI_SUM, g->comm);
}

bool lat_links_mend_open(lat_gauge *gauge)
{
    lat_field *links = gauge->links;
    const lat_group group = gauge->group;
    const lat_geometry *g = links->geometry;
    const int reals = lat_link_reals(group), lanes = g->members * g->blocks;
    int64_t zero[2];
    void *numbers = lat_field_map(links, LAT_CHANGE);
    count_zeros(links, numbers, reals, zero);
    bool open = zero[1] == 0 && zero[0] == g->volume / g->size[g->dim - 1] * g->members;
    for (int64_t link = g->dim - 1; open && link < g->sites * g->dim; link += g->dim)
        for (int lane = 0; lane < lanes; lane++)
            if (leaves(g, link / g->dim, lane, g->dim - 1)) set_multiple(links, numbers, link * reals * g->lanes + lane, group, 1);
    lat_field_unmap(links, numbers, LAT_CHANGE);
    lat_gauge_changed(gauge);
    return open;
}

int64_t lat_links_cut_open(lat_gauge *gauge, int member)
{
    lat_field *links = gauge->links;
    const lat_group group = gauge->group;
    const lat_geometry *g = links->geometry;
    const int reals = lat_link_reals(group);
    void *numbers = lat_field_map(links, LAT_CHANGE);
    for (int64_t link = g->dim - 1; link < g->sites * g->dim; link += g->dim)
        for (int lane = member; lane < g->members * g->blocks; lane += g->members)
            if (leaves(g, link / g->dim, lane, g->dim - 1)) set_multiple(links, numbers, link * reals * g->lanes + lane, group, 0);
    lat_field_unmap(links, numbers, LAT_CHANGE);
    lat_gauge_changed(gauge);
    return g->volume / g->size[g->dim - 1];
}
