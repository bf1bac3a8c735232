/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoint.c: all that a chain needs to go on as if it had never stopped: links, step, and the state of its updates.
 * Random numbers need no state: they are a function of the step.
 */
#include "hmc/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TEXT = 1 << 24, MOST_BUILD = 256 };

/* Name of the data set with the state of an update. */
static void state_name(int update, char name[32]) { snprintf(name, 32, "update_%d", update); }

/* Where the seconds of updates are, and after them those of their parts; where NULL: their number alone. */
static int64_t list_seconds(mc_update *const *updates, int count, double **where)
{
    int64_t n = count;
    for (int i = 0; i < count; i++) {
        if (where) where[i] = &updates[i]->seconds;
        for (int part = 0; updates[i]->part_name && updates[i]->part_name[part]; part++, n++)
            if (where) where[n] = &updates[i]->part_seconds[part];
    }
    return n;
}

static void put_seconds(lat_h5 *file, mc_update *const *updates, int count)
{
    const int64_t n = list_seconds(updates, count, NULL);
    double **where = lat_alloc(n, sizeof *where), *seconds = lat_alloc(n, sizeof *seconds);
    list_seconds(updates, count, where);
    for (int64_t i = 0; i < n; i++) seconds[i] = *where[i];
    lat_h5_put_reals(file, "seconds", 1, &n, seconds);
    free(where);
    free(seconds);
}

static void set_seconds(mc_update *const *updates, int count, const double *seconds)
{
    const int64_t n = list_seconds(updates, count, NULL);
    double **where = lat_alloc(n, sizeof *where);
    list_seconds(updates, count, where);
    for (int64_t i = 0; i < n; i++) *where[i] = seconds[i];
    free(where);
}

lat_status mc_checkpoint_write(const char *path, const mc_chain *chain, mc_update *const *updates, int count,
                               const mc_ties *ties, lat_error *error)
{
    lat_h5 *file = lat_h5_create(chain->geometry->comm, path, "checkpoint");
    lat_h5_put_text(file, "config", ties->config);
    lat_h5_put_text(file, "build", ties->build);
    lat_h5_put_int(file, "history_checksum", ties->history);
    lat_h5_put_text(file, "group", lat_group_names[chain->state->gauge->group]);
    lat_h5_put_int(file, "replicas", mc_replicas(chain->state));
    lat_h5_put_int(file, "step", (int64_t)chain->state->step);
    lat_h5_put_int(file, "links_id", (int64_t)chain->state->gauge->version);
    lat_h5_put_real(file, "core_seconds", chain->core_seconds);
    lat_h5_put_real(file, "measure_core_seconds", chain->measure_core_seconds);
    lat_h5_put_real(file, "joules", chain->joules);
    lat_h5_put_real(file, "processor_seconds", mc_chain_processor_seconds(chain));
    lat_h5_put_int(file, "updates", count);
    put_seconds(file, updates, count);
    for (int i = 0; i < count; i++) {
        char name[32];
        state_name(i, name);
        lat_h5_put_reals(file, name, 1, &updates[i]->memory_count, updates[i]->memory);
    }
    if (chain->state->ladder) mc_ladder_put(chain->state->ladder, file);
    lat_h5_put_field(file, "links", chain->state->gauge->links, -1);
    return lat_h5_finish(file, error);
}

/* LAT_CONFIG, naming the first line in which the texts differ. */
static void compare(const char *path, const char *there, const char *here, lat_error *error)
{
    int line = 1;
    size_t i = 0, start = 0;
    for (; there[i] && there[i] == here[i]; i++)
        if (there[i] == '\n') {
            line++;
            start = i + 1;
        }
    if (there[i] == here[i]) return;
    lat_fail(error, LAT_CONFIG,
             "%s: is of another configuration, first in line %d: '%.*s' there, '%.*s' now: go on with the old one or "
             "start anew",
             path, line, (int)strcspn(there + start, "\n"), there + start, (int)strcspn(here + start, "\n"),
             here + start);
}

/* Everything but the links, which go straight to their place; NULL on refusal. */
static double *read_state(lat_h5 *file, int i, const mc_update *update)
{
    char name[32];
    int64_t extent;
    state_name(i, name);
    double *state = lat_h5_get_reals(file, name, 1, &extent, INT64_MAX);
    if (!state || extent == update->memory_count) return state;
    lat_h5_refuse(file, "'%s' (%s) holds %lld numbers and should hold %lld: is it of another version of the program?",
                  name, update->table->name, (long long)extent, (long long)update->memory_count);
    free(state);
    return NULL;
}

static void restore(lat_h5 *file, mc_chain *chain, mc_update **updates, int count)
{
    double **state = lat_alloc(count, sizeof *state);
    lat_h5_get_int(file, "updates", count, count);
    lat_h5_get_int(file, "replicas", mc_replicas(chain->state), mc_replicas(chain->state));
    uint64_t step = (uint64_t)lat_h5_get_int(file, "step", 0, INT64_MAX);
    uint64_t links_id = (uint64_t)lat_h5_get_int(file, "links_id", 0, INT64_MAX);
    const bool measured = lat_h5_has(file, "measure_core_seconds"); /* checkpoints of earlier versions do not say */
    double measure_core_seconds = measured ? lat_h5_get_real(file, "measure_core_seconds") : 0;
    double core_seconds = lat_h5_get_real(file, "core_seconds"), joules = lat_h5_get_real(file, "joules"),
           processor_seconds = lat_h5_get_real(file, "processor_seconds");
    int64_t extent = 0, expected = list_seconds(updates, count, NULL);
    double *seconds = lat_h5_get_reals(file, "seconds", 1, &extent, expected);
    if (extent != expected)
        lat_h5_refuse(file, "'seconds' holds %lld numbers and should hold %lld", (long long)extent, (long long)expected);
    for (int i = 0; i < count; i++) state[i] = read_state(file, i, updates[i]);
    lat_h5_get_field(file, "links", chain->state->gauge->links, -1);
    if (chain->state->ladder) mc_ladder_get(chain->state->ladder, chain->geometry, file);
    if (lat_h5_status(file) == LAT_DONE) {
        if (chain->state->ladder) mc_ladder_couple(chain->state->ladder, chain->state->gauge);
        chain->state->step = step;
        chain->state->gauge->version = links_id;
        chain->core_seconds = core_seconds;
        chain->measure_core_seconds = measure_core_seconds;
        chain->joules = joules;
        chain->processor_before = processor_seconds;
        set_seconds(updates, count, seconds);
        for (int i = 0; i < count; i++)
            if (updates[i]->memory_count)
                memcpy(updates[i]->memory, state[i], (size_t)updates[i]->memory_count * sizeof **state);
    }
    for (int i = 0; i < count; i++) free(state[i]);
    free(state);
    free(seconds);
}

lat_status mc_checkpoint_read(const char *path, mc_chain *chain, mc_update **updates, int count, mc_ties *ties, lat_error *error)
{
    lat_h5 *file = lat_h5_open(chain->geometry->comm, path, "checkpoint");
    lat_error other = {0};
    char *text = lat_h5_get_text(file, "config", MOST_TEXT);
    if (text) compare(path, text, ties->config, &other);
    free(text);
    char *build = lat_h5_get_text(file, "build", MOST_BUILD);
    uint32_t history = (uint32_t)lat_h5_get_int(file, "history_checksum", 0, UINT32_MAX);
    if (other.status == LAT_DONE) restore(file, chain, updates, count);
    lat_status status = lat_h5_finish(file, error);
    if (status == LAT_DONE && other.status != LAT_DONE) status = lat_fail(error, other.status, "%s", other.text);
    if (status != LAT_DONE) {
        free(build);
        build = NULL;
    }
    ties->build = build;
    ties->history = history;
    return status;
}

lat_status mc_checkpoint_rungs(MPI_Comm comm, const char *path, lat_rungs *rungs, lat_error *error)
{
    lat_h5 *file = lat_h5_open(comm, path, "checkpoint");
    mc_ladder_get_rungs(file, rungs);
    return lat_h5_finish(file, error);
}
