/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hmc.h: the public contract of the Markov-chain floor: updates, their composition, statistics, checkpoints.
 *
 * A chain holds `replicas` independent configurations as members of one geometry.  One step is one pass through its
 * updates.  Everything random is keyed by (seed, purpose, update, step, site, direction, replica), so that a chain is a
 * function of its configuration, its models and its seed: bit-identical on any number of ranks and after any resume.
 */
#ifndef HMC_H
#define HMC_H

#include "flows/flows.h"
#include "lattice/lattice.h"

#include <jansson.h>

/* ----------------------------------------------------------------------------------------------- chains (chain.c) */

typedef struct mc_update mc_update;

typedef struct mc_chain {
    lat_geometry *geometry;
    lat_group group;
    lat_action *action;
    lat_field *links;    /* double; members = replicas */
    lat_field *density;  /* scratch: one double component */
    lat_field *couplings; /* of the links, where the boundary is not periodic; the action's */
    int replicas;
    uint64_t seed;
    uint64_t step;       /* steps done */
    uint64_t thermalise; /* steps before this one count in no report of an update */
    uint64_t links_id;   /* raised by every update that changes the links: is what I know of them still true? */
    lat_precision precision; /* of the networks of flows */
    char no_device[LAT_BACKEND_TEXT]; /* why `backend` is the CPU though it was left open; empty: there is nothing to say */
    double core_seconds; /* spent in the steps that count, all ranks and all resumed runs together */
    double joules;       /* likewise; negative: not known */
    char *directory;     /* of the configuration file: where model paths are looked up first */
    char *start;         /* "hot", "cold" or a configuration file */
} mc_chain;

/* Reads the groups `lattice`, `action` and `chain` (seed, replicas, thermalise, start) and the keys `precision` and `backend`, and lays
 * out the lattice; the links are 1.  Collective. */
lat_status mc_chain_create(MPI_Comm comm, lat_settings *root, const char *directory, mc_chain **chain,
                           lat_error *error);
/* The links of step 0: hot, cold or from a file.  Collective. */
lat_status mc_chain_start(mc_chain *chain, lat_error *error);
void mc_chain_free(mc_chain *chain);
/* One step: every update once.  Where the step counts, adds to the seconds of the updates and of the chain. */
lat_status mc_chain_step(mc_chain *chain, mc_update *const *updates, int count, lat_error *error);
/* True if what this step does counts in reports: thermalisation is over. */
bool mc_chain_counts(const mc_chain *chain);
/* Where a file that comes with a configuration or with the program lies: beside the configuration, then in the installed
 * folder of that kind ("models", "examples"), then in that of the source tree; free() it.  NULL: nowhere.  directory
 * NULL: not beside a configuration.  Local. */
char *mc_find_file(const char *directory, const char *kind, const char *name);

/* A random stream of this chain at its present step. */
lat_random mc_random(const mc_chain *chain, lat_purpose purpose, int update);

/* ------------------------------------------------------------------------------------------------ updates */

/* The table of a kind of update.  All functions are collective. */
typedef struct {
    const char *name;
    /* index: position in the list of updates. */
    mc_update *(*create)(lat_settings *settings, mc_chain *chain, int index, lat_error *error);
    /* One update of all replicas. */
    lat_status (*step)(mc_update *update, lat_error *error);
    /* Adds this kind's figures ("acceptance", "ess", ...) to a JSON object. */
    void (*report)(const mc_update *update, json_t *object);
    void (*free)(mc_update *update);
} mc_update_table;

/* Every kind embeds this as its first member. */
struct mc_update {
    const mc_update_table *table;
    mc_chain *chain;
    int index;
    int64_t state_count; /* numbers that the next step depends on or that the report needs: counters, sums, weights; */
    double *state;       /* saved in checkpoints, identical on all ranks */
    double seconds;      /* wall-clock seconds in the steps that count, of this process */
    uint64_t period;     /* steps after which its work repeats itself, where that is more than one: of a batch */
};

extern const mc_update_table mc_update_hmc, mc_update_heatbath, mc_update_overrelax, mc_update_instanton, mc_update_flow, mc_update_fthmc,
    mc_update_direct;

/* Puts a number into a report; null if it is not finite, as before the first trajectory. */
void mc_report_real(json_t *object, const char *key, double value);

/* The list `updates` of a configuration: an array of *count updates. */
lat_status mc_updates_create(lat_settings *root, mc_chain *chain, mc_update ***updates, int *count, lat_error *error);
void mc_updates_free(mc_update **updates, int count);

/* ------------------------------------------------------------------------------------- integrators (integrator.c) */

typedef enum { MC_LEAPFROG, MC_OMF2, MC_OMF4, MC_INTEGRATORS } mc_integrator;
extern const char *const mc_integrator_names[]; /* "leapfrog", "omf2", "omf4", NULL */

/* Integrates dU/dt = pi U, dpi/dt = -dS/dU over `length` in steps[0] steps.  An action of several levels is integrated
 * on nested time scales, steps[] having one number per level, the outermost first: a drift of one level is an
 * integration of the next one over that time, in as many steps. */
void mc_integrate(mc_integrator integrator, lat_action *action, lat_group group, lat_field *links, lat_field *momenta,
                  double length, const int *steps);
/* Number of forces that one call of mc_integrate computes, those of different levels counted alike. */
int64_t mc_integrator_forces(mc_integrator integrator, int levels, const int *steps);

/* A molecular-dynamics trajectory with Metropolis at its end, as used by hmc and fthmc. */
typedef struct {
    mc_integrator integrator;
    double length, randomise; /* lengths are drawn evenly from length (1 - randomise) to length (1 + randomise) */
    int levels, steps[LAT_MAX_LEVELS]; /* of the action; steps of each level, the outermost first */
    lat_field *momenta, *start, *density;
    struct lat_repeats *repeats; /* of the integration */
} mc_trajectory;

/* Reads trajectory, randomise, steps (one number, or one per level of the action), integrator from the settings. */
lat_status mc_trajectory_create(lat_settings *settings, const lat_geometry *geometry, lat_group group, int levels,
                                mc_trajectory *trajectory, lat_error *error);
void mc_trajectory_free(mc_trajectory *trajectory);
/* One trajectory of all members.  dh[members]: H(end) - H(start); accepted[members].  Rejected members get their links
 * back.  momenta, and length and acceptance, are drawn from the two streams. */
void mc_trajectory_run(mc_trajectory *trajectory, lat_action *action, lat_group group, lat_field *links, const lat_random *momenta,
                       const lat_random *acceptance, double *dh, bool *accepted);
/* Largest |a - b| over the members of two fields of links, the angles of U(1) compared on the circle; infinite if one
 * is not a number.  Collective. */
double mc_largest_difference(const lat_field *a, const lat_field *b, lat_group group);
/* The same for each member. */
void mc_largest_differences(const lat_field *a, const lat_field *b, lat_group group, double *largest);
/* Largest |difference| of the links after a trajectory forth and back (no Metropolis), infinite if one is not a
 * number; links are unchanged.  Collective. */
double mc_trajectory_reversibility(mc_trajectory *trajectory, lat_action *action, lat_group group, lat_field *links, const lat_random *momenta);

/* ------------------------------------------------------------------------------------------------- statistics (gamma.c) */

/* Gamma method, U. Wolff, hep-lat/0306017: automatic window with S = 1.5, errors of the errors, bias correction.
 * series: [replicas][n], replicas one after another.  tau_int in units of one entry, 0.5 for white noise. */
typedef struct {
    double mean, error, error_error;
    double tau_int, tau_int_error;
    double variance;
    int64_t window, n; /* n: total number of entries */
} mc_estimate;
mc_estimate mc_gamma(const double *series, int replicas, int64_t n);
/* Normalised autocorrelation function rho(t), t = 0 ... max, by FFT. */
void mc_autocorrelation(const double *series, int replicas, int64_t n, int64_t max, double *rho);

/* --------------------------------------------------------------------------------- histories and checkpoints */

/* One row per measurement: [replica][column]. */
typedef struct {
    int columns, replicas;
    char (*name)[32];       /* [columns] */
    int64_t rows, capacity;
    uint64_t first_step;    /* step number of row 0 */
    uint64_t every;         /* steps from one row to the next: 1, unless set to something else */
    double *value;          /* [rows][replicas][columns]; on all ranks alike */
} mc_history;

mc_history *mc_history_create(int columns, int replicas);
void mc_history_free(mc_history *history);
void mc_history_append(mc_history *history, const double *row);
/* One column of one replica as a series of length rows. */
void mc_history_series(const mc_history *history, int column, int replica, double *series);
/* history.h5: dataset "step" [rows] and one dataset per column [rows][replicas].  Collective; deterministic bytes. */
lat_status mc_history_write(MPI_Comm comm, const char *path, const mc_history *history, lat_error *error);
lat_status mc_history_read(MPI_Comm comm, const char *path, mc_history **history, lat_error *error);

/* checkpoint.h5: links of all replicas, step, cost so far, state of every update, configuration.  Collective. */
lat_status mc_checkpoint_write(const char *path, const mc_chain *chain, mc_update *const *updates, int count, const char *config, lat_error *error);
/* Refuses (LAT_CONFIG) a checkpoint of another configuration, (LAT_FORMAT) a damaged one. */
lat_status mc_checkpoint_read(const char *path, mc_chain *chain, mc_update **updates, int count, const char *config, lat_error *error);

#endif
