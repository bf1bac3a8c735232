/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectory.c: a molecular-dynamics trajectory and the Metropolis decision at its end, S. Duane et al., Phys. Lett. B
 * 195 (1987) 216.  H = 1/2 sum pi_a^2 + S(U), summed exactly, so that any number of ranks decides alike.
 *
 * A mode of frequency omega comes back to where it was, or to the opposite, after trajectories of omega length = n pi; lengths
 * drawn at random leave none behind, P. B. Mackenzie, Phys. Lett. B 226 (1989) 369.
 */
#include "hmc/trajectory.h"

#include "lattice/grid/kernels.h"

#include <math.h>
#include <stdlib.h>

/* One number for an action of one level. */
static void read_steps(lat_settings *settings, mc_trajectory *trajectory, lat_error *error)
{
    enum { MOST_STEPS = 1 << 24 };
    int64_t steps[LAT_MAX_LEVELS] = {0};
    int count = 1;
    if (trajectory->levels == 1)
        steps[0] = lat_settings_int(settings, "steps", 10, 1, MOST_STEPS, error);
    else
        count = lat_settings_ints(settings, "steps", steps, -1, LAT_MAX_LEVELS, 1, MOST_STEPS, error);
    if (!error->status && count != trajectory->levels)
        lat_settings_fail(settings, "steps", error,
                          "%d numbers of steps, but the action has %d levels: give one for each, "
                          "the outermost first",
                          count, trajectory->levels);
    for (int i = 0; i < count; i++) trajectory->steps[i] = (int)steps[i];
}

lat_status mc_trajectory_create(lat_settings *settings, const lat_geometry *geometry, lat_action *action, mc_trajectory *trajectory,
                                lat_error *error)
{
    trajectory->length = lat_settings_real(settings, "trajectory", 1, 1e-6, 1e6, error);
    trajectory->randomise = lat_settings_real(settings, "randomise", 0, 0, 1, error);
    trajectory->levels = action->levels;
    read_steps(settings, trajectory, error);
    trajectory->integrator =
        (mc_integrator)lat_settings_choice(settings, "integrator", "omf2", mc_integrator_names, error);
    if (error->status) return error->status;
    trajectory->momenta = lat_field_algebra(geometry, action->group, LAT_DOUBLE);
    trajectory->start = lat_gauge_create(geometry, action->group, LAT_DOUBLE);
    trajectory->density = lat_field_create(geometry, 1, LAT_DOUBLE);
    trajectory->last.before = lat_field_algebra(geometry, action->group, LAT_DOUBLE);
    for (int i = 0; i < action->levels; i++) trajectory->last.square[i] = lat_field_create(geometry, 1, LAT_DOUBLE);
    trajectory->force = lat_alloc((int64_t)action->levels * geometry->members, sizeof *trajectory->force);
    trajectory->solving = action->solving;
    trajectory->solves = lat_alloc((int64_t)action->solving * geometry->members, sizeof *trajectory->solves);
    lat_action_solves(action, geometry, trajectory->solves); /* which terms these are */
    trajectory->repeats = lat_repeats_create(geometry);
    return LAT_DONE;
}

void mc_trajectory_free(mc_trajectory *trajectory)
{
    lat_field_free(trajectory->momenta);
    lat_gauge_free(trajectory->start);
    lat_field_free(trajectory->density);
    lat_field_free(trajectory->last.before);
    for (int i = 0; i < trajectory->levels; i++) lat_field_free(trajectory->last.square[i]);
    free(trajectory->force);
    free(trajectory->solves);
    lat_repeats_free(trajectory->repeats);
    *trajectory = (mc_trajectory){0};
}

static void hamiltonian(mc_trajectory *trajectory, lat_action *action, lat_gauge *gauge, double *out)
{
    const lat_field *momenta = trajectory->momenta;
    lat_field *density = trajectory->density;
    half_square_args args = {lat_tables_of(momenta->geometry), momenta->data, density->data, momenta->components};
    lat_range range = lat_block(momenta->geometry);
    lat_field_zero(density);
    lat_field_kernels_of(momenta)->half_square(&args, &range);
    lat_action_sum(action, gauge, density, out);
}

static void sum_forces(mc_trajectory *t)
{
    const lat_geometry *g = t->momenta->geometry;
    const double links = (double)g->volume * g->dim;
    for (int level = 0; level < t->levels; level++) {
        double *force = t->force + (int64_t)level * g->members;
        lat_sum(t->last.square[level], force);
        for (int m = 0; m < g->members; m++) force[m] = sqrt(force[m] / links);
    }
}

/* Auxiliary fields and momenta must not be drawn from the same numbers. */
static void refresh(lat_action *action, lat_gauge *gauge, lat_random random)
{
    random.purpose = LAT_RANDOM_AUXILIARY;
    lat_action_refresh(action, gauge, &random);
}

/* All that an integration follows from, but for the numbers in the fields. */
typedef struct {
    const mc_trajectory *trajectory;
    lat_action *action;
    lat_gauge *gauge;
    void *data;
    double length, beta; /* that of a Wilson action may be another where the last one lay */
} integration;

static void run_integration(const void *arguments)
{
    const integration *i = arguments;
    const mc_trajectory *t = i->trajectory;
    mc_integrate(t->integrator, i->action, i->gauge, t->momenta, i->length, t->steps, &t->last);
}

/* A recording of more forces than this gains nothing more, and one of a length that does not come again gains nothing.  Quarks cannot be
 * recorded. */
static void integrate(const mc_trajectory *t, lat_action *action, lat_gauge *gauge, double length)
{
    enum { MOST_RECORDED = 1000 };
    integration i = {t, action, gauge, gauge->links->data, length, lat_action_beta(action)};
    if (action->quarks || t->randomise > 0 || mc_integrator_forces(t->integrator, t->levels, t->steps) > MOST_RECORDED)
        run_integration(&i);
    else
        lat_repeat(t->repeats, run_integration, &i, sizeof i);
    lat_gauge_changed(gauge); /* a replay does not say so */
}

static double draw_length(const mc_trajectory *t, const lat_random *random)
{
    double uniform[4];
    if (t->randomise == 0) return t->length;
    lat_uniform4(random, 0, 0, 0, 1, uniform);
    return t->length * (1 + t->randomise * (2 * uniform[0] - 1));
}

lat_status mc_trajectory_run(mc_trajectory *t, lat_action *action, lat_gauge *gauge, const lat_random *momenta, const lat_random *acceptance,
                             double *dh, bool *accepted, lat_error *error)
{
    int members = gauge->links->geometry->members;
    double *start = lat_alloc(members, sizeof *start);
    bool *rejected = lat_alloc(members, sizeof *rejected);
    lat_action_solves(action, gauge->links->geometry, t->solves); /* those of others */
    lat_field_gaussian(t->momenta, momenta);
    refresh(action, gauge, *momenta);
    lat_gauge_copy(t->start, gauge);
    hamiltonian(t, action, gauge, start);
    integrate(t, action, gauge, draw_length(t, acceptance));
    sum_forces(t);
    hamiltonian(t, action, gauge, dh);
    lat_action_solves(action, gauge->links->geometry, t->solves);
    bool failed = lat_action_failed(action, error) != LAT_DONE;
    for (int m = 0; m < members; m++) {
        double uniform[4];
        lat_uniform4(acceptance, 0, 0, (uint64_t)m, 0, uniform);
        dh[m] -= start[m];
        accepted[m] = !failed && uniform[0] < exp(-dh[m]); /* false if dh is NaN */
        rejected[m] = !accepted[m];
    }
    lat_gauge_copy_members(gauge, t->start, rejected);
    free(start);
    free(rejected);
    return error->status;
}

void mc_largest_differences(const lat_gauge *gauge, const lat_gauge *other, double *largest)
{
    const lat_field *a = gauge->links, *b = other->links;
    const lat_geometry *g = a->geometry;
    void *of_a = lat_field_map(a, LAT_READ), *of_b = lat_field_map(b, LAT_READ);
    for (int m = 0; m < g->members; m++) largest[m] = 0;
    for (int64_t i = 0; i < g->sites * a->components; i++)
        for (int lane = 0; lane < g->blocks * g->members; lane++) {
            double d = lat_real_at(a, of_a, i * g->lanes + lane) - lat_real_at(b, of_b, i * g->lanes + lane);
            if (gauge->group == LAT_U1) d = remainder(d, 2 * M_PI);
            double *most = &largest[g->lane_member[lane]];
            *most = isnan(d) ? INFINITY : fmax(*most, fabs(d));
        }
    lat_field_unmap(a, of_a, LAT_READ);
    lat_field_unmap(b, of_b, LAT_READ);
    MPI_Allreduce(MPI_IN_PLACE, largest, g->members, MPI_DOUBLE, MPI_MAX, g->comm);
}

double mc_largest_difference(const lat_gauge *a, const lat_gauge *b)
{
    const int members = a->links->geometry->members;
    double *each = lat_alloc(members, sizeof *each), largest = 0;
    mc_largest_differences(a, b, each);
    for (int m = 0; m < members; m++) largest = fmax(largest, each[m]);
    free(each);
    return largest;
}

double mc_trajectory_reversibility(mc_trajectory *t, lat_action *action, lat_gauge *gauge, const lat_random *momenta)
{
    lat_field_gaussian(t->momenta, momenta);
    refresh(action, gauge, *momenta);
    lat_gauge_copy(t->start, gauge);
    integrate(t, action, gauge, t->length);
    lat_field_axpy(t->momenta, -2, t->momenta);
    integrate(t, action, gauge, t->length);
    double difference = mc_largest_difference(gauge, t->start);
    lat_gauge_copy(gauge, t->start);
    return difference;
}
