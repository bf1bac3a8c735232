/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chain.c: a Markov chain: the lattice, action and links that its updates work on, and its random streams.
 */
#include "hmc/chain.h"

#include "hmc/find.h"
#include "lattice/grid/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool mc_chain_counts(const mc_chain *chain) { return chain->state->step >= chain->thermalise; }

mc_context mc_chain_context(const mc_chain *chain, const flow_layer_table *const *layers)
{
    return (mc_context){chain->state, chain->directory, chain->precision, layers};
}

/* One number per direction into a grid; an absent key leaves zeros, which means: choose. */
static void read_grid(lat_settings *group, const char *key, int dim, int *grid, lat_error *error)
{
    int64_t values[LAT_MAX_DIM] = {0};
    if (!lat_settings_has(group, key)) return;
    int count = lat_settings_ints(group, key, values, -1, LAT_MAX_DIM, 1, 1 << 20, error);
    if (count != dim && !error->status)
        lat_settings_fail(group, key, error, "%d numbers for a lattice of %d directions: give one for each", count,
                          dim);
    for (int mu = 0; mu < dim; mu++) grid[mu] = (int)values[mu];
}

static void read_lattice(lat_settings *root, lat_group *group, lat_shape *shape, lat_boundary *boundary,
                         lat_rungs *rungs, lat_error *error)
{
    lat_settings *lattice = lat_settings_group(root, "lattice", error);
    *group = (lat_group)lat_settings_choice(lattice, "group", NULL, lat_group_names, error);
    shape->dim = lat_settings_ints(lattice, "size", shape->size, -1, LAT_MAX_DIM, 2, INT32_MAX, error);
    if (shape->dim < 2 && !error->status)
        lat_settings_fail(lattice, "size", error, "a lattice has 2, 3 or 4 directions: give as many extents");
    if (error->status) return;
    read_grid(lattice, "ranks", shape->dim, shape->ranks, error);
    read_grid(lattice, "lanes", shape->dim, shape->lane_grid, error);
    lat_boundary_read_ladder(lattice, shape->dim, shape->size, boundary, rungs, error);
}

/* The longest extent in these directions that can be halved, multiples of 4 staying such, and even numbers too; -1 if there is none. */
static int longest_even(const int64_t *block, int first, int end)
{
    enum { SHORTEST = 4 };
    int longest = -1;
    for (int mu = first; mu < end; mu++)
        if (block[mu] >= 2 * SHORTEST && block[mu] % (block[mu] % 4 == 0 ? 8 : 4) == 0 && (longest < 0 || block[mu] > block[longest])) longest = mu;
    return longest;
}

/* Halves extents of the blocks until a rank has few sites: what updates ask of a lattice is asked of the small one, and loops lie in the
 * first two directions, which are halved last. */
static void shrink(const lat_geometry *whole, lat_shape *shape)
{
    enum { FEW = 1 << 16 };
    int64_t block[LAT_MAX_DIM] = {0}, sites = (int64_t)whole->blocks * whole->members;
    for (int mu = 0; mu < whole->dim; mu++) sites *= block[mu] = whole->block[mu];
    for (int mu = 0; sites > FEW && mu >= 0;) {
        mu = longest_even(block, 2, whole->dim);
        if (mu < 0) mu = longest_even(block, 0, 2);
        if (mu < 0) continue;
        block[mu] /= 2;
        sites /= 2;
    }
    for (int mu = 0; mu < whole->dim; mu++) {
        shape->size[mu] = block[mu] * whole->ranks[mu] * whole->lane_grid[mu];
        shape->ranks[mu] = whole->ranks[mu];
        shape->lane_grid[mu] = whole->lane_grid[mu];
    }
}

static void lay_out(MPI_Comm comm, lat_shape *shape, bool plan, mc_chain *chain, lat_error *error)
{
    if (plan && lat_geometry_plan(comm, shape, &chain->planned, error) == LAT_DONE) shrink(chain->planned, shape);
    if (!error->status) lat_geometry_create(comm, shape, &chain->geometry, error);
}

/* Members for the replicas alone, on the same parts of ranks. */
static void lay_out_sample(MPI_Comm comm, const lat_shape *shape, const lat_boundary *boundary, int rungs,
                           mc_chain *chain, lat_error *error)
{
    lat_shape alone = *shape;
    alone.members /= rungs;
    memcpy(alone.ranks, chain->geometry->ranks, sizeof alone.ranks);
    memset(alone.lane_grid, 0, sizeof alone.lane_grid);
    if (lat_geometry_create(comm, &alone, &chain->sample_geometry, error)) return;
    chain->sample = lat_gauge_create(chain->sample_geometry, chain->action->group, LAT_DOUBLE);
    lat_gauge_couple(chain->sample, -1, boundary);
}

lat_gauge *mc_chain_sample(const mc_chain *chain)
{
    if (!chain->sample) return chain->state->gauge;
    const int replicas = mc_replicas(chain->state);
    int *member = lat_alloc(replicas, sizeof *member);
    for (int r = 0; r < replicas; r++) member[r] = mc_ladder_member(chain->state->ladder, r, 0);
    lat_field_take_members(chain->sample->links, chain->state->gauge->links, member);
    lat_gauge_changed(chain->sample);
    free(member);
    return chain->sample;
}

lat_random mc_chain_sources(const mc_chain *chain)
{
    lat_random random = mc_random(chain->state, LAT_RANDOM_SOURCES, 0);
    random.member = 1;
    return random;
}

const lat_geometry *mc_chain_lattice(const mc_chain *chain) { return chain->planned ? chain->planned : chain->geometry; }

static void read_action(lat_settings *root, lat_action_context context, const lat_action_kind *const *actions,
                        const lat_dirac_table *const *operators, mc_chain *chain, lat_error *error)
{
    context.operators = chain->operators = lat_operators_read(root, &context, operators, error);
    if (!error->status) chain->action = lat_action_create(root, &context, actions, error);
}

static lat_status create(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions,
                         const lat_dirac_table *const *operators, const char *directory, bool plan,
                         const lat_rungs *found, mc_chain **out, lat_error *error)
{
    enum { MOST_REPLICAS = 1 << 20 };
    mc_chain *chain = lat_alloc(1, sizeof *chain);
    lat_shape shape = {0};
    lat_boundary boundary = {.defect = false};
    lat_rungs ladder = {.rungs = 0};
    lat_group group;
    read_lattice(root, &group, &shape, &boundary, &ladder, error);
    chain->pilot = ladder.acceptance > 0 && !found;
    if (found) ladder = *found;
    lat_settings *settings = lat_settings_group(root, "chain", error);
    uint64_t seed = (uint64_t)lat_settings_int(settings, "seed", 1, 0, INT64_MAX, error);
    const int rungs = ladder.rungs > 0 ? ladder.rungs : 1;
    shape.members = rungs * (int)lat_settings_int(settings, "replicas", 1, 1, MOST_REPLICAS / rungs, error);
    chain->thermalise = (uint64_t)lat_settings_int(settings, "thermalise", 0, 0, INT64_MAX / 4, error);
    chain->start = lat_text("%s", lat_settings_string(settings, "start", "hot", error));
    /* Not a default that is printed: runs from before there was the key can be resumed. */
    if (lat_settings_has(settings, "force")) chain->force = lat_settings_bool(settings, "force", false, error);
    chain->precision = (lat_precision)lat_settings_choice(root, "precision", "double", lat_precision_names, error);
    chain->directory = lat_text("%s", directory);
    if (!error->status)
        read_action(root, (lat_action_context){group, &shape, &boundary, NULL}, actions, operators, chain, error);
    if (!error->status) lat_action_shape(chain->action, &shape);
    if (!error->status) lat_backend_read(comm, root, &shape.backend, chain->no_device, error);
    if (!error->status) lay_out(comm, &shape, plan, chain, error);
    if (!error->status && ladder.rungs > 0) lay_out_sample(comm, &shape, &boundary, rungs, chain, error);
    if (error->status) {
        mc_chain_free(chain);
        *out = NULL;
        return error->status;
    }
    mc_ladder *rungs_of = ladder.rungs > 0 ? mc_ladder_create(&boundary, &ladder, shape.members) : NULL;
    chain->state = mc_state_create(chain->geometry, group, &boundary, rungs_of, chain->action, seed);
    *out = chain;
    return LAT_DONE;
}

lat_status mc_chain_create(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions, const lat_dirac_table *const *operators,
                           const char *directory, mc_chain **chain, lat_error *error)
{
    return create(comm, root, actions, operators, directory, false, NULL, chain, error);
}

lat_status mc_chain_create_on(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions,
                              const lat_dirac_table *const *operators, const char *directory, const lat_rungs *rungs,
                              mc_chain **chain, lat_error *error)
{
    return create(comm, root, actions, operators, directory, false, rungs, chain, error);
}

lat_status mc_chain_plan(MPI_Comm comm, lat_settings *root, const lat_action_kind *const *actions, const lat_dirac_table *const *operators,
                         const char *directory, mc_chain **chain, lat_error *error)
{
    return create(comm, root, actions, operators, directory, true, NULL, chain, error);
}

static bool from_file(const mc_chain *chain) { return strcmp(chain->start, "cold") != 0 && strcmp(chain->start, "hot") != 0; }

lat_status mc_chain_check_start(const mc_chain *chain, lat_error *error)
{
    const lat_geometry *g = mc_chain_lattice(chain);
    lat_group group;
    lat_shape shape = {0};
    char *path;
    if (!from_file(chain) || mc_find_needed(g->comm, chain->directory, "configurations", chain->start, &path, error)) return error->status;
    if (lat_config_shape(g->comm, path, &group, &shape, error) == LAT_DONE) {
        bool same = group == chain->state->gauge->group && shape.dim == g->dim;
        for (int mu = 0; same && mu < g->dim; mu++) same = shape.size[mu] == g->size[mu];
        if (!same)
            lat_fail(error, LAT_CONFIG, "chain.start: %.200s: is of %s on %lld x %lld x %lld x %lld: set lattice as it is, or give another file",
                     path, lat_group_names[group], (long long)shape.size[0], (long long)shape.size[1],
                     shape.dim > 2 ? (long long)shape.size[2] : 1, shape.dim > 3 ? (long long)shape.size[3] : 1);
    }
    free(path);
    return error->status;
}

static lat_status read_start(mc_chain *chain, lat_error *error)
{
    const lat_config_options options = {.lenient = chain->force};
    lat_config_report report = {0};
    char *path;
    if (mc_find_needed(chain->geometry->comm, chain->directory, "configurations", chain->start, &path, error)) return error->status;
    if (lat_config_read_as(path, chain->state->gauge, &options, &report, error) == LAT_DONE && chain->geometry->rank == 0)
        lat_config_report_warn(&report, path, chain->state->gauge);
    lat_config_report_free(&report);
    free(path);
    return error->status;
}

lat_status mc_chain_start(mc_chain *chain, lat_error *error)
{
    if (from_file(chain)) return read_start(chain, error);
    if (strcmp(chain->start, "cold") == 0) return LAT_DONE;
    lat_random random = mc_random(chain->state, LAT_RANDOM_START, 0);
    lat_gauge_haar(chain->state->gauge, &random);
    return LAT_DONE;
}

void mc_chain_free(mc_chain *chain)
{
    if (!chain) return;
    mc_state_free(chain->state);
    lat_gauge_free(chain->sample);
    lat_action_free(chain->action);
    free(chain->operators);
    lat_geometry_free(chain->geometry);
    lat_geometry_free(chain->sample_geometry);
    lat_geometry_free(chain->planned);
    free(chain->directory);
    free(chain->start);
    free(chain);
}

double mc_chain_processor_seconds(const mc_chain *chain)
{
    double sum = chain->processor_seconds;
    MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, chain->geometry->comm);
    return chain->processor_before + sum;
}

static double processor_time(void)
{
    struct timespec time;
    return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 ? (double)time.tv_sec + 1e-9 * (double)time.tv_nsec : 0;
}

lat_status mc_chain_step(mc_chain *chain, mc_update *const *updates, int count, lat_error *error)
{
    mc_state *state = chain->state;
    state->counts = mc_chain_counts(chain);
    const double processor = processor_time();
    state->random = state->step == 0 && strcmp(chain->start, "hot") == 0;
    for (int i = 0; i < count; i++) {
        double start = MPI_Wtime();
        lat_status status = updates[i]->table->step(updates[i], state, error);
        chain->geometry->backend->wait(LAT_MAIN);
        double seconds = MPI_Wtime() - start;
        if (status) return status;
        updates[i]->step_seconds = seconds;
        if (!state->counts) continue;
        updates[i]->seconds += seconds;
        for (int part = 0; updates[i]->part_name && updates[i]->part_name[part]; part++)
            updates[i]->part_seconds[part] += updates[i]->part_step_seconds[part];
        chain->core_seconds += seconds * chain->geometry->rank_count;
    }
    if (state->counts) chain->processor_seconds += processor_time() - processor;
    state->step++;
    return LAT_DONE;
}
