/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * checkpoints.c: older checkpoints.  The newest gets a second name (a hard link) before it is replaced, so that at
 * every instant there is a whole checkpoint.h5.
 */
#include "src/checkpoints.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prefix[] = "checkpoint-step-";

static char *older_path(const run *run, uint64_t step)
{
    return lat_text("%s/%s%010" PRIu64 ".h5", run->directory, prefix, step);
}

/* Is it the name of an older checkpoint? */
static int is_older(const struct dirent *entry)
{
    const char *digits = entry->d_name + strlen(prefix);
    if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0) return 0;
    size_t count = strspn(digits, "0123456789");
    return count >= 10 && strcmp(digits + count, ".h5") == 0;
}

static int by_step(const struct dirent **a, const struct dirent **b)
{
    uint64_t p = strtoull((*a)->d_name + strlen(prefix), NULL, 10),
             q = strtoull((*b)->d_name + strlen(prefix), NULL, 10);
    return (p > q) - (p < q);
}

/* Their names, the oldest first; release each, and the list. */
static int find(const run *run, struct dirent ***names)
{
    int count = scandir(run->directory, names, is_older, by_step);
    if (count < 0) *names = NULL;
    return count < 0 ? 0 : count;
}

static void release(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++) free(names[i]);
    free(names);
}

lat_status checkpoints_keep(const run *run, uint64_t step, lat_error *error)
{
    if (run->rank == 0) {
        char *newest = run_path(run, "checkpoint.h5"), *older = older_path(run, step);
        /* What has this name already, from before an older checkpoint was taken, may be the one that was damaged. */
        if ((unlink(older) != 0 && errno != ENOENT) || (link(newest, older) != 0 && errno != ENOENT))
            lat_fail(error, LAT_FILE, "%.300s: the checkpoint cannot be kept: %s: set chain.keep_checkpoints = 1",
                     older, strerror(errno));
        free(newest);
        free(older);
    }
    return lat_agree(run->comm, error);
}

lat_status checkpoints_prune(const run *run, int64_t most, lat_error *error)
{
    if (run->rank == 0) {
        struct dirent **names;
        int count = find(run, &names);
        for (int i = 0; i < count - most; i++) {
            char *path = run_path(run, names[i]->d_name);
            if (unlink(path) != 0 && errno != ENOENT)
                lat_fail(error, LAT_FILE, "%.300s: cannot be removed: %s: check its permissions", path,
                         strerror(errno));
            free(path);
        }
        release(names, count);
    }
    return lat_agree(run->comm, error);
}

void checkpoints_advise(const run *run, lat_error *error)
{
    if (run->rank > 0) return;
    struct dirent **names;
    int count = find(run, &names);
    if (count > 0) {
        const char *name = names[count - 1]->d_name;
        char *text = lat_text("%.250s; to go on from step %llu: mv %.80s/%.60s %.80s/checkpoint.h5", error->text,
                              strtoull(name + strlen(prefix), NULL, 10), run->directory, name, run->directory);
        snprintf(error->text, sizeof error->text, "%s", text);
        free(text);
    }
    release(names, count);
}

bool checkpoints_older(const run *run)
{
    int count = 0;
    if (run->rank == 0) {
        struct dirent **names;
        count = find(run, &names);
        release(names, count);
    }
    MPI_Bcast(&count, 1, MPI_INT, 0, run->comm);
    return count > 0;
}
