/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * determinant.c: S = -flavours log |det M|.
 */
#include "lattice/dirac/determinant.h"

#include "lattice/base/collective.h"
#include "lattice/dirac/action.h"
#include "lattice/dirac/dense.h"
#include "lattice/dirac/operator.h"
#include "lattice/dirac/slices.h"
#include "lattice/gauge/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    lat_action base;
    lat_dirac *dirac;
    int flavours;
    const lat_geometry *geometry; /* of the operator */
    lat_geometry *whole;          /* of this rank's share of the members; NULL, as in what follows: it has none */
    lat_elimination of, derivatives;
    lat_field *force;   /* on the links of the hop */
    lat_slices *slices; /* one of these */
    lat_dense *dense;
    double *lane;    /* log |det M| of the lanes of the share */
    double *log_det; /* of all members */
    lat_solves *counted;
} determinant;

/* ------------------------------------------------------------------------------------------------- shares of members */

/* Member m is with rank m mod ranks. */
static bool is_ours(const determinant *d, int member) { return member % d->geometry->rank_count == d->geometry->rank; }
static int members_here(const lat_geometry *g) { return (g->members - g->rank + g->rank_count - 1) / g->rank_count; }

static void take_all(lat_field *to, const lat_field *from)
{
    const int members = to->geometry->members;
    int *member = lat_alloc(members, sizeof *member);
    for (int m = 0; m < members; m++) member[m] = m;
    lat_field_take_members(to, from, member);
    free(member);
}

/* Our share of a field of the operator.  Collective. */
static void take_share(const determinant *d, const lat_field *from, lat_field *share)
{
    const lat_geometry *g = d->geometry;
    if (g->rank_count == 1) {
        take_all(share, from);
        return;
    }
    double *values = lat_alloc(g->volume * from->components, sizeof *values);
    for (int m = 0; m < g->members; m++) {
        lat_field_gather(from, m, values);
        if (is_ours(d, m)) lat_field_scatter(share, m / g->rank_count, values);
    }
    free(values);
}

/* to += factor times all shares, of as many components.  Collective. */
static void give_share(const determinant *d, double factor, const lat_field *share, lat_field *to)
{
    const lat_geometry *g = d->geometry;
    lat_field *all = lat_field_create(g, to->components, LAT_DOUBLE);
    int64_t count = g->volume * all->components;
    double *values = g->rank_count == 1 ? NULL : lat_alloc(count, sizeof *values);
    if (g->rank_count == 1) take_all(all, share);
    for (int m = 0; m < g->members && values; m++) {
        memset(values, 0, (size_t)count * sizeof *values);
        if (is_ours(d, m)) lat_field_gather(share, m / g->rank_count, values);
        lat_join(g->comm, values, count);
        lat_field_scatter(all, m, values);
    }
    lat_field_axpy(to, factor, all);
    free(values);
    lat_field_free(all);
}

/* --------------------------------------------------------------------------------------------------------- the action */

/* Of members whose links are not finite it is not, which is no failure. */
static void check_finite(determinant *d, const lat_gauge *gauge)
{
    const lat_dirac_parameters *p = lat_dirac_parameters_of(d->dirac);
    for (int m = 0; m < d->geometry->members; m++) {
        if (isfinite(d->log_det[m])) continue;
        if (lat_gauge_is_lost(gauge, m))
            d->log_det[m] = NAN;
        else
            lat_fail(&d->base.error, LAT_NUMERICAL,
                     "the determinant of quarks with kappa = %g, mu = %g is zero or no number (member %d): change "
                     "kappa or mu",
                     p->kappa, p->mu, m);
    }
}

/* log |det M| of all members, and the derivatives of our share; false: the action has failed. */
static bool eliminate(determinant *d, lat_gauge *gauge, bool differentiate)
{
    const lat_geometry *g = d->geometry;
    lat_error error = {0};
    if (lat_dirac_prepare(d->dirac, gauge, &error)) {
        lat_fail(&d->base.error, error.status, "%s", error.text);
        return false;
    }
    const double start = MPI_Wtime();
    const dirac_fields *fields = &d->dirac->of[LAT_DOUBLE];
    const lat_elimination *derivatives = differentiate ? &d->derivatives : NULL;
    take_share(d, fields->links, d->of.links);
    if (fields->blocks) take_share(d, fields->blocks, d->of.blocks);
    if (d->slices) lat_slices_log_det(d->slices, &d->of, d->lane, derivatives);
    if (d->dense) lat_dense_log_det(d->dense, &d->of, d->lane, derivatives);
    for (int m = 0; m < g->members; m++) d->log_det[m] = is_ours(d, m) ? d->lane[m / g->rank_count] : 0;
    lat_join(g->comm, d->log_det, g->members);
    check_finite(d, gauge);
    for (int m = 0; m < g->members; m++) {
        d->counted[m].solves++;
        d->counted[m].seconds += MPI_Wtime() - start;
    }
    return d->base.error.status == LAT_DONE;
}

static void total(lat_action *action, lat_gauge *gauge, double *out)
{
    determinant *d = (determinant *)action;
    eliminate(d, gauge, false);
    for (int m = 0; m < d->geometry->members; m++) out[m] -= d->flavours * d->log_det[m];
}

static void differentiate_links(determinant *d, double weight)
{
    entries_force_args args = {lat_tables_of(d->whole), d->derivatives.links->data, d->force->data, weight};
    lat_range range = lat_block(d->whole);
    lat_field_zero(d->force);
    lat_kernels_of(d->force, d->base.group)->entries_force(&args, &range);
}

static void force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)level;
    determinant *d = (determinant *)action;
    if (!eliminate(d, gauge, true)) return;
    if (d->whole) differentiate_links(d, -scale * d->flavours);
    give_share(d, 1, d->force, d->dirac->gathered);
    if (d->dirac->weights) give_share(d, -scale * d->flavours, d->derivatives.blocks, d->dirac->weights);
    lat_dirac_force_finish(d->dirac, gauge, force);
}

static void solves(lat_action *action, const lat_geometry *geometry, lat_solves *out)
{
    lat_solves_take(((determinant *)action)->counted, geometry->members, out);
}

static void release(lat_action *action)
{
    determinant *d = (determinant *)action;
    lat_slices_free(d->slices);
    lat_dense_free(d->dense);
    lat_field_free(d->of.links);
    lat_field_free(d->of.blocks);
    lat_field_free(d->derivatives.links);
    lat_field_free(d->derivatives.blocks);
    lat_field_free(d->force);
    lat_geometry_free(d->whole);
    free(d->lane);
    free(d->log_det);
    free(d->counted);
    free(d);
}

static const lat_action_table table = {
    .name = "determinant", .total = total, .force = force, .free = release, .solves = solves};

/* ------------------------------------------------------------------------------------------------------------ making */

/* Memory of time slices; rows of a matrix, the time for which is that of their third power. */
static const double most_bytes = 4294967296.0, most_rows = 8192;

static lat_status check(int dim, const int64_t *size, lat_group group, lat_error *error)
{
    double volume = 1;
    for (int mu = 0; mu < dim; mu++) volume *= (double)size[mu];
    if (dim == 2 && lat_slices_bytes(size, group) > most_bytes)
        return lat_fail(error, LAT_CONFIG, "the determinant on %lld x %lld sites takes %.3g GB: use pseudofermions",
                        (long long)size[0], (long long)size[1], 1e-9 * lat_slices_bytes(size, group));
    double rows = lat_dense_rows(volume, group, dim);
    if (dim != 2 && rows > most_rows)
        return lat_fail(error, LAT_CONFIG,
                        "the determinant is that of a matrix with %.0f rows, and %.0f are possible: use pseudofermions",
                        rows, most_rows);
    return LAT_DONE;
}

static lat_shape shape_of_share(const lat_geometry *g)
{
    lat_shape shape = {.dim = g->dim, .members = members_here(g), .lane_grid = {1, 1, 1, 1}};
    memcpy(shape.size, g->size, (size_t)g->dim * sizeof *shape.size);
    return shape;
}

static void make_share(determinant *d)
{
    const lat_geometry *g = d->geometry;
    lat_error error = {0};
    const lat_shape shape = shape_of_share(g);
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &d->whole, &error)) lat_abort(error.status, "%s", error.text);
    const dirac_fields *fields = &d->dirac->of[LAT_DOUBLE];
    lat_elimination *const both[] = {&d->of, &d->derivatives};
    for (int i = 0; i < 2; i++) {
        both[i]->links = lat_field_create(d->whole, fields->links->components, LAT_DOUBLE);
        if (fields->blocks) both[i]->blocks = lat_field_create(d->whole, fields->blocks->components, LAT_DOUBLE);
    }
    d->force = lat_field_algebra(d->whole, d->base.group, LAT_DOUBLE);
    d->lane = lat_alloc(d->whole->lanes, sizeof *d->lane);
    if (g->dim == 2)
        d->slices = lat_slices_create(d->whole, d->base.group, lat_dirac_parameters_of(d->dirac));
    else
        d->dense = lat_dense_create(d->whole, d->base.group, lat_dirac_parameters_of(d->dirac));
}

lat_action *lat_action_determinant(lat_dirac *dirac, int flavours, lat_error *error)
{
    const lat_geometry *g = lat_dirac_geometry(dirac);
    if (check(g->dim, g->size, lat_dirac_group(dirac), error)) return NULL;
    determinant *d = lat_alloc(1, sizeof *d);
    *d = (determinant){.base = {.table = &table, .group = lat_dirac_group(dirac), .levels = 1, .solving = 1},
                       .dirac = dirac,
                       .flavours = flavours,
                       .geometry = g};
    d->log_det = lat_alloc(g->members, sizeof *d->log_det);
    d->counted = lat_alloc(g->members, sizeof *d->counted);
    if (members_here(g) > 0) make_share(d);
    return &d->base;
}

/* -------------------------------------------------------------------------------------------------------- settings */

static lat_action *make(lat_dirac *dirac, const void *flavours, lat_error *error)
{
    return lat_action_determinant(dirac, *(const int *)flavours, error);
}

/* The links, the gradient and the force of the share; what eliminates; and the force of all, with a member on its way. */
static void needs(const lat_operator *description, const void *parameters, const lat_geometry *g, lat_group group,
                  lat_needs *needs)
{
    (void)description;
    (void)parameters;
    lat_geometry *whole;
    lat_error error = {0};
    const lat_shape shape = shape_of_share(g);
    const int links = 2 * g->dim * lat_colours(group) * lat_colours(group), algebra = g->dim * lat_algebra_reals(group);
    const double member = g->rank_count > 1 ? (double)g->volume * links * (double)sizeof(double) : 0;
    needs->passing = fmax(needs->passing, lat_field_memory(g, algebra, LAT_DOUBLE) + member);
    if (members_here(g) == 0 || lat_geometry_plan(MPI_COMM_SELF, &shape, &whole, &error)) return;
    needs->kept += 2 * lat_field_memory(whole, links, LAT_DOUBLE) + lat_field_memory(whole, algebra, LAT_DOUBLE);
    needs->kept += g->dim == 2 ? lat_slices_bytes(g->size, group) : lat_dense_bytes((double)g->volume, group, g->dim);
    lat_geometry_free(whole);
}

static const lat_quarks_table kind = {.make = make, .needs = needs, .bytes = sizeof(int), .solving = 1};

/* What can be refused is refused before there is a geometry. */
static lat_action *create(lat_settings *term, const lat_action_context *context, lat_error *error)
{
    lat_operator description;
    lat_error refusal = {0};
    lat_operator_read(term, context, &description, error);
    const int flavours = (int)lat_settings_int(term, "flavours", 2, 1, 64, error);
    if (error->status) return NULL;
    if (check(context->lattice->dim, context->lattice->size, description.group, &refusal)) {
        lat_settings_fail(term, "operator", error, "%s", refusal.text);
        return NULL;
    }
    return lat_action_quarks(&description, &kind, &flavours, 1);
}

const lat_action_kind lat_action_kind_determinant = {"determinant", create};
