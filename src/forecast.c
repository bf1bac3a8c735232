/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forecast.c: what a run will need.  All that it works with is in memory by now, but what terms with quarks, and observables of quarks, make when
 * they are first asked, and tell; of a large lattice a small piece, whose bytes are those of the whole in proportion to the sites, halos included.
 */
#include "src/forecast.h"

#include <inttypes.h>
#include <math.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { SIZE_TEXT = 24 };

/* "8.10 GiB" */
static const char *size_text(double bytes, char text[SIZE_TEXT])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int unit = 0;
    for (; bytes >= 1024 && unit < 5; unit++) bytes /= 1024;
    snprintf(text, SIZE_TEXT, unit ? "%.2f %s" : "%.0f %s", bytes, units[unit]);
    return text;
}

/* Links of one file without its header (about a kilobyte): the formats of other programs hold whole matrices. */
static int64_t config_bytes(const ensemble *e)
{
    const lat_geometry *g = mc_chain_lattice(e->chain);
    int n = e->chain->state->gauge->group == LAT_SU3 ? 3 : 2;
    int reals = strcmp(e->save_format, "h5") == 0 ? lat_link_reals(e->chain->state->gauge->group) : 2 * n * n;
    return g->volume * g->dim * reals * (int64_t)sizeof(double);
}

/* Of the piece that is there; what passes is taken by one after the other. */
static double measuring_bytes(const ensemble *e)
{
    double most = 0;
    for (int i = 0; i < e->observable_count; i++) {
        lat_needs needs = {0};
        if (e->observable[i]->kind->needs) e->observable[i]->kind->needs(e->observable[i], &needs);
        most = fmax(most, needs.kept + needs.passing);
    }
    return most;
}

static void print_memory(const ensemble *e)
{
    struct mallinfo2 heap = mallinfo2();
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const double share = (double)e->chain->geometry->all_sites / (double)mc_chain_lattice(e->chain)->all_sites,
                 held = (double)(heap.uordblks + heap.hblkhd), resident = (double)usage.ru_maxrss * 1024;
    /* What terms of the action take when they are first asked is not there yet. */
    const double later = e->chain->planned ? lat_action_memory(e->chain->action, e->chain->planned) + measuring_bytes(e) / share : 0,
                 all = held / share + later;
    /* Of a run that was tried the most is known; alignment in what is held is never touched. */
    double mine[2] = {all, e->chain->planned ? all + (resident > held ? resident - held : 0) : resident}, most[2], sum[2];
    MPI_Reduce(mine, most, 2, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    MPI_Reduce(mine, sum, 2, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT];
    if (e->chain->geometry->rank != 0) return;
    if (heap.uordblks == 0) /* of another allocator, preloaded or of a sanitizer */
        printf("memory: not known: the allocator in use gives no account\n");
    else
        printf("memory: %s%s on each rank at most, %s in all; with libraries %s on a rank%s\n", e->chain->planned ? "about " : "",
               size_text(most[0], a), size_text(sum[0], b), size_text(most[1], c), e->chain->planned ? "" : " at the peak");
}

/* Bytes of all histories. */
static double history_bytes(const ensemble *e)
{
    double bytes = 0;
    for (int i = 0; i < e->series_count; i++) {
        const mc_history *h = e->series[i].history;
        bytes += (double)series_rows(&e->series[i], e->steps) * (double)(h->columns * h->replicas + 1) * sizeof(double);
    }
    return bytes;
}

/* Bytes of the whole run. */
static double print_disk(const ensemble *e)
{
    int64_t replicas = mc_replicas(e->chain->state), saved = e->save_every > 0 ? e->steps / e->save_every * replicas : 0;
    int64_t bytes = config_bytes(e);
    double history = history_bytes(e);
    double checkpoint = (double)mc_chain_lattice(e->chain)->volume * e->chain->state->gauge->links->components *
                        sizeof(double) * (double)mc_members(e->chain->state);
    double all = (double)saved * (double)bytes + history + (double)e->keep_checkpoints * checkpoint;
    char a[SIZE_TEXT], b[SIZE_TEXT], c[SIZE_TEXT], d[SIZE_TEXT];
    printf("configuration: %" PRId64 " bytes (%s, %s); %" PRId64 " of them: %s\n", bytes, e->save_format,
           size_text((double)bytes, a), saved, size_text((double)saved * (double)bytes, b));
    printf("history: %s; checkpoints: %" PRId64 " of %s\n", size_text(history, c), e->keep_checkpoints,
           size_text(checkpoint, d));
    return all;
}

void forecast_print(const ensemble *e, const char *layout, const trial *trial)
{
    const mc_chain *chain = e->chain;
    if (chain->geometry->rank == 0) printf("%s\n", layout);
    print_memory(e);
    if (chain->geometry->rank > 0) return;
    double disk = print_disk(e);
    printf("%" PRIu64 " steps of thermalisation and %" PRId64 " more, each of", chain->thermalise, e->steps);
    for (int i = 0; i < e->update_count; i++) printf("%s %s", i ? "," : "", e->updates[i]->table->name);
    printf("\n");
    if (!trial) {
        char a[SIZE_TEXT];
        printf("storage: %s; time: --trial tells\n", size_text(disk, a));
        return;
    }
    double seconds = ((double)chain->thermalise + (double)e->steps) * trial->step_seconds;
    printf("trial: %" PRId64 " steps from the start, after a first one that is not timed: %.3g s a step", trial->steps, trial->step_seconds);
    for (int i = 0; i < e->series_count; i++) {
        const series *s = &e->series[i];
        printf(", %.3g s a measurement%s%s", s->seconds, i ? " of " : "", i ? s->observable[0]->name : "");
        seconds += (double)series_rows(s, e->steps) * s->seconds;
    }
    printf("\n");
    char a[SIZE_TEXT];
    printf("campaign: about %.3g core-hours, %.3g hours on %d rank%s; storage %s\n",
           seconds * chain->geometry->rank_count / 3600, seconds / 3600, chain->geometry->rank_count,
           chain->geometry->rank_count > 1 ? "s" : "", size_text(disk, a));
    printf("(writing is not in it, and thermalised fields may take longer or shorter than those of the trial)\n");
}
