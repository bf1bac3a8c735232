/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Time of the exact determinant as an action in two dimensions, value and force together, per member, for several numbers of members side by
 * side, beside the peak rate of multiply-adds measured in the same run.  Operations are those of the elimination of time slices that members
 * need: 44 products of matrices of N sites a slice (13 for the value, 31 for the force), so lanes without a member count as lost.  Best of several
 * repetitions, processor time, on one rank.
 */
#include "lattice/dirac/determinant.h"
#include "tests/bench/bench.h"

#include <math.h>

enum { REPEATS = 7, VALUE_PRODUCTS = 13, FORCE_PRODUCTS = 31 };

static void stop(lat_status status, const lat_error *error)
{
    if (status) lat_abort(status, "%s", error->text);
}

static void measure(bench *b, lat_group group, int extent, int members)
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
    double *sum = lat_alloc(members, sizeof *sum);
    bench_times value = {.repeats = REPEATS}, forces = {.repeats = REPEATS};
    lat_gauge_haar(gauge, &random);
    while (bench_again(b, &value)) lat_action_total(action, gauge, sum);
    while (bench_again(b, &forces)) lat_action_force(action, gauge, 1, force);
    stop(lat_action_failed(action, &error), &error);
    double product = 8 * extent * pow((group + 1.0) * extent, 3) * members, factor = 1e3 / members;
    bench_result of_value = {&value, factor, "ms per member", {VALUE_PRODUCTS * product, 0}, LAT_DOUBLE};
    bench_result of_force = {&forces, factor, "ms per member", {FORCE_PRODUCTS * product, 0}, LAT_DOUBLE};
    bench_rates rates[] = {
        bench_row(b, &of_value, "%s, %d x %d, %d members, value", lat_group_names[group], extent, extent, members),
        bench_row(b, &of_force, "%s, %d x %d, %d members, force", lat_group_names[group], extent, extent, members)};
    bench_print(
        b, "%4s %2d x %2d, %2d members: value %8.3f ms, %3.0f %%; force %8.3f ms, %3.0f %%; both %8.3f ms per member\n",
        lat_group_names[group], extent, extent, members, factor * bench_best(&value), 100 * rates[0].of_peak,
        factor * bench_best(&forces), 100 * rates[1].of_peak, factor * (bench_best(&value) + bench_best(&forces)));
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
    lat_start(&argc, &argv);
    bench b = bench_start("determinant", bench_clock());
    bench_measure_ceilings(&b);
    for (int group = LAT_U1; group <= LAT_SU3; group++)
        for (int i = 0; i < bench_or_brief(3, 1) - (group > LAT_U1); i++)
            for (int j = 0; j < 3; j++) measure(&b, (lat_group)group, extents[i], members[j]);
    return bench_end(&b);
}
