/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * chain.c: a Markov chain: the lattice, action and links that its updates work on, and its random streams.
 */
#include "lattice/grid/kernels.h"
#include "hmc/hmc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Set by the build: where files that come with the program lie once installed, and before that. */
#ifndef FLOWHMC_DATADIR
#define FLOWHMC_DATADIR "/usr/local/share/flowhmc"
#endif
#ifndef FLOWHMC_SOURCEDIR
#define FLOWHMC_SOURCEDIR "."
#endif

lat_random mc_random(const mc_chain *chain, lat_purpose purpose, int update)
{
    return (lat_random){.seed = chain->seed, .purpose = purpose, .update = (uint32_t)update, .step = chain->step};
}

bool mc_chain_counts(const mc_chain *chain) { return chain->step >= chain->thermalise; }

char *mc_find_file(const char *directory, const char *kind, const char *name)
{
    if (name[0] == '/') return access(name, R_OK) == 0 ? lat_text("%s", name) : NULL;
    char *places[] = {
        directory ? lat_text("%s/%s", directory, name) : lat_text("%s", ""),
        lat_text("%s/%s/%s", FLOWHMC_DATADIR, kind, name),
        lat_text("%s/share/%s/%s", FLOWHMC_SOURCEDIR, kind, name),
    };
    char *found = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (!found && access(places[i], R_OK) == 0)
            found = places[i];
        else
            free(places[i]);
    }
    return found;
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

static void read_lattice(lat_settings *root, lat_group *group, lat_shape *shape, lat_error *error)
{
    lat_settings *lattice = lat_settings_group(root, "lattice", error);
    *group = (lat_group)lat_settings_choice(lattice, "group", NULL, lat_group_names, error);
    shape->dim = lat_settings_ints(lattice, "size", shape->size, -1, LAT_MAX_DIM, 2, INT32_MAX, error);
    if (shape->dim < 2 && !error->status)
        lat_settings_fail(lattice, "size", error, "a lattice has 2, 3 or 4 directions: give as many extents");
    if (error->status) return;
    read_grid(lattice, "ranks", shape->dim, shape->ranks, error);
    read_grid(lattice, "lanes", shape->dim, shape->lane_grid, error);
    lat_boundary_read(lattice, shape, error);
}

lat_status mc_chain_create(MPI_Comm comm, lat_settings *root, const char *directory, mc_chain **out, lat_error *error)
{
    enum { MOST_REPLICAS = 1 << 20 };
    mc_chain *chain = lat_alloc(1, sizeof *chain);
    lat_shape shape = {0};
    read_lattice(root, &chain->group, &shape, error);
    lat_settings *settings = lat_settings_group(root, "chain", error);
    chain->seed = (uint64_t)lat_settings_int(settings, "seed", 1, 0, INT64_MAX, error);
    chain->replicas = (int)lat_settings_int(settings, "replicas", 1, 1, MOST_REPLICAS, error);
    chain->thermalise = (uint64_t)lat_settings_int(settings, "thermalise", 0, 0, INT64_MAX / 4, error);
    chain->start = lat_text("%s", lat_settings_string(settings, "start", "hot", error));
    chain->precision = (lat_precision)lat_settings_choice(root, "precision", "double", lat_precision_names, error);
    chain->directory = lat_text("%s", directory);
    shape.members = chain->replicas;
    if (!error->status) chain->action = lat_action_create(root, chain->group, error);
    if (!error->status) shape.halo = chain->action->halo;
    if (!error->status) lat_backend_read(comm, root, &shape.backend, chain->no_device, error);
    if (!error->status) lat_geometry_create(comm, &shape, &chain->geometry, error);
    if (error->status) {
        mc_chain_free(chain);
        *out = NULL;
        return error->status;
    }
    chain->links = lat_field_gauge(chain->geometry, chain->group, LAT_DOUBLE);
    chain->density = lat_field_create(chain->geometry, 1, LAT_DOUBLE);
    chain->couplings = lat_couplings_create(chain->geometry);
    lat_action_couple(chain->action, chain->couplings);
    *out = chain;
    return LAT_DONE;
}

lat_status mc_chain_start(mc_chain *chain, lat_error *error)
{
    if (strcmp(chain->start, "cold") == 0) return LAT_DONE;
    if (strcmp(chain->start, "hot") == 0) {
        lat_random random = mc_random(chain, LAT_RANDOM_START, 0);
        lat_field_haar(chain->links, chain->group, &random);
        return LAT_DONE;
    }
    char *path = mc_find_file(chain->directory, "configurations", chain->start);
    lat_status status = lat_config_read(path ? path : chain->start, chain->links, chain->group, error);
    free(path);
    return status;
}

void mc_chain_free(mc_chain *chain)
{
    if (!chain) return;
    lat_field_free(chain->links);
    lat_field_free(chain->density);
    lat_field_free(chain->couplings);
    lat_action_free(chain->action);
    lat_geometry_free(chain->geometry);
    free(chain->directory);
    free(chain->start);
    free(chain);
}

lat_status mc_chain_step(mc_chain *chain, mc_update *const *updates, int count, lat_error *error)
{
    for (int i = 0; i < count; i++) {
        double start = MPI_Wtime();
        lat_status status = updates[i]->table->step(updates[i], error);
        chain->geometry->backend->wait(LAT_MAIN);
        double seconds = MPI_Wtime() - start;
        if (status) return status;
        if (!mc_chain_counts(chain)) continue;
        updates[i]->seconds += seconds;
        chain->core_seconds += seconds * chain->geometry->rank_count;
    }
    chain->step++;
    return LAT_DONE;
}
