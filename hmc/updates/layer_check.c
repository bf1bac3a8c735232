/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * layer_check.c: see layer_check.h.
 *
 * How far rounding may move a number is measured, link by link: by how much it moves in double precision when the
 * active links move by some roundings.  That is much where a spline has narrow bins or hardly rises, and next to
 * nothing everywhere else; there errors are seen.
 */
#include "hmc/updates/layer_check.h"

#include <complex.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>

/* Inputs move by `reach`; what comes out may differ by `times` as much as it moves then, and by the rest whatever
 * happens. */
static const double times = 4;
typedef struct {
    double reach, link, density;
} rounding;
static const rounding roundings[LAT_PRECISIONS] = {
    [LAT_DOUBLE] = {1e-14, 1e-11, 1e-10},
    [LAT_FLOAT] = {1e-5, 1e-5, 4e-5},
};
/* A gauge transformation changes loops by roundings, which networks amplify: by less than such a part of the longer
 * distance. */
static const double turned = 1e-6, turned_link = 1e-9, turned_density = 1e-8;
/* Distances of difference quotients, and by how much a difference of links is rounded */
static const double longer = 4e-7, shorter = 1e-7, difference_rounding = 4e-15;

void mc_deviate(mc_deviation *worst, double off, double allowed)
{
    double excess = off / allowed;
    if (off == 0) return;
    if (isnan(off) || isnan(excess)) off = excess = INFINITY;
    worst->off = fmax(worst->off, off);
    worst->excess = fmax(worst->excess, excess);
}

/* ----------------------------------------------------------------------------------------------------------- links */

double mc_link_distance(lat_group group, const double *u, const double *v)
{
    if (group == LAT_U1) {
        double d = fabs(u[0] - v[0]);
        return d > M_PI ? fabs(remainder(d, 2 * M_PI)) : d;
    }
    double most = 0;
    for (int c = 0; c < lat_link_reals(group); c++) {
        double d = fabs(u[c] - v[c]);
        most = d <= most ? most : d; /* a NaN is the largest */
    }
    return most;
}

enum { MOST_REALS = 18, MOST_ALGEBRA = 8 };

static void get_matrix(lat_group group, const double *u, double complex m[3][3])
{
    if (group == LAT_SU2) {
        m[0][0] = u[0] + I * u[3];
        m[0][1] = u[2] + I * u[1];
        m[1][0] = -u[2] + I * u[1];
        m[1][1] = u[0] - I * u[3];
        return;
    }
    for (int i = 0; i < 9; i++) m[i / 3][i % 3] = u[2 * i] + I * u[2 * i + 1];
}

/* -2 Re tr(T_a W) with the generators T_a = i sigma_a / 2 and i lambda_a / 2, of W = 1 + x_a T_a */
void mc_link_logarithm(lat_group group, const double *u, const double *v, double *x)
{
    if (group == LAT_U1) {
        x[0] = remainder(u[0] - v[0], 2 * M_PI);
        return;
    }
    const int n = group == LAT_SU2 ? 2 : 3;
    double complex a[3][3], b[3][3], w[3][3] = {{0}};
    get_matrix(group, u, a);
    get_matrix(group, v, b);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++) w[i][j] += a[i][k] * conj(b[j][k]);
    x[0] = cimag(w[0][1] + w[1][0]);
    x[1] = creal(w[0][1] - w[1][0]);
    x[2] = cimag(w[0][0] - w[1][1]);
    if (group == LAT_SU2) return;
    x[3] = cimag(w[0][2] + w[2][0]);
    x[4] = creal(w[0][2] - w[2][0]);
    x[5] = cimag(w[1][2] + w[2][1]);
    x[6] = creal(w[1][2] - w[2][1]);
    x[7] = cimag(w[0][0] + w[1][1] - 2 * w[2][2]) / sqrt(3);
}

void mc_links_to_group(lat_gauge *u)
{
    if (u->group == LAT_U1) return;
    lat_field *nowhere = lat_field_algebra(u->links->geometry, u->group, LAT_DOUBLE);
    lat_gauge_exp_update(u, 0, nowhere);
    lat_field_free(nowhere);
}

/* The numbers of a field, on the host. */
typedef struct {
    const lat_field *field;
    void *numbers;
} view;

static view view_of(const lat_field *field) { return (view){field, lat_field_map(field, LAT_READ)}; }
static void close_view(view v) { lat_field_unmap(v.field, v.numbers, LAT_READ); }

static void get_reals(view v, int reals, int64_t element, int lane, double *out)
{
    for (int c = 0; c < reals; c++)
        out[c] = lat_real_at(v.field, v.numbers, (element * reals + c) * v.field->geometry->lanes + lane);
}

static int used_lanes(const lat_geometry *g) { return g->blocks * g->members; }

/* ---------------------------------------------------------------------------------------- images of moved links */

typedef struct {
    lat_gauge *u;
    lat_field *density;
} image;

static image create_image(const lat_geometry *g, lat_group group, lat_precision precision)
{
    return (image){lat_gauge_create(g, group, precision), lat_field_create(g, 1, LAT_DOUBLE)};
}

static void free_image(image *i)
{
    lat_gauge_free(i->u);
    lat_field_free(i->density);
}

typedef struct {
    const mc_layer *layer;
    const lat_geometry *g;
    lat_precision precision; /* of the run */
    int dim, algebra, reals;
    bool *active;        /* [sites][dim] */
    lat_field *signs;    /* of all components of active links: where they move to */
    image in, out;       /* of the layer in double; the density of `in` is not used */
    image run, scratch;  /* after the layer in the precision of the run; a scratch in double */
    double *link, *site; /* by how much an image moves: [sites][dim][lanes] and [sites][lanes] */
    mc_deviation *worst;
} check;

static void set_signs(check *c)
{
    const lat_geometry *g = c->g;
    double *sign = lat_field_map(c->signs, LAT_WRITE), uniform[4];
    for (int64_t site = 0; site < g->sites; site++)
        for (int component = 0; component < c->dim * c->algebra; component++)
            for (int lane = 0; lane < used_lanes(g) && c->active[site * c->dim + component / c->algebra]; lane++) {
                lat_uniform4(&c->layer->random, (uint64_t)lat_global_site(g, site, lane), (uint32_t)component,
                             (uint64_t)g->lane_member[lane], 0, uniform);
                sign[(site * c->signs->components + component) * g->lanes + lane] = uniform[0] < 0.5 ? -1 : 1;
            }
    lat_field_unmap(c->signs, sign, LAT_WRITE);
}

/* The image of `from` moved along `direction`, by the exact layer or its inverse. */
static void move(const check *c, const lat_gauge *from, double distance, const lat_field *direction, bool back,
                 image *to)
{
    const flow_layer_table *table = c->layer->exact->layer->table;
    lat_gauge_copy(to->u, from);
    if (direction && distance != 0) lat_gauge_exp_update(to->u, distance, direction);
    lat_field_zero(to->density);
    (back ? table->inverse : table->forward)(c->layer->exact, c->layer->exact_parameters, to->u->links, to->density);
}

static void scale_reach(check *c, double factor)
{
    for (int64_t i = 0; i < c->g->sites * c->dim * c->g->lanes; i++) c->link[i] *= factor;
    for (int64_t i = 0; i < c->g->sites * c->g->lanes; i++) c->site[i] *= factor;
}

/* Raises link and site by how far the image is from another. */
static void raise_reach(const check *c, const image *at, const image *moved)
{
    const lat_geometry *g = c->g;
    view a = view_of(at->u->links), b = view_of(moved->u->links), p = view_of(at->density), q = view_of(moved->density);
    double x[MOST_REALS] = {0}, y[MOST_REALS] = {0};
    for (int64_t i = 0; i < g->sites * c->dim; i++)
        for (int lane = 0; lane < used_lanes(g); lane++) {
            get_reals(a, c->reals, i, lane, x);
            get_reals(b, c->reals, i, lane, y);
            c->link[i * g->lanes + lane] = fmax(c->link[i * g->lanes + lane], mc_link_distance(c->layer->group, x, y));
        }
    for (int64_t i = 0; i < g->sites * g->lanes; i++)
        c->site[i] =
            fmax(c->site[i], fabs(lat_real_at(at->density, p.numbers, i) - lat_real_at(moved->density, q.numbers, i)));
    close_view(a);
    close_view(b);
    close_view(p);
    close_view(q);
}

/* How far the image of `from` moves with the active links; `at`: the image itself. */
static void measure_reach(check *c, const lat_gauge *from, double distance, bool back, const image *at)
{
    scale_reach(c, 0);
    for (int side = -1; side <= 1; side += 2) {
        move(c, from, side * distance, c->signs, back, &c->scratch);
        raise_reach(c, at, &c->scratch);
    }
}

static void compare_links(const check *c, const lat_gauge *a, const lat_gauge *b, double allowed, mc_check what)
{
    const lat_geometry *g = c->g;
    view of_a = view_of(a->links), of_b = view_of(b->links);
    double x[MOST_REALS] = {0}, y[MOST_REALS] = {0};
    for (int64_t i = 0; i < g->sites * c->dim; i++)
        for (int lane = 0; lane < used_lanes(g); lane++) {
            get_reals(of_a, c->reals, i, lane, x);
            get_reals(of_b, c->reals, i, lane, y);
            mc_deviate(&c->worst[what], mc_link_distance(c->layer->group, x, y),
                       allowed + times * c->link[i * g->lanes + lane]);
        }
    close_view(of_a);
    close_view(of_b);
}

static void compare_densities(const check *c, const lat_field *a, const lat_field *b, double allowed, mc_check what)
{
    const lat_geometry *g = c->g;
    view of_a = view_of(a), of_b = view_of(b);
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < used_lanes(g); lane++) {
            int64_t i = site * g->lanes + lane;
            double x = lat_real_at(a, of_a.numbers, i), y = lat_real_at(b, of_b.numbers, i);
            mc_deviate(&c->worst[what], fabs(x - y), allowed * (1 + fabs(y)) + times * c->site[i]);
        }
    close_view(of_a);
    close_view(of_b);
}

/* ------------------------------------------------------------------------------------------------------- Jacobian */

/* Blocks of the Jacobian, of all sites and lanes; the active links of a site are numbered by `first`. */
typedef struct {
    int *links;       /* [sites]: active ones */
    double *elements; /* [sites][lanes][most][most], those of a block without gaps, column after column */
    double *log_det;  /* [sites][lanes] */
    double *rounding; /* of log_det */
    int most;
} blocks;

static blocks create_blocks(const check *c)
{
    const lat_geometry *g = c->g;
    blocks b = {.links = lat_alloc(g->sites, sizeof *b.links)};
    for (int64_t site = 0; site < g->sites; site++) {
        for (int mu = 0; mu < c->dim; mu++) b.links[site] += c->active[site * c->dim + mu];
        if (b.links[site] * c->algebra > b.most) b.most = b.links[site] * c->algebra;
    }
    b.elements = lat_alloc(g->sites * g->lanes * b.most * b.most, sizeof *b.elements);
    b.log_det = lat_alloc(g->sites * g->lanes, sizeof *b.log_det);
    b.rounding = lat_alloc(g->sites * g->lanes, sizeof *b.rounding);
    return b;
}

static void free_blocks(blocks *b)
{
    free(b->links);
    free(b->elements);
    free(b->log_det);
    free(b->rounding);
}

/* The rows of a column: components of log(U'(+h) U'(-h)^+) / 2h of the site's active links. */
static void set_column(const check *c, blocks *b, int64_t site, int lane, int column, double width, view ahead,
                       view behind)
{
    const int n = b->links[site] * c->algebra;
    double *to = b->elements + ((site * c->g->lanes + lane) * b->most * b->most) + column * n, x[MOST_REALS],
           y[MOST_REALS];
    for (int mu = 0; mu < c->dim; mu++) {
        if (!c->active[site * c->dim + mu]) continue;
        get_reals(ahead, c->reals, site * c->dim + mu, lane, x);
        get_reals(behind, c->reals, site * c->dim + mu, lane, y);
        mc_link_logarithm(c->layer->group, x, y, to);
        for (int a = 0; a < c->algebra; a++) *to++ /= width;
    }
}

/* One column of all blocks at once: all links along mu that are active move along one component, back and forth at
 * random, so that what they should not depend on shows as well. */
static void measure_column(const check *c, blocks *b, int component, double distance, image *ahead, image *behind)
{
    const lat_geometry *g = c->g;
    const int mu = component / c->algebra;
    lat_field *direction = lat_field_create(g, c->signs->components, LAT_DOUBLE);
    view signs = view_of(c->signs);
    double *moves = lat_field_map(direction, LAT_CHANGE);
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < g->lanes; lane++) {
            int64_t i = (site * direction->components + component) * g->lanes + lane;
            moves[i] = lat_real_at(c->signs, signs.numbers, i);
        }
    lat_field_unmap(direction, moves, LAT_CHANGE);
    move(c, c->in.u, distance, direction, false, ahead);
    move(c, c->in.u, -distance, direction, false, behind);
    view up = view_of(ahead->u->links), down = view_of(behind->u->links);
    for (int64_t site = 0, column; site < g->sites; site++) {
        if (!c->active[site * c->dim + mu]) continue;
        column = component % c->algebra;
        for (int nu = 0; nu < mu; nu++) column += c->algebra * c->active[site * c->dim + nu];
        for (int lane = 0; lane < used_lanes(g); lane++) {
            double sign =
                lat_real_at(c->signs, signs.numbers, (site * direction->components + component) * g->lanes + lane);
            set_column(c, b, site, lane, (int)column, 2 * distance * sign, up, down);
        }
    }
    close_view(up);
    close_view(down);
    close_view(signs);
    lat_field_free(direction);
}

/* By the smallest pivot, log |det| is known as well as that. */
static void factorise(const check *c, blocks *b, double distance)
{
    const lat_geometry *g = c->g;
    lapack_int *pivot = lat_alloc(b->most, sizeof *pivot);
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < used_lanes(g) && b->links[site]; lane++) {
            const lapack_int n = b->links[site] * c->algebra;
            const int64_t i = site * g->lanes + lane;
            double *a = b->elements + i * b->most * b->most, least = INFINITY, sum = 0;
            LAPACKE_dgetrf(LAPACK_COL_MAJOR, n, n, a, n, pivot);
            for (lapack_int k = 0; k < n; k++) {
                sum += log(fabs(a[k * n + k]));
                least = fmin(least, fabs(a[k * n + k]));
            }
            b->log_det[i] = sum;
            b->rounding[i] = n * difference_rounding / (distance * least);
        }
    free(pivot);
}

static blocks measure_blocks(check *c, double distance, image *ahead)
{
    blocks b = create_blocks(c);
    for (int component = 0; component < c->dim * c->algebra; component++) {
        int here = 0;
        for (int64_t site = 0; site < c->g->sites && !here; site++)
            here = c->active[site * c->dim + component / c->algebra];
        MPI_Allreduce(MPI_IN_PLACE, &here, 1, MPI_INT, MPI_MAX, c->g->comm);
        if (!here) continue;
        measure_column(c, &b, component, distance, ahead, &c->scratch);
        raise_reach(c, &c->out, ahead);
        raise_reach(c, &c->out, &c->scratch);
    }
    factorise(c, &b, distance);
    return b;
}

/* The quotients agree where they are derivatives; where a bin is as narrow as that, log det moves with the links too.
 */
static void check_log_det(check *c)
{
    const lat_geometry *g = c->g;
    image ahead = create_image(g, c->layer->group, LAT_DOUBLE);
    scale_reach(c, 0);
    blocks far = measure_blocks(c, longer, &ahead), near = measure_blocks(c, shorter, &ahead);
    view density = view_of(c->out.density);
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < used_lanes(g); lane++) {
            int64_t i = site * g->lanes + lane;
            double allowed = roundings[LAT_DOUBLE].density + near.rounding[i] +
                             times * (fabs(far.log_det[i] - near.log_det[i]) + c->site[i]);
            mc_deviate(&c->worst[MC_LOG_DET], fabs(lat_real_at(c->out.density, density.numbers, i) - near.log_det[i]),
                       allowed);
        }
    close_view(density);
    free_blocks(&far);
    free_blocks(&near);
    free_image(&ahead);
}

/* ---------------------------------------------------------------------------------------------------- other checks */

/* Links that the layer should leave alone count as wrong whatever they have moved by. */
static void check_left_alone(check *c)
{
    const lat_geometry *g = c->g;
    view before = view_of(c->in.u->links), after = view_of(c->out.u->links);
    double x[MOST_REALS] = {0}, y[MOST_REALS] = {0};
    for (int64_t site = 0; site < g->sites; site++)
        for (int mu = 0; mu < c->dim; mu++)
            for (int lane = 0; lane < used_lanes(g) && !c->active[site * c->dim + mu]; lane++) {
                get_reals(before, c->reals, site * c->dim + mu, lane, x);
                get_reals(after, c->reals, site * c->dim + mu, lane, y);
                mc_deviate(&c->worst[MC_LOG_DET], mc_link_distance(c->layer->group, x, y), roundings[LAT_DOUBLE].link);
            }
    close_view(before);
    close_view(after);
}

static void check_rounding(check *c)
{
    const rounding *r = &roundings[LAT_FLOAT];
    measure_reach(c, c->in.u, r->reach, false, &c->out);
    compare_links(c, c->run.u, c->out.u, r->link, MC_ROUNDING);
    compare_densities(c, c->run.density, c->out.density, r->density, MC_ROUNDING);
}

static void check_inverse(check *c)
{
    const rounding *r = &roundings[c->precision];
    image back = create_image(c->g, c->layer->group, c->precision),
          at = create_image(c->g, c->layer->group, LAT_DOUBLE);
    lat_gauge_copy(back.u, c->run.u);
    c->layer->step->layer->table->inverse(c->layer->step, c->layer->parameters, back.u->links, back.density);
    move(c, c->out.u, 0, NULL, true, &at);
    measure_reach(c, c->out.u, r->reach, true, &at);
    compare_links(c, back.u, c->in.u, r->link, MC_INVERSE);
    compare_densities(c, back.density, c->run.density, r->density, MC_LOG_Q);
    free_image(&back);
    free_image(&at);
}

/* Right after the Jacobian, which has measured by how much the images move. */
static void check_covariance(check *c)
{
    lat_field *turn = lat_field_create(c->g, c->reals, LAT_DOUBLE);
    image moved = create_image(c->g, c->layer->group, LAT_DOUBLE);
    lat_field_haar(turn, c->layer->group, &c->layer->random);
    lat_halo_exchange(turn);
    scale_reach(c, turned);
    lat_gauge_copy(c->scratch.u, c->in.u);
    lat_gauge_transform(c->scratch.u, turn);
    move(c, c->scratch.u, 0, NULL, false, &moved);
    lat_gauge_copy(c->scratch.u, c->out.u);
    lat_gauge_transform(c->scratch.u, turn);
    compare_links(c, moved.u, c->scratch.u, turned_link, MC_COVARIANCE);
    compare_densities(c, moved.density, c->out.density, turned_density, MC_COVARIANCE);
    free_image(&moved);
    lat_field_free(turn);
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static check create_check(const mc_layer *layer, mc_deviation *worst)
{
    const lat_geometry *g = layer->exact->map->geometry;
    lat_group group = layer->group;
    check c = {.layer = layer,
               .g = g,
               .precision = layer->step->map->precision,
               .dim = g->dim,
               .algebra = lat_algebra_reals(group),
               .reals = lat_link_reals(group),
               .worst = worst};
    c.active = lat_alloc(g->sites * g->dim, sizeof *c.active);
    for (int64_t i = 0; i < g->sites * g->dim; i++)
        c.active[i] = layer->exact->layer->table->active(layer->exact, i / g->dim, (int)(i % g->dim));
    c.signs = lat_field_algebra(g, group, LAT_DOUBLE);
    c.in = create_image(g, group, LAT_DOUBLE);
    c.out = create_image(g, group, LAT_DOUBLE);
    c.scratch = create_image(g, group, LAT_DOUBLE);
    c.run = create_image(g, group, c.precision);
    c.link = lat_alloc(g->sites * g->dim * g->lanes, sizeof *c.link);
    c.site = lat_alloc(g->sites * g->lanes, sizeof *c.site);
    return c;
}

static void free_check(check *c)
{
    lat_field_free(c->signs);
    free_image(&c->in);
    free_image(&c->out);
    free_image(&c->scratch);
    free_image(&c->run);
    free(c->active);
    free(c->link);
    free(c->site);
}

void mc_layer_check(const mc_layer *layer, lat_field *u, lat_field *density, mc_deviation *worst)
{
    check c = create_check(layer, worst);
    set_signs(&c);
    lat_field_copy(c.in.u->links, u);
    if (c.precision == LAT_FLOAT) mc_links_to_group(c.in.u);
    move(&c, c.in.u, 0, NULL, false, &c.out);
    lat_field_copy(c.run.u->links, u);
    layer->step->layer->table->forward(layer->step, layer->parameters, c.run.u->links, c.run.density);
    check_left_alone(&c);
    check_log_det(&c);
    check_covariance(&c);
    check_inverse(&c);
    if (c.precision == LAT_FLOAT) check_rounding(&c);
    if (layer->exact != layer->step) flow_map_failed(layer->exact->map, &layer->step->map->error);
    lat_field_copy(u, c.run.u->links);
    lat_field_axpy(density, 1, c.run.density);
    free_check(&c);
}
