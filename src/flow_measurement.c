/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * flow_measurement.c: measurements on the gradient flow.
 */
#include "src/flow_measurement.h"

#include "src/jackknife.h"
#include "src/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void flow_measurement_read(lat_settings *root, flow_measurement *flow, lat_error *error)
{
    static const char *const integrators[] = {"fixed", "adaptive", NULL};
    flow->wanted = lat_settings_has(root, "flow");
    if (!flow->wanted) return;
    lat_settings *group = lat_settings_group(root, "flow", error);
    flow->kind = (lat_gradient_flow_kind)lat_settings_choice(group, "kind", "wilson", lat_gradient_flow_names, error);
    double time = lat_settings_real(group, "time", NAN, 1e-6, 1e6, error);
    flow->step = lat_settings_real(group, "step", 0.01, 1e-9, 1, error);
    flow->every = lat_settings_int(group, "every", 10, 1, INT32_MAX, error);
    flow->adaptive = lat_settings_choice(group, "integrator", "fixed", integrators, error) == 1;
    flow->tolerance = lat_settings_real(group, "tolerance", 1e-6, 1e-14, 1, error);
    flow->output = lat_settings_string(group, "output", "flow", error);
    flow->replica = lat_settings_int(group, "replica", -1, 0, 1000000, error);
    if (error->status) return;
    double intervals = time / (flow->step * (double)flow->every);
    if (!(intervals < INT32_MAX) || rint(intervals) < 1 || fabs(intervals - rint(intervals)) > 1e-6)
        lat_settings_fail(group, "time", error, "is no multiple of step times every, %.10g",
                          flow->step * (double)flow->every);
    flow->last = error->status ? 0 : (int64_t)rint(intervals);
}

gradient_flow_header flow_measurement_header(const flow_measurement *flow, int64_t slices)
{
    return (gradient_flow_header){(int32_t)flow->every, (int32_t)flow->last, (int32_t)slices, flow->step};
}

/* The points of the flow; those who take them release `after`. */
static lat_gradient_flow_points points_of(const flow_measurement *flow)
{
    lat_gradient_flow_points points = {flow->step, flow->adaptive ? flow->tolerance : 0, flow->last + 1, NULL};
    points.after = lat_alloc(points.count, sizeof *points.after);
    for (int64_t i = 0; i < points.count; i++) points.after[i] = i * flow->every;
    return points;
}

lat_status flow_measurement_integrate(const flow_measurement *flow, lat_gauge *gauge, double *value, lat_error *error)
{
    lat_gradient_flow_points points = points_of(flow);
    lat_gradient_flow *process = NULL;
    if (lat_gradient_flow_create(gauge, flow->kind, &process, error) == LAT_DONE)
        lat_gradient_flow_integrate(process, gauge, &points, value, error);
    lat_gradient_flow_free(process);
    free(points.after);
    return error->status;
}

const char *const flow_column_names[FLOW_COLUMNS] = {"flow_t2e", "flow_charge", "flow_charge_squared"};

void flow_measurement_columns(const flow_measurement *flow, const double *value, int64_t slices, int64_t volume,
                              double out[FLOW_COLUMNS])
{
    lat_gradient_flow_points points = points_of(flow);
    out[0] = lat_gradient_flow_t2e(&points, flow->last, value, slices, volume);
    out[1] = lat_gradient_flow_charge(&points, flow->last, value, slices);
    out[2] = out[1] * out[1];
    free(points.after);
}

/* The two scales of one definition of the energy. */
static void print_scales(const char *definition, const gradient_flow_data *const *chain, int chains, int quantity,
                         int64_t volume, const jackknife *cut)
{
    const gradient_flow_header *header = &chain[0]->header;
    const int64_t measurements = header->last + 1;
    double *energies = gradient_flow_data_energies(chain, chains, quantity, volume);
    double *means = jackknife_means(energies, measurements, cut);
    double *scale[2] = {lat_alloc(cut->bins + 1, sizeof(double)), lat_alloc(cut->bins + 1, sizeof(double))};
    for (int64_t m = 0; m <= cut->bins; m++)
        gradient_flow_data_scales(header, means + m * measurements, &scale[0][m], &scale[1][m]);
    for (int second = 0; second < 2; second++) {
        char *name = lat_text("%s, %s", second ? "w0" : "t0", definition);
        char *text = table_format(scale[second][0], jackknife_error(scale[second][0], scale[second] + 1, cut->bins));
        printf("# %-15s %s\n", name, text);
        free(name);
        free(text);
        free(scale[second]);
    }
    free(means);
    free(energies);
}

void flow_measurement_print(const gradient_flow_data *const *chain, int chains, int64_t volume, bool periodic,
                            int64_t bin)
{
    int64_t *counts = lat_alloc(chains, sizeof *counts), count = 0;
    for (int c = 0; c < chains; c++) count += counts[c] = chain[c]->count;
    if (chains > 1)
        printf("# %lld configurations of %d replicas\n", (long long)count, chains);
    else
        printf("# %lld configurations in %s\n", (long long)count, chain[0]->file.path);
    jackknife cut = jackknife_cut(counts, chains, bin);
    if (periodic) {
        print_scales("clover", chain, chains, LAT_GRADIENT_FLOW_Y, volume, &cut);
        print_scales("plaquette", chain, chains, LAT_GRADIENT_FLOW_W, volume, &cut);
    } else {
        printf("# not periodic: take t0 and w0 from slices that lie far from the boundary\n");
    }
    jackknife_free(&cut);
    free(counts);
}
