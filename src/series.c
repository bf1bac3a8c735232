/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * series.c: see series.h.
 */
#include "src/series.h"

#include <stdlib.h>

/* -------------------------------------------------------------------------------------------------------------- making */

static bool alone(const lat_observable *observable) { return observable->every > 0 || observable->member >= 0; }

static void begin_history(series *s, int64_t every, int replicas, uint64_t thermalise)
{
    int columns = s->weighted;
    for (int i = 0; i < s->count; i++) columns += s->observable[i]->columns;
    s->history = mc_history_create(columns, replicas);
    s->history->every = (uint64_t)every;
    s->history->first_step = thermalise + s->history->every;
    for (int i = 0, column = 0; i < s->count; i++)
        for (int c = 0; c < s->observable[i]->columns; c++)
            mc_history_name(s->history, column++, s->observable[i]->column[c].name);
    if (s->weighted) mc_history_name(s->history, columns - 1, "log_weight");
}

series *series_create(lat_observable *const *observable, int count, int64_t every, int replicas, uint64_t thermalise,
                      bool weighted, int *series_count)
{
    series *all = lat_alloc(count + 1, sizeof *all);
    all[0] = (series){.file = lat_text("history.h5"), .observable = lat_alloc(count, sizeof *all->observable)};
    *series_count = 1;
    for (int i = 0; i < count; i++) {
        series *s = alone(observable[i]) ? &all[(*series_count)++] : &all[0];
        if (s != all)
            *s = (series){.file = lat_text("history-%s.h5", observable[i]->name),
                          .observable = lat_alloc(1, sizeof *s->observable)};
        s->observable[s->count++] = observable[i];
    }
    for (int i = 0; i < *series_count; i++) all[i].weighted = weighted;
    begin_history(&all[0], every, replicas, thermalise);
    for (int i = 1; i < *series_count; i++) {
        const lat_observable *one = all[i].observable[0];
        begin_history(&all[i], one->every > 0 ? one->every : every, one->member < 0 ? replicas : 1, thermalise);
    }
    return all;
}

void series_free(series *series, int count)
{
    for (int i = 0; i < count; i++) {
        free(series[i].file);
        free(series[i].observable);
        mc_history_free(series[i].history);
    }
    free(series);
}

/* ----------------------------------------------------------------------------------------------------------- measuring */

int64_t series_rows(const series *s, int64_t steps) { return steps > 0 ? steps / (int64_t)s->history->every : 0; }

bool series_due(const series *s, int64_t steps) { return steps > 0 && steps % (int64_t)s->history->every == 0; }

lat_status series_measure(series *s, lat_gauge *gauge, const double *log_weight, const lat_random *random, lat_error *error)
{
    const double started = MPI_Wtime();
    const int replicas = s->history->replicas, width = s->history->columns, members = gauge->links->geometry->members;
    double *row = lat_alloc((int64_t)replicas * width + 1, sizeof *row),
           *now = lat_alloc((int64_t)members * width + 1, sizeof *now);
    for (int i = 0, first = 0; i < s->count && !error->status; first += s->observable[i++]->columns) {
        const int columns = s->observable[i]->columns;
        if (lat_observable_measure(s->observable[i], gauge, random, now, error)) break;
        for (int r = 0; r < replicas; r++)
            for (int c = 0; c < columns; c++) row[r * width + first + c] = now[r * columns + c];
    }
    const int first_member = s->count > 0 && s->observable[0]->member > 0 ? s->observable[0]->member : 0;
    for (int r = 0; r < replicas && s->weighted; r++) row[r * width + width - 1] = log_weight[first_member + r];
    if (!error->status) mc_history_append(s->history, row);
    free(row);
    free(now);
    s->seconds = MPI_Wtime() - started;
    return error->status;
}

double *series_log_weight(const series *s)
{
    const mc_history *history = s->history;
    if (!s->weighted) return NULL;
    double *all = lat_alloc(history->rows * history->replicas, sizeof *all);
    for (int r = 0; r < history->replicas; r++)
        mc_history_series(history, history->columns - 1, r, all + r * history->rows);
    return all;
}

/* --------------------------------------------------------------------------------------------------------------- files */

static char *path_of(const series *s, const char *directory) { return lat_text("%s/%s", directory, s->file); }

lat_status series_write(const series *series, int count, const char *directory, lat_error *error)
{
    for (int i = 0; i < count && !error->status; i++) {
        char *path = path_of(&series[i], directory);
        mc_history_write(MPI_COMM_WORLD, path, series[i].history, error);
        free(path);
    }
    return error->status;
}

uint32_t series_checksum(const series *series, int count)
{
    uint32_t sum = 0;
    for (int i = 0; i < count; i++) sum = mc_history_checksum(series[i].history, series[i].history->rows, sum);
    return sum;
}

static lat_status fail(const char *path, lat_error *error)
{
    return lat_fail(error, LAT_FORMAT,
                    "%.300s: does not belong to the checkpoint beside it: take the one of the same run, or start anew",
                    path);
}

/* The rows of that many steps, in place of ours. */
static lat_status read_one(series *s, const char *path, int64_t steps, lat_error *error)
{
    mc_history *found, *wanted = s->history;
    if (mc_history_read(MPI_COMM_WORLD, path, &found, error)) return error->status;
    const int64_t rows = series_rows(s, steps);
    if (!mc_history_alike(found, wanted) || found->first_step != wanted->first_step || found->rows < rows) {
        mc_history_free(found);
        return fail(path, error);
    }
    found->rows = rows;
    s->history = found;
    mc_history_free(wanted);
    return LAT_DONE;
}

lat_status series_read(series *series, int count, const char *directory, int64_t steps, uint32_t checksum,
                       lat_error *error)
{
    for (int i = 0; i < count && !error->status; i++) {
        char *path = path_of(&series[i], directory);
        read_one(&series[i], path, steps, error);
        free(path);
    }
    if (error->status || series_checksum(series, count) == checksum) return error->status;
    char *path = lat_text("%s/%s", directory, count > 1 ? "history*.h5" : series->file);
    fail(path, error);
    free(path);
    return error->status;
}
