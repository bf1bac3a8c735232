/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * links.c: what tells that links were read in the right order and are elements of their group: mean plaquette, mean trace,
 * and the largest deviation from the group.
 */
#include "io.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of one link: number c of lane l is u[c * lanes + l]. */
typedef struct {
    int lanes;
    double *trace, *violation; /* [lanes] */
    double *re, *im;           /* [lanes] */
} link_scratch;

/* (re, im) = sum_k a_k conj(b_k), rows of three complex numbers; all lanes at once. */
static void row_product(const double *restrict a, const double *restrict b, int lanes, double *restrict re, double *restrict im)
{
    for (int l = 0; l < lanes; l++) {
        double x = 0, y = 0;
        for (int k = 0; k < 3; k++) {
            double ar = a[2 * k * lanes + l], ai = a[(2 * k + 1) * lanes + l];
            double br = b[2 * k * lanes + l], bi = b[(2 * k + 1) * lanes + l];
            x += ar * br + ai * bi;
            y += ai * br - ar * bi;
        }
        re[l] = x;
        im[l] = y;
    }
}

/* det U = a . (b x c) */
static void determinant(const double *restrict u, int lanes, double *restrict re, double *restrict im)
{
    const int64_t n = lanes;
    for (int l = 0; l < lanes; l++) {
        double x = 0, y = 0;
        for (int i = 0; i < 3; i++) {
            int j = (i + 1) % 3, k = (i + 2) % 3;
            double bjr = u[(6 + 2 * j) * n + l], bji = u[(7 + 2 * j) * n + l], bkr = u[(6 + 2 * k) * n + l], bki = u[(7 + 2 * k) * n + l];
            double cjr = u[(12 + 2 * j) * n + l], cji = u[(13 + 2 * j) * n + l], ckr = u[(12 + 2 * k) * n + l], cki = u[(13 + 2 * k) * n + l];
            double mr = bjr * ckr - bji * cki - bkr * cjr + bki * cji, mi = bjr * cki + bji * ckr - bkr * cji - bki * cjr;
            double ar = u[2 * i * n + l], ai = u[(2 * i + 1) * n + l];
            x += ar * mr - ai * mi;
            y += ar * mi + ai * mr;
        }
        re[l] = x;
        im[l] = y;
    }
}

/* A deviation that is no number stays the largest. */
static void worse(double *violation, const double *deviation, double expected, int lanes)
{
    for (int l = 0; l < lanes; l++) {
        double now = fabs(deviation[l] - expected);
        violation[l] = violation[l] >= now ? violation[l] : now >= 0 ? now : INFINITY;
    }
}

static void inspect_su3(const double *u, link_scratch *s)
{
    for (int i = 0; i < 3; i++)
        for (int j = i; j < 3; j++) {
            row_product(u + 6 * i * s->lanes, u + 6 * j * s->lanes, s->lanes, s->re, s->im);
            worse(s->violation, s->re, i == j, s->lanes);
            worse(s->violation, s->im, 0, s->lanes);
        }
    determinant(u, s->lanes, s->re, s->im);
    worse(s->violation, s->re, 1, s->lanes);
    worse(s->violation, s->im, 0, s->lanes);
    for (int l = 0; l < s->lanes; l++) s->trace[l] = (u[l] + u[8 * s->lanes + l] + u[16 * s->lanes + l]) / 3;
}

/* U = a0 + i a.sigma: U U^+ and det U are both a.a. */
static void inspect_su2(const double *u, link_scratch *s)
{
    for (int l = 0; l < s->lanes; l++) {
        s->re[l] = 0;
        for (int c = 0; c < 4; c++) s->re[l] += u[c * s->lanes + l] * u[c * s->lanes + l];
        s->trace[l] = u[l];
    }
    worse(s->violation, s->re, 1, s->lanes);
}

/* An angle is always one of the group; far outside of [-pi, pi] it was not written as one. */
static void inspect_u1(const double *u, link_scratch *s)
{
    const double pi = 3.14159265358979323846;
    for (int l = 0; l < s->lanes; l++) {
        double beyond = fabs(u[l]) - pi;
        s->re[l] = beyond > 0 || !isfinite(u[l]) ? beyond : 0;
        s->trace[l] = cos(u[l]);
    }
    worse(s->violation, s->re, 0, s->lanes);
}

static void inspect(const lat_field *links, lat_group group, int member, lat_links_summary *out)
{
    const double tolerance = 1e-4;
    const lat_geometry *g = links->geometry;
    const int reals = lat_link_reals(group), lanes = g->lanes;
    double *scratch = lat_alloc(4 * (int64_t)lanes, sizeof *scratch);
    link_scratch s = {lanes, scratch, scratch + lanes, scratch + 2 * lanes, scratch + 3 * lanes};
    lat_accumulator *sum = lat_alloc(1, sizeof *sum);
    struct { double violation; int64_t bad; } found = {0, 0};
    for (int64_t link = 0; link < g->sites * g->dim; link++) {
        const double *u = (const double *)links->data + link * reals * lanes;
        memset(s.violation, 0, (size_t)lanes * sizeof *s.violation);
        if (group == LAT_SU3)
            inspect_su3(u, &s);
        else if (group == LAT_SU2)
            inspect_su2(u, &s);
        else
            inspect_u1(u, &s);
        for (int block = 0; block < g->blocks; block++) {
            int lane = block * g->members + member;
            lat_accumulator_add(sum, s.trace[lane]);
            found.bad += !(s.violation[lane] <= tolerance);
            if (s.violation[lane] > found.violation) found.violation = s.violation[lane];
        }
    }
    lat_accumulator_reduce(g->comm, sum, 1);
    MPI_Allreduce(MPI_IN_PLACE, &found.violation, 1, MPI_DOUBLE, MPI_MAX, g->comm);
    MPI_Allreduce(MPI_IN_PLACE, &found.bad, 1, MPI_INT64_T, MPI_SUM, g->comm);
    out->trace = lat_accumulator_value(sum) / ((double)g->volume * g->dim);
    out->violation = found.violation;
    out->bad = found.bad;
    free(sum);
    free(scratch);
}

static double plaquette(lat_field *links, lat_group group, int member)
{
    lat_shape shape = {.dim = links->geometry->dim};
    lat_observable observable;
    lat_error error = {0};
    for (int mu = 0; mu < shape.dim; mu++) shape.size[mu] = links->geometry->size[mu];
    if (lat_observable_find("plaquette", group, &shape, &observable, &error)) lat_abort(error.status, "%s", error.text);
    double *all = lat_alloc(links->geometry->members, sizeof *all), value;
    observable.measure(&observable, links, group, all);
    value = all[member];
    free(all);
    return value;
}

lat_links_summary lat_links_summarise(lat_field *links, lat_group group, int member)
{
    lat_links_summary out;
    lat_field *exact = links;
    if (links->precision != LAT_DOUBLE) {
        exact = lat_field_create(links->geometry, links->components, LAT_DOUBLE);
        lat_field_copy(exact, links);
    }
    inspect(exact, group, member, &out);
    out.plaquette = plaquette(exact, group, member);
    if (exact != links) lat_field_free(exact);
    return out;
}
