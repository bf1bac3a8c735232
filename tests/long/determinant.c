/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1
 *
 * determinant.c: log |det M| of Wilson quarks on 4^4 fields of other programs, against numbers that were computed independently.  Skips where the
 * table and fields are not there.
 */
#include "lattice/dirac/determinant.h"
#include "tests/tap.h"

#include <unistd.h>

static char *shared(const char *folder, const char *name)
{
    return lat_text("%s/../shared/%s/%s", FLOWHMC_SOURCEDIR, folder, name);
}

static void stop(lat_status status, const lat_error *error)
{
    if (status) lat_abort(status, "%s", error->text);
}

static double log_det(const char *path, const lat_dirac_parameters *parameters)
{
    lat_error error = {0};
    lat_group group;
    lat_shape shape;
    lat_geometry *geometry;
    lat_dirac *dirac;
    double sum;
    stop(lat_config_shape(MPI_COMM_WORLD, path, &group, &shape, &error), &error);
    stop(lat_geometry_create(MPI_COMM_WORLD, &shape, &geometry, &error), &error);
    lat_gauge *gauge = lat_gauge_create(geometry, group, LAT_DOUBLE);
    stop(lat_config_read(path, gauge, &error), &error);
    stop(lat_dirac_create(parameters->csw == 0 ? &lat_dirac_wilson : &lat_dirac_clover, geometry, group, parameters,
                          &dirac, &error),
         &error);
    lat_action *action = lat_action_determinant(dirac, 1, &error);
    stop(error.status, &error);
    lat_action_total(action, gauge, &sum);
    stop(lat_action_failed(action, &error), &error);
    lat_action_free(action);
    lat_dirac_free(dirac);
    lat_gauge_free(gauge);
    lat_geometry_free(geometry);
    return -sum;
}

/* A line of the table; true: it was one with numbers. */
static bool test_line(const char *line)
{
    char field[128], boundary[16];
    lat_dirac_parameters p = {0};
    double expected;
    if (sscanf(line, "%127[^,],%lf,%lf,%15[^,],%lf", field, &p.kappa, &p.csw, boundary, &expected) != 5) return false;
    p.angle[3] = strcmp(boundary, "antiperiodic") == 0;
    char *path = shared("configs", field);
    if (access(path, R_OK) != 0) {
        free(path);
        path = shared("reference/fermions", field);
    }
    char *name = lat_text("%s, kappa %g, csw %g, %s: %.12g", field, p.kappa, p.csw, boundary, expected);
    ok_near(log_det(path, &p), expected, 1e-11 * (1 + fabs(expected)), name);
    free(name);
    free(path);
    return true;
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    char line[512], *path = shared("reference/fermions", "logdet4d.csv");
    FILE *file = fopen(path, "r");
    int count = 0;
    free(path);
    if (!file) return tap_skip("no table of determinants");
    while (fgets(line, sizeof line, file)) count += test_line(line);
    ok(fclose(file) == 0 && count > 0, "%d determinants of the table", count);
    return tap_end();
}
