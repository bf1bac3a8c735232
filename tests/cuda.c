/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda.c: the backend for GPUs against that for the host: every kernel on random fields, halos, sums, trajectories, flows
 * and training, and what is copied between the two memories.  Both have the same sites and lanes, so that fields can be
 * compared number by number.
 * # ranks: 1 2
 */
#include "flows/flows.h"
#include "flows/layout.h"
#include "hmc/hmc.h"
#include "lattice/gauge/kernels.h"
#include "tests/chain.h"
#include "tests/observe.h"
#include "tests/cuda_flow.h"
#include "tests/tap.h"

#include <string.h>

static const lat_backend *device;

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

/* ------------------------------------------------------------------------------------------- two sides to compare */

enum { FIELDS = 24 };
typedef struct {
    lat_geometry *g;
    lat_group group;
    lat_precision precision;
    lat_gauge *gauge;
    lat_field *spinor[3], *entries, *blocks[2], *insertions; /* of one component where there are no quarks */
    lat_field *links, *other, *out, *algebra, *force, *element[4], *couplings, *density, *densities, *second, *four,
        *doubles, *singles;
    lat_field *all[FIELDS], *start[FIELDS]; /* of these, for comparison, and what they begin with */
    int count;
    double *numbers, *weight;
    int *choice, *loop; /* a plaquette, and 0 */
    bool scaled;
} side;

static lat_field *keep(side *s, lat_field *field)
{
    s->start[s->count] = lat_field_create(s->g, field->components, field->precision);
    s->all[s->count++] = field;
    return field;
}

static lat_field *element(side *s) { return keep(s, lat_field_create(s->g, lat_link_reals(s->group), s->precision)); }

static lat_field *quark_field(side *s, int components)
{
    return keep(s, lat_field_create(s->g, lat_spins(s->g->dim) ? components : 1, s->precision));
}

static void make_quark_fields(side *s)
{
    const int dim = s->g->dim, n = lat_colours(s->group), rows = lat_spins(dim) / 2 * n;
    for (int i = 0; i < 3; i++) s->spinor[i] = quark_field(s, lat_spinor_reals(s->group, dim));
    for (int i = 0; i < 2; i++) s->blocks[i] = quark_field(s, 2 * rows * rows);
    s->entries = quark_field(s, dim * 2 * n * n);
    s->insertions = quark_field(s, dim * (dim - 1) * n * n);
}

static side side_of(const lat_backend *backend, lat_group group, lat_precision precision, const lat_shape *shape)
{
    lat_error error = {0};
    side s = {.group = group, .precision = precision};
    lat_shape own = *shape;
    own.backend = backend;
    own.precision = LAT_FLOAT; /* there are fields of both */
    lat_geometry_create(MPI_COMM_WORLD, &own, &s.g, &error);
    require(&error);
    s.gauge = lat_gauge_create(s.g, group, precision);
    s.links = keep(&s, s.gauge->links);
    s.other = keep(&s, lat_field_create(s.g, s.links->components, precision));
    s.out = keep(&s, lat_field_create(s.g, s.links->components, precision));
    s.algebra = keep(&s, lat_field_algebra(s.g, group, precision));
    s.force = keep(&s, lat_field_algebra(s.g, group, precision));
    for (int i = 0; i < 4; i++) s.element[i] = element(&s);
    make_quark_fields(&s);
    s.couplings = keep(&s, lat_field_create(s.g, s.g->dim, LAT_DOUBLE));
    s.density = keep(&s, lat_field_create(s.g, 1, LAT_DOUBLE));
    s.densities = keep(&s, lat_field_create(s.g, 2, LAT_DOUBLE));
    s.second = keep(&s, lat_field_create(s.g, 1, LAT_DOUBLE));
    s.four = keep(&s, lat_field_create(s.g, 4, LAT_DOUBLE));
    s.doubles = keep(&s, lat_field_create(s.g, 3, LAT_DOUBLE));
    s.singles = keep(&s, lat_field_create(s.g, 3, LAT_FLOAT));
    double *numbers = lat_alloc(s.g->lanes, sizeof *numbers);
    int *choice = lat_alloc(s.g->lanes, sizeof *choice);
    for (int lane = 0; lane < s.g->lanes; lane++) {
        numbers[lane] = lane % 3 - 1;
        choice[lane] = lane % 2;
    }
    const int64_t slices = s.g->size[s.g->dim - 1];
    double *weight = lat_alloc(slices, sizeof *weight);
    int *loop = lat_alloc(5, sizeof *loop);
    memcpy(loop, (int[]){1, 2, -1, -2, 0}, 5 * sizeof *loop);
    for (int64_t t = 0; t < slices; t++) weight[t] = 1 + 0.1 * (double)t;
    s.weight = lat_hand_over(s.g, weight, slices * (int64_t)sizeof *weight);
    s.loop = lat_hand_over(s.g, loop, 5 * sizeof *loop);
    s.numbers = lat_hand_over(s.g, numbers, s.g->lanes * (int64_t)sizeof *numbers);
    s.choice = lat_hand_over(s.g, choice, s.g->lanes * (int64_t)sizeof *choice);
    return s;
}

static void side_free(side *s)
{
    s->g->backend->release(s->numbers);
    s->g->backend->release(s->choice);
    s->g->backend->release(s->weight);
    s->g->backend->release(s->loop);
    for (int i = 0; i < s->count; i++) {
        lat_field_free(s->all[i]);
        lat_field_free(s->start[i]);
    }
    s->gauge->links = NULL; /* it was one of all */
    lat_gauge_free(s->gauge);
    lat_geometry_free(s->g);
}

static int64_t reals_of(const lat_field *f) { return f->geometry->all_sites * f->components * f->geometry->lanes; }

static size_t bytes_of(const lat_field *f)
{
    return (size_t)reals_of(f) * (f->precision == LAT_FLOAT ? sizeof(float) : sizeof(double));
}

/* The same numbers, halo and idle lanes included. */
static void copy_to(const lat_field *from, lat_field *to)
{
    void *a = lat_field_map(from, LAT_READ), *b = lat_field_map(to, LAT_WRITE);
    memcpy(b, a, bytes_of(from));
    lat_field_unmap(from, a, LAT_READ);
    lat_field_unmap(to, b, LAT_WRITE);
}

static bool holds_links(const side *s, const lat_field *f)
{
    bool elements = false;
    for (int i = 0; i < 4; i++) elements = elements || f == s->element[i];
    return elements || f == s->links || f == s->other || f == s->out;
}

/* Blocks near one, as those of D are: they have inverses. */
static void near_one(lat_field *blocks, int rows)
{
    const int64_t lanes = blocks->geometry->lanes;
    void *numbers = lat_field_map(blocks, LAT_CHANGE);
    for (int64_t j = 0; j < reals_of(blocks); j++) {
        double x = 0.1 * lat_real_at(blocks, numbers, j) + (j / lanes % (rows * rows) < rows);
        if (blocks->precision == LAT_FLOAT)
            ((float *)numbers)[j] = (float)x;
        else
            ((double *)numbers)[j] = x;
    }
    lat_field_unmap(blocks, numbers, LAT_CHANGE);
}

/* Random links and algebra with a filled halo; couplings between 0 and 1. */
static void randomise(side *host, side *other)
{
    for (int i = 0; i < host->count; i++) {
        lat_random random = {.seed = 5, .purpose = LAT_RANDOM_TEST, .step = (uint64_t)i};
        lat_field *f = host->all[i];
        if (holds_links(host, f))
            lat_field_haar(f, host->group, &random);
        else
            lat_field_gaussian(f, &random);
        if ((f == host->blocks[0] || f == host->blocks[1]) && lat_spins(f->geometry->dim))
            near_one(f, lat_spins(f->geometry->dim) / 2 * lat_colours(host->group));
        if (f == host->couplings) {
            double *c = lat_field_map(f, LAT_CHANGE);
            for (int64_t j = 0; j < reals_of(f); j++) c[j] = fabs(c[j]) / (1 + fabs(c[j]));
            lat_field_unmap(f, c, LAT_CHANGE);
        }
        lat_halo_exchange(f);
        lat_field_copy(host->start[i], f);
        copy_to(f, other->start[i]);
    }
}

static void restart(side *s)
{
    for (int i = 0; i < s->count; i++) lat_field_copy(s->all[i], s->start[i]);
}

/* Largest difference relative to the largest number, angles of U(1) on the circle, of the fields that have changed on the
 * host; *share: of numbers above the tolerance. */
static double difference(const side *a, const side *b, double tolerance, double *share)
{
    double worst = 0;
    int64_t above = 0, all = 0;
    for (int i = 0; i < a->count; i++) {
        const lat_field *f = a->all[i], *h = b->all[i];
        if (memcmp(f->data, a->start[i]->data, bytes_of(f)) == 0) continue;
        void *x = lat_field_map(f, LAT_READ), *y = lat_field_map(h, LAT_READ);
        double size = 1, most = 0;
        bool angles = a->group == LAT_U1 && holds_links(a, f);
        for (int64_t j = 0; j < reals_of(f); j++) size = fmax(size, fabs(lat_real_at(f, x, j)));
        for (int64_t j = 0; j < reals_of(f); j++) {
            double d = lat_real_at(f, x, j) - lat_real_at(h, y, j);
            if (angles) d = remainder(d, 2 * M_PI);
            d = isnan(d) ? INFINITY : fabs(d) / size;
            most = fmax(most, d);
            above += !(d <= tolerance);
            all++;
        }
        worst = fmax(worst, most);
        lat_field_unmap(f, x, LAT_READ);
        lat_field_unmap(h, y, LAT_READ);
    }
    *share = all ? (double)above / (double)all : 0;
    MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, share, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return worst;
}

/* ------------------------------------------------------------------------------------------------------ every kernel */

/* A function for each name in the table, so that none is forgotten. */
#define TABLES lat_tables_of(s->g)
#define RUN(name, ...)                                                                                                 \
    static void run_##name(side *s, const lat_range *range)                                                            \
    {                                                                                                                  \
        name##_args args = {TABLES, __VA_ARGS__};                                                                      \
        lat_kernels_of(s->links, s->group)->name(&args, range);                                                        \
    }
#define RUN_FIELD(name, ...)                                                                                           \
    static void run_##name(side *s, const lat_range *range)                                                            \
    {                                                                                                                  \
        name##_args args = {TABLES, __VA_ARGS__};                                                                      \
        lat_field_kernels_of(s->links)->name(&args, range);                                                            \
    }
static const random_key key = {{7, 8}, 9, 10};

RUN(plaquette_sum, s->links->data, s->density->data, 0.5, 0.25)
RUN(plaquette_force, s->links->data, s->force->data, 0.25)
RUN(weighted_plaquette_sum, s->links->data, s->couplings->data, s->density->data, 0.5, 0.25)
RUN(weighted_plaquette_force, s->links->data, s->couplings->data, s->force->data, 0.25)
RUN(rectangle_sum, s->links->data, s->couplings->data, s->density->data, 0.5, 0.25)
RUN(rectangle_force, s->links->data, s->couplings->data, s->force->data, 0.25)
RUN(exp_update, s->links->data, s->algebra->data, 0.1)
RUN(gauge_transform, s->links->data, s->element[0]->data)
RUN(haar, s->links->data, s->g->dim, key)
RUN(extend_line, s->links->data, s->element[0]->data, s->element[1]->data, 1)
RUN(shift, s->element[0]->data, s->element[1]->data, 0)
RUN(loop_trace, s->element[0]->data, s->element[1]->data, s->element[2]->data, s->element[3]->data, s->density->data)
RUN(trace, s->element[0]->data, s->density->data, s->second->data)
RUN(gradient_flow_force, s->links->data, s->force->data, 0.5, 0.25)
RUN(gradient_flow_improved, s->links->data, s->force->data, 5.0 / 3, -1.0 / 12)
RUN(gradient_flow_smooth, {TABLES, s->links->data, s->force->data, 0.5, 0.25}, s->algebra->data)
RUN(gradient_flow_distance, s->links->data, s->other->data, s->algebra->data, s->density->data, 0.1)
RUN(gradient_flow_density, s->links->data, NULL, s->four->data)
RUN(weighted_gradient_flow_density, s->links->data, s->couplings->data, s->four->data)
RUN(smear_stout, s->links->data, s->out->data, 0.1, s->g->dim)
RUN(stout_average, s->links->data, s->force->data, s->algebra->data, 0.1, 20)
RUN(stout_force, s->links->data, s->algebra->data, s->force->data, 0.1)
RUN(smear_ape, s->links->data, s->out->data, 0.5, s->g->dim)
RUN(orbit_sum, s->links->data, s->algebra->data, s->loop, 4, 1, s->densities->data)
RUN(orbit_gradient, s->links->data, s->loop, s->loop + 4, 4, 1, s->weight, s->force->data)
RUN_FIELD(axpy, s->force->data, s->algebra->data, 0.5, s->force->components)
RUN_FIELD(select, s->force->data, s->algebra->data, s->choice, s->force->components)
RUN_FIELD(to_float, s->singles->data, s->doubles->data, 3)
RUN_FIELD(to_double, s->doubles->data, s->singles->data, 3)
RUN_FIELD(scale_lanes, s->force->data, s->numbers, s->force->components)
RUN_FIELD(half_square, s->algebra->data, s->density->data, s->algebra->components)
RUN_FIELD(change_square, s->algebra->data, s->force->data, 0.5, s->density->data, s->algebra->components)
RUN_FIELD(gaussian, s->algebra->data, s->algebra->components, key)
RUN_FIELD(cg_curvature, s->algebra->data, s->force->data, 0.5, s->numbers, s->density->data, s->force->components)
RUN_FIELD(cg_residue, s->force->data, s->links->data, s->other->data, 0.5, s->numbers, s->numbers, s->density->data,
          s->force->components)
RUN_FIELD(cg_direction, s->force->data, s->algebra->data, s->out->data, s->numbers, s->numbers, s->numbers,
          s->force->components)
RUN_FIELD(complex_axpy, s->force->data, s->algebra->data, s->numbers, s->numbers, 2)
RUN_FIELD(complex_direction, s->force->data, s->algebra->data, s->numbers, s->numbers, 2)
RUN_FIELD(complex_dot, s->algebra->data, s->force->data, s->numbers, s->density->data, s->second->data, 2)
RUN_FIELD(combine, s->algebra->data, s->force->data, s->numbers, NULL, s->force->components)
RUN_FIELD(spinor_dot, s->algebra->data, s->force->data, s->density->data, 2)
RUN_FIELD(spinor_gamma5, s->force->data, 2)
RUN_FIELD(spinor_form, s->algebra->data, s->force->data, s->density->data, 2, 1, {0}, {0.5}, {0.25})
RUN(heatbath, s->links->data, 2.5, 1, key)
RUN(overrelax, s->links->data, 1)
RUN(weighted_heatbath, s->links->data, s->couplings->data, 2.5, 0, key)
RUN(weighted_overrelax, s->links->data, s->couplings->data, 0)
RUN(charge, s->links->data, s->density->data)
RUN(instanton, s->links->data, s->numbers)
RUN(hop_links, s->links->data, s->entries->data, {{-1, 0}, {0, 1}, {0.6, 0.8}, {1, 0}})
RUN(entries_force, s->entries->data, s->force->data, 0.25)
RUN(hop, s->entries->data, s->spinor[0]->data, s->spinor[1]->data, s->blocks[0]->data, NULL, s->spinor[2]->data, -0.1,
    1, 0.3, true)
RUN(hop_dagger, s->entries->data, s->spinor[0]->data, NULL, NULL, s->blocks[0]->data, s->spinor[2]->data, 0.5, 0.9, 0,
    false)
RUN(block_multiply, s->spinor[0]->data, s->blocks[0]->data, s->blocks[1]->data, s->spinor[2]->data, 1, 0.3)
RUN(clover, s->links->data, s->blocks[0]->data, -0.2)
RUN(block_invert, s->blocks[0]->data, s->blocks[1]->data, s->density->data, 0.3)
RUN(block_commuting, s->blocks[0]->data, s->blocks[0]->data, s->blocks[1]->data, 0.25)
RUN(block_exponential, s->blocks[0]->data, s->blocks[1]->data, -1, 3)
RUN(block_exponential_force, s->blocks[0]->data, s->blocks[1]->data, s->blocks[1]->data, 3)
RUN(hop_force, s->entries->data, s->spinor[0]->data, s->spinor[1]->data, s->force->data, 0.25)
RUN(block_outer, s->spinor[0]->data, s->spinor[1]->data, s->blocks[0]->data, 0.25)
RUN(clover_insert, s->blocks[0]->data, s->insertions->data)
RUN(clover_force, s->links->data, s->insertions->data, s->force->data, 0.25)
static void run_halo_copy(side *s, const lat_range *range) /* by way of the exchange of a halo */
{
    (void)range;
    lat_halo_exchange(s->links);
}

typedef struct {
    const char *name;
    void (*run)(side *side, const lat_range *range);
    bool there, random, in_place;
} kernel_test;
#define TEST_OF(kernel) {#kernel, run_##kernel, lat_kernels_of(s->links, s->group)->kernel != NULL, false, false},
#define DIRAC_TEST_OF(kernel) {#kernel, run_##kernel, lat_spins(s->g->dim) > 0, false, false},
#define FIELD_TEST_OF(kernel) {#kernel, run_##kernel, true, false, false},

static int list_kernels(const side *s, kernel_test *list)
{
    const kernel_test tests[] = {LAT_KERNELS(TEST_OF) LAT_DIRAC_KERNELS(DIRAC_TEST_OF) LAT_FIELD_KERNELS(FIELD_TEST_OF)
                                     LAT_UPDATE_KERNELS(TEST_OF) LAT_U1_KERNELS(TEST_OF)};
    int count = (int)(sizeof tests / sizeof *tests), kept = 0;
    for (int i = 0; i < count; i++) {
        list[kept] = tests[i];
        list[kept].random = strstr(tests[i].name, "heatbath") != NULL;
        list[kept].in_place = list[kept].random || strstr(tests[i].name, "overrelax") != NULL;
        bool two = strcmp(tests[i].name, "charge") == 0 || strcmp(tests[i].name, "instanton") == 0;
        if (tests[i].there && !(two && s->g->dim != 2)) kept++;
    }
    return kept;
}

/* Rounding is amplified by the projections and exponentials of some kernels.  A heatbath may decide otherwise once. */
static void test_kernels(lat_group group, lat_precision precision, const lat_shape *shape)
{
    enum { MOST = 128 };
    kernel_test list[MOST];
    const double tolerance = precision == LAT_FLOAT ? 1e-4 : 1e-11;
    side host = side_of(NULL, group, precision, shape), other = side_of(device, group, precision, shape);
    int count = list_kernels(&host, list), bad = 0;
    double worst = 0;
    randomise(&host, &other);
    for (int i = 0; i < count; i++) {
        double share;
        restart(&host);
        restart(&other);
        lat_range a = list[i].in_place ? lat_range_of(host.g, &host.g->parity[0]) : lat_block(host.g);
        lat_range b = list[i].in_place ? lat_range_of(other.g, &other.g->parity[0]) : lat_block(other.g);
        list[i].run(&host, &a);
        list[i].run(&other, &b);
        double d = difference(&host, &other, tolerance, &share);
        bool good = d <= tolerance || (list[i].random && share < 1e-3);
        if (!good && tap.rank == 0) printf("# %s: %g, %g of all numbers\n", list[i].name, d, share);
        if (d <= tolerance) worst = fmax(worst, d);
        bad += !good;
    }
    ok_all(bad == 0, "%s, %s, %d dimensions: %d kernels alike to %.1g", lat_group_names[group],
           lat_precision_names[precision], shape->dim, count, worst);
    side_free(&host);
    side_free(&other);
}

/* Of 29 to 32 lanes that are used, the host makes 32 too, however short its vectors are. */
static const lat_shape two = {.dim = 2, .size = {8, 32}, .lane_grid = {2, 1}, .members = 15, .halo = 2, .corners = 2};
static const lat_shape three = {
    .dim = 3, .size = {4, 4, 16}, .lane_grid = {2, 1, 2}, .members = 8, .halo = 2, .corners = 3};
static const lat_shape four = {
    .dim = 4, .size = {4, 4, 2, 8}, .lane_grid = {2, 1, 1, 1}, .members = 16, .halo = 2, .corners = 4};
static const lat_shape *const shapes[] = {&two, &three, &four};

/* ------------------------------------------------------------------------------------- what the library makes of them */

/* Of two fields, number by number; halo included, if it is filled, and idle lanes. */
static double unlike(const lat_field *a, const lat_field *b, bool halo)
{
    void *x = lat_field_map(a, LAT_READ), *y = lat_field_map(b, LAT_READ);
    int64_t count = (halo ? a->geometry->all_sites : a->geometry->sites) * a->components * a->geometry->lanes;
    double worst = 0, size = 1;
    for (int64_t i = 0; i < count; i++) size = fmax(size, fabs(lat_real_at(a, x, i)));
    for (int64_t i = 0; i < count; i++) {
        double d = fabs(lat_real_at(a, x, i) - lat_real_at(b, y, i)) / size;
        worst = isnan(d) ? INFINITY : fmax(worst, d);
    }
    lat_field_unmap(a, x, LAT_READ);
    lat_field_unmap(b, y, LAT_READ);
    MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return worst;
}

/* Copies and sums of the halo are the same bits. */
static void test_halo(lat_precision precision, const lat_shape *shape)
{
    side host = side_of(NULL, LAT_SU2, precision, shape), other = side_of(device, LAT_SU2, precision, shape);
    randomise(&host, &other);
    restart(&host);
    restart(&other);
    lat_field_axpy(host.algebra, 1, host.force);
    lat_field_axpy(other.algebra, 1, other.force);
    lat_halo_exchange(host.algebra);
    lat_halo_exchange(other.algebra);
    ok_all(unlike(host.algebra, other.algebra, true) == 0, "%d dimensions, %s: the halo is the same", shape->dim,
           lat_precision_names[precision]);
    lat_halo_adjoint(host.algebra);
    lat_halo_adjoint(other.algebra);
    ok_all(unlike(host.algebra, other.algebra, true) == 0, "... and so is its adjoint");
    side *sides[] = {&host, &other};
    for (int i = 0; i < 2; i++) {
        side *s = sides[i];
        lat_random random = {.seed = 6, .purpose = LAT_RANDOM_TEST};
        for (int parity = 0; parity < 2; parity++) {
            lat_field *links = s->links;
            lat_field_haar(links, LAT_SU2, &random);
            lat_halo_finish(lat_halo_start(links, lat_halo_links(parity, parity)));
        }
        lat_halo_finish(lat_halo_start(s->links, lat_halo_staples()));
    }
    ok_all(unlike(host.links, other.links, true) <= (precision == LAT_FLOAT ? 1e-5 : 1e-13),
           "... and that of some links");
    side_free(&host);
    side_free(&other);
}

/* Sums are exact, so they are the same bits; with numbers that need the long accumulator, or are none. */
static void test_sums(const lat_shape *shape)
{
    const double odd[] = {1e300, 1e-300, 3e7, NAN};
    side host = side_of(NULL, LAT_U1, LAT_DOUBLE, shape), other = side_of(device, LAT_U1, LAT_DOUBLE, shape);
    double *a = lat_alloc(host.g->members, sizeof *a), *b = lat_alloc(host.g->members, sizeof *b);
    randomise(&host, &other);
    int bad = 0;
    for (int i = 0; i < 5; i++) {
        restart(&host);
        if (i > 0) {
            double *x = lat_field_map(host.four, LAT_CHANGE);
            x[17] = odd[i - 1];
            lat_field_unmap(host.four, x, LAT_CHANGE);
        }
        copy_to(host.four, other.four);
        lat_sum(host.four, a);
        lat_sum(other.four, b);
        bad += memcmp(a, b, (size_t)host.g->members * sizeof *a) != 0;
    }
    ok_all(bad == 0, "%d dimensions: sums are the same to the last bit, whatever their terms", shape->dim);
    free(a);
    free(b);
    side_free(&host);
    side_free(&other);
}

/* Fields in site order, there and back. */
static void test_site_order(const lat_shape *shape)
{
    side host = side_of(NULL, LAT_U1, LAT_DOUBLE, shape), other = side_of(device, LAT_U1, LAT_DOUBLE, shape);
    int64_t all = host.g->volume * host.four->components;
    double *a = lat_alloc(all, sizeof *a), *b = lat_alloc(all, sizeof *b);
    bool choose[64];
    for (int m = 0; m < 64; m++) choose[m] = m % 3 == 1;
    int bad = 0;
    randomise(&host, &other);
    restart(&host);
    restart(&other);
    for (int m = 0; m < host.g->members; m++) {
        lat_field_gather(host.four, m, a);
        lat_field_gather(other.four, m, b);
        bad += memcmp(a, b, (size_t)all * sizeof *a) != 0;
        lat_field_scatter(host.four, (m + 1) % host.g->members, a);
        lat_field_scatter(other.four, (m + 1) % host.g->members, b);
        lat_field_get_local(host.four, m, a);
        lat_field_get_local(other.four, m, b);
        bad += memcmp(a, b, (size_t)(all / host.g->rank_count) * sizeof *a) != 0;
        lat_field_set_local(host.four, m / 2, a);
        lat_field_set_local(other.four, m / 2, b);
    }
    lat_field_copy_members(host.four, host.start[host.count - 3], choose);
    lat_field_copy_members(other.four, other.start[other.count - 3], choose);
    ok_all(bad == 0 && unlike(host.four, other.four, true) == 0, "%d dimensions: fields in site order, members copied",
           shape->dim);
    free(a);
    free(b);
    side_free(&host);
    side_free(&other);
}

/* ------------------------------------------------------------------------------------------------------ Markov chains */

static lat_copies copies_since(lat_copies after, lat_copies before)
{
    return (lat_copies){.fields = after.fields - before.fields,
                        .field_bytes = after.field_bytes - before.field_bytes,
                        .arrays = after.arrays - before.arrays,
                        .array_bytes = after.array_bytes - before.array_bytes,
                        .messages = after.messages - before.messages,
                        .message_bytes = after.message_bytes - before.message_bytes,
                        .replays = after.replays - before.replays};
}

/* What was copied in the steps of a chain after the first. */
static lat_copies run_chain(test_chain *t, int steps)
{
    chain_run(t, 1);
    lat_copies before = lat_copies_of(t->chain->geometry);
    chain_run(t, steps - 1);
    return copies_since(lat_copies_of(t->chain->geometry), before);
}

static double links_apart(const mc_chain *a, const mc_chain *b)
{
    const lat_field *mine = a->state->gauge->links, *other = b->state->gauge->links;
    int64_t all = a->geometry->volume * mine->components;
    double *x = lat_alloc(all, sizeof *x), *y = lat_alloc(all, sizeof *y), worst = 0;
    for (int m = 0; m < mc_replicas(a->state); m++) {
        lat_field_gather(mine, m, x);
        lat_field_gather(other, m, y);
        for (int64_t i = 0; i < all; i++) {
            double d = a->state->gauge->group == LAT_U1 ? remainder(x[i] - y[i], 2 * M_PI) : x[i] - y[i];
            worst = isnan(d) ? INFINITY : fmax(worst, fabs(d));
        }
    }
    free(x);
    free(y);
    return worst;
}

/* A chain goes the same way on both, as far as rounding lets it: each step amplifies that by a few powers of ten.  fields: how
 * many may be copied in a step. */
static void test_chain_of(const char *name, const char *text, int steps, double tolerance, int fields)
{
    char *on_host = lat_text("backend = \"cpu\"; %s", text), *on_device = lat_text("backend = \"cuda\"; %s", text);
    test_chain a = chain_begin(MPI_COMM_WORLD, on_host), b = chain_begin(MPI_COMM_WORLD, on_device);
    run_chain(&a, steps);
    lat_copies copies = run_chain(&b, steps);
    double d = links_apart(a.chain, b.chain);
    ok_all(d <= tolerance && d > 0, "%s: after %d steps the links differ by %.1g", name, steps, d);
    if (tap.rank == 0 && !isnan(chain_figure(&b, b.count - 1, "acceptance")))
        printf("# %g of the last updates were accepted\n", chain_figure(&b, b.count - 1, "acceptance"));
    ok_all(copies.fields <= fields * (steps - 1), "... and %lld fields were copied, %lld small arrays of %lld bytes",
           (long long)copies.fields, (long long)copies.arrays, (long long)copies.array_bytes);
    if (tap.ranks > 1 && fields == 0 && !b.chain->geometry->backend->messages)
        ok_all(copies.messages > 0, "... and %lld messages of %lld bytes by way of the host",
               (long long)copies.messages, (long long)copies.message_bytes);
    if (tap.ranks == 1)
        ok_all(copies.replays > 0, "... and recorded kernels were asked for all at once %lld times",
               (long long)copies.replays);
    chain_end(&a);
    chain_end(&b);
    free(on_host);
    free(on_device);
}

/* ------------------------------------------------------------------------------------------------- what is repeated */

typedef struct {
    lat_field *x, *y;
    double *upload; /* NULL: none */
} growth;

/* x += y + y, and what cannot be recorded, if that is wanted. */
static void grow(const void *arguments)
{
    const growth *g = arguments;
    lat_field_axpy(g->x, 1, g->y);
    lat_field_axpy(g->x, 1, g->y);
    if (g->upload) lat_unshare(g->x->geometry, lat_share(g->x->geometry, g->upload, sizeof *g->upload));
}

static double first_number(const lat_field *field)
{
    const double *numbers = lat_field_map(field, LAT_READ);
    double first = numbers[0];
    lat_field_unmap(field, (void *)numbers, LAT_READ);
    return first;
}

static void test_repeats(void)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {4, 4}, .members = 32, .backend = device};
    lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error);
    require(&error);
    lat_field *x = lat_field_create(g, 1, LAT_DOUBLE), *y = lat_field_create(g, 1, LAT_DOUBLE),
              *z = lat_field_create(g, 1, LAT_DOUBLE);
    lat_repeats *repeats = lat_repeats_create(g);
    double *one = lat_field_map(y, LAT_WRITE), number = 1, sum = 0;
    for (int64_t i = 0; i < g->sites * g->lanes; i++) one[i] = 1;
    lat_field_unmap(y, one, LAT_WRITE);
    growth same = {x, y, NULL}, other = {z, y, NULL}, never = {x, y, &number};
    lat_copies before = lat_copies_of(g);
    for (int i = 0; i < 5; i++) {
        lat_repeat(repeats, grow, &same, sizeof same);
        sum += 2 * (double)(1 << i);
        ok_all(first_number(x) == sum, "time %d of a sequence, with other numbers", i + 1);
        lat_field_axpy(y, 1, y);
    }
    ok_all(copies_since(lat_copies_of(g), before).replays == 4, "all times but the first it is replayed");
    lat_repeat(repeats, grow, &other, sizeof other);
    ok_all(first_number(z) == 64 && first_number(x) == sum, "with other fields it is another sequence");
    before = lat_copies_of(g);
    for (int i = 0; i < 3; i++) lat_repeat(repeats, grow, &never, sizeof never);
    ok_all(first_number(x) == sum + 3 * 64 && copies_since(lat_copies_of(g), before).replays == 0,
           "what cannot be recorded is done each time");
    lat_field_free(x);
    lat_field_free(y);
    lat_field_free(z);
    lat_repeats_free(repeats);
    lat_geometry_free(g);
}

static void test_chains(void)
{
    test_chain_of(
        "SU(3), HMC, heatbath, overrelaxation",
        "lattice = { group = \"su3\"; size = [4, 4, 4, 8]; }; action = ( { kind = \"wilson\"; beta = 5.7; } );"
        "chain = { seed = 3; replicas = 2; }; updates = ( { kind = \"hmc\"; trajectory = 0.5; steps = 4; },"
        "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; count = 2; } );",
        2, 1e-6, 0);
    test_chain_of(
        "SU(2), improved, open and with a defect",
        "lattice = { group = \"su2\"; size = [4, 8, 8]; boundary = [\"periodic\", \"periodic\", \"open\"]; };"
        "action = ( { kind = \"iwasaki\"; beta = 2.6; } );"
        "chain = { seed = 3; start = \"cold\"; }; updates = ( { kind = \"hmc\"; trajectory = 0.5; steps = 8; } );",
        3, 1e-8, 0);
    test_chain_of("U(1), HMC, heatbath, overrelaxation, instantons",
                  "lattice = { group = \"u1\"; size = [8, 16]; }; action = ( { kind = \"wilson\"; beta = 3.0; } );"
                  "chain = { seed = 3; replicas = 3; }; updates = ( { kind = \"hmc\"; trajectory = 1.0; steps = 10; },"
                  "{ kind = \"heatbath\"; }, { kind = \"overrelax\"; }, { kind = \"instanton\"; hits = 3; } );",
                  4, 1e-8, 0);
}

/* ----------------------------------------------------------------------------------- observables, smearing, gradient flow */

enum { MOST_NUMBERS = 4096 };

/* All that is measured on a configuration, one number after another: returns how many. */
static int measure_all(side *s, double *out)
{
    static const char *const names[] = {"plaquette", "polyakov", "wilson_loop_1x1"};
    const lat_geometry *g = s->g;
    lat_error error = {0};
    int count = 0;
    for (int i = 0; i < 3; i++) count += observe(names[i], s->gauge, out + count) * g->members;
    lat_smear(s->gauge, LAT_SMEARING_STOUT, 2, 0.1, g->dim);
    lat_smear(s->gauge, LAT_SMEARING_APE, 1, 0.5, g->dim);
    lat_wilson_loops(s->gauge, 1, 2, out + count);
    count += 2 * g->members;
    double step = 0.05;
    int64_t steps = 0;
    lat_gradient_flow *flow;
    lat_gradient_flow_create(s->gauge, LAT_GRADIENT_FLOW_ZEUTHEN, &flow, &error);
    lat_gradient_flow_advance(flow, s->gauge, 0.1, 1e-2, &step, &steps, &error);
    require(&error);
    lat_gradient_flow_free(flow);
    lat_gradient_flow_slices(s->gauge, out + count);
    return count + 3 * g->members * (int)g->size[g->dim - 1];
}

static void test_observables(lat_group group, const lat_shape *shape)
{
    double *a = lat_alloc(MOST_NUMBERS, sizeof *a), *b = lat_alloc(MOST_NUMBERS, sizeof *b), worst = 0;
    side host = side_of(NULL, group, LAT_DOUBLE, shape), other = side_of(device, group, LAT_DOUBLE, shape);
    randomise(&host, &other);
    restart(&host);
    restart(&other);
    int count = measure_all(&host, a);
    measure_all(&other, b);
    for (int i = 0; i < count; i++) worst = fmax(worst, fabs(a[i] - b[i]) / (1 + fabs(a[i])));
    ok_all(worst < 1e-10 && count <= MOST_NUMBERS, "%s, %d dimensions: %d numbers measured differ by %.1g",
           lat_group_names[group], shape->dim, count, worst);
    free(a);
    free(b);
    side_free(&host);
    side_free(&other);
}

/* ------------------------------------------------------------------------------------------------------------- quarks */

typedef struct {
    lat_geometry *g;
    lat_gauge *gauge;
    lat_dirac *dirac;
    lat_solver *solver;
    lat_field *b, *x;
    lat_solver_report report;
    lat_copies copies; /* of the second of two solves */
} quark_side;

static quark_side solve_on(const lat_backend *backend)
{
    lat_error error = {0};
    quark_side q = {0};
    lat_shape shape = {.dim = 4,
                       .size = {4, 4, 4, 8},
                       .lane_grid = {2, 1, 1, 1},
                       .members = 16,
                       .precision = LAT_FLOAT,
                       .backend = backend};
    lat_dirac_parameters p = {.kappa = 0.12, .csw = 1.2, .angle = {0, 0, 0, 1}};
    lat_random random = {.seed = 8, .purpose = LAT_RANDOM_TEST};
    lat_dirac_form form = {.even = true};
    lat_solver_goal goal = {1e-10, 1000};
    lat_geometry_create(MPI_COMM_WORLD, &shape, &q.g, &error);
    require(&error);
    q.gauge = lat_gauge_create(q.g, LAT_SU3, LAT_DOUBLE);
    lat_gauge_haar(q.gauge, &random);
    lat_dirac_create(&lat_dirac_clover, q.g, LAT_SU3, &p, &q.dirac, &error);
    lat_dirac_prepare(q.dirac, q.gauge, &error);
    require(&error);
    q.solver = lat_solver_create(q.dirac);
    q.b = lat_field_spinor(q.g, LAT_SU3, LAT_DOUBLE);
    q.x = lat_field_spinor(q.g, LAT_SU3, LAT_DOUBLE);
    lat_field_gaussian(q.b, &random);
    for (int i = 0; i < 2; i++) {
        lat_copies before = lat_copies_of(q.g);
        lat_solve_cg_mixed(q.solver, form, 0.1, q.b, q.x, &goal, &q.report, &error);
        require(&error);
        q.copies = copies_since(lat_copies_of(q.g), before);
    }
    return q;
}

static void quark_side_free(quark_side *q)
{
    lat_field_free(q->b);
    lat_field_free(q->x);
    lat_solver_free(q->solver);
    lat_dirac_free(q->dirac);
    lat_gauge_free(q->gauge);
    lat_geometry_free(q->g);
}

static void test_solver(void)
{
    quark_side host = solve_on(NULL), other = solve_on(device);
    double d = unlike(host.x, other.x, false);
    ok_all(d < 1e-9 && llabs(host.report.iterations - other.report.iterations) <= 1,
           "mixed conjugate gradients: solutions differ by %.1g after %lld and %lld iterations", d,
           (long long)host.report.iterations, (long long)other.report.iterations);
    /* Squares of true residues are added as they are, for which small ones come to the host. */
    ok_all(other.copies.fields < other.report.iterations / 2,
           "... and %lld densities were copied, of cycles alone, %lld small arrays of %lld bytes",
           (long long)other.copies.fields, (long long)other.copies.arrays, (long long)other.copies.array_bytes);
    quark_side_free(&host);
    quark_side_free(&other);
}

/* -------------------------------------------------------------------------------------------------------------- flows */

static const char spline[] = "layers = ( { kind = \"plaquette_coupling\"; repeat = 6; hidden = [5, 4]; knots = 5; "
                             "loops = [\"1x1\", \"1x2\"]; } );";
static const char tangents[] =
    "layers = ( { kind = \"plaquette_coupling\"; repeat = 4; transform = \"tangents\"; knots = 3;"
    "hidden = [6, 13]; activation = \"silu\"; harmonics = 2; } );";
static const char multiscale[] =
    "layers = ( { kind = \"multiscale\"; levels = 3; split = { hidden = [4]; knots = 4; };"
    "layers = ( { kind = \"plaquette_coupling\"; repeat = 2; hidden = [4]; knots = 4; activation = \"tanh\"; } ); } );";

static const char stout[] = "layers = ( { kind = \"multiscale\"; levels = 3; split = { kind = \"stout\"; steps = 2; };"
                            "layers = ( { kind = \"stout\"; repeat = 2; steps = 1; } ); } );";
static const char even[] = "layers = ( { kind = \"multiscale\"; levels = 2; split = { transform = \"even_spline\"; "
                           "hidden = [4]; knots = 4; }; } );";

static const char masked_stout[] =
    "layers = ( { kind = \"masked_stout\"; repeat = 8; loops = [\"plaquette\", \"rectangle\"]; rho = [0.1, 0.03]; } );";

static flow_model *model_of(const char *text, lat_group group)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    lat_settings_parse(text, "flow", &settings, &error);
    require(&error);
    flow_model_create(settings, flow_layer_kinds, group, 2, 11, &model, &error);
    require(&error);
    lat_settings_free(settings);
    for (int64_t i = 0; i < model->stack.parameter_count; i++) model->parameters[i] *= 2;
    return model;
}

/* Forward, back, and both reverse sweeps: what the sweeps leave in fields and gradient. */
typedef struct {
    flow_map *map;
    lat_gauge *u;
    lat_field *cotangent, *density;
    double *weight, *gradient, *sum; /* the gradient for the host */
} flow_side;

static flow_side flow_side_of(const flow_model *model, const lat_geometry *g, lat_precision precision)
{
    lat_error error = {0};
    flow_side f = {.weight = lat_alloc(g->lanes, sizeof(double)),
                   .gradient = lat_alloc(model->stack.parameter_count, sizeof(double)),
                   .sum = lat_alloc(g->members, sizeof(double))};
    flow_map_create(model, g, precision, &f.map, &error);
    require(&error);
    f.u = lat_gauge_create(g, model->group, precision);
    f.cotangent = lat_field_algebra(g, model->group, precision);
    f.density = lat_field_create(g, 1, LAT_DOUBLE);
    for (int lane = 0; lane < g->lanes; lane++) f.weight[lane] = -1;
    return f;
}

static void flow_side_free(flow_side *f)
{
    lat_gauge_free(f->u);
    lat_field_free(f->cotangent);
    lat_field_free(f->density);
    flow_map_free(f->map);
    free(f->weight);
    free(f->gradient);
    free(f->sum);
}

static void sweep_flow(flow_side *f)
{
    lat_random random = {.seed = 4, .purpose = LAT_RANDOM_TEST};
    lat_gauge_haar(f->u, &random);
    flow_forward(f->map, f->u, f->density);
    flow_inverse(f->map, f->u, f->density);
    flow_push(f->map, f->u, f->cotangent, f->density);
    const lat_backend *backend = f->u->links->geometry->backend;
    const int64_t bytes = f->map->model->stack.parameter_count * (int64_t)sizeof *f->gradient;
    double *gradient = backend->allocate(bytes);
    flow_backward(f->map, f->u, f->cotangent, f->weight, gradient);
    backend->download(f->gradient, gradient, bytes, LAT_OF_ARRAY);
    backend->release(gradient);
    flow_record(f->map, f->u, f->density);
    lat_sum(f->density, f->sum);
}

static void test_flow(const char *name, const char *text, lat_group group, lat_precision precision)
{
    lat_error error = {0};
    flow_model *model = model_of(text, group);
    lat_shape shape = {.dim = 2,
                       .size = {16, 16},
                       .lane_grid = {1, 1},
                       .members = 32,
                       .precision = precision,
                       .halo = 4,
                       .corners = 2,
                       .period = 4};
    lat_geometry *g, *h;
    lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error);
    shape.backend = device;
    lat_geometry_create(MPI_COMM_WORLD, &shape, &h, &error);
    require(&error);
    flow_side a = flow_side_of(model, g, precision), b = flow_side_of(model, h, precision);
    sweep_flow(&a);
    sweep_flow(&b);
    const double tolerance = precision == LAT_FLOAT ? 2e-3 : 1e-9;
    double d[4] = {0}, size = 0;
    d[0] = unlike(a.u->links, b.u->links, false);
    d[1] = unlike(a.cotangent, b.cotangent, false);
    d[2] = unlike(a.density, b.density, false);
    for (int64_t i = 0; i < model->stack.parameter_count; i++) {
        size = fmax(size, fabs(a.gradient[i]));
        d[3] = fmax(d[3], fabs(a.gradient[i] - b.gradient[i]));
    }
    if (size > 0) d[3] /= size; /* zero where another rank counts it */
    for (int m = 0; m < g->members; m++) d[2] = fmax(d[2], fabs(a.sum[m] - b.sum[m]) / (1 + fabs(a.sum[m])));
    ok_all(d[0] <= tolerance && d[1] <= tolerance && d[2] <= tolerance && d[3] <= tolerance,
           "%s, %s: links %.1g, cotangents %.1g, log det %.1g, gradient %.1g", name, lat_precision_names[precision],
           d[0], d[1], d[2], d[3]);
    flow_side_free(&a);
    flow_side_free(&b);
    lat_geometry_free(g);
    lat_geometry_free(h);
    flow_model_free(model);
}

/* Parameters after some steps of training on lattices that are split over so many ranks, and what was copied in all steps but the first. */
static flow_model *train(const lat_backend *backend, MPI_Comm comm, int split, const char *objective, int steps,
                         lat_copies *copies)
{
    lat_error error = {0};
    flow_model *model = model_of(spline, LAT_U1);
    lat_action *action = lat_action_wilson(LAT_U1, 2);
    char *text = lat_text("objective = \"%s\"; batch = 128; learning_rate = 1e-3; clip = 10.0;", objective);
    lat_settings *root;
    flow_train_settings settings;
    flow_training training = {0};
    flow_trainer *trainer;
    lat_shape shape = {.dim = 2, .size = {8, 8}, .ranks = {1, split}, .backend = backend};
    lat_settings_parse(text, "train", &root, &error);
    flow_train_read(root, &settings, &error);
    flow_trainer_create(comm, model, action, &shape, LAT_DOUBLE, &settings, &training, &trainer, &error);
    require(&error);
    lat_geometry probe = {.backend = backend};
    for (int i = 0; i < steps; i++) {
        flow_progress progress;
        if (i == 1 && backend) *copies = lat_copies_of(&probe);
        flow_trainer_step(trainer, &progress, &error);
        require(&error);
    }
    if (backend) {
        *copies = copies_since(lat_copies_of(&probe), *copies);
    }
    flow_trainer_settle(trainer);
    flow_trainer_free(trainer);
    flow_training_free(&training);
    flow_train_release(&settings);
    lat_settings_free(root);
    lat_action_free(action);
    free(text);
    return model;
}

static void test_training(const char *objective)
{
    enum { STEPS = 2, BATCH = 128 }; /* of which copies are counted */
    lat_copies copies;
    flow_model *host = train(NULL, MPI_COMM_WORLD, 1, objective, 3, &copies),
               *alone = train(device, MPI_COMM_SELF, 1, objective, 3, &copies);
    flow_model *all = train(device, MPI_COMM_WORLD, 1, objective, 3, &copies);
    double worst = 0;
    int64_t count = host->stack.parameter_count;
    for (int64_t i = 0; i < count; i++) worst = fmax(worst, fabs(host->parameters[i] - all->parameters[i]));
    ok_all(worst <= 1e-6, "training, %s: parameters differ by %.1g after 3 steps", objective, worst);
    ok_all(memcmp(alone->parameters, all->parameters, (size_t)count * sizeof(double)) == 0,
           "... and are the same to the last bit on %d rank%s", tap.ranks, tap.ranks > 1 ? "s" : "");
    /* integers of sums and a weight for each sample, and where there are ranks the gradient, there and back */
    ok_all(copies.fields == 0 && copies.array_bytes <= STEPS * BATCH * 256 &&
               copies.messages <= (tap.ranks > 1 ? 2 * STEPS : 0) &&
               (tap.rank > 0 || copies.replays >= 2 * STEPS), /* there is one chunk */
           "... and no field was copied in %d steps, no parameter, %lld arrays of %lld bytes, %lld messages; %lld "
           "sweeps were replayed",
           STEPS, (long long)copies.arrays, (long long)copies.array_bytes, (long long)copies.messages,
           (long long)copies.replays);
    flow_model_free(host);
    flow_model_free(alone);
    flow_model_free(all);
}

static void test_split_training(void)
{
    lat_copies copies;
    int split = tap.ranks % 2 ? 1 : 2;
    flow_model *alone = train(device, MPI_COMM_SELF, 1, "path", 2, &copies),
               *all = train(device, MPI_COMM_WORLD, split, "path", 2, &copies);
    ok_all(memcmp(alone->parameters, all->parameters, (size_t)alone->stack.parameter_count * sizeof(double)) == 0,
           "training with lattices split over %d ranks: the same to the last bit", split);
    flow_model_free(alone);
    flow_model_free(all);
}

static void test_flows(void)
{
    for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
        test_flow("splines", spline, LAT_U1, (lat_precision)precision);
        test_flow("tangents", tangents, LAT_U1, (lat_precision)precision);
        test_flow("multiscale", multiscale, LAT_U1, (lat_precision)precision);
        test_flow("multiscale, even splines", even, LAT_U1, (lat_precision)precision);
        test_flow("multiscale, SU(2)", stout, LAT_SU2, (lat_precision)precision);
        test_flow("multiscale, SU(3)", stout, LAT_SU3, (lat_precision)precision);
        test_flow("masked stout", masked_stout, LAT_U1, (lat_precision)precision);
        test_flow("masked stout, SU(2)", masked_stout, LAT_SU2, (lat_precision)precision);
    }
    test_training("path");
    test_training("reparametrise");
    test_training("reinforce");
    test_split_training();
    test_chain_of(
        "U(1), proposals of a flow",
        "lattice = { group = \"u1\"; size = [16, 16]; }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
        "chain = { seed = 3; replicas = 2; }; updates = ( { kind = \"flow\"; model = \"u1-beta2.h5\"; batch = 32; } );",
        60, 1e-6, tap.ranks > 1 ? 10 : 0);
    test_chain_of("U(1), HMC of a flow",
                  "lattice = { group = \"u1\"; size = [16, 16]; }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
                  "chain = { seed = 3; }; updates = ( { kind = \"flow\"; model = \"u1-beta2.h5\"; },"
                  "{ kind = \"fthmc\"; model = \"u1-beta2.h5\"; trajectory = 0.1; steps = 2; } );",
                  3, 1e-6, tap.ranks > 1 ? 1000 : 0);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    char why[LAT_BACKEND_TEXT];
    device = lat_cuda_open(tap.rank, why);
    if (!device) {
        char reason[LAT_BACKEND_TEXT + 32];
        snprintf(reason, sizeof reason, "no CUDA device: %s", why);
        return tap_skip(why[0] ? reason : "no CUDA device: not built for GPUs");
    }
    for (int group = 0; group < LAT_GROUPS; group++)
        for (int precision = 0; precision < LAT_PRECISIONS; precision++)
            for (int i = 0; i < 3; i++) test_kernels((lat_group)group, (lat_precision)precision, shapes[i]);
    for (int i = 0; i < 3; i++) {
        for (int precision = 0; precision < LAT_PRECISIONS; precision++) test_halo((lat_precision)precision, shapes[i]);
        test_sums(shapes[i]);
        test_site_order(shapes[i]);
    }
    for (int i = 0; i < 3; i++) test_observables((lat_group)i, shapes[i]);
    test_repeats();
    test_solver();
    test_chains();
    if (tap.ranks == 1) test_flow_kernels(device); /* they know nothing of ranks */
    test_flows();
    return tap_end();
}
