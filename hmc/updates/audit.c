/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * audit.c: see audit.h.
 */
#include "hmc/updates/audit.h"

#include <math.h>
#include <stdlib.h>

static const char *const names[MC_CHECKS] = {
    [MC_INVERSE] = "inverse", [MC_LOG_Q] = "log_q",       [MC_COVARIANCE] = "covariance",
    [MC_LOG_DET] = "log_det", [MC_ROUNDING] = "rounding", [MC_LAYERS] = "layers",
};

/* Of the whole map: some roundings of what goes in, by how many times as much as these change it the result of a member
 * may differ, and what it may differ by in any case. */
static const double reaches[LAT_PRECISIONS] = {[LAT_DOUBLE] = 1e-14, [LAT_FLOAT] = 2e-6}, times = 16;
static const double tolerances[LAT_PRECISIONS] = {[LAT_DOUBLE] = 1e-6, [LAT_FLOAT] = 0.1};
/* Of sums of log det over a map's layers, which are added in another order */
static const double order_tolerance = 1e-10;

/* -------------------------------------------------------------------------------------- the layers of the exact map */

typedef struct {
    flow_visitor visitor;
    mc_auditor *auditor;
} collector;

static void collect(flow_visitor *visitor, flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    mc_auditor *a = ((collector *)visitor)->auditor;
    (void)u;
    (void)density;
    flow_step **steps = lat_alloc(a->steps + 1, sizeof *steps);
    const double **all = lat_alloc(a->steps + 1, sizeof *all);
    for (int i = 0; i < a->steps; i++) {
        steps[i] = a->step[i];
        all[i] = a->parameters[i];
    }
    steps[a->steps] = step;
    all[a->steps++] = parameters;
    free(a->step);
    free(a->parameters);
    a->step = steps;
    a->parameters = all;
}

lat_status mc_auditor_create(flow_map *map, mc_auditor *auditor, lat_error *error)
{
    *auditor = (mc_auditor){.map = map, .exact = map};
    if (map->precision != LAT_DOUBLE && flow_map_create(map->model, map->geometry, LAT_DOUBLE, &auditor->exact, error))
        return error->status;
    collector c = {{collect}, auditor};
    lat_gauge *u = lat_gauge_create(map->geometry, map->model->group, LAT_DOUBLE);
    lat_field *density = lat_field_create(map->geometry, 1, LAT_DOUBLE);
    flow_walk(auditor->exact, u, density, &c.visitor, false);
    lat_gauge_free(u);
    lat_field_free(density);
    return LAT_DONE;
}

void mc_auditor_free(mc_auditor *a)
{
    if (a->exact != a->map) flow_map_free(a->exact);
    free(a->step);
    free(a->parameters);
    *a = (mc_auditor){0};
}

/* ------------------------------------------------------------------------------------------------- layer by layer */

typedef struct {
    flow_visitor visitor;
    const mc_auditor *auditor;
    lat_random random;
    int at, chosen; /* number of the layer; the one to check, or negative: all */
    mc_deviation *worst;
} walker;

static void check_layer(flow_visitor *visitor, flow_step *step, const double *parameters, lat_field *u,
                        lat_field *density)
{
    walker *w = (walker *)visitor;
    const int at = w->at++;
    if (w->chosen >= 0 && at != w->chosen) {
        step->layer->table->forward(step, parameters, u, density);
        return;
    }
    mc_layer layer = {
        step, w->auditor->step[at], parameters, w->auditor->parameters[at], w->auditor->map->model->group, w->random};
    mc_layer_check(&layer, u, density, w->worst);
}

static void undo_layer(flow_visitor *visitor, flow_step *step, const double *parameters, lat_field *u,
                       lat_field *density)
{
    (void)visitor;
    step->layer->table->inverse(step, parameters, u, density);
}

/* ---------------------------------------------------------------------------------------------------- the whole map */

typedef struct {
    const mc_auditor *auditor;
    const lat_geometry *g;
    lat_gauge *u, *other; /* of the map's precision */
    lat_field *density;
    double *log_det, *other_log_det, *links_reach, *log_det_reach; /* [members] */
    mc_deviation *worst;
} whole;

/* The largest difference of a link, for each member here. */
static void largest_differences(const lat_gauge *one, const lat_gauge *other, double *largest)
{
    enum { MOST_REALS = 18 };
    const lat_geometry *g = one->links->geometry;
    const int reals = lat_link_reals(one->group);
    void *of_one = lat_field_map(one->links, LAT_READ), *of_other = lat_field_map(other->links, LAT_READ);
    double x[MOST_REALS], y[MOST_REALS];
    for (int m = 0; m < g->members; m++) largest[m] = 0;
    for (int64_t link = 0; link < g->sites * g->dim; link++)
        for (int lane = 0; lane < g->blocks * g->members; lane++) {
            for (int c = 0; c < reals; c++) {
                x[c] = lat_real_at(one->links, of_one, (link * reals + c) * g->lanes + lane);
                y[c] = lat_real_at(other->links, of_other, (link * reals + c) * g->lanes + lane);
            }
            double d = mc_link_distance(one->group, x, y), *most = &largest[g->lane_member[lane]];
            *most = d <= *most ? *most : d;
        }
    lat_field_unmap(one->links, of_one, LAT_READ);
    lat_field_unmap(other->links, of_other, LAT_READ);
    MPI_Allreduce(MPI_IN_PLACE, largest, g->members, MPI_DOUBLE, MPI_MAX, g->comm);
}

/* allowed: of all members, and per member or NULL */
static void compare(const whole *a, const double *off, double allowed, const double *more, mc_check what)
{
    for (int m = 0; m < a->g->members; m++) mc_deviate(&a->worst[what], off[m], allowed + (more ? times * more[m] : 0));
}

static void compare_links(const whole *a, const lat_gauge *one, const lat_gauge *other, double allowed,
                          const double *more, mc_check what)
{
    double *off = lat_alloc(a->g->members, sizeof *off);
    largest_differences(one, other, off);
    compare(a, off, allowed, more, what);
    free(off);
}

static void compare_log_dets(const whole *a, const double *one, const double *other, double allowed, const double *more,
                             mc_check what)
{
    double *off = lat_alloc(a->g->members, sizeof *off);
    for (int m = 0; m < a->g->members; m++) off[m] = fabs(one[m] - other[m]) / (1 + fabs(one[m]));
    compare(a, off, allowed, more, what);
    free(off);
}

/* u <- F(u) or F^-1(u), and its log det */
static void map_links(const whole *a, flow_map *map, bool back, lat_gauge *u, double *log_det)
{
    lat_field_zero(a->density);
    (back ? flow_inverse : flow_forward)(map, u, a->density);
    lat_sum(a->density, log_det);
}

/* By how much a change of the links by some roundings changes their image and its log det, for each member. */
static void measure_reach(const whole *a, const lat_random *random, double reach, bool back, const lat_gauge *from,
                          double *links, double *log_dets)
{
    const int members = a->g->members;
    lat_gauge *at = lat_gauge_create(a->g, from->group, LAT_DOUBLE),
              *moved = lat_gauge_create(a->g, from->group, LAT_DOUBLE);
    lat_field *direction = lat_field_algebra(a->g, from->group, LAT_DOUBLE);
    double *log_det = lat_alloc(members, sizeof *log_det);
    lat_field_gaussian(direction, random);
    lat_gauge_copy(at, from);
    lat_gauge_copy(moved, from);
    lat_gauge_exp_update(moved, reach, direction);
    map_links(a, a->auditor->exact, back, at, log_det);
    map_links(a, a->auditor->exact, back, moved, log_dets);
    largest_differences(at, moved, links);
    for (int m = 0; m < members; m++) log_dets[m] = fabs(log_dets[m] - log_det[m]);
    lat_gauge_free(at);
    lat_gauge_free(moved);
    lat_field_free(direction);
    free(log_det);
}

static void audit_layers(whole *a, const lat_random *random, int chosen, const lat_gauge *v, const lat_gauge *u,
                         const double *log_det)
{
    walker there = {{check_layer}, a->auditor, *random, 0, chosen, a->worst};
    lat_gauge_copy(a->u, v);
    lat_field_zero(a->density);
    flow_walk(a->auditor->map, a->u, a->density, &there.visitor, false);
    lat_sum(a->density, a->log_det);
    compare_links(a, a->u, u, order_tolerance, NULL, MC_LAYERS);
    compare_log_dets(a, log_det, a->log_det, order_tolerance, NULL, MC_LAYERS);
}

/* What rounding explains is measured where there is something to explain. */
static void audit_log_q(whole *a, const lat_random *random, const lat_gauge *u, const double *there, const double *back)
{
    const lat_precision precision = a->auditor->map->precision;
    bool explain = false;
    for (int m = 0; m < a->g->members; m++) explain = explain || !(fabs(there[m] - back[m]) <= tolerances[precision]);
    if (explain) measure_reach(a, random, reaches[precision], true, u, a->links_reach, a->log_det_reach);
    for (int m = 0; m < a->g->members; m++) a->other_log_det[m] = fabs(there[m] - back[m]);
    compare(a, a->other_log_det, tolerances[precision], explain ? a->log_det_reach : NULL, MC_LOG_Q);
}

static void audit_inverse(whole *a, const lat_random *random, const lat_gauge *u, const double *log_det)
{
    flow_visitor back = {undo_layer};
    flow_map *map = a->auditor->map;
    lat_gauge_copy(a->other, u);
    lat_field_zero(a->density);
    flow_walk(map, a->other, a->density, &back, true);
    lat_sum(a->density, a->other_log_det);
    lat_gauge_copy(a->u, u);
    map_links(a, map, true, a->u, a->log_det);
    compare_links(a, a->u, a->other, order_tolerance, NULL, MC_LAYERS);
    compare_log_dets(a, a->log_det, a->other_log_det, order_tolerance, NULL, MC_LAYERS);
    audit_log_q(a, random, u, log_det, a->log_det);
}

static void audit_covariance(whole *a, const lat_random *random, const lat_gauge *v)
{
    lat_group group = v->group;
    lat_field *turn = lat_field_create(a->g, lat_link_reals(group), LAT_DOUBLE);
    lat_gauge *plain = lat_gauge_create(a->g, group, LAT_DOUBLE), *turned = lat_gauge_create(a->g, group, LAT_DOUBLE);
    lat_field_haar(turn, group, random);
    lat_halo_exchange(turn);
    lat_gauge_copy(plain, v);
    if (a->auditor->map->precision == LAT_FLOAT) mc_links_to_group(plain);
    lat_gauge_copy(turned, plain);
    lat_gauge_transform(turned, turn);
    map_links(a, a->auditor->exact, false, plain, a->log_det);
    map_links(a, a->auditor->exact, false, turned, a->other_log_det);
    lat_gauge_transform(plain, turn);
    measure_reach(a, random, reaches[LAT_DOUBLE], false, v, a->links_reach, a->log_det_reach);
    compare_links(a, plain, turned, tolerances[LAT_DOUBLE], a->links_reach, MC_COVARIANCE);
    compare_log_dets(a, a->log_det, a->other_log_det, tolerances[LAT_DOUBLE], a->log_det_reach, MC_COVARIANCE);
    lat_gauge_free(plain);
    lat_gauge_free(turned);
    lat_field_free(turn);
}

static int choose_layer(const mc_auditor *auditor, const lat_random *random)
{
    double uniform[4];
    lat_uniform4(random, 0, 0, 0, 1, uniform);
    return (int)(uniform[0] * auditor->steps);
}

lat_status mc_audit(mc_auditor *auditor, const lat_random *random, bool all_layers, const lat_gauge *v,
                    const lat_gauge *u, const double *log_det, mc_deviation *worst, lat_error *error)
{
    const lat_geometry *g = auditor->map->geometry;
    whole a = {.auditor = auditor, .g = g, .worst = worst};
    a.u = lat_gauge_create(g, v->group, auditor->map->precision);
    a.other = lat_gauge_create(g, v->group, auditor->map->precision);
    a.density = lat_field_create(g, 1, LAT_DOUBLE);
    a.log_det = lat_alloc(g->members, sizeof *a.log_det);
    a.other_log_det = lat_alloc(g->members, sizeof *a.other_log_det);
    a.links_reach = lat_alloc(g->members, sizeof *a.links_reach);
    a.log_det_reach = lat_alloc(g->members, sizeof *a.log_det_reach);
    audit_layers(&a, random, all_layers ? -1 : choose_layer(auditor, random), v, u, log_det);
    audit_inverse(&a, random, u, log_det);
    if (all_layers) audit_covariance(&a, random, v);
    MPI_Allreduce(MPI_IN_PLACE, worst, MC_CHECKS * (int)(sizeof *worst / sizeof(double)), MPI_DOUBLE, MPI_MAX, g->comm);
    lat_gauge_free(a.u);
    lat_gauge_free(a.other);
    lat_field_free(a.density);
    free(a.log_det);
    free(a.other_log_det);
    free(a.links_reach);
    free(a.log_det_reach);
    flow_map_failed(auditor->exact, error);
    flow_map_failed(auditor->map, error);
    return error->status;
}

void mc_audit_record(const mc_deviation *worst, int audits, double *memory)
{
    memory[MC_AUDIT_COUNT] += audits;
    for (int i = 0; i < MC_CHECKS; i++) {
        memory[MC_AUDIT_OFF + i] = fmax(memory[MC_AUDIT_OFF + i], worst[i].off);
        memory[MC_AUDIT_EXCESS] = fmax(memory[MC_AUDIT_EXCESS], worst[i].excess);
    }
}

lat_status mc_audit_verdict(const mc_deviation *worst, lat_error *error)
{
    int most = 0;
    for (int i = 1; i < MC_CHECKS; i++)
        if (worst[i].excess > worst[most].excess) most = i;
    if (worst[most].excess <= 1) return LAT_DONE;
    return lat_fail(
        error, LAT_NUMERICAL,
        "audit: %s of the flow is off by %.3g, %.3g times what rounding explains: the model is too stiff for this "
        "precision, or damaged; train it further or use another",
        names[most], worst[most].off, worst[most].excess);
}

void mc_audit_report(const double *memory, json_t *object)
{
    json_t *audit = json_object();
    json_object_set_new(audit, "count", json_integer((int64_t)memory[MC_AUDIT_COUNT]));
    for (int i = 0; i < MC_CHECKS; i++) mc_report_real(audit, names[i], memory[MC_AUDIT_OFF + i]);
    mc_report_real(audit, "worst", memory[MC_AUDIT_EXCESS]);
    json_object_set_new(object, "audit", audit);
}
