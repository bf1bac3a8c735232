/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Weak scaling: SU(3) with 8^4 sites a rank on however many ranks there are.  Bytes that a rank sends, against the model
 * of doc/scaling.md, and the processor time that a rank takes for a force: its best of several repetitions, and its
 * part in the exchange.  Where there are more ranks than cores, wall-clock times say nothing.
 *
 *     mpirun -n RANKS scaling [LOCAL_EXTENT]
 */
#include "lattice/lattice.h"
#include "tests/bench/bench.h"

#include <stdlib.h>

enum { DIM = 4, REPEATS = 25 };

/* Ranks in t, z, y, x, by turns twice as many. */
static lat_shape shape_of(int ranks, int local)
{
    lat_shape shape = {.dim = DIM, .ranks = {1, 1, 1, 1}};
    for (int mu = DIM - 1, rest = ranks; rest > 1; rest /= 2, mu = (mu + DIM - 1) % DIM) shape.ranks[mu] *= 2;
    for (int mu = 0; mu < DIM; mu++) shape.size[mu] = (int64_t)local * shape.ranks[mu];
    return shape;
}

/* Bytes that staples need from other ranks: of each face, without the links that leave the lattice upwards, and of each
 * edge between two split directions one link in both that lead up and down. */
static double model(const lat_geometry *g, double link_bytes)
{
    double faces = 0, edges = 0;
    for (int mu = 0; mu < DIM; mu++) {
        if (g->ranks[mu] == 1) continue;
        double area = (double)(g->volume / g->rank_count) / (double)g->local[mu];
        faces += area * (2 * DIM - 1);
        for (int nu = 0; nu < mu; nu++)
            if (g->ranks[nu] > 1) edges += 2 * area / (double)g->local[nu];
    }
    return link_bytes * (faces + edges);
}

/* Milliseconds of a force, or of an exchange where there is no action; with a row. */
static double best_of(bench *b, lat_action *action, lat_gauge *gauge, lat_field *force)
{
    bench_times times = {.repeats = REPEATS};
    while (bench_again(b, &times)) {
        if (action)
            lat_action_force(action, gauge, 1e-3, force);
        else
            lat_halo_finish(lat_halo_start(gauge->links, lat_halo_staples()));
    }
    bench_row(b, &(bench_result){.times = &times, .factor = 1e3, .unit = "ms"}, action ? "force" : "exchange");
    return 1e3 * bench_best(&times);
}

int main(int argc, char **argv)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_start(&argc, &argv);
    bench b = bench_start("scaling", bench_processor_time);
    bench_measure_ceilings(&b);
    lat_shape shape = shape_of(b.ranks, argc > 1 ? atoi(argv[1]) : bench_or_brief(8, 4));
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
    lat_field *force = lat_field_algebra(g, LAT_SU3, LAT_DOUBLE);
    lat_action *action = lat_action_wilson(LAT_SU3, 6);
    double whole = best_of(&b, action, gauge, force), exchange = best_of(&b, NULL, gauge, force);
    bench_print(
        &b,
        "%3d ranks %d x %d x %d x %d: %8.0f bytes a rank for staples, model %8.0f; whole halo %8.0f; force %6.2f ms, "
        "exchange %6.2f ms of each rank\n",
        b.ranks, g->ranks[0], g->ranks[1], g->ranks[2], g->ranks[3],
        (double)lat_halo_bytes(gauge->links, lat_halo_staples()),
        model(g, lat_link_reals(LAT_SU3) * (double)sizeof(double)),
        (double)lat_halo_bytes(gauge->links, (lat_halo_choice){0}), whole, exchange);
    lat_action_free(action);
    lat_gauge_free(gauge);
    lat_field_free(force);
    lat_geometry_free(g);
    return bench_end(&b);
}
