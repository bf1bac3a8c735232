/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * audit.c: see audit.h.
 */
#include "hmc/updates/audit.h"

#include "flows/stack.h"
#include "hmc/trajectory.h"

#include <math.h>
#include <stdlib.h>

/* Rounding amplified by layers of slope far from one stays below these; errors in a map or its Jacobian do not. */
static const double tolerance[LAT_PRECISIONS][MC_AUDIT_STATES] = {
    [LAT_DOUBLE] = {INFINITY, 1e-6, 1e-6, 1e-6, 1e-4},
    [LAT_FLOAT] = {INFINITY, 0.1, 0.1, 0.1, 0.1},
};
static const char *const names[MC_AUDIT_STATES] = {"count", "inverse", "log_q", "covariance", "log_det"};

/* fmax would drop a NaN; here it must survive, whatever comes after it. */
static void raise_worst(double *worst, double value)
{
    if (!isnan(*worst) && !(value <= *worst)) *worst = value;
}

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* By how much each member is off; the list is sorted.  In single precision the narrowest bins of splines are a few roundings wide, and the
 * larger the lattice the more links lie in one of them: a quarter of the members may be beyond what is reported.  A map that is
 * wrong is wrong for most of them. */
static void raise_by_members(const mc_proposals *p, double *off, double *worst)
{
    int members = p->geometry->members;
    for (int m = 0; m < members; m++)
        if (isnan(off[m])) off[m] = INFINITY;
    qsort(off, (size_t)members, sizeof *off, descending);
    raise_worst(worst, off[p->map->precision == LAT_FLOAT ? members / 4 : 0]);
}

static void audit_inverse(mc_proposals *p, const lat_gauge *v, const double *log_weight, double *worst, lat_error *error)
{
    lat_gauge *back = lat_gauge_create(p->geometry, p->gauge->group, p->map->precision);
    double *again = lat_alloc(p->geometry->members, sizeof *again);
    mc_proposals_weigh(p, again, back, error);
    raise_worst(&worst[MC_AUDIT_INVERSE], mc_largest_difference(back, v));
    for (int m = 0; m < p->geometry->members; m++) raise_worst(&worst[MC_AUDIT_LOG_Q], fabs(again[m] - log_weight[m]));
    lat_gauge_free(back);
    free(again);
}

/* F(V^g) = F(V)^g, and log det of the turned field is that of the field. */
static void audit_covariance(mc_proposals *p, const lat_random *random, const lat_gauge *v, double *worst)
{
    const lat_geometry *g = p->geometry;
    lat_group group = p->gauge->group;
    lat_field *turn = lat_field_create(g, lat_link_reals(group), p->map->precision);
    lat_gauge *image = lat_gauge_create(g, group, p->map->precision);
    double *log_det = lat_alloc(2 * g->members, sizeof *log_det), *off = lat_alloc(g->members, sizeof *off);
    lat_field_haar(turn, group, random);
    lat_halo_exchange(turn);
    for (int turned = 0; turned < 2; turned++) {
        lat_gauge *u = turned ? p->u : image;
        lat_gauge_copy(u, v);
        if (turned) lat_gauge_transform(u, turn);
        lat_field_zero(p->density);
        flow_forward(p->map, u, p->density);
        lat_sum(p->density, log_det + turned * g->members);
    }
    lat_gauge_transform(image, turn);
    mc_largest_differences(image, p->u, off);
    for (int m = 0; m < g->members; m++) raise_worst(&off[m], fabs(log_det[m] - log_det[g->members + m]));
    raise_by_members(p, off, &worst[MC_AUDIT_COVARIANCE]);
    lat_field_free(turn);
    lat_gauge_free(image);
    free(log_det);
    free(off);
}

/* ------------------------------------------------------------------------------------------- a block of the Jacobian */

typedef struct {
    mc_proposals *p;
    flow_step *step;
    const double *parameters;
    lat_gauge *input; /* of the layer */
    int64_t *site;    /* [members]: in the block of this rank, or -1 */
} block_audit;

static void apply(const block_audit *b, lat_gauge *u)
{
    lat_field_zero(b->p->density);
    b->step->layer->table->forward(b->step, b->parameters, u->links, b->p->density);
}

/* Moves one algebra component of one link of each member's site. */
static void move(const block_audit *b, lat_gauge *u, int component, double distance)
{
    const lat_geometry *g = b->p->geometry;
    lat_field *direction = lat_field_algebra(g, u->group, u->links->precision);
    void *numbers = lat_field_map(direction, LAT_CHANGE);
    for (int m = 0; m < g->members; m++) {
        if (b->site[m] < 0) continue;
        int64_t at = (b->site[m] * direction->components + component) * g->lanes + m;
        if (u->links->precision == LAT_FLOAT)
            ((float *)numbers)[at] = 1;
        else
            ((double *)numbers)[at] = 1;
    }
    lat_field_unmap(direction, numbers, LAT_CHANGE);
    lat_gauge_copy(u, b->input);
    lat_gauge_exp_update(u, distance, direction);
    lat_field_free(direction);
}

/* log |det| of a small matrix, by elimination with pivots; destroys it. */
static double log_abs_det(double *a, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++) {
        int pivot = k;
        for (int i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k])) pivot = i;
        for (int j = 0; j < n; j++) {
            double swap = a[k * n + j];
            a[k * n + j] = a[pivot * n + j];
            a[pivot * n + j] = swap;
        }
        sum += log(fabs(a[k * n + k]));
        for (int i = k + 1; i < n; i++)
            for (int j = n - 1; j >= k; j--) a[i * n + j] -= a[i * n + k] / a[k * n + k] * a[k * n + j];
    }
    return sum;
}

/* By differences over +-step: the logarithms of the determinants of the blocks, of the members whose site is here.  U(1): links
 * and algebra have one real per direction, so a block is that of the angles at the site. */
static void measure_blocks(const block_audit *b, double step, lat_gauge *ahead, double *log_det)
{
    mc_proposals *p = b->p;
    const lat_geometry *g = p->geometry;
    int n = g->dim;
    double *jacobian = lat_alloc((int64_t)g->members * n * n, sizeof *jacobian);
    lat_gauge *behind = p->u;
    for (int j = 0; j < n; j++) {
        move(b, ahead, j, step);
        apply(b, ahead);
        move(b, behind, j, -step);
        apply(b, behind);
        void *up = lat_field_map(ahead->links, LAT_READ), *down = lat_field_map(behind->links, LAT_READ);
        for (int m = 0; m < g->members; m++)
            for (int i = 0; i < n && b->site[m] >= 0; i++) {
                int64_t at = (b->site[m] * n + i) * g->lanes + m;
                jacobian[(m * n + i) * n + j] = remainder(lat_real_at(ahead->links, up, at) - lat_real_at(behind->links, down, at), 2 * M_PI) / (2 * step);
            }
        lat_field_unmap(ahead->links, up, LAT_READ);
        lat_field_unmap(behind->links, down, LAT_READ);
    }
    for (int m = 0; m < g->members; m++)
        if (b->site[m] >= 0) log_det[m] = log_abs_det(jacobian + m * n * n, n);
    free(jacobian);
}

/* Where a spline has narrow bins long differences are no derivatives, and short ones are rounding where it is flat: of several
 * the nearest counts.  Collective over the group. */
static void audit_log_det(const block_audit *b, double *worst)
{
    enum { STEPS = 4 };
    static const double steps[LAT_PRECISIONS][STEPS] = {
        [LAT_DOUBLE] = {1e-5, 3e-6, 1e-6, 3e-7},
        [LAT_FLOAT] = {1e-2, 3e-3, 1e-3, 3e-4},
    };
    mc_proposals *p = b->p;
    const lat_geometry *g = p->geometry;
    lat_gauge *scratch = lat_gauge_create(g, p->gauge->group, p->map->precision);
    double *log_det = lat_alloc((int64_t)STEPS * g->members, sizeof *log_det), *off = lat_alloc(g->members, sizeof *off);
    for (int i = 0; i < STEPS; i++) measure_blocks(b, steps[p->map->precision][i], scratch, log_det + i * g->members);
    lat_gauge_copy(p->u, b->input);
    apply(b, p->u);
    const double *density = lat_field_map(p->density, LAT_READ);
    for (int m = 0; m < g->members; m++) {
        if (b->site[m] < 0) continue;
        double share = density[b->site[m] * g->lanes + m];
        off[m] = INFINITY;
        for (int i = 0; i < STEPS; i++) off[m] = fmin(off[m], fabs(share - log_det[i * g->members + m]));
    }
    lat_field_unmap(p->density, (void *)density, LAT_READ);
    MPI_Allreduce(MPI_IN_PLACE, off, g->members, MPI_DOUBLE, MPI_MAX, p->group_comm);
    raise_by_members(p, off, &worst[MC_AUDIT_LOG_DET]);
    lat_gauge_free(scratch);
    free(log_det);
    free(off);
}

/* The site of this rank's block with this global index in a member's lane, or -1. */
static int64_t find_site(const lat_geometry *g, int member, int64_t global)
{
    for (int64_t site = 0; site < g->sites; site++)
        if (lat_global_site(g, site, member) == global) return site;
    return -1;
}

/* One of the steps of the map by chance, and the links before it; false: this rank has no step whose Jacobian has blocks. */
static bool choose_step(block_audit *b, const double uniform[2])
{
    mc_proposals *p = b->p;
    const flow_steps *steps = p->map->steps;
    int chosen = (int)(uniform[0] * steps->stack->layers);
    lat_field_zero(p->density);
    const double *all = flow_map_parameters(p->map);
    for (int i = 0; i <= chosen; i++) {
        b->step = steps->step[i];
        b->parameters = all + steps->stack->first[i];
        if (i == chosen && !b->step->layer->table->parts) return true;
        b->step->layer->table->forward(steps->step[i], b->parameters, b->input->links, p->density);
    }
    const double *parameters = b->parameters;
    const flow_steps *parts = b->step->layer->table->parts(steps->step[chosen], &parameters);
    if (!parts || parts->stack->layers == 0) return false;
    int part = (int)(uniform[1] * parts->stack->layers);
    for (int i = parts->stack->layers - 1; i >= part; i--) {
        b->step = parts->step[i];
        b->parameters = parameters + parts->stack->first[i];
        b->step->layer->table->inverse(parts->step[i], b->parameters, b->input->links, p->density);
    }
    return true;
}

static void audit_block(mc_proposals *p, const lat_random *random, const lat_gauge *v, double *worst)
{
    const lat_geometry *g = p->geometry;
    block_audit b = {.p = p, .site = lat_alloc(g->members, sizeof(int64_t))};
    b.input = lat_gauge_create(g, p->gauge->group, p->map->precision);
    double uniform[4];
    for (int m = 0; m < g->members; m++) {
        lat_uniform4(random, 0, 0, (uint64_t)m, 2, uniform);
        b.site[m] = find_site(g, m, (int64_t)(uniform[0] * (double)g->volume));
    }
    lat_gauge_copy(b.input, v);
    lat_uniform4(random, 0, 0, 0, 1, uniform);
    if (choose_step(&b, uniform)) audit_log_det(&b, worst);
    lat_gauge_free(b.input);
    free(b.site);
}

/* --------------------------------------------------------------------------------------------------------- the whole */

lat_status mc_audit(mc_proposals *p, const lat_random *random, const lat_gauge *v, const double *log_weight, double *worst, lat_error *error)
{
    double here[MC_AUDIT_STATES] = {0}, nan = 0;
    audit_inverse(p, v, log_weight, here, error);
    audit_covariance(p, random, v, here);
    audit_block(p, random, v, here);
    for (int i = 0; i < MC_AUDIT_STATES; i++)
        if (isnan(here[i])) nan = 1;
    MPI_Allreduce(MPI_IN_PLACE, here, MC_AUDIT_STATES, MPI_DOUBLE, MPI_MAX, p->group_comm);
    MPI_Allreduce(MPI_IN_PLACE, &nan, 1, MPI_DOUBLE, MPI_MAX, p->group_comm);
    for (int i = 0; i < MC_AUDIT_STATES; i++) raise_worst(&worst[i], nan > 0 ? INFINITY : here[i]);
    flow_map_failed(p->map, error);
    return error->status;
}

lat_status mc_audit_verdict(const double *worst, lat_precision precision, lat_error *error)
{
    for (int i = MC_AUDIT_INVERSE; i < MC_AUDIT_STATES; i++)
        if (!(worst[i] <= tolerance[precision][i]))
            return lat_fail(error, LAT_NUMERICAL, "audit: %s of the flow is off by %.3g, more than %.3g: the model is too stiff for this precision, or "
                            "damaged; train it further or use another", names[i], worst[i], tolerance[precision][i]);
    return LAT_DONE;
}

void mc_audit_report(const double *worst, json_t *object)
{
    json_t *audit = json_object();
    json_object_set_new(audit, names[MC_AUDIT_COUNT], json_integer((int64_t)worst[MC_AUDIT_COUNT]));
    for (int i = MC_AUDIT_INVERSE; i < MC_AUDIT_STATES; i++) mc_report_real(audit, names[i], worst[i]);
    json_object_set_new(object, "audit", audit);
}
