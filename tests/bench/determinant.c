/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Time of the exact determinant as an action in two dimensions, value and force together, per member, for several numbers of members side by
 * side, beside the peak rate of multiply-adds measured in the same run.  Operations are those of the elimination of time slices that members
 * need: 44 products of matrices of N sites a slice (13 for the value, 31 for the force), so lanes without a member count as lost.  Best of several
 * repetitions, processor time, on one rank.
 */
#include "lattice/dirac/determinant.h"
#include "tests/bench/bench.h"
#include "tests/bench/ceilings.h"
#include "tests/tap.h"

#include <time.h>

enum { REPEATS = 7, PRODUCTS = 13 + 13 + 18 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void stop(lat_status status, const lat_error *error)
{
    if (status) lat_abort(status, "%s", error->text);
}

static void bench(lat_group group, int extent, int members, double peak)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_dirac *dirac;
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    lat_dirac_parameters parameters = {.kappa = 0.276, .angle = {0, 1}};
    lat_shape shape = {.dim = 2, .size = {extent, extent}, .members = members, .lane_grid = {1, 1, 1, 1}};
    stop(lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error), &error);
    stop(lat_dirac_create(&lat_dirac_wilson, g, group, &parameters, &dirac, &error), &error);
    lat_action *action = lat_action_determinant(dirac, 2, &error);
    stop(error.status, &error);
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *force = lat_field_algebra(g, group, LAT_DOUBLE);
    double *sum = lat_alloc(members, sizeof *sum), best[2] = {INFINITY, INFINITY};
    lat_gauge_haar(gauge, &random);
    for (int i = 0; i < bench_or_brief(REPEATS, 1); i++) {
        double start = now();
        lat_action_total(action, gauge, sum);
        double middle = now();
        lat_action_force(action, gauge, 1, force);
        best[0] = fmin(best[0], middle - start);
        best[1] = fmin(best[1], now() - middle);
    }
    stop(lat_action_failed(action, &error), &error);
    double both = best[0] + best[1],
           flops = 1e-9 * 8 * PRODUCTS * extent * pow((group + 1.0) * extent, 3) * members / both;
    printf("%4s %2d x %2d, %2d members: value %8.3f ms, force %8.3f ms, both %8.3f ms per member, %6.1f GFLOP/s %3.0f "
           "%%\n",
           lat_group_names[group], extent, extent, members, 1e3 * best[0] / members, 1e3 * best[1] / members,
           1e3 * both / members, flops, 100 * flops / peak);
    free(sum);
    lat_field_free(force);
    lat_gauge_free(gauge);
    lat_action_free(action);
    lat_dirac_free(dirac);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    static const int extents[] = {8, 16, 32}, members[] = {1, 8, 16};
    tap_start(&argc, &argv);
    const ceilings most = ceilings_measure(now, bench_or_brief(REPEATS, 1));
    ceilings_print(&most);
    for (int group = LAT_U1; group <= LAT_SU3; group++)
        for (int i = 0; i < bench_or_brief(3, 1) - (group > LAT_U1); i++)
            for (int j = 0; j < 3; j++) bench((lat_group)group, extents[i], members[j], most.peak);
    MPI_Finalize();
    return 0;
}
