/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * loops.c: smearing and Wilson loops against their definitions and symmetries.
 */
#include "tests/matrix.h"
#include "tests/observe.h"
#include "tests/tap.h"

enum { R = 2, T = 3 };

static lat_random stream(uint64_t step) { return (lat_random){.seed = 19, .purpose = LAT_RANDOM_TEST, .step = step}; }

static lat_shape shape_of(int dim)
{
    static const int64_t size[LAT_MAX_DIM + 1][LAT_MAX_DIM] = {[2] = {8, 16}, [3] = {4, 8, 8}, [4] = {4, 4, 8, 8}};
    lat_shape shape = {.dim = dim};
    memcpy(shape.size, size[dim], sizeof size[dim]);
    return shape;
}

static lat_geometry *geometry_of(MPI_Comm comm, lat_shape shape)
{
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(comm, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    return g;
}

static lat_gauge *rough_links(const lat_geometry *g, lat_group group)
{
    lat_gauge *gauge = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *algebra = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random random = stream(1);
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(gauge, 0.5, algebra);
    lat_field_free(algebra);
    return gauge;
}

static int64_t reals_of(const lat_field *f) { return f->geometry->volume * f->components; }

static double *values_of(const lat_field *f)
{
    double *values = lat_alloc(reals_of(f), sizeof *values);
    lat_field_gather(f, 0, values);
    return values;
}

static double measured(const char *name, lat_gauge *gauge)
{
    double value;
    observe(name, gauge, &value);
    return value;
}

/* Covariant, in the group, of any ranks and lanes, and the time-like links stay. */
static void smearing(lat_group group, int dim, lat_smearing kind, int directions)
{
    lat_shape single = shape_of(dim);
    single.members = lat_vector_lanes(LAT_DOUBLE);
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, shape_of(dim)), *one = geometry_of(MPI_COMM_SELF, single);
    lat_gauge *a = rough_links(g, group);
    lat_gauge *b = rough_links(g, group);
    lat_gauge *alone = lat_gauge_create(one, group, LAT_DOUBLE);
    lat_field *turn = lat_field_create(g, lat_link_reals(group), LAT_DOUBLE);
    lat_random random = stream(2);
    int reals = lat_link_reals(group);
    double *start = values_of(a->links), far = 0, off = 0, weight = kind == LAT_SMEARING_APE ? 0.5 : 0.1;
    for (int m = 0; m < one->members; m++) lat_field_scatter(alone->links, m, start);
    lat_field_haar(turn, group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(b, turn);
    double before = measured("plaquette", a);
    lat_smear(a, kind, 3, weight, directions);
    lat_smear(b, kind, 3, weight, directions);
    lat_smear(alone, kind, 3, weight, directions);
    double after = measured("plaquette", a), *u = values_of(a->links), *w = values_of(alone->links);
    bool same = memcmp(u, w, (size_t)reals_of(a->links) * sizeof *u) == 0, kept = true;
    for (int64_t i = 0; i < g->volume * dim; i++) {
        off = fmax(off, matrix_violation(matrix_of(group, u + i * reals)));
        kept =
            kept && (i % dim < directions || memcmp(u + i * reals, start + i * reals, (size_t)reals * sizeof *u) == 0);
    }
    lat_gauge_transform(a, turn);
    double *x = values_of(a->links), *y = values_of(b->links);
    for (int64_t i = 0; i < reals_of(a->links); i++) {
        double d = x[i] - y[i];
        far = fmax(far, fabs(group == LAT_U1 ? remainder(d, 8 * atan(1)) : d));
    }
    char *name =
        lat_text("%s, %s of %d directions in %d", lat_group_names[group], lat_smearing_names[kind], directions, dim);
    ok(far < 1e-11 && off < 1e-13, "%s: covariant to %.2g, in the group to %.2g", name, far, off);
    ok(kept && after > before, "%s: other links stay, the plaquette rises from %.3f to %.3f", name, before, after);
    ok_all(same, "%s: the same to the last bit on any ranks and lanes", name);
    free(name);
    free(start);
    free(u);
    free(w);
    free(x);
    free(y);
    lat_gauge_free(a);
    lat_gauge_free(b);
    lat_gauge_free(alone);
    lat_field_free(turn);
    lat_geometry_free(g);
    lat_geometry_free(one);
}

/* One step against the formula, links as plain matrices: (1 - alpha) U + alpha A^+ / (2 (d - 1)) = V H with V out of the
 * group, H Hermitian up to a phase; exp(-rho P(U A)) by the first terms of its series. */
static void formulas(lat_group group, lat_smearing kind)
{
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, shape_of(3));
    lat_gauge *links = rough_links(g, group);
    plain_field plain = {.group = group, .dim = 3, .real = values_of(links->links)};
    memcpy(plain.size, g->size, sizeof plain.size);
    const double alpha = 0.4, rho = 1e-5;
    lat_smear(links, kind, 1, kind == LAT_SMEARING_APE ? alpha : rho, 3);
    double *value = values_of(links->links), most = 0;
    int n = (int)group + 1;
    for (int64_t x = 0; x < g->volume; x += 7)
        for (int mu = 0; mu < 3; mu++) {
            matrix u = plain_link(&plain, x, mu), staple = plain_staple(&plain, x, mu);
            matrix v = matrix_of(group, value + (x * 3 + mu) * lat_link_reals(group)), m = {.n = n};
            if (kind == LAT_SMEARING_APE) {
                matrix back = matrix_dagger(staple);
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++) m.a[i][j] = (1 - alpha) * u.a[i][j] + alpha / 4 * back.a[i][j];
                m = matrix_product(matrix_dagger(v), m);
                double complex det = n < 3 ? cabs(matrix_trace(m)) : matrix_trace(m); /* positive up to a phase */
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++)
                        most = fmax(most, cabs(m.a[i][j] * conj(det) - conj(m.a[j][i]) * det) / pow(cabs(det), 2));
            } else {
                matrix loop = matrix_product(u, staple), step = {.n = n}, change = matrix_product(v, matrix_dagger(u));
                matrix minus = matrix_dagger(loop);
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++) step.a[i][j] = -0.5 * rho * (loop.a[i][j] - minus.a[i][j]);
                double complex mean = n > 1 ? matrix_trace(step) / n : 0;
                for (int i = 0; i < n; i++)
                    for (int j = 0; j < n; j++)
                        most = fmax(most, cabs(change.a[i][j] - (i == j) - step.a[i][j] + (i == j) * mean) / rho);
            }
        }
    ok(most < (kind == LAT_SMEARING_APE ? 1e-12 : 1e-3), "%s, %s: one step against the formula, to %.2g",
       lat_group_names[group], lat_smearing_names[kind], most);
    free(value);
    free(plain.real);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

/* Re tr W / N of the loop of r and t links in the plane of mu and the last direction, link by link. */
static double plain_loop(const plain_field *f, int64_t x, int mu, int r, int t)
{
    matrix product = {.n = (int)f->group + 1};
    for (int i = 0; i < product.n; i++) product.a[i][i] = 1;
    for (int i = 0; i < 2 * (r + t); i++) {
        bool up = i < r + t, along = (i % (r + t)) < r;
        int nu = along ? mu : f->dim - 1;
        if (!up) x = plain_next(f, x, nu, -1);
        matrix link = plain_link(f, x, nu);
        product = matrix_product(product, up ? link : matrix_dagger(link));
        if (up) x = plain_next(f, x, nu, 1);
    }
    return creal(matrix_trace(product)) / product.n;
}

/* All loops of a plane against those that are measured one by one in two dimensions, and against the definition in four. */
static void loops(lat_group group)
{
    double out[R * T], all = 0;
    lat_geometry *g = geometry_of(MPI_COMM_WORLD, shape_of(2));
    lat_gauge *links = rough_links(g, group);
    lat_wilson_loops(links, R, T, out);
    for (int r = 1; r <= R; r++)
        for (int t = 1; t <= T; t++) {
            char *name = lat_text("wilson_loop_%dx%d", r, t);
            all = fmax(all, fabs(out[(r - 1) * T + t - 1] - measured(name, links)));
            free(name);
        }
    ok(all < 1e-14, "%s: loops of all sizes at once, to %.2g", lat_group_names[group], all);
    double both = 0.5 * (out[1] + out[T]);
    ok_near(measured("rectangle", links), both, 1e-14, "rectangle: both orientations");
    lat_gauge_free(links);
    lat_geometry_free(g);
    g = geometry_of(MPI_COMM_WORLD, shape_of(4));
    links = rough_links(g, group);
    lat_wilson_loops(links, R, T, out);
    double *w = lat_alloc(3 * g->size[3], sizeof *w);
    double mean = 0, norm = (group == LAT_U1 ? 1.0 : 2.0 * ((double)group + 1));
    lat_gradient_flow_slices(links, w);
    for (int64_t t = 0; t < g->size[3]; t++) mean += w[t];
    mean = 1 - mean / (norm * 6 * (double)g->volume);
    ok_near(measured("plaquette", links), mean, 1e-13, "W of the flow is the plaquette");
    plain_field plain = {.group = group, .dim = 4, .real = values_of(links->links)};
    memcpy(plain.size, g->size, sizeof plain.size);
    double sum = 0;
    for (int64_t x = 0; x < g->volume; x++)
        for (int mu = 0; mu < 3; mu++) sum += plain_loop(&plain, x, mu, R, T) / (double)(3 * g->volume);
    ok_near(out[R * T - 1], sum, 1e-13, "the largest loop as a product of its links");
    free(plain.real);
    free(w);
    lat_gauge_free(links);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int group = LAT_U1; group < LAT_GROUPS; group++) {
        for (int kind = LAT_SMEARING_APE; kind <= LAT_SMEARING_STOUT; kind++) {
            for (int dim = 2; dim <= 4; dim++) smearing((lat_group)group, dim, (lat_smearing)kind, dim);
            smearing((lat_group)group, 4, (lat_smearing)kind, 3);
            formulas((lat_group)group, (lat_smearing)kind);
        }
        loops((lat_group)group);
    }
    return tap_end();
}
