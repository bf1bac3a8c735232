/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * map.c: a model laid out on a geometry, and its application layer by layer.
 */
#include "flows/workspace.h"

#include <stdlib.h>
#include <string.h>

/* What layers may keep between record and backward, over all layers of a map: bounded, however deep the model.  The same on
 * all machines, since what is computed again may differ in the last bit. */
static const int64_t KEPT_BYTES = 32 << 20, KEPT_BYTES_ON_DEVICE = (int64_t)2 << 30;

/* ------------------------------------------------------------------------------------------------------------ kernels */

const flow_kernels *flow_kernels_of(const flow_map *map)
{
    static const flow_kernels *const kernels[2][LAT_PRECISIONS] = {
        {[LAT_DOUBLE] = &flow_cuda_double, [LAT_FLOAT] = &flow_cuda_float},
        {[LAT_DOUBLE] = &flow_cpu_double, [LAT_FLOAT] = &flow_cpu_float},
    };
    return kernels[map->geometry->backend->on_host][map->precision];
}

/* A group that is not named has none. */
#define OF_GROUP(kind, group, place)                                                                                   \
    {                                                                                                                  \
        [LAT_DOUBLE] = &flow_##kind##_##place##_##group##_double, [LAT_FLOAT] =                                        \
                                                                      &flow_##kind##_##place##_##group##_float         \
    }
static const flow_coupling_kernels *const coupling_kernels[2][LAT_GROUPS][LAT_PRECISIONS] = {
    {[LAT_U1] = OF_GROUP(coupling, u1, cuda)},
    {[LAT_U1] = OF_GROUP(coupling, u1, cpu)},
};
static const flow_blocking_kernels *const blocking_kernels[2][LAT_GROUPS][LAT_PRECISIONS] = {
    {[LAT_U1] = OF_GROUP(blocking, u1, cuda),
     [LAT_SU2] = OF_GROUP(blocking, su2, cuda),
     [LAT_SU3] = OF_GROUP(blocking, su3, cuda)},
    {[LAT_U1] = OF_GROUP(blocking, u1, cpu),
     [LAT_SU2] = OF_GROUP(blocking, su2, cpu),
     [LAT_SU3] = OF_GROUP(blocking, su3, cpu)},
};
static const flow_stout_kernels *const stout_kernels[2][LAT_GROUPS][LAT_PRECISIONS] = {
    {[LAT_SU2] = OF_GROUP(stout, su2, cuda), [LAT_SU3] = OF_GROUP(stout, su3, cuda)},
    {[LAT_SU2] = OF_GROUP(stout, su2, cpu), [LAT_SU3] = OF_GROUP(stout, su3, cpu)},
};
static const flow_masked_stout_kernels *const masked_stout_kernels[2][LAT_GROUPS][LAT_PRECISIONS] = {
    {[LAT_U1] = OF_GROUP(masked_stout, u1, cuda),
     [LAT_SU2] = OF_GROUP(masked_stout, su2, cuda),
     [LAT_SU3] = OF_GROUP(masked_stout, su3, cuda)},
    {[LAT_U1] = OF_GROUP(masked_stout, u1, cpu),
     [LAT_SU2] = OF_GROUP(masked_stout, su2, cpu),
     [LAT_SU3] = OF_GROUP(masked_stout, su3, cpu)},
};
#undef OF_GROUP

bool flow_coupling_of_group(lat_group group) { return coupling_kernels[true][group][LAT_DOUBLE]; }

int flow_stout_words(lat_group group)
{
    const flow_stout_kernels *kernels = stout_kernels[true][group][LAT_DOUBLE];
    return kernels ? kernels->words : 0;
}

const flow_coupling_kernels *flow_coupling_kernels_of(const flow_map *map)
{
    return coupling_kernels[map->geometry->backend->on_host][map->model->group][map->precision];
}

const flow_blocking_kernels *flow_blocking_kernels_of(const flow_map *map)
{
    return blocking_kernels[map->geometry->backend->on_host][map->model->group][map->precision];
}

const flow_stout_kernels *flow_stout_kernels_of(const flow_map *map)
{
    return stout_kernels[map->geometry->backend->on_host][map->model->group][map->precision];
}

const flow_masked_stout_kernels *flow_masked_stout_kernels_of(const flow_map *map)
{
    return masked_stout_kernels[map->geometry->backend->on_host][map->model->group][map->precision];
}

lat_range flow_range(const flow_map *map, const lat_sites *sites) { return lat_range_of(map->geometry, sites); }

/* --------------------------------------------------------------------------------------------------------- the map */

static lat_status check_lattice(const flow_model *model, const lat_geometry *g, lat_precision precision,
                                lat_error *error)
{
    if (model->dim != g->dim)
        return lat_fail(error, LAT_CONFIG,
                        "the model is of %d dimensions, the lattice of %d: use a model of the lattice's dimension",
                        model->dim, g->dim);
    if (!lat_geometry_serves(g, precision))
        return lat_fail(
            error, LAT_CONFIG,
            "a flow in %s on a lattice of %d lanes, laid out for %s: lay the lattice out for float, which serves both",
            lat_precision_names[precision], g->lanes, lat_precision_names[!precision]);
    for (int mu = 0; mu < g->dim; mu++) {
        if (g->size[mu] % model->stack.period)
            return lat_fail(
                error, LAT_CONFIG,
                "lattice.size: extent %lld of direction %d is not a multiple of %d, the period of the model's masks: "
                "change the extent",
                (long long)g->size[mu], mu, model->stack.period);
        if (g->lane_grid[mu] > 1 && g->block[mu] % model->stack.period)
            return lat_fail(error, LAT_CONFIG,
                            "lattice.lanes: blocks of %lld sites in direction %d are not multiples of %d, the period "
                            "of the model's "
                            "masks: use fewer lanes",
                            (long long)g->block[mu], mu, model->stack.period);
        if (g->split[mu] && (g->halo < model->stack.halo || g->corners < g->dim))
            return lat_fail(
                error, LAT_CONFIG,
                "the halo of the lattice (%d sites) is narrower than the model's networks need (%d): use fewer ranks",
                g->halo, model->stack.halo);
    }
    return LAT_DONE;
}

static flow_map *empty_map(const flow_model *model, const lat_geometry *geometry, lat_precision precision,
                           int64_t memory)
{
    flow_map *map = lat_alloc(1, sizeof *map);
    *map = (flow_map){.model = model, .geometry = geometry, .precision = precision, .memory = memory};
    map->work = flow_workspace_create(geometry);
    return map;
}

lat_status flow_map_create(const flow_model *model, const lat_geometry *geometry, lat_precision precision,
                           flow_map **map, lat_error *error)
{
    *map = NULL;
    if (check_lattice(model, geometry, precision, error)) return error->status;
    flow_map *m = empty_map(model, geometry, precision, geometry->backend->on_host ? KEPT_BYTES : KEPT_BYTES_ON_DEVICE);
    m->steps = flow_steps_create(&model->stack, m, error);
    if (error->status) {
        flow_map_free(m);
        return error->status;
    }
    *map = m;
    return LAT_DONE;
}

flow_map *flow_map_within(const flow_map *map, const lat_geometry *geometry)
{
    flow_map *inner = empty_map(map->model, geometry, map->precision, map->memory);
    inner->within = map;
    return inner;
}

int64_t *flow_unsolved(const flow_map *map)
{
    while (map->within) map = map->within;
    if (!map->work->unsolved) map->work->unsolved = map->geometry->backend->allocate(sizeof *map->work->unsolved);
    return map->work->unsolved;
}

lat_status flow_whole_geometry(const flow_map *map, lat_geometry **geometry, lat_error *error)
{
    const lat_geometry *g = map->geometry;
    lat_shape shape = {.dim = g->dim, .members = g->members, .precision = map->precision, .backend = g->backend};
    for (int mu = 0; mu < g->dim; mu++) {
        shape.size[mu] = g->size[mu];
        shape.ranks[mu] = shape.lane_grid[mu] = 1;
    }
    return lat_geometry_create(MPI_COMM_SELF, &shape, geometry, error);
}

flow_map *flow_map_whole(flow_map *map)
{
    lat_error error = {0};
    lat_geometry *geometry;
    if (map->work->whole) return map->work->whole;
    if (flow_whole_geometry(map, &geometry, &error)) lat_abort(error.status, "%s", error.text);
    return map->work->whole = flow_map_within(map, geometry);
}

void flow_copy_members(const lat_field *from, lat_field *to)
{
    int *member = lat_alloc(from->geometry->members, sizeof *member);
    for (int m = 0; m < from->geometry->members; m++) member[m] = m;
    lat_field_take_members(to, from, member);
    free(member);
}

static void free_whole(flow_map *whole)
{
    if (!whole) return;
    lat_geometry *geometry = (lat_geometry *)(uintptr_t)whole->geometry;
    flow_map_free(whole);
    lat_geometry_free(geometry);
}

void flow_map_free(flow_map *map)
{
    if (!map) return;
    flow_steps_free(map->steps);
    free_whole(map->work->whole);
    flow_workspace_free(map->geometry, map->work);
    map->geometry->backend->release(map->parameters);
    free(map);
}

static void collect_unsolved(flow_map *map)
{
    const lat_geometry *g = map->geometry;
    int64_t count;
    if (!map->work->unsolved) return;
    g->backend->download(&count, map->work->unsolved, sizeof count, LAT_OF_ARRAY);
    g->backend->zero(map->work->unsolved, sizeof count);
    MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPI_INT64_T, MPI_SUM, g->comm);
    if (count)
        lat_fail(
            &map->error, LAT_NUMERICAL,
            "flow: %lld links have no inverse that Newton's method finds: train the model further, or with more steps",
            (long long)count);
}

lat_status flow_map_failed(flow_map *map, lat_error *error)
{
    collect_unsolved(map);
    lat_error found = map->error;
    map->error = (lat_error){0};
    return found.status ? lat_fail(error, found.status, "%s", found.text) : LAT_DONE;
}

double *flow_map_parameters(flow_map *map)
{
    const flow_model *model = map->model;
    const lat_backend *backend = map->geometry->backend;
    const int64_t bytes = model->stack.parameter_count * (int64_t)sizeof *model->parameters;
    if (backend->on_host) return model->parameters;
    if (map->parameters && map->version == model->version) return map->parameters;
    if (!map->parameters) map->parameters = backend->allocate(bytes);
    backend->upload(map->parameters, model->parameters, bytes, LAT_OF_ARRAY);
    map->version = model->version;
    return map->parameters;
}

/* ------------------------------------------------------------------------------------------------------------ sweeps */

/* All that a sweep through the layers follows from, but for the numbers in the fields. */
typedef struct {
    flow_map *map;
    const double *parameters, *weight;
    double *gradient;
    lat_field *u, *cotangent, *density;
    void *data[3]; /* of the fields */
    int64_t recorded, row;
} sweep;

static sweep sweep_of(flow_map *map, lat_gauge *u, lat_field *cotangent, lat_field *density)
{
    lat_gauge_changed(u);
    return (sweep){
        .map = map,
        .parameters = flow_map_parameters(map),
        .u = u->links,
        .cotangent = cotangent,
        .density = density,
        .data = {u->links->data, cotangent ? cotangent->data : NULL, density ? density->data : NULL},
        .recorded = map->recorded,
    };
}

static void run_forward(const void *arguments)
{
    const sweep *s = arguments;
    flow_steps_forward(s->map->steps, s->parameters, s->u, s->density);
}

static void run_record(const void *arguments)
{
    const sweep *s = arguments;
    flow_steps_record(s->map->steps, s->parameters, s->u, s->density);
}

static void run_inverse(const void *arguments)
{
    const sweep *s = arguments;
    flow_steps_inverse(s->map->steps, s->parameters, s->u, s->density);
}

static void run_backward(const void *arguments)
{
    const sweep *s = arguments;
    s->map->row = s->row;
    flow_steps_backward(s->map->steps, s->parameters, s->u, s->cotangent, s->weight, s->gradient);
}

static void run_push(const void *arguments)
{
    const sweep *s = arguments;
    flow_steps_push(s->map->steps, s->parameters, s->u, s->cotangent, s->density);
}

static void repeat(flow_map *map, void (*run)(const void *), const sweep *s)
{
    lat_repeat(map->work->repeats, run, s, sizeof *s);
}

void flow_forward(flow_map *map, lat_gauge *u, lat_field *density)
{
    map->recorded = false;
    sweep s = sweep_of(map, u, NULL, density);
    repeat(map, run_forward, &s);
}

void flow_record(flow_map *map, lat_gauge *u, lat_field *density)
{
    map->recorded = true;
    sweep s = sweep_of(map, u, NULL, density);
    repeat(map, run_record, &s);
}

void flow_inverse(flow_map *map, lat_gauge *u, lat_field *density)
{
    map->recorded = false;
    sweep s = sweep_of(map, u, NULL, density);
    repeat(map, run_inverse, &s);
}

void flow_walk(flow_map *map, lat_gauge *u, lat_field *density, flow_visitor *visitor, bool back)
{
    map->recorded = false;
    lat_gauge_changed(u);
    flow_steps_walk(map->steps, flow_map_parameters(map), u->links, density, visitor, back);
}

/* Where kernels find the weights: always in the same place, and they are hardly ever new. */
static const double *weights_at(flow_map *map, const double *weight)
{
    const lat_backend *backend = map->geometry->backend;
    struct flow_workspace *work = map->work;
    const int64_t bytes = map->geometry->lanes * (int64_t)sizeof *weight;
    if (backend->on_host) return weight;
    if (work->weights && memcmp(work->last_weights, weight, (size_t)bytes) == 0) return work->weights;
    if (!work->weights) {
        work->weights = backend->allocate(bytes);
        work->last_weights = lat_alloc(bytes, 1);
    }
    memcpy(work->last_weights, weight, (size_t)bytes);
    backend->upload(work->weights, weight, bytes, LAT_OF_ARRAY);
    return work->weights;
}

static void sweep_back(flow_map *map, lat_gauge *u, lat_field *cotangent, const double *weight, double *gradient, int64_t row)
{
    sweep s = sweep_of(map, u, cotangent, NULL);
    s.weight = weights_at(map, weight);
    s.gradient = gradient;
    s.row = row;
    repeat(map, run_backward, &s);
    map->recorded = false;
}

void flow_backward(flow_map *map, lat_gauge *u, lat_field *cotangent, const double *weight, double *gradient)
{
    sweep_back(map, u, cotangent, weight, gradient, 0);
}

void flow_backward_rows(flow_map *map, lat_gauge *u, lat_field *cotangent, const double *weight, double *rows)
{
    sweep_back(map, u, cotangent, weight, rows, map->model->stack.parameter_count);
}

void flow_push(flow_map *map, lat_gauge *u, lat_field *cotangent, lat_field *density)
{
    map->recorded = true;
    sweep s = sweep_of(map, u, cotangent, density);
    repeat(map, run_push, &s);
}
