/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4 8
 *
 * lattice.c: the ground: geometry, halo and its adjoint, sums, random numbers; nothing depends on ranks or lanes.
 */
#include "tests/tap.h"
#include "tests/observe.h"

static lat_random test_stream(uint64_t step) { return (lat_random){.seed = 5, .purpose = LAT_RANDOM_TEST, .step = step}; }

/* A number that only depends on the global site, member and component. */
static double mark(int64_t global, int64_t member, int component) { return (double)(global * 64 + member) * 16 + component; }

static void fill_marks(lat_field *f)
{
    const lat_geometry *g = f->geometry;
    for (int64_t i = 0; i < g->sites; i++)
        for (int c = 0; c < f->components; c++)
            for (int l = 0; l < g->lanes; l++) {
                double value = mark(lat_global_site(g, i, l), g->lane_member[l], c);
                int64_t at = (i * f->components + c) * g->lanes + l;
                if (f->precision == LAT_FLOAT)
                    ((float *)f->data)[at] = (float)value;
                else
                    ((double *)f->data)[at] = value;
            }
}

static int64_t global_of(const lat_geometry *g, int64_t site, int lane)
{
    int64_t index = 0, at[LAT_MAX_DIM];
    lat_coordinates(g, site, at);
    for (int mu = g->dim - 1; mu >= 0; mu--) {
        int64_t c = g->origin[lane * g->dim + mu] + at[mu];
        index = index * g->size[mu] + (c + g->size[mu]) % g->size[mu];
    }
    return index;
}

static int halo_wrong(const lat_field *f)
{
    const lat_geometry *g = f->geometry;
    int wrong = 0;
    for (int64_t i = 0; i < g->all_sites; i++)
        for (int c = 0; c < f->components; c++)
            for (int l = 0; l < g->members * g->blocks; l++) {
                double value = mark(global_of(g, i, l), g->lane_member[l], c);
                int64_t at = (i * f->components + c) * g->lanes + l;
                wrong += f->precision == LAT_FLOAT ? ((float *)f->data)[at] != (float)value : ((double *)f->data)[at] != value;
            }
    return wrong;
}

/* <x, A y> = <A^T x, y> with A the exchange: the sum over halo and block of x y after filling y. */
static double inner_product(const lat_field *x, const lat_field *y, bool halo)
{
    const lat_geometry *g = x->geometry;
    lat_accumulator sum = {0};
    for (int64_t i = 0; i < (halo ? g->all_sites : g->sites) * x->components; i++)
        for (int l = 0; l < g->members * g->blocks; l++)
            lat_accumulator_add(&sum, ((double *)x->data)[i * g->lanes + l] * ((double *)y->data)[i * g->lanes + l]);
    lat_accumulator_reduce(g->comm, &sum, 1);
    return lat_accumulator_value(&sum);
}

/* Is component c of the neighbour at this offset from a site what its owner has?  Neighbours that are not stored count
 * as right. */
static bool neighbour_right(const lat_field *f, int64_t site, const int64_t offset[LAT_MAX_DIM], int c)
{
    const lat_geometry *g = f->geometry;
    int64_t x[LAT_MAX_DIM];
    lat_coordinates(g, site, x);
    for (int mu = 0; mu < g->dim; mu++) x[mu] += offset[mu];
    int64_t there = lat_site(g, x);
    for (int l = 0; there >= 0 && l < g->members * g->blocks; l++)
        if (((double *)f->data)[(there * f->components + c) * g->lanes + l] != mark(global_of(g, there, l), g->lane_member[l], c))
            return false;
    return true;
}

/* In a halo that holds nothing yet */
static void forget_halo(lat_field *f)
{
    const lat_geometry *g = f->geometry;
    for (int64_t i = g->sites * f->components * g->lanes; i < g->all_sites * f->components * g->lanes; i++)
        ((double *)f->data)[i] = NAN;
}

/* Neighbours as far off as the halo is wide, in all combinations of directions. */
static int neighbours_wrong(const lat_field *f, const lat_sites *sites)
{
    int wrong = 0;
    for (int64_t i = 0; i < sites->count; i++)
        for (int o = 0; o < 81; o++) {
            int64_t offset[LAT_MAX_DIM];
            for (int mu = 0, rest = o; mu < LAT_MAX_DIM; rest /= 3, mu++) offset[mu] = (rest % 3 - 1) * f->geometry->halo;
            wrong += !neighbour_right(f, sites->site[i], offset, 0);
        }
    return wrong;
}

/* A staple of U_nu(x) in direction rho has U_nu(x + rho), U_nu(x - rho), U_rho(x), U_rho(x + nu), U_rho(x - rho) and
 * U_rho(x + nu - rho); one component a link. */
static int staples_wrong(const lat_field *f, const lat_sites *sites)
{
    int wrong = 0, dim = f->geometry->dim;
    for (int64_t i = 0; i < sites->count; i++)
        for (int pair = 0; pair < dim * dim; pair++) {
            int nu = pair / dim, rho = pair % dim;
            int64_t up[LAT_MAX_DIM] = {0}, down[LAT_MAX_DIM] = {0}, ahead[LAT_MAX_DIM] = {0}, corner[LAT_MAX_DIM] = {0};
            if (nu == rho) continue;
            up[rho] = ahead[nu] = corner[nu] = 1;
            down[rho] = corner[rho] = -1;
            int64_t site = sites->site[i];
            wrong += !neighbour_right(f, site, up, nu) + !neighbour_right(f, site, down, nu) +
                     !neighbour_right(f, site, ahead, rho) + !neighbour_right(f, site, down, rho) +
                     !neighbour_right(f, site, corner, rho);
        }
    return wrong;
}

/* Sites in directions that are not in the set, in which this rank's part ends after `halo` sites. */
static double border(const lat_geometry *g, int set)
{
    double product = g->members;
    for (int mu = 0; mu < g->dim; mu++) product *= set >> mu & 1 ? g->halo : (double)g->local[mu];
    return product;
}

/* Values in all borders with other ranks: 2^n of n directions each.  least, most: those that staples need, with nothing
 * but them, and with all links of those sites, which come along where they need not be packed. */
static void count_borders(const lat_geometry *g, double *all, double *least, double *most)
{
    *all = *least = *most = 0;
    for (int set = 1; set < 1 << g->dim; set++) {
        int n = 0, split = 1;
        for (int mu = 0; mu < g->dim; mu++) {
            n += set >> mu & 1;
            split = split && (!(set >> mu & 1) || g->ranks[mu] > 1);
        }
        if (!split || n > g->corners) continue;
        double values = border(g, set);
        *all += values * (1 << n) * g->dim;
        *least += values * (n == 1 ? 2 * g->dim - 1 : n == 2 ? 2 : 0);
        *most += values * (n <= 2 ? 2 * g->dim : 0);
    }
}

/* What the inner sites may read before messages have arrived, and how much is sent. */
static void test_overlap(const lat_geometry *g, const char *name)
{
    lat_field *f = lat_field_create(g, g->dim, LAT_DOUBLE);
    double all, least, most, sent = (double)lat_halo_bytes(f, (lat_halo_choice){0}) / sizeof(double), staples = (double)lat_halo_bytes(f, lat_halo_staples()) / sizeof(double);
    fill_marks(f);
    forget_halo(f);
    lat_exchange *exchange = lat_halo_start(f, (lat_halo_choice){0});
    ok_all(neighbours_wrong(f, &g->inner) == 0 && g->inner.count + g->outer.count == g->sites,
           "%s: inner sites have their neighbours before the messages come", name);
    lat_halo_finish(exchange);
    ok_all(neighbours_wrong(f, &g->outer) == 0, "%s: outer sites have them after that", name);
    forget_halo(f);
    exchange = lat_halo_start(f, lat_halo_staples());
    ok_all(staples_wrong(f, &g->inner) == 0, "%s: so with staples: inner sites", name);
    lat_halo_finish(exchange);
    ok_all(staples_wrong(f, &g->outer) == 0, "%s: outer sites", name);
    count_borders(g, &all, &least, &most);
    ok_all(sent == all && staples >= least && staples <= most,
           "%s: a rank sends its borders: %.0f values, for staples %.0f", name, sent, staples);
    lat_field_free(f);
}

static void negate(lat_field *f)
{
    int64_t rows = f->geometry->all_sites * f->components * f->geometry->lanes;
    for (int64_t i = 0; i < rows; i++) ((double *)f->data)[i] *= -1;
}

/* Two fields that look alike, under way at once, and finished in either order. */
static void test_two_at_once(const lat_geometry *g, const char *name)
{
    int wrong = 0;
    for (int turn = 0; turn < 4; turn++) {
        lat_halo_choice choice = turn < 2 ? (lat_halo_choice){0} : lat_halo_staples();
        lat_field *f = lat_field_create(g, g->dim, LAT_DOUBLE), *h = lat_field_create(g, g->dim, LAT_DOUBLE);
        fill_marks(f);
        fill_marks(h);
        forget_halo(f);
        forget_halo(h);
        negate(h);
        lat_exchange *first = lat_halo_start(f, choice), *second = lat_halo_start(h, choice);
        lat_halo_finish(turn % 2 ? first : second);
        lat_halo_finish(turn % 2 ? second : first);
        negate(h);
        wrong += turn < 2 ? halo_wrong(f) + halo_wrong(h) : 0;
        for (int i = 0; i < 2; i++) {
            const lat_sites *sites = i ? &g->inner : &g->outer;
            wrong += staples_wrong(f, sites) + staples_wrong(h, sites);
        }
        lat_field_free(f);
        lat_field_free(h);
    }
    ok_all(wrong == 0, "%s: two exchanges at once", name);
}

static void test_halo(const lat_shape *shape, const char *name)
{
    lat_error error = {0};
    lat_geometry *g;
    ok_all(lat_geometry_create(MPI_COMM_WORLD, shape, &g, &error) == LAT_DONE, "%s: geometry %s", name, error.text);
    if (!g) return;
    for (int p = 0; p < LAT_PRECISIONS; p++) {
        if (p == LAT_FLOAT && shape->precision != LAT_FLOAT) continue;
        lat_field *f = lat_field_create(g, 3, (lat_precision)p);
        fill_marks(f);
        lat_halo_exchange(f);
        ok_all(halo_wrong(f) == 0, "%s: halo holds its neighbours (%s)", name, lat_precision_names[p]);
        lat_field_free(f);
    }
    lat_field *x = lat_field_create(g, 2, LAT_DOUBLE), *y = lat_field_create(g, 2, LAT_DOUBLE);
    lat_random r = test_stream(1), s = test_stream(2);
    for (int64_t i = 0; i < g->all_sites * 2 * g->lanes; i++) {
        double u[4];
        lat_uniform4(&r, (uint64_t)i, (uint32_t)g->rank, 0, 0, u);
        ((double *)x->data)[i] = u[0] - 0.5;
    }
    lat_field_gaussian(y, &s);
    lat_halo_exchange(y);
    double left = inner_product(x, y, true);
    lat_halo_adjoint(x);
    double right = inner_product(x, y, false);
    ok(fabs(left - right) < 1e-10 * (1 + fabs(left)), "%s: the adjoint is the adjoint", name);
    if (fabs(left - right) >= 1e-10 * (1 + fabs(left)) && tap.rank == 0) printf("# %.15g %.15g\n", left, right);
    test_overlap(g, name);
    test_two_at_once(g, name);
    lat_field_free(x);
    lat_field_free(y);
    lat_geometry_free(g);
}

static void test_accumulator(void)
{
    lat_accumulator sum = {0};
    double terms[] = {1e300, 1, -1e300, 1e-300, 5e-324, -1, 0x1p-1000, -0x1p-1000};
    for (int i = 0; i < 8; i++) lat_accumulator_add(&sum, terms[i]);
    ok(lat_accumulator_value(&sum) == 1e-300 + 5e-324, "sums are exact over the whole range");
    lat_accumulator tiny = {0};
    lat_accumulator_add(&tiny, -5e-324);
    ok(lat_accumulator_value(&tiny) == -5e-324, "smallest double");
    lat_accumulator tie = {0};
    lat_accumulator_add(&tie, 1);
    lat_accumulator_add(&tie, 0x1p-53);
    ok(lat_accumulator_value(&tie) == 1, "ties round to even");
    lat_accumulator_add(&tie, 1e-300);
    ok(lat_accumulator_value(&tie) == 1 + 0x1p-52, "a bit far below decides a tie");
    lat_accumulator bad = {0};
    lat_accumulator_add(&bad, INFINITY);
    ok(isnan(lat_accumulator_value(&bad)), "infinity is reported");
    lat_random r = test_stream(3);
    int wrong = 0;
    for (int round = 0; round < 200; round++) {
        double a[4], value[64];
        long double exact = 0;
        lat_accumulator forth = {0}, back = {0};
        for (int i = 0; i < 64; i++) {
            lat_uniform4(&r, (uint64_t)round, 0, 0, (uint64_t)i, a);
            value[i] = (a[0] - 0.5) * ldexp(1, (int)(a[1] * 8));
            exact += value[i];
            lat_accumulator_add(&forth, value[i]);
        }
        for (int i = 63; i >= 0; i--) lat_accumulator_add(&back, value[i]);
        wrong += lat_accumulator_value(&forth) != lat_accumulator_value(&back) || lat_accumulator_value(&forth) != (double)exact;
    }
    ok(wrong == 0, "sums of random numbers, correctly rounded, in both orders");
}

/* Fields whose values are of ordinary size, and with one that is not, against the accumulator alone. */
static void test_sum_field(void)
{
    const double odd[] = {0, 1e30, -3e-12, 5e-324, 0x1p26, 0x1.8p-24, NAN};
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {96, 64}, .members = 3};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_field *field = lat_field_create(g, 1, LAT_DOUBLE);
    double *data = field->data, total[3];
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        lat_random r = test_stream(50 + i);
        lat_field_gaussian(field, &r);
        if (tap.rank == tap.ranks - 1) data[7 * g->lanes] = odd[i];
        lat_accumulator sum[3] = {{{0}, 0}};
        for (int64_t x = 0; x < g->sites; x++)
            for (int lane = 0; lane < g->members * g->blocks; lane++) lat_accumulator_add(&sum[g->lane_member[lane]], data[x * g->lanes + lane]);
        lat_accumulator_reduce(g->comm, sum, 3);
        lat_sum(field, total);
        int same = 0;
        for (int m = 0; m < 3; m++) {
            double exact = lat_accumulator_value(&sum[m]);
            same += total[m] == exact || (isnan(total[m]) && isnan(exact));
        }
        ok_all(same == 3 && isnan(total[0]) == isnan(odd[i]), "sums of a field with %g in it are exact", odd[i]);
    }
    lat_field_free(field);
    lat_geometry_free(g);
}

/* The kernels draw for a vector of lanes at once. */
static void test_words(lat_precision precision)
{
    const double pi = 3.14159265358979323846;
    lat_random r = {.seed = 0x8765432112345678, .purpose = LAT_RANDOM_TEST, .update = 3, .step = 0xfedcba9876543210, .member = 1 << 20};
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 4, .size = {8, 4, 4, 4}, .members = 3, .precision = precision};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = lat_gauge_create(g, LAT_U1, precision);
    lat_gauge_haar(gauge, &r);
    int wrong = 0;
    for (int64_t i = 0; i < g->sites * g->lanes; i++) {
        double u[4];
        lat_uniform4(&r, (uint64_t)lat_global_site(g, i / g->lanes, (int)(i % g->lanes)), 0, (uint64_t)g->lane_member[i % g->lanes], 0, u);
        for (int mu = 0; mu < 4; mu++) {
            int64_t at = (i / g->lanes * 4 + mu) * g->lanes + i % g->lanes;
            if (precision == LAT_FLOAT)
                wrong += ((float *)gauge->links->data)[at] != (2 * (float)u[mu] - 1) * (float)pi;
            else
                wrong += ((double *)gauge->links->data)[at] != (2 * u[mu] - 1) * pi;
        }
    }
    ok_all(wrong == 0, "%s links->links are made of the numbers of their keys", lat_precision_names[precision]);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

/* A function of the whole key: what is drawn for one direction is drawn for no other direction or member. */
static void test_keys(void)
{
    enum { COMPONENTS = 1032, MEMBERS = 3 };
    lat_random r = test_stream(20);
    double first[4], second[4];
    int equal = 0, off = 0;
    for (uint32_t direction = 256; direction < 1024; direction += 64) {
        lat_uniform4(&r, 5, direction, 0, 0, first);
        lat_uniform4(&r, 5, direction % 256, direction / 256, 0, second);
        equal += first[0] == second[0];
    }
    ok(equal == 0, "directions from 256 on have numbers of their own");
    random_key key = lat_random_key(&r);
    philox4x64_ctr_t counter = {{r.step, 5, 255 + (7u << 8), 3}};
    philox4x64_key_t seed = {{key.key[0], key.key[1]}};
    counter = philox4x64(counter, seed);
    lat_uniform4(&r, 5, 255, 7, 3, first);
    ok(first[2] == ((double)(counter.v[2] >> 11) + 0.5) * 0x1p-53, "and those below the same as ever");
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {4, 8}, .members = MEMBERS};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_field *field = lat_field_create(g, COMPONENTS, LAT_DOUBLE);
    lat_field_gaussian(field, &r);
    for (int64_t site = 0; site < g->sites; site++)
        for (int c = 0; c < COMPONENTS; c += 4)
            for (int lane = 0; lane < g->members * g->blocks; lane++) {
                lat_uniform4(&r, (uint64_t)lat_global_site(g, site, lane), (uint32_t)c, (uint64_t)g->lane_member[lane], 0, first);
                double normal = sqrt(-2 * log(first[0])) * cos((2 * first[1] - 1) * acos(-1));
                off += fabs(((double *)field->data)[(site * COMPONENTS + c) * g->lanes + lane] - normal) > 1e-12;
            }
    ok_all(off == 0, "fields of %d components are made of them", COMPONENTS);
    lat_field_free(field);
    lat_geometry_free(g);
}

static double taken(int64_t place, int member) { return (double)(member + 64 * place); }

/* Members of a field that another takes, in groups of lanes that keep their places, are moved, or go apart. */
static void test_take(MPI_Comm to_comm, lat_shape to_shape, MPI_Comm from_comm, lat_shape from_shape, const char *name)
{
    enum { TO = 24, FROM = 40, COMPONENTS = 3 };
    int take[TO];
    for (int m = 0; m < TO; m++) take[m] = m % 3 == 0 ? -1 : m < 8 ? m : m < 16 ? m + 24 : (7 * m) % FROM;
    lat_error error = {0};
    lat_geometry *g, *h;
    to_shape.members = TO;
    from_shape.members = FROM;
    if (lat_geometry_create(to_comm, &to_shape, &g, &error) || lat_geometry_create(from_comm, &from_shape, &h, &error))
        lat_abort(error.status, "%s", error.text);
    lat_field *to = lat_field_create(g, COMPONENTS, to_shape.precision), *from = lat_field_create(h, COMPONENTS, from_shape.precision);
    int64_t reals = g->volume * COMPONENTS;
    double *values = lat_alloc(reals, sizeof *values);
    for (int m = 0; m < TO; m++) {
        for (int64_t i = 0; i < reals; i++) values[i] = -taken(i, m);
        lat_field_scatter(to, m, values);
    }
    for (int m = 0; m < FROM; m++) {
        for (int64_t i = 0; i < reals; i++) values[i] = taken(i, m);
        lat_field_scatter(from, m, values);
    }
    lat_field_take_members(to, from, take);
    int wrong = 0;
    for (int m = 0; m < TO; m++) {
        lat_field_gather(to, m, values);
        for (int64_t i = 0; i < reals; i++) wrong += values[i] != (take[m] < 0 ? -taken(i, m) : taken(i, take[m]));
    }
    ok_all(wrong == 0, "members taken: %s", name);
    free(values);
    lat_field_free(to);
    lat_field_free(from);
    lat_geometry_free(g);
    lat_geometry_free(h);
}

static void test_takes(void)
{
    const lat_shape whole = {.dim = 2, .size = {8, 16}, .lane_grid = {1, 1}}, wide = {.dim = 2, .size = {8, 16}, .lane_grid = {1, 1}, .halo = 2},
                    cut = {.dim = 2, .size = {8, 16}, .lane_grid = {1, 2}, .period = 1}, single = {.dim = 2, .size = {8, 16}, .lane_grid = {1, 1}, .precision = LAT_FLOAT},
                    ranks_in_x = {.dim = 2, .size = {8, 16}, .ranks = {tap.ranks, 1}, .lane_grid = {1, 1}};
    const MPI_Comm all = MPI_COMM_WORLD, alone = MPI_COMM_SELF;
    test_take(all, whole, all, whole, "double from double");
    test_take(all, single, all, whole, "float from double");
    test_take(all, whole, all, single, "double from float");
    test_take(all, single, all, single, "float from float");
    test_take(all, wide, all, whole, "another halo");
    test_take(all, cut, all, whole, "cut over lanes from whole");
    test_take(all, whole, all, cut, "whole from cut over lanes");
    test_take(all, ranks_in_x, all, cut, "another rank grid");
    test_take(all, cut, alone, whole, "from what every rank has");
    test_take(alone, single, all, cut, "to every rank");
}

/* Hash of one member, through gather. */
static uint64_t fingerprint(const lat_field *f, int member)
{
    int64_t n = f->geometry->volume * f->components;
    double *values = lat_alloc(n, sizeof *values);
    lat_field_gather(f, member, values);
    uint64_t hash = 1469598103934665603ull;
    for (size_t i = 0; i < (size_t)n * sizeof *values; i++) hash = (hash ^ ((unsigned char *)values)[i]) * 1099511628211ull;
    free(values);
    return hash;
}

/* A few operations on a field; the outcome must be that of a geometry of a single rank and no split lanes. */
static void run_operations(MPI_Comm comm, const lat_shape *shape, lat_group group, uint64_t hash[2], double number[4])
{
    lat_error error = {0};
    lat_geometry *g;
    if (lat_geometry_create(comm, shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_random r = test_stream(5), s = test_stream(6), t = test_stream(7);
    lat_gauge *u = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *p = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_field *turn = lat_field_create(g, lat_link_reals(group), LAT_DOUBLE);
    lat_gauge_haar(u, &r);
    lat_field_gaussian(p, &s);
    lat_field_haar(turn, group, &t);
    lat_halo_exchange(turn);
    lat_gauge_exp_update(u, 0.3, p);
    lat_action *action = lat_action_wilson(group, 1.7);
    lat_action_force(action, u, 1.0, p);
    lat_gauge_transform(u, turn);
    hash[0] = fingerprint(u->links, g->members - 1);
    hash[1] = fingerprint(p, 0);
    double *total = lat_alloc(g->members * 2, sizeof *total);
    lat_action_total(action, u, total);
    number[0] = total[g->members - 1];
    static const char *names[] = {"plaquette", "polyakov", "wilson_loop_2x3"};
    for (int i = 0; i < 3; i++) {
        int columns = observe(names[i], u, total);
        number[1 + i] = total[(g->members - 1) * columns];
    }
    free(total);
    lat_action_free(action);
    lat_gauge_free(u);
    lat_field_free(p);
    lat_field_free(turn);
    lat_geometry_free(g);
}

static void test_independence(lat_shape shape, lat_group group, const char *name)
{
    uint64_t hash[2], alone_hash[2];
    double number[4], alone[4];
    run_operations(MPI_COMM_WORLD, &shape, group, hash, number);
    for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
        shape.ranks[mu] = 0;
        shape.lane_grid[mu] = 1;
    }
    shape.precision = LAT_DOUBLE;
    run_operations(MPI_COMM_SELF, &shape, group, alone_hash, alone);
    const char *g = lat_group_names[group];
    ok_all(memcmp(hash, alone_hash, sizeof hash) == 0, "%s, %s: fields are the same to the last bit", name, g);
    ok_all(memcmp(number, alone, sizeof number) == 0, "%s, %s: action and observables are the same to the last bit", name, g);
}

static double total_action(lat_action *action, lat_gauge *gauge)
{
    double total;
    lat_action_total(action, gauge, &total);
    return total;
}

/* Plaquette, Polyakov loop (both parts) and a Wilson loop */
static void measure_all(lat_gauge *gauge, double out[4])
{
    static const char *const names[] = {"plaquette", "polyakov", "wilson_loop_2x1"};
    for (int i = 0, n = 0; i < 3; i++) n += observe(names[i], gauge, out + n);
}

/* In double the derivative of the action along a direction is known to 1e-7 or so; forces in float are compared with those
 * in double. */
static void test_gauge(int dim, lat_group group)
{
    lat_error error = {0};
    lat_shape shape = {.dim = dim, .size = {8, 8, 4, 4}, .precision = LAT_FLOAT}; /* lanes for both precisions */
    for (int mu = dim; mu < LAT_MAX_DIM; mu++) shape.size[mu] = 0;
    lat_geometry *g;
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    char *name = lat_text("%s, %d dimensions", lat_group_names[group], dim);
    lat_gauge *u = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *force = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_field *turn = lat_field_create(g, lat_link_reals(group), LAT_DOUBLE), *direction = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random r = test_stream(8), s = test_stream(9), t = test_stream(10);
    lat_action *action = lat_action_wilson(group, 2.0);
    ok(total_action(action, u) == 0, "%s: the action of unit links is zero", name);
    lat_gauge_haar(u, &r);
    lat_field_haar(turn, group, &t);
    double loops[4], turned[4], before = total_action(action, u), worst = 0;
    measure_all(u, loops);
    lat_halo_exchange(turn);
    lat_gauge_transform(u, turn);
    measure_all(u, turned);
    for (int i = 0; i < 4; i++) worst = fmax(worst, fabs(loops[i] - turned[i]));
    ok(fabs(before - total_action(action, u)) < 1e-10 * before, "%s: the action is gauge invariant", name);
    ok(worst < 1e-13 && loops[0] != 0, "%s: the loops are gauge invariant (%.2g)", name, worst);

    lat_action_force(action, u, 1.0, force);
    lat_gauge *u_float = lat_gauge_create(g, group, LAT_FLOAT);
    lat_field *force_float = lat_field_algebra(g, group, LAT_FLOAT);
    lat_field *difference = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_gauge_copy(u_float, u);
    lat_action_force(action, u_float, 1.0, force_float);
    lat_field_copy(difference, force_float);
    lat_field_axpy(difference, -1, force);
    double off = sqrt(inner_product(difference, difference, false) / inner_product(force, force, false));
    ok(off > 0 && off < 1e-6, "%s: the force in float is that in double (%.2g)", name, off);
    ok(fabs(total_action(action, u_float) - before) < 1e-5 * before, "%s: and so is the action", name);

    lat_field_gaussian(direction, &s);
    double step = 1e-5;
    lat_gauge_exp_update(u, step, direction);
    double ahead = total_action(action, u);
    lat_gauge_exp_update(u, -2 * step, direction);
    double behind = total_action(action, u), product = inner_product(force, direction, false);
    ok(fabs((ahead - behind) / (2 * step) - product) < 1e-6 * fabs(product) + 1e-5, "%s: the force is the derivative of the action", name);
    if (tap.rank == 0) printf("# %.12g %.12g\n", (ahead - behind) / (2 * step), product);
    lat_action_free(action);
    lat_gauge_free(u);
    lat_field_free(force);
    lat_field_free(turn);
    lat_field_free(direction);
    lat_gauge_free(u_float);
    lat_field_free(force_float);
    lat_field_free(difference);
    lat_geometry_free(g);
    free(name);
}

/* One vector of doubles a site is less than one of floats; two vectors of doubles are one. */
static void test_precisions(void)
{
    for (int layout = 0; layout < LAT_PRECISIONS; layout++) {
        lat_error error = {0};
        lat_geometry *g;
        lat_shape shape = {.dim = 2, .size = {8, 8 * tap.ranks}, .lane_grid = {1, 1}, .precision = (lat_precision)layout};
        if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
        ok(lat_geometry_serves(g, LAT_DOUBLE) && lat_geometry_serves(g, LAT_FLOAT) == (layout == LAT_FLOAT),
           "a lattice laid out for %s serves %s", lat_precision_names[layout], layout == LAT_FLOAT ? "both precisions" : "doubles alone");
        lat_geometry_free(g);
    }
}

/* Ends with one line, for tests/failures.sh. */
static int create_misfit(void)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {8, 8}, .lane_grid = {1, 1}};
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_field_free(lat_field_create(g, 1, LAT_FLOAT));
    lat_geometry_free(g);
    return tap_end();
}

static void test_refusals(void)
{
    lat_geometry *g;
    lat_error a = {0}, b = {0}, c = {0}, d = {0};
    lat_shape odd = {.dim = 2, .size = {7, 7}, .ranks = {tap.ranks, 1}};
    if (tap.ranks > 1) ok(lat_geometry_create(MPI_COMM_WORLD, &odd, &g, &a) == LAT_CONFIG, "7 sites do not divide over ranks: %s", a.text);
    lat_shape negative = {.dim = 2, .size = {-4, 4}};
    ok(lat_geometry_create(MPI_COMM_WORLD, &negative, &g, &b) == LAT_CONFIG, "negative extent: %s", b.text);
    lat_shape huge = {.dim = 4, .size = {1 << 30, 1 << 30, 1 << 30, 1 << 30}};
    ok(lat_geometry_create(MPI_COMM_WORLD, &huge, &g, &c) == LAT_CONFIG, "overflowing volume: %s", c.text);
    lat_error halo = {0};
    lat_shape tight = {.dim = 2, .size = {4, 4}, .halo = 2}, slab = {.dim = 2, .size = {tap.ranks, 1}, .halo = 2};
    if (tap.ranks <= 4) {
        ok(lat_geometry_create(MPI_COMM_WORLD, &tight, &g, &halo) == LAT_DONE, "a rank grid that leaves room for the halo is found %s", halo.text);
        lat_geometry_free(g);
    }
    if (tap.ranks > 1) ok(lat_geometry_create(MPI_COMM_WORLD, &slab, &g, &halo) == LAT_CONFIG, "there is none: %s", halo.text);
    lat_shape grid = {.dim = 2, .size = {16, 16}, .ranks = {16, 1}};
    ok(lat_geometry_create(MPI_COMM_WORLD, &grid, &g, &d) == LAT_CONFIG, "rank grid of another size: %s", d.text);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    if (argc > 1 && strcmp(argv[1], "misfit") == 0) return create_misfit();
    test_halo(&(lat_shape){.dim = 2, .size = {16, 16}}, "16x16");
    test_halo(&(lat_shape){.dim = 2, .size = {16, 8}, .members = 3, .halo = 2, .precision = LAT_FLOAT}, "16x8, 3 members, halo 2");
    test_halo(&(lat_shape){.dim = 2, .size = {16, 16}, .members = 8}, "16x16, 8 members");
    test_halo(&(lat_shape){.dim = 3, .size = {8, 4, 8}, .corners = 3}, "8x4x8");
    test_halo(&(lat_shape){.dim = 4, .size = {4, 4, 8, 8}, .corners = 4}, "4x4x8x8, all corners");
    test_halo(&(lat_shape){.dim = 2, .size = {32, 32}, .members = 6, .lane_grid = {2, 1}}, "32x32, 6 members, lanes across vectors");
    test_halo(&(lat_shape){.dim = 4, .size = {8, 4, 16, 32}, .corners = 4, .lane_grid = {2, 1, 2, 2}}, "8x4x16x32, lanes in x, z, t");
    test_halo(&(lat_shape){.dim = 4, .size = {4, 4, 4, 16}, .lane_grid = {2, 2, 1, 1}, .ranks = {1, 1, 1, tap.ranks}}, "4x4x4x16, ranks in t");
    test_halo(&(lat_shape){.dim = 2, .size = {6 * tap.ranks, 4}, .lane_grid = {1, 1}, .members = 8, .ranks = {tap.ranks, 1}}, "8 members, ranks in x");
    test_accumulator();
    test_sum_field();
    test_words(LAT_DOUBLE);
    test_words(LAT_FLOAT);
    test_keys();
    test_takes();
    for (int i = 0; i < LAT_GROUPS; i++) {
        lat_group group = (lat_group)i;
        test_independence((lat_shape){.dim = 2, .size = {16, 16}}, group, "16x16");
        test_independence((lat_shape){.dim = 2, .size = {16, 16}, .lane_grid = {1, 2}}, group, "16x16, two lanes in y");
        test_independence((lat_shape){.dim = 2, .size = {16, 8}, .members = 5}, group, "16x8, 5 members");
        test_independence((lat_shape){.dim = 2, .size = {16, 8}, .members = 9}, group, "16x8, 9 members");
        test_independence((lat_shape){.dim = 3, .size = {8, 4, 8}}, group, "8x4x8");
        test_independence((lat_shape){.dim = 4, .size = {4, 4, 4, 8}}, group, "4x4x4x8");
        test_independence((lat_shape){.dim = 3, .size = {8, 4, 8}, .precision = LAT_FLOAT}, group, "8x4x8, lanes of float");
        test_independence((lat_shape){.dim = 4, .size = {4, 4, 4, 8}, .members = 2, .precision = LAT_FLOAT}, group,
                          "4x4x4x8, 2 members, lanes of float");
        for (int dim = 2; dim <= LAT_MAX_DIM; dim++) test_gauge(dim, group);
    }
    test_precisions();
    test_refusals();
    return tap_end();
}
