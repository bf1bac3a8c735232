/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * operators.c: the list `operators` of a configuration, and the operators that geometries hold.
 */
#include "lattice/dirac/action.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KINDS = 64 };

/* The names live as long as the settings. */
typedef struct lat_operators {
    int count;
    const char *name[LAT_MOST_OPERATORS + 1]; /* and NULL */
    lat_operator description[LAT_MOST_OPERATORS];
} operators;

/* -------------------------------------------------------------------------------------------------------- settings */

static void check_lattice(lat_settings *root, const lat_action_context *context, lat_error *error)
{
    const lat_shape *lattice = context->lattice;
    if (lat_spins(lattice->dim) == 0)
        lat_settings_fail(root, "operators", error, "there are no quarks in %d dimensions: use 2 or 4", lattice->dim);
    for (int mu = 0; mu < lattice->dim; mu++)
        if (lattice->size[mu] % 2)
            lat_settings_fail(root, "operators", error, "quarks need even extents, and direction %d has %lld sites: change lattice.size", mu,
                              (long long)lattice->size[mu]);
    if (context->boundary && !lat_boundary_is_periodic(context->boundary))
        lat_settings_fail(root, "operators", error, "quarks know periodic lattices alone: leave lattice.boundary and lattice.defect out");
}

/* Names of operators become those of columns and data sets. */
static const char *read_name(lat_settings *settings, const operators *o, lat_error *error)
{
    static const char *const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *name = lat_settings_string(settings, "name", NULL, error);
    if (name[strspn(name, plain)]) lat_settings_fail(settings, "name", error, "has other characters than letters, digits, _ and -: leave them out");
    if (!name[0]) lat_settings_fail(settings, "name", error, "is empty: give the operator a name, which terms of the action use");
    for (int i = 0; i < o->count; i++)
        if (strcmp(name, o->name[i]) == 0)
            lat_settings_fail(settings, "name", error, "there are two '%.60s': give each operator a name of its own", name);
    return name;
}

static const lat_dirac_table *read_kind(lat_settings *settings, const lat_dirac_table *const *tables, lat_error *error)
{
    const char *names[MOST_KINDS + 1] = {0};
    for (int i = 0; i < MOST_KINDS && tables[i]; i++) names[i] = tables[i]->name;
    return tables[lat_settings_choice(settings, "kind", NULL, names, error)];
}

/* Time, the last direction, is antiperiodic unless something else is said. */
static void read_angles(lat_settings *settings, int dim, lat_operator *description, lat_error *error)
{
    double *angle = description->parameters.angle;
    if (dim > 0) angle[dim - 1] = 1;
    description->angles = dim;
    if (dim == 0 && !lat_settings_has(settings, "angle")) return;
    description->angles = lat_settings_reals(settings, "angle", angle, dim, LAT_MAX_DIM, -1, 1, error);
    if (dim > 0 && description->angles != dim && !error->status)
        lat_settings_fail(settings, "angle", error, "%d numbers for a lattice of %d directions: give one for each", description->angles, dim);
}

static void read_smearing(lat_settings *settings, lat_dirac_parameters *parameters, lat_error *error)
{
    static const char *const kinds[] = {"stout", NULL};
    enum { MOST_STEPS = 100 };
    if (!lat_settings_has(settings, "smearing")) return;
    lat_settings *smearing = lat_settings_group(settings, "smearing", error);
    lat_settings_choice(smearing, "kind", NULL, kinds, error);
    parameters->stout.rho = lat_settings_real(smearing, "rho", NAN, 0, 0.25, error);
    parameters->stout.steps = (int)lat_settings_int(smearing, "steps", 1, 1, MOST_STEPS, error);
}

static void read_parameters(lat_settings *settings, int dim, lat_operator *description, lat_error *error)
{
    const lat_dirac_table *table = description->table;
    lat_dirac_parameters p = {.kappa = lat_settings_real(settings, "kappa", NAN, 0, 1, error)};
    if (table->fill)
        p.csw = lat_settings_real(settings, "csw", NAN, 0, 100, error);
    else if (lat_settings_has(settings, "csw"))
        lat_settings_fail(settings, "csw", error, "an operator of kind \"%s\" has no clover term: leave csw out, or choose another kind", table->name);
    p.mu = lat_settings_real(settings, "mu", 0, -100, 100, error);
    read_smearing(settings, &p, error);
    description->parameters = p;
    read_angles(settings, dim, description, error);
}

static void read_operator(lat_settings *settings, const lat_action_context *context, const lat_dirac_table *const *tables, operators *o,
                          lat_error *error)
{
    const char *name = read_name(settings, o, error);
    const lat_dirac_table *table = read_kind(settings, tables, error);
    if (error->status) return;
    o->description[o->count] = (lat_operator){.table = table, .group = context->group};
    read_parameters(settings, context->lattice ? context->lattice->dim : 0, &o->description[o->count], error);
    o->name[o->count++] = name;
}

/* A configuration without operators is printed without them. */
lat_operators *lat_operators_read(lat_settings *root, const lat_action_context *context, const lat_dirac_table *const *tables, lat_error *error)
{
    if (!lat_settings_has(root, "operators")) return NULL;
    operators *o = lat_alloc(1, sizeof *o);
    int count = lat_settings_list(root, "operators", error);
    if (count > LAT_MOST_OPERATORS) lat_settings_fail(root, "operators", error, "has %d elements: at most %d are allowed", count, LAT_MOST_OPERATORS);
    if (count > 0 && context->lattice) check_lattice(root, context, error);
    for (int i = 0; i < count && !error->status; i++) read_operator(lat_settings_item(root, "operators", i, error), context, tables, o, error);
    return o;
}

lat_action *lat_action_read(lat_settings *root, lat_action_context context, const lat_action_kind *const *kinds,
                            const lat_dirac_table *const *tables, lat_error *error)
{
    operators *o = lat_operators_read(root, &context, tables, error);
    context.operators = o;
    lat_action *action = error->status ? NULL : lat_action_create(root, &context, kinds, error);
    free(o);
    return action;
}

void lat_operator_read(lat_settings *term, const lat_action_context *context, lat_operator *description, lat_error *error)
{
    const operators *o = context->operators;
    if (o && o->count > 0) {
        *description = o->description[lat_settings_choice(term, "operator", NULL, o->name, error)];
        return;
    }
    *description = (lat_operator){.group = context->group};
    lat_settings_string(term, "operator", NULL, error);
    lat_settings_fail(term, "operator", error, "there are no operators: write operators = ( { name = \"light\"; kind = \"wilson\"; kappa = 0.13; } );");
}

void lat_operator_shape(const lat_operator *operator, lat_shape *shape)
{
    const int usual = 2, asked = shape->corners > usual ? shape->corners : usual,
              corners = lat_dirac_corners(operator->table, &operator->parameters);
    if (operator->table->halo > shape->halo) shape->halo = operator->table->halo;
    if (corners > asked) shape->corners = corners;
    shape->precision = LAT_FLOAT;
}

lat_status lat_operator_fit(lat_operator *description, const lat_gauge *gauge, lat_error *error)
{
    const int dim = gauge->links->geometry->dim;
    if (!lat_gauge_is_periodic(gauge)) return lat_fail(error, LAT_CONFIG, "quarks know periodic lattices alone, without open boundaries and defects");
    if (description->angles == 0) description->parameters.angle[dim - 1] = 1;
    if (description->angles > 0 && description->angles != dim)
        return lat_fail(error, LAT_CONFIG, "operators: %d numbers in angle for a lattice of %d directions: give one for each", description->angles, dim);
    description->angles = dim;
    description->group = gauge->group;
    return LAT_DONE;
}

/* --------------------------------------------------------------------------------------------------- on geometries */

typedef struct place {
    struct place *next;
    lat_operator description;
    lat_dirac *dirac;
} place;

static void release(const lat_geometry *geometry, void *object)
{
    (void)geometry;
    place **first = object;
    for (place *p = *first, *next; p; p = next) {
        next = p->next;
        lat_dirac_free(p->dirac);
        free(p);
    }
    free(first);
}

bool lat_operator_same(const lat_operator *a, const lat_operator *b)
{
    bool equal = a->table == b->table && a->group == b->group;
    equal = equal && a->parameters.kappa == b->parameters.kappa && a->parameters.csw == b->parameters.csw && a->parameters.mu == b->parameters.mu;
    equal = equal && a->parameters.stout.steps == b->parameters.stout.steps && a->parameters.stout.rho == b->parameters.stout.rho;
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) equal = equal && a->parameters.angle[mu] == b->parameters.angle[mu];
    return equal;
}

lat_dirac *lat_operator_on(const lat_operator *description, const lat_geometry *geometry, lat_error *error)
{
    place **first = lat_geometry_room(geometry, release, sizeof *first);
    for (place *p = *first; p; p = p->next)
        if (lat_operator_same(&p->description, description)) return p->dirac;
    lat_dirac *dirac;
    if (lat_dirac_create(description->table, geometry, description->group, &description->parameters, &dirac, error)) return NULL;
    place *p = lat_alloc(1, sizeof *p);
    *p = (place){*first, *description, dirac};
    *first = p;
    return dirac;
}
