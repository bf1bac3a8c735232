/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectories.c: see trajectories.h.
 */
#define _GNU_SOURCE
#include "src/trajectories.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int names_of(const mc_update *update) { return mc_names_count(update->figure_name); }
static int parts_of(const mc_update *update) { return mc_names_count(update->part_name); }

static void name_columns(mc_history *history, mc_update *const *updates, int count)
{
    for (int i = 0, column = 0; i < count; i++)
        for (int name = 0; name < names_of(updates[i]); name++) {
            char *text = lat_text("%s_%d", updates[i]->figure_name[name], updates[i]->index);
            mc_history_name(history, column++, text);
            free(text);
        }
}

void trajectories_create(trajectories *t, const run *run, mc_update *const *updates, int count, int replicas,
                         uint64_t step)
{
    *t = (trajectories){.run = run, .updates = updates, .count = count, .replicas = replicas};
    int columns = 0;
    for (int i = 0; i < count; i++) columns += names_of(updates[i]);
    if (columns == 0) return;
    t->path = run_path(run, "trajectories.txt");
    t->row = lat_alloc((int64_t)columns * replicas, sizeof *t->row);
    t->history = mc_history_create(columns, replicas);
    t->history->first_step = step + 1;
    name_columns(t->history, updates, count);
}

/* -------------------------------------------------------------------------------------------------------- the text */

/* The line that names the columns. */
static char *heading(const trajectories *t)
{
    lat_bytes text = {0};
    lat_bytes_print(&text, "step");
    for (int i = 0; i < t->count; i++) {
        const mc_update *update = t->updates[i];
        for (int r = 0; r < t->replicas; r++)
            for (int name = 0; name < names_of(update); name++) {
                lat_bytes_print(&text, " %s_%d", update->figure_name[name], update->index);
                if (t->replicas > 1) lat_bytes_print(&text, "_replica%d", r);
            }
        if (update->figure_name) lat_bytes_print(&text, " seconds_%d", update->index);
        for (int part = 0; part < parts_of(update); part++)
            lat_bytes_print(&text, " seconds_%s_%d", update->part_name[part], update->index);
    }
    lat_bytes_print(&text, "\n");
    return text.data;
}

/* fopen() that signals do not end, and that waits for nobody. */
static FILE *open_text(const char *path, int flags, const char *mode)
{
    int descriptor = lat_open(path, flags);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, mode) : NULL;
    if (!file && descriptor >= 0) close(descriptor);
    return file;
}

lat_status trajectories_check(const trajectories *t, lat_error *error)
{
    FILE *file = t->run->rank == 0 ? open_text(t->path, O_RDONLY, "r") : NULL;
    char *line = NULL, *expected = heading(t);
    size_t room = 0;
    if (file && getline(&line, &room, file) > 0 && strcmp(line, expected) != 0)
        lat_fail(error, LAT_FORMAT, "%.300s: has other columns than this run: move it away, and a new one is begun",
                 t->path);
    if (file) fclose(file);
    free(expected);
    free(line);
    return lat_agree(t->run->comm, error);
}

/* Where the lines up to this step end, the heading among them; 0 if the file is begun anew. */
static long end_of_step(FILE *file, uint64_t step)
{
    char *line = NULL;
    size_t room = 0;
    long end = 0;
    ssize_t length;
    while (step > 0 && (length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n')
        if (strtoull(line, NULL, 10) <= step) end = ftell(file);
    free(line);
    return end;
}

static void open_file(trajectories *t, uint64_t step, lat_error *error)
{
    t->file = open_text(t->path, O_RDWR | O_CREAT | O_APPEND, "a+");
    long end = 0;
    int code = t->file ? 0 : errno;
    if (t->file) {
        rewind(t->file);
        end = end_of_step(t->file, step);
    }
    if (!code) code = lat_truncate(fileno(t->file), end);
    if (!code && fseek(t->file, 0, SEEK_END) != 0) code = errno;
    if (code) {
        lat_cannot_write(t->path, code, error);
    } else if (end == 0) {
        char *text = heading(t);
        fputs(text, t->file);
        free(text);
    }
}

lat_status trajectories_open(trajectories *t, uint64_t step, lat_error *error)
{
    t->flushed = MPI_Wtime();
    if (t->history && t->run->rank == 0) open_file(t, step, error);
    return lat_agree(t->run->comm, error);
}

static void print_figures(FILE *file, const mc_update *update, int replicas)
{
    const double *figure = update->figure;
    for (int i = 0; i < replicas * names_of(update); i++) fprintf(file, " %.9g", figure[i]);
    fprintf(file, " %.3g", update->step_seconds);
    for (int part = 0; part < parts_of(update); part++) fprintf(file, " %.3g", update->part_step_seconds[part]);
}

/* The first failure stays. */
static void flush(trajectories *t)
{
    if (fflush(t->file) != 0 && !t->failure) t->failure = errno;
    if (ferror(t->file) && !t->failure) t->failure = EIO;
}

static void add_line(trajectories *t, uint64_t step)
{
    fprintf(t->file, "%" PRIu64, step);
    for (int i = 0; i < t->count; i++)
        if (t->updates[i]->figure_name) print_figures(t->file, t->updates[i], t->replicas);
    fprintf(t->file, "\n");
    if (MPI_Wtime() - t->flushed < 1.0) return;
    t->flushed = MPI_Wtime();
    flush(t);
}

void trajectories_add(trajectories *t, uint64_t step)
{
    if (!t->history) return;
    for (int i = 0, first = 0; i < t->count; first += names_of(t->updates[i++]))
        for (int r = 0, names = names_of(t->updates[i]); r < t->replicas && names > 0; r++)
            memcpy(t->row + r * t->history->columns + first, t->updates[i]->figure + r * names,
                   (size_t)names * sizeof *t->row);
    mc_history_append(t->history, t->row);
    if (t->file) add_line(t, step);
}

lat_status trajectories_flush(trajectories *t, lat_error *error)
{
    if (t->file) flush(t);
    if (t->failure) lat_cannot_write(t->path, t->failure, error);
    if (lat_agree(t->run->comm, error) || !t->history) return error->status;
    char *path = run_path(t->run, "trajectories.h5");
    mc_history_write(t->run->comm, path, t->history, error);
    free(path);
    return error->status;
}

void trajectories_close(trajectories *t)
{
    if (t->file) fclose(t->file);
    mc_history_free(t->history);
    free(t->row);
    free(t->path);
    *t = (trajectories){0};
}
