/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * update.h: kinds of updates, and lists of them.
 */
#ifndef HMC_UPDATE_H
#define HMC_UPDATE_H

#include "flows/layer.h"
#include "hmc/state.h"

#include <jansson.h>

/* What an update is created for: states like this one (lattice, group, boundary, action), and where files lie that it names. */
typedef struct {
    const mc_state *state;
    const char *directory;   /* of the configuration file */
    lat_precision precision; /* of the networks of flows */
    const flow_layer_table *const *layers; /* the kinds of layers that models may have, and NULL */
} mc_context;

/* The table of a kind of update.  All functions are collective. */
typedef struct mc_update mc_update;
typedef struct {
    const char *name;
    /* index: position in the list of updates. */
    mc_update *(*create)(lat_settings *settings, const mc_context *context, int index, lat_error *error);
    /* One update of all replicas. */
    lat_status (*step)(mc_update *update, mc_state *state, lat_error *error);
    /* Adds this kind's figures ("acceptance", "ess", ...) to a JSON object. */
    void (*report)(const mc_update *update, json_t *object);
    void (*free)(mc_update *update);
} mc_update_table;

/* What an update makes of the links of the chain: of another distribution, if weighted, and measured and saved in their place. */
typedef struct {
    lat_gauge *gauge;   /* with the couplings of that distribution */
    double *log_weight; /* [members], but for a constant; of the last step */
    double beta;        /* of its action, if that is a single Wilson term; NaN otherwise */
} mc_weighted;

/* Every kind embeds this as its first member. */
struct mc_update {
    const mc_update_table *table;
    int index;
    int64_t memory_count; /* numbers that the next step depends on or that the report needs: counters, sums, weights; */
    double *memory;       /* saved in checkpoints, identical on all ranks */
    double seconds;       /* wall-clock seconds in the steps that count, of this process */
    const char *const *figure_name; /* NULL-terminated: what it tells of its last step, or NULL; */
    double *figure;                 /* [members][names], on all ranks alike */
    double step_seconds;            /* wall-clock seconds of the last step, of this process */
    const char *const *part_name;   /* NULL-terminated: parts of its work that have a clock of their own, or NULL; */
    double *part_seconds, *part_step_seconds; /* [names]: as `seconds` and `step_seconds`, of each part */
    const mc_weighted *weighted;              /* NULL: it leaves the distribution of the chain as it is */
    uint64_t period;      /* steps after which its work repeats itself, where that is more than one: of a batch */
};

extern const mc_update_table mc_update_hmc, mc_update_heatbath, mc_update_overrelax, mc_update_instanton,
    mc_update_flow, mc_update_fthmc, mc_update_direct, mc_update_tempering, mc_update_nonequilibrium;
extern const mc_update_table *const mc_update_tables[]; /* all of these, and NULL */

/* How many names there are in such a list; NULL: none. */
int mc_names_count(const char *const *names);

/* Puts a number into a report; null if it is not finite, as before the first trajectory. */
void mc_report_real(json_t *object, const char *key, double value);

/* The list `updates` of a configuration, of these kinds: an array of *count updates.  Collective. */
lat_status mc_updates_create(lat_settings *root, const mc_update_table *const *tables, const mc_context *context, mc_update ***updates,
                             int *count, lat_error *error);
void mc_updates_free(mc_update **updates, int count);

#endif
