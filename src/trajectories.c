/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * trajectories.c: see trajectories.h.
 */
#define _GNU_SOURCE
#include "src/trajectories.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_names(FILE *file, const mc_update *update, int replicas)
{
    for (int r = 0; r < replicas; r++)
        for (const char *const *name = update->figure_name; *name; name++) {
            fprintf(file, " %s_%d", *name, update->index);
            if (replicas > 1) fprintf(file, "_replica%d", r);
        }
    fprintf(file, " seconds_%d", update->index);
}

static void print_heading(const trajectories *t)
{
    fprintf(t->file, "step");
    for (int i = 0; i < t->count; i++)
        if (t->updates[i]->figure_name) print_names(t->file, t->updates[i], t->replicas);
    fprintf(t->file, "\n");
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
    t->file = fopen(t->path, "a+");
    long end = 0;
    if (t->file) {
        rewind(t->file);
        end = end_of_step(t->file, step);
    }
    if (!t->file || ftruncate(fileno(t->file), end) != 0 || fseek(t->file, 0, SEEK_END) != 0)
        lat_fail(error, LAT_FILE, "%.300s: cannot be written: %s: check the directory", t->path, strerror(errno));
    else if (end == 0)
        print_heading(t);
}

lat_status trajectories_open(trajectories *t, const run *run, mc_update *const *updates, int count, int replicas, uint64_t step, lat_error *error)
{
    *t = (trajectories){.run = run, .updates = updates, .count = count, .replicas = replicas, .path = run_path(run, "trajectories.txt")};
    t->flushed = MPI_Wtime();
    bool told = false;
    for (int i = 0; i < count; i++) told = told || updates[i]->figure_name;
    if (told && run->rank == 0) open_file(t, step, error);
    return lat_agree(run->comm, error);
}

static void print_figures(FILE *file, const mc_update *update, int replicas)
{
    const double *figure = update->figure;
    for (int r = 0; r < replicas; r++)
        for (const char *const *name = update->figure_name; *name; name++) fprintf(file, " %.9g", *figure++);
    fprintf(file, " %.3g", update->step_seconds);
}

void trajectories_add(trajectories *t, uint64_t step)
{
    if (!t->file) return;
    fprintf(t->file, "%" PRIu64, step);
    for (int i = 0; i < t->count; i++)
        if (t->updates[i]->figure_name) print_figures(t->file, t->updates[i], t->replicas);
    fprintf(t->file, "\n");
    if (MPI_Wtime() - t->flushed < 1.0) return;
    t->flushed = MPI_Wtime();
    fflush(t->file); /* a failure stays, and trajectories_flush reports it */
}

lat_status trajectories_flush(trajectories *t, lat_error *error)
{
    errno = 0;
    if (t->file && (fflush(t->file) != 0 || ferror(t->file)))
        lat_fail(error, LAT_FILE, "%.300s: cannot be written: %s: check the room on the disk", t->path, strerror(errno));
    return lat_agree(t->run->comm, error);
}

void trajectories_close(trajectories *t)
{
    if (t->file) fclose(t->file);
    free(t->path);
    *t = (trajectories){0};
}
