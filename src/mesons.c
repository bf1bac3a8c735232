/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * mesons.c: correlators of mesons of stored configurations.
 */
#include "src/mesons.h"

#include <stdlib.h>

void mesons_read(lat_settings *root, mesons *mesons, lat_error *error)
{
    mesons->wanted = lat_settings_has(root, "mesons");
    if (!mesons->wanted) return;
    lat_settings *group = lat_settings_group(root, "mesons", error);
    lat_action_context context = {.group = LAT_U1}; /* the lattice is not known yet */
    lat_operators *operators = lat_operators_read(root, &context, lat_dirac_tables, error);
    context.operators = operators;
    if (!error->status) lat_meson_columns_read(group, &context, &mesons->columns, &mesons->seed, error);
    free(operators);
}

void mesons_shape(const mesons *mesons, lat_shape *shape)
{
    if (mesons->wanted) lat_operator_shape(&mesons->columns.operator, shape);
}

int64_t mesons_columns(const mesons *mesons, int64_t slices)
{
    return mesons->wanted ? lat_meson_columns_count(&mesons->columns, slices) : 0;
}

void mesons_add_names(const mesons *mesons, int64_t slices, lat_bytes *text)
{
    for (int64_t c = 0; c < mesons_columns(mesons, slices); c++) {
        char *name = lat_meson_columns_name(&mesons->columns, slices, c);
        lat_bytes_print(text, " %s", name);
        free(name);
    }
}

/* The operator on the lattice; NULL: it is none for it. */
static lat_dirac *operator_on(const mesons *mesons, const lat_gauge *gauge, lat_error *error)
{
    lat_operator operator= mesons->columns.operator;
    return lat_operator_fit(&operator, gauge, error) ? NULL : lat_operator_on(&operator, gauge->links->geometry, error);
}

static lat_status name_file(const char *path, const lat_error *why, lat_error *error)
{
    return why->status ? lat_fail(error, why->status, "%.150s: mesons: %.300s", path, why->text) : LAT_DONE;
}

lat_status mesons_check(const mesons *mesons, lat_gauge *gauge, const char *path, lat_error *error)
{
    lat_error why = {0};
    if (mesons->wanted && operator_on(mesons, gauge, &why))
        lat_meson_columns_check(&mesons->columns, gauge->links->geometry, &why);
    return name_file(path, &why, error);
}

lat_status mesons_measure(const mesons *mesons, const char *path, const lat_random *random, lat_gauge *gauge,
                          double *value, lat_error *error)
{
    lat_error why = {0};
    lat_dirac *dirac = operator_on(mesons, gauge, &why);
    if (dirac && !lat_dirac_prepare(dirac, gauge, &why))
        lat_meson_columns_measure(&mesons->columns, dirac, random, value, &why);
    return name_file(path, &why, error);
}
