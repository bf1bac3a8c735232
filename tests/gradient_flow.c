/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * gradient_flow.c: the gradient flow against its definition, its symmetries, exact values, and openQCD.
 */
#include "tests/tap.h"
#include "tests/observe.h"

#include "lattice/gauge/kernels.h"

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

static lat_gradient_flow *flow_of(const lat_gauge *gauge, lat_gradient_flow_kind kind)
{
    lat_error error = {0};
    lat_gradient_flow *flow;
    if (lat_gradient_flow_create(gauge, kind, &flow, &error)) lat_abort(error.status, "%s", error.text);
    return flow;
}

/* Links of moderate roughness: exponentials of Gaussians. */
static lat_gauge *rough_links(const lat_geometry *g, lat_group group, double width)
{
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *algebra = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random random = stream(1);
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(gauge, width, algebra);
    lat_field_free(algebra);
    return gauge;
}

static double *slices_of(lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    double *out = lat_alloc(g->members * QUANTITIES * g->size[g->dim - 1], sizeof *out);
    lat_gradient_flow_slices(gauge, out);
    return out;
}

static void totals(lat_gauge *gauge, double out[QUANTITIES])
{
    const lat_geometry *g = gauge->links->geometry;
    int64_t slices = g->size[g->dim - 1];
    double *all = slices_of(gauge);
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
                fread(&r->slices, 4, 1, file) == 1 && fread(&r->step, 8, 1, file) == 1 &&
                fread(&number, 4, 1, file) == 1;
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
        lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
        lat_gradient_flow *flow = flow_of(gauge, LAT_GRADIENT_FLOW_WILSON);
        ok_all(lat_config_read(links_file, gauge, &error) == LAT_DONE, "openQCD: the file is read");
        double worst[QUANTITIES] = {0};
        for (int i = 0; i <= r.last; i++) {
            for (int n = 0; n < r.every && i > 0; n++) lat_gradient_flow_step(flow, gauge, r.step);
            double *own = slices_of(gauge);
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
        lat_gradient_flow_free(flow);
        lat_gauge_free(gauge);
        lat_geometry_free(g);
    }
    free(r.value);
    free(links_file);
    free(flow_file);
}

/* ------------------------------------------------------------------------------------------- every group and dimension */

typedef struct {
    lat_group group;
    lat_gradient_flow_kind kind;
    lat_shape shape;
    char name[48];
} setup;

static setup setup_of(lat_group group, lat_gradient_flow_kind kind, int dim)
{
    static const int64_t size[LAT_MAX_DIM + 1][LAT_MAX_DIM] = {[2] = {8, 16}, [3] = {4, 8, 8}, [4] = {4, 4, 8, 8}};
    setup s = {group, kind, {.dim = dim, .halo = kind == LAT_GRADIENT_FLOW_ZEUTHEN ? 2 : 1}, ""};
    memcpy(s.shape.size, size[dim], sizeof size[dim]);
    snprintf(s.name, sizeof s.name, "%s, %s, %d dimensions", lat_group_names[group], lat_gradient_flow_names[kind], dim);
    return s;
}

static int64_t reals_of(const lat_field *f) { return f->geometry->volume * f->components; }

static double *values_of(const lat_field *f)
{
    double *values = lat_alloc(reals_of(f), sizeof *values);
    lat_field_gather(f, 0, values);
    return values;
}

/* The largest difference of the numbers stored; angles modulo 2 pi. */
static double difference(const lat_gauge *a, const lat_gauge *b)
{
    double *x = values_of(a->links), *y = values_of(b->links), most = 0;
    for (int64_t i = 0; i < reals_of(a->links); i++) {
        double d = x[i] - y[i];
        if (a->group == LAT_U1) d = remainder(d, 8 * atan(1));
        most = fmax(most, fabs(d));
    }
    free(x);
    free(y);
    return most;
}

static void run_steps(lat_gauge *gauge, const setup *s, int steps, double step)
{
    lat_gradient_flow *flow = flow_of(gauge, s->kind);
    for (int i = 0; i < steps; i++) lat_gradient_flow_step(flow, gauge, step);
    lat_gradient_flow_free(flow);
}

static lat_gauge *copy_of(const lat_gauge *gauge)
{
    lat_gauge *copy = lat_gauge_create(gauge->links->geometry, gauge->group, gauge->links->precision);
    lat_gauge_copy(copy, gauge);
    return copy;
}

static void unit_field(const setup *s)
{
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, s->shape);
    lat_gauge *gauge = lat_gauge_create(g, s->group, LAT_DOUBLE);
    lat_gauge *unit = lat_gauge_create(g, s->group, LAT_DOUBLE);
    double sum[QUANTITIES];
    run_steps(gauge, s, 2, 0.1);
    totals(gauge, sum);
    ok(difference(gauge, unit) == 0 && fabs(sum[0]) < 1e-11 && sum[1] == 0 && sum[2] == 0,
       "%s: unit links stay", s->name);
    lat_gauge_free(gauge);
    lat_gauge_free(unit);
    lat_geometry_free(g);
}

static void covariance(const setup *s)
{
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, s->shape);
    lat_gauge *a = rough_links(g, s->group, 0.3), *b = copy_of(a);
    lat_field *turn = lat_field_create(g, lat_link_reals(s->group), LAT_DOUBLE);
    lat_random random = stream(2);
    lat_field_haar(turn, s->group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(b, turn);
    run_steps(a, s, 3, 0.02);
    run_steps(b, s, 3, 0.02);
    double *x = slices_of(a), *y = slices_of(b), most = 0;
    for (int64_t i = 0; i < QUANTITIES * g->size[g->dim - 1]; i++)
        most = fmax(most, fabs(x[i] - y[i]) / (1 + fabs(x[i])));
    lat_gauge_transform(a, turn);
    double links = difference(a, b);
    ok(links < 1e-12 && most < 1e-12, "%s: covariant, links to %.2g, slices to %.2g", s->name, links, most);
    free(x);
    free(y);
    lat_gauge_free(a);
    lat_gauge_free(b);
    lat_field_free(turn);
    lat_geometry_free(g);
}

/* On all ranks, and on each by itself in one lane after the other. */
static void ranks_and_lanes(const setup *s)
{
    lat_shape single = s->shape;
    single.members = lat_vector_lanes(LAT_DOUBLE); /* the lattice is not cut in lanes */
    lat_geometry *wide = geometry_of(MPI_COMM_WORLD, s->shape), *alone = geometry_of(MPI_COMM_SELF, single);
    lat_gauge *a = rough_links(wide, s->group, 0.3);
    lat_gauge *b = lat_gauge_create(alone, s->group, LAT_DOUBLE);
    double *start = values_of(a->links);
    for (int m = 0; m < alone->members; m++) lat_field_scatter(b->links, m, start);
    run_steps(a, s, 3, 0.02);
    run_steps(b, s, 3, 0.02);
    double *x = slices_of(a), *y = slices_of(b), *u = values_of(a->links), *v = values_of(b->links);
    bool same = memcmp(x, y, (size_t)(QUANTITIES * wide->size[wide->dim - 1]) * sizeof *x) == 0;
    ok_all(same && memcmp(u, v, (size_t)reals_of(a->links) * sizeof *u) == 0,
           "%s: the same to the last bit on any ranks and lanes", s->name);
    free(start);
    free(x);
    free(y);
    free(u);
    free(v);
    lat_gauge_free(a);
    lat_gauge_free(b);
    lat_geometry_free(wide);
    lat_geometry_free(alone);
}

/* Halving the step divides the error by eight; the comparison is with a step eight times smaller. */
static void order_of_step(const setup *s)
{
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, s->shape);
    lat_gauge *links = rough_links(g, s->group, 0.3);
    lat_gauge *run[3];
    for (int i = 0; i < 3; i++) {
        int steps = i == 2 ? 256 : 16 << i;
        run[i] = copy_of(links);
        run_steps(run[i], s, steps, 0.2 / steps);
    }
    double order = log2(difference(run[0], run[2]) / difference(run[1], run[2]));
    ok(fabs(order - 3) < 0.15, "%s: order %.3f in the step", s->name, order);
    lat_error error = {0};
    lat_gradient_flow *flow = flow_of(links, s->kind);
    double step = 0.5, sizes[2];
    int64_t steps[2] = {0};
    for (int i = 0; i < 2; i++) {
        lat_gauge *adaptive = copy_of(links);
        lat_gradient_flow_advance(flow, adaptive, 0.2, i ? 1e-8 : 1e-5, &step, &steps[i], &error);
        sizes[i] = difference(adaptive, run[2]);
        lat_gauge_free(adaptive);
    }
    ok(!error.status && sizes[0] < 1e-4 && sizes[1] < 1e-6 && steps[0] < steps[1],
       "%s: adaptive, off by %.2g in %d steps, by %.2g in %d", s->name, sizes[0], (int)steps[0], sizes[1],
       (int)steps[1]);
    lat_gradient_flow_free(flow);
    for (int i = 0; i < 3; i++) lat_gauge_free(run[i]);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

static void monotone(const setup *s)
{
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, s->shape);
    lat_gauge *links = rough_links(g, s->group, 1.0);
    double last = INFINITY, now[QUANTITIES];
    bool falls = true;
    for (int i = 0; i < 10; i++) {
        totals(links, now);
        falls = falls && now[0] < last;
        last = now[0];
        run_steps(links, s, 1, 0.02);
    }
    ok(falls, "%s: the action falls, to %.4g", s->name, last);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

/* ------------------------------------------------------------------------------------------------- the Zeuthen flow */

/* 5/3 sum 2 Re tr(1 - P) - 1/12 sum 2 Re tr(1 - R); U(1): the sums of 1 - cos */
static double improved_action(lat_gauge *gauge)
{
    static const char *const names[] = {"plaquette", "wilson_loop_1x2", "wilson_loop_2x1"};
    static const double weight[] = {5.0 / 3, -1.0 / 12, -1.0 / 12};
    const lat_geometry *g = gauge->links->geometry;
    double sum = 0, norm = gauge->group == LAT_U1 ? 1 : 2 * ((double)gauge->group + 1);
    for (int i = 0; i < 3; i++) {
        double mean;
        observe(names[i], gauge, &mean);
        sum += weight[i] * norm * (double)g->volume * (g->dim * (g->dim - 1) / 2) * (1 - mean);
    }
    return sum;
}

static lat_field *improved_derivative(lat_gauge *gauge)
{
    const lat_geometry *g = gauge->links->geometry;
    lat_field *z = lat_field_algebra(g, gauge->group, LAT_DOUBLE);
    gradient_flow_improved_args args = {lat_tables_of(g), gauge->links->data, z->data, 5.0 / 3, -1.0 / 12};
    lat_range range = lat_block(g);
    lat_halo_exchange(gauge->links);
    lat_kernels_of(gauge->links, gauge->group)->gradient_flow_improved(&args, &range);
    return z;
}

static double product_of(const lat_field *a, const lat_field *b)
{
    double *x = values_of(a), *y = values_of(b), sum = 0;
    for (int64_t i = 0; i < reals_of(a); i++) sum += x[i] * y[i];
    free(x);
    free(y);
    return sum;
}

static void zeuthen_derivative(const setup *s)
{
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, s->shape);
    lat_gauge *links = rough_links(g, s->group, 0.3);
    lat_field *z = improved_derivative(links);
    lat_field *way = lat_field_algebra(g, s->group, LAT_DOUBLE);
    lat_random random = stream(3);
    lat_field_gaussian(way, &random);
    double slope = -product_of(z, way), h = 1e-4, value[2];
    for (int i = 0; i < 2; i++) {
        lat_gauge *moved = copy_of(links);
        lat_gauge_exp_update(moved, i ? h : -h, way);
        value[i] = improved_action(moved);
        lat_gauge_free(moved);
    }
    double numerical = (value[1] - value[0]) / (2 * h);
    ok(fabs(slope - numerical) < 1e-5 * fabs(slope) + 1e-4, "%s: derivative of the improved action, %.8g against %.8g",
       s->name, slope, numerical);
    lat_gauge_free(links);
    lat_field_free(z);
    lat_field_free(way);
    lat_geometry_free(g);
}

/* U(1): one tiny step changes the angle by step (z + (z(x+mu) + z(x-mu) - 2 z) / 12). */
static void zeuthen_smoothing(void)
{
    setup s = setup_of(LAT_U1, LAT_GRADIENT_FLOW_ZEUTHEN, 2);
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, s.shape);
    lat_gauge *links = rough_links(g, LAT_U1, 0.3);
    lat_field *z = improved_derivative(links);
    double *before = values_of(links->links), *slope = values_of(z), most = 0, step = 1e-6;
    run_steps(links, &s, 1, step);
    double *after = values_of(links->links);
    for (int64_t x = 0; x < g->volume; x++)
        for (int mu = 0; mu < 2; mu++) {
            int64_t stride = mu ? g->size[0] : 1, c = x / stride % g->size[mu];
            int64_t up = x + ((c + 1) % g->size[mu] - c) * stride,
                    down = x + ((c + g->size[mu] - 1) % g->size[mu] - c) * stride;
            double here = slope[2 * x + mu], sum = slope[2 * up + mu] + slope[2 * down + mu];
            most = fmax(most, fabs((after[2 * x + mu] - before[2 * x + mu]) / step - here - (sum - 2 * here) / 12));
        }
    ok(most < 1e-4, "zeuthen: the derivative is smoothed along the link, to %.2g", most);
    free(before);
    free(after);
    free(slope);
    lat_gauge_free(links);
    lat_field_free(z);
    lat_geometry_free(g);
}

/* ------------------------------------------------------------------------------------------------------ constant flux */

/* exp(i angle H) */
static void put_diagonal(lat_group group, const double *h, double angle, double *link)
{
    memset(link, 0, (size_t)lat_link_reals(group) * sizeof *link);
    if (group == LAT_SU2) {
        link[0] = cos(angle * h[0]);
        link[3] = sin(angle * h[0]);
    } else {
        for (int i = 0; i < 3; i++) {
            link[8 * i] = cos(angle * h[i]);
            link[8 * i + 1] = sin(angle * h[i]);
        }
    }
}

/* F_xy = 2 pi n / (Lx Ly), F_zt = 2 pi n' / (Lz Lt) in the direction H of the algebra: every plaquette of a plane is the
 * same, so the sums are known, and the field is a stationary point of the flow. */
static void constant_flux(lat_group group, const double *h, const int *n)
{
    const int colours = (int)group + 1, reals = lat_link_reals(group);
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, (lat_shape){.dim = 4, .size = {4, 6, 8, 8}});
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    double *value = lat_alloc(reals_of(gauge->links), sizeof *value), flux[2], s[2][3] = {{0}}, pi = 4 * atan(1);
    for (int p = 0; p < 2; p++) flux[p] = 2 * pi * n[p] / (double)(g->size[2 * p] * g->size[2 * p + 1]);
    for (int64_t x = 0; x < g->volume; x++) {
        int64_t c[4], rest = x;
        for (int mu = 0; mu < 4; rest /= g->size[mu++]) c[mu] = rest % g->size[mu];
        for (int p = 0; p < 2; p++) {
            int64_t end = g->size[2 * p];
            double across = c[2 * p] == end - 1 ? -flux[p] * (double)(end * c[2 * p + 1]) : 0;
            put_diagonal(group, h, across, value + (4 * x + 2 * p) * reals);
            put_diagonal(group, h, flux[p] * (double)c[2 * p], value + (4 * x + 2 * p + 1) * reals);
        }
    }
    lat_field_scatter(gauge->links, 0, value);
    double charge = 0, energy = 0, now[QUANTITIES];
    for (int p = 0; p < 2; p++) {
        double mean = 0;
        for (int i = 0; i < colours; i++) mean += sin(flux[p] * h[i]) / colours;
        for (int i = 0; i < colours; i++) s[p][i] = sin(flux[p] * h[i]) - mean;
    }
    for (int i = 0; i < colours; i++) {
        charge -= (double)g->volume / (4 * pi * pi) * s[0][i] * s[1][i];
        energy += (double)g->volume * (s[0][i] * s[0][i] + s[1][i] * s[1][i]);
    }
    char *name = lat_text("%s, constant flux %d and %d", lat_group_names[group], n[0], n[1]);
    totals(gauge, now);
    ok(fabs(now[1] - energy) < 1e-11 * energy && fabs(now[2] - charge) < 1e-12 * fabs(charge), "%s: Y = %.6f, Q = %.6f",
       name, now[1], now[2]);
    setup flow = {group, LAT_GRADIENT_FLOW_WILSON, {0}, ""};
    run_steps(gauge, &flow, 5, 0.02);
    totals(gauge, now);
    ok(fabs(now[2] - charge) < 1e-10 * fabs(charge), "%s: Q stays on the flow", name);
    free(name);
    free(value);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* -------------------------------------------------------------------------------------------------------- boundaries */

/* W, Y and Q of each slice, after some steps. */
static double *flown_slices(lat_gauge *gauge)
{
    lat_gradient_flow *flow = flow_of(gauge, LAT_GRADIENT_FLOW_WILSON);
    for (int i = 0; i < 3; i++) lat_gradient_flow_step(flow, gauge, 0.02);
    lat_gradient_flow_free(flow);
    return slices_of(gauge);
}

static double largest_apart(const double *a, const double *b, int64_t count)
{
    double worst = 0;
    for (int64_t i = 0; i < count; i++) worst = fmax(worst, fabs(a[i] - b[i]) / (1 + fabs(a[i])));
    return worst;
}

static const int64_t sizes[] = {6, 4, 4, 8};

/* A defect of hardly any effect: the kernels with couplings give what those without do. */
static void test_weak_defect(lat_group group, int dim)
{
    double *value[2];
    int64_t count = QUANTITIES * sizes[dim - 1];
    for (int defect = 0; defect < 2; defect++) {
        lat_shape shape = {.dim = dim};
        memcpy(shape.size, sizes, sizeof shape.size);
        const lat_boundary boundary = {.defect = true, .direction = dim - 1, .extent = {4, 4, 4, 4}, .coupling = 1 - 1e-12};
        lat_geometry *g = geometry_of(MPI_COMM_WORLD, shape);
        lat_gauge *links = rough_links(g, group, 0.4);
        if (defect) lat_gauge_couple(links, -1, &boundary);
        value[defect] = flown_slices(links);
        lat_gauge_free(links);
        lat_geometry_free(g);
    }
    double worst = largest_apart(value[0], value[1], count);
    ok_all(worst < 1e-9, "%s, %d dimensions, couplings of nearly 1: W, Y and Q as without, %.1g", lat_group_names[group], dim, worst);
    free(value[0]);
    free(value[1]);
}

/* Links that lead out, changed at random */
static void change_ends(lat_gauge *gauge, int direction)
{
    const lat_geometry *g = gauge->links->geometry;
    const int reals = lat_link_reals(gauge->group);
    lat_gauge *other = lat_gauge_create(g, gauge->group, LAT_DOUBLE);
    lat_random random = stream(9);
    lat_gauge_haar(other, &random);
    int64_t ahead = 1;
    for (int mu = 0; mu < direction; mu++) ahead *= g->size[mu];
    for (int64_t site = 0; site < g->sites; site++)
        for (int lane = 0; lane < g->lanes; lane++) {
            if (lat_global_site(g, site, lane) / ahead % g->size[direction] != g->size[direction] - 1) continue;
            for (int c = 0; c < reals; c++) {
                int64_t at = ((site * g->dim + direction) * reals + c) * g->lanes + lane;
                ((double *)gauge->links->data)[at] = ((double *)other->links->data)[at];
            }
        }
    lat_gauge_free(other);
}

static void test_open(lat_group group, int dim, int direction)
{
    lat_shape shape = {.dim = dim};
    memcpy(shape.size, sizes, sizeof shape.size);
    lat_boundary boundary = {.defect = false};
    boundary.open[direction] = true;
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, shape);
    lat_gauge *links = rough_links(g, group, 0.4);
    lat_gauge_couple(links, -1, &boundary);
    lat_gauge *changed = copy_of(links);
    lat_gauge_couple(changed, -1, &boundary);
    change_ends(changed, direction);
    double before[QUANTITIES], after[QUANTITIES];
    totals(links, before);
    double *value = flown_slices(links), *other = flown_slices(changed);
    totals(links, after);
    double worst = largest_apart(value, other, QUANTITIES * sizes[dim - 1]);
    ok_all(worst < 1e-12, "%s, %d dimensions, open in direction %d: links that lead out do not count, %.1g", lat_group_names[group], dim,
           direction, worst);
    ok(after[0] < 0.9 * before[0] && after[1] < before[1], "... and the flow smooths: W from %.4g to %.4g", before[0], after[0]);
    free(value);
    free(other);
    lat_gauge_free(changed);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

/* W falls as the square of its gradient, which is the force of the Wilson action with beta = 2 N. */
static void test_slope(lat_group group)
{
    const double step = 1e-5;
    lat_shape shape = {.dim = 3, .size = {6, 4, 4}};
    const lat_boundary boundary = {.open = {false, true, true}};
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, shape);
    lat_gauge *links = rough_links(g, group, 0.4);
    lat_gauge_couple(links, -1, &boundary);
    lat_action *action = lat_action_wilson(group, group == LAT_U1 ? 1 : 2.0 * (group == LAT_SU2 ? 2 : 3));
    lat_field *force = lat_field_algebra(g, group, LAT_DOUBLE), *square = lat_field_create(g, 1, LAT_DOUBLE);
    double before[QUANTITIES], after[QUANTITIES], norm;
    lat_action_force(action, links, 1, force);
    half_square_args args = {lat_tables_of(g), force->data, square->data, force->components};
    lat_range block = lat_block(g);
    lat_field_kernels_of(force)->half_square(&args, &block);
    lat_sum(square, &norm);
    totals(links, before);
    lat_gradient_flow *flow = flow_of(links, LAT_GRADIENT_FLOW_WILSON);
    lat_gradient_flow_step(flow, links, step);
    totals(links, after);
    double slope = (after[0] - before[0]) / step;
    ok(fabs(slope + 2 * norm) < 1e-3 * norm, "%s, open in two directions: dW/dt = %.6g, minus the square of the force %.6g", lat_group_names[group],
       slope, -2 * norm);
    lat_gradient_flow_free(flow);
    lat_action_free(action);
    lat_field_free(force);
    lat_field_free(square);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

/* ------------------------------------------------------------------------------------------------------------ scales */

static void scales(void)
{
    double time[50], energy[50];
    for (int i = 0; i < 50; i++) {
        time[i] = 0.1 * i;
        energy[i] = i ? 0.1 / time[i] : 1; /* t^2 E = 0.1 t: t0 = 3, and t d/dt t^2 E = 0.1 t too */
    }
    ok_near(lat_gradient_flow_t0(50, time, energy, 0.3), 3, 1e-12, "t0 of t^2 E = t / 10");
    ok_near(lat_gradient_flow_w0_squared(50, time, energy, 0.3), 3, 1e-12, "w0^2 of t^2 E = t / 10");
    ok(isnan(lat_gradient_flow_t0(20, time, energy, 0.3)), "no t0 where the level is not reached");
}

static void refused(void)
{
    lat_error error = {0};
    lat_gradient_flow *flow;
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, (lat_shape){.dim = 2, .size = {8, 16}});
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU2, LAT_DOUBLE);
    ok(lat_gradient_flow_create(gauge, LAT_GRADIENT_FLOW_ZEUTHEN, &flow, &error) == LAT_CONFIG,
       "a halo of one site is too small for the Zeuthen flow: %s", error.text);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
    static const lat_boundary boundary[] = {{.open = {false, true}}, {.defect = true, .direction = 1, .extent = {4}, .coupling = 0.5}};
    for (int i = 0; i < 2; i++) {
        error = (lat_error){0};
        g = geometry_of(MPI_COMM_WORLD, (lat_shape){.dim = 2, .size = {8, 16}, .halo = 2});
        gauge = lat_gauge_create(g, LAT_SU2, LAT_DOUBLE);
        lat_gauge_couple(gauge, -1, &boundary[i]);
        ok(lat_gradient_flow_create(gauge, LAT_GRADIENT_FLOW_ZEUTHEN, &flow, &error) == LAT_CONFIG, "%s", error.text);
        lat_gauge_free(gauge);
        lat_geometry_free(g);
    }
}

/* An adaptive step that is never small enough ends with an error, and after few steps. */
static void never_accepted(double tolerance, double first)
{
    lat_error error = {0};
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, (lat_shape){.dim = 2, .size = {8, 16}});
    lat_gauge *links = rough_links(g, LAT_SU3, 0.3);
    lat_gradient_flow *flow = flow_of(links, LAT_GRADIENT_FLOW_WILSON);
    double step = 0.1;
    int64_t steps = 0;
    if (isnan(first) && g->rank == 0) ((double *)links->links->data)[0] = first;
    ok_all(lat_gradient_flow_advance(flow, links, 1, tolerance, &step, &steps, &error) == LAT_NUMERICAL && steps == 0,
           "adaptive flow, tolerance %g, link %g: %s", tolerance, first, error.text);
    lat_gradient_flow_free(flow);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    against_openqcd();
    for (int group = LAT_U1; group < LAT_GROUPS; group++) {
        for (int dim = 2; dim <= 4; dim++) {
            test_weak_defect((lat_group)group, dim);
            test_open((lat_group)group, dim, dim - 1);
            test_open((lat_group)group, dim, 0);
        }
        test_slope((lat_group)group);
    }
    for (int group = LAT_U1; group < LAT_GROUPS; group++)
        for (int dim = 2; dim <= 4; dim++)
            for (int kind = LAT_GRADIENT_FLOW_WILSON; kind <= LAT_GRADIENT_FLOW_ZEUTHEN; kind++) {
                setup s = setup_of((lat_group)group, (lat_gradient_flow_kind)kind, dim);
                unit_field(&s);
                covariance(&s);
                ranks_and_lanes(&s);
                if (kind == LAT_GRADIENT_FLOW_ZEUTHEN) zeuthen_derivative(&s);
                if (kind == LAT_GRADIENT_FLOW_WILSON) monotone(&s);
                if (dim == 3) order_of_step(&s);
            }
    zeuthen_smoothing();
    constant_flux(LAT_SU2, (const double[]){1, -1}, (const int[]){1, 1});
    constant_flux(LAT_SU3, (const double[]){1, 1, -2}, (const int[]){1, -2});
    scales();
    refused();
    never_accepted(1e-30, 1);
    never_accepted(1e-6, NAN);
    return tap_end();
}
