/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * masked_stout.c: layers of masked stout smearing, over groups, dimensions, loops, lattices and ranks: the links of
 * stout smearing, inverse (with parameters of any size), covariance, log det against the determinant of the numerical
 * Jacobian, reverse sweep and push against finite differences, the same bits on any number of ranks and lanes; and the
 * audit finds a wrong Jacobian.
 */
#include "tests/flow_bench.h"
#include "tests/planted.h"
#include "tests/tap.h"

#include "flows/layout.h"
#include "hmc/updates/audit.h"

#include <lapacke.h>

typedef struct {
    const char *name;
    lat_group group;
    int dim;
    int64_t size[LAT_MAX_DIM];
    const char *layers;
} example;

#define STOUT(keys) "layers = ( { kind = \"masked_stout\"; " keys " } );"

static const example examples[] = {
    {"U(1), plaquettes", LAT_U1, 2, {4, 8}, STOUT("repeat = 4;")},
    {"U(1), both, three dimensions",
     LAT_U1,
     3,
     {8, 4, 8},
     STOUT("repeat = 12; loops = [\"plaquette\", \"rectangle\"];")},
    {"SU(2), plaquettes, three dimensions", LAT_SU2, 3, {4, 4, 4}, STOUT("repeat = 6;")},
    {"SU(2), rectangles", LAT_SU2, 2, {8, 8}, STOUT("repeat = 8; loops = [\"rectangle\"];")},
    {"SU(3), plaquettes, four dimensions", LAT_SU3, 4, {4, 4, 2, 4}, STOUT("repeat = 8;")},
    {"SU(3), both", LAT_SU3, 2, {8, 8}, STOUT("repeat = 8; loops = [\"rectangle\", \"plaquette\"];")},
};
static const example whole[] = {
    {"U(1), both", LAT_U1, 2, {4, 4}, STOUT("repeat = 8; loops = [\"plaquette\", \"rectangle\"];")},
    {"SU(2), four dimensions", LAT_SU2, 4, {2, 2, 2, 2}, STOUT("repeat = 8;")},
    {"SU(2), both", LAT_SU2, 2, {4, 4}, STOUT("repeat = 8; loops = [\"plaquette\", \"rectangle\"];")},
    {"SU(3), three dimensions", LAT_SU3, 3, {2, 2, 2}, STOUT("repeat = 6;")},
    {"SU(3), rectangles", LAT_SU3, 2, {4, 4}, STOUT("repeat = 8; loops = [\"rectangle\"];")},
};

static lat_random stream(uint64_t step) { return (lat_random){.seed = 21, .purpose = LAT_RANDOM_TEST, .step = step}; }

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static lat_status try_model(const char *layers, lat_group group, int dim, flow_model **model, lat_error *error)
{
    lat_settings *settings;
    lat_settings_parse(layers, "test", &settings, error);
    flow_model_create(settings, flow_layer_kinds, group, dim, 3, model, error);
    lat_settings_free(settings);
    return error->status;
}

/* Parameters between -strength and strength */
static flow_model *model_of_example(const example *e, double strength)
{
    lat_error error = {0};
    flow_model *model;
    lat_random random = stream(77);
    try_model(e->layers, e->group, e->dim, &model, &error);
    require(&error);
    for (int64_t i = 0; i < model->stack.parameter_count; i++) {
        double u[4];
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        model->parameters[i] += strength * (2 * u[0] - 1);
    }
    model->version++;
    return model;
}

static bench make_bench(MPI_Comm comm, const example *e, const flow_model *model, int members, lat_precision precision,
                        bool lanes)
{
    lat_random random = stream(1);
    return bench_of(comm, e->name, e->size, model, members, precision, lanes, &random);
}

/* ------------------------------------------------------------------------------------------------------- properties */

static void test_inverse(const example *e, const flow_model *model, lat_precision precision, const char *what)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 3, precision, true);
    lat_error error = {0};
    double there[3], back[3], tolerance = precision == LAT_FLOAT ? 1e-3 : 1e-11, moved, apart;
    map_links(&b, there);
    moved = distance(b.u, b.v);
    lat_field_zero(b.density);
    flow_inverse(b.map, b.u, b.density);
    lat_sum(b.density, back);
    apart = distance(b.u, b.v);
    ok(moved > 0.1 && apart < tolerance && flow_map_failed(b.map, &error) == LAT_DONE,
       "%s, %s%s: inverse of forward is the identity (%.1e) %s", e->name, lat_precision_names[precision], what, apart,
       error.text);
    ok(fabs(there[2] - back[2]) < 100 * tolerance * (1 + fabs(there[2])),
       "... and both give the same log det (%.9g, %.1e)", there[2], fabs(there[2] - back[2]));
    free_bench(&b);
}

static void test_covariance(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    double before[2], after[2];
    lat_random random = stream(2);
    lat_field *turn = lat_field_create(b.g, lat_link_reals(e->group), LAT_DOUBLE);
    map_links(&b, before);
    lat_field_haar(turn, e->group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(b.u, turn);
    lat_gauge_copy(b.other, b.u);
    lat_gauge_transform(b.v, turn);
    map_links(&b, after);
    ok(distance(b.u, b.other) < 1e-12 && fabs(before[1] - after[1]) < 1e-10,
       "%s: covariance of links (%.1e) and log det (%.1e)", e->name, distance(b.u, b.other),
       fabs(before[1] - after[1]));
    lat_field_free(turn);
    free_bench(&b);
}

/* The whole Jacobian of one member by central differences, on one rank: components of log(U'(+h) U'(-h)^+) / 2h. */
static void test_log_det(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_SELF, e, model, 1, LAT_DOUBLE, false);
    const int algebra = lat_algebra_reals(e->group);
    const double step = 1e-5;
    const lapack_int n = (lapack_int)(b.g->sites * e->dim * algebra);
    double *jacobian = lat_alloc((int64_t)n * n, sizeof *jacobian), log_det = 0, exact, unused, x[18], y[18], a[8];
    double *direction = b.cotangent->data;
    lapack_int *pivot = lat_alloc(n, sizeof *pivot);
    for (lapack_int j = 0; j < n; j++) {
        direction[(int64_t)j * b.g->lanes] = 1;
        lat_gauge_exp_update(b.v, step, b.cotangent);
        map_links(&b, &unused);
        lat_gauge_copy(b.other, b.u);
        lat_gauge_exp_update(b.v, -2 * step, b.cotangent);
        map_links(&b, &unused);
        lat_gauge_exp_update(b.v, step, b.cotangent);
        direction[(int64_t)j * b.g->lanes] = 0;
        for (lapack_int i = 0; i < n; i += algebra) {
            get_link(b.other, i / algebra, 0, x);
            get_link(b.u, i / algebra, 0, y);
            mc_link_logarithm(e->group, x, y, a);
            for (int c = 0; c < algebra; c++) jacobian[(int64_t)(i + c) * n + j] = a[c] / (2 * step);
        }
    }
    LAPACKE_dgetrf(LAPACK_ROW_MAJOR, n, n, jacobian, n, pivot);
    for (lapack_int i = 0; i < n; i++) log_det += log(fabs(jacobian[(int64_t)i * n + i]));
    map_links(&b, &exact);
    ok(fabs(exact) > 0.5 && fabs(exact - log_det) < 1e-6 * (1 + fabs(exact)),
       "%s: log det is that of the numerical Jacobian of %d rows (%.9g, %.9g)", e->name, (int)n, exact, log_det);
    free(jacobian);
    free(pivot);
    free_bench(&b);
}

/* --------------------------------------------------------------------------------------------------------
 * derivatives */

/* Of the loss, along a direction of links and along one of the parameters. */
static void test_slopes(bench *b, flow_model *model, const lat_field *c, const double *gradient, double weight)
{
    const double step = 1e-5;
    const int64_t count = model->stack.parameter_count;
    lat_field *direction = lat_field_algebra(b->g, b->u->group, LAT_DOUBLE);
    lat_random s = stream(5), t = stream(6);
    double loss[2], slope, numerical, *move = lat_alloc(count, sizeof *move);
    lat_field_gaussian(direction, &s);
    slope = dot_fields(b->cotangent, direction);
    for (int side = 0; side < 2; side++) {
        lat_gauge_exp_update(b->v, side ? -2 * step : step, direction);
        loss[side] = linear_loss(b, c, weight);
    }
    lat_gauge_exp_update(b->v, step, direction);
    numerical = (loss[0] - loss[1]) / (2 * step);
    ok(fabs(slope - numerical) < 1e-7 * (1 + fabs(slope)), "%s: cotangent of the links (%.9g, %.9g)", b->name, slope,
       numerical);
    slope = 0;
    for (int64_t i = 0; i < count; i++) {
        double u[4];
        lat_uniform4(&t, (uint64_t)i, 0, 0, 0, u);
        move[i] = u[0] - 0.5;
        slope += move[i] * gradient[i];
    }
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < count; i++) model->parameters[i] += (side ? -2 : 1) * step * move[i];
        loss[side] = linear_loss(b, c, weight);
    }
    for (int64_t i = 0; i < count; i++) model->parameters[i] += step * move[i];
    numerical = (loss[0] - loss[1]) / (2 * step);
    ok(fabs(slope - numerical) < 1e-7 * (1 + fabs(slope)), "%s: gradient of the parameters (%.9g, %.9g)", b->name,
       slope, numerical);
    free(move);
    lat_field_free(direction);
}

/* The reverse sweep, of links that were recorded and of others */
static void test_backward(const example *e, flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    const double weight = 0.7;
    const int count = (int)model->stack.parameter_count;
    lat_field *c = lat_field_algebra(b.g, e->group, LAT_DOUBLE), *bar = lat_field_algebra(b.g, e->group, LAT_DOUBLE);
    double *gradient[2] = {lat_alloc(count, sizeof(double)), lat_alloc(count, sizeof(double))}, log_det[2], apart[2],
           worst = 0;
    lat_random r = stream(4);
    lat_field_gaussian(c, &r);
    for (int lane = 0; lane < b.g->lanes; lane++) b.weight[lane] = weight;
    for (int recorded = 0; recorded < 2; recorded++) {
        lat_field *cotangent = recorded ? bar : b.cotangent;
        map_links(&b, log_det);
        lat_gauge_copy(b.other, b.u); /* the origin of the linear function */
        lat_field_copy(cotangent, c);
        if (recorded) {
            lat_gauge_copy(b.u, b.v);
            flow_record(b.map, b.u, b.density);
        }
        flow_backward(b.map, b.u, cotangent, b.weight, gradient[recorded]);
        MPI_Allreduce(MPI_IN_PLACE, gradient[recorded], count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
        apart[recorded] = distance(b.u, b.v);
    }
    ok(apart[0] < 1e-11 && apart[1] == 0,
       "%s: the reverse sweep recovers the start (%.1e), where it was recorded to the last bit", e->name, apart[0]);
    for (int i = 0; i < count; i++)
        worst = fmax(worst, fabs(gradient[0][i] - gradient[1][i]) / (1 + fabs(gradient[0][i])));
    lat_field_axpy(bar, -1, b.cotangent);
    ok(worst < 1e-9 && dot_fields(bar, bar) < 1e-20 * dot_fields(c, c), "... with the same gradient (%.1e) and cotangent",
       worst);
    test_slopes(&b, model, c, gradient[0], weight);
    free(gradient[0]);
    free(gradient[1]);
    lat_field_free(c);
    lat_field_free(bar);
    free_bench(&b);
}

/* Pushing g to U and pulling it back with weight 1 for log det is the identity: J^T J^-T (g - dlog det) + dlog det
 * = g. */
static void test_push(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    lat_field *g = lat_field_algebra(b.g, e->group, LAT_DOUBLE);
    lat_random r = stream(7);
    double log_det[2], pushed[2];
    lat_field_gaussian(g, &r);
    lat_field_copy(b.cotangent, g);
    map_links(&b, log_det);
    lat_gauge_copy(b.other, b.u);
    lat_gauge_copy(b.u, b.v);
    lat_field_zero(b.density);
    flow_push(b.map, b.u, b.cotangent, b.density);
    lat_sum(b.density, pushed);
    double apart = distance(b.u, b.other);
    for (int lane = 0; lane < b.g->lanes; lane++) b.weight[lane] = 1;
    flow_backward(b.map, b.u, b.cotangent, b.weight, NULL);
    lat_field_axpy(b.cotangent, -1, g);
    double off = sqrt(dot_fields(b.cotangent, b.cotangent) / dot_fields(g, g));
    ok(apart == 0 && pushed[1] == log_det[1] && off < 1e-10,
       "%s: push maps as forward does, and pulling back gives the start (%.1e)", e->name, off);
    lat_field_free(g);
    free_bench(&b);
}

/* ------------------------------------------------------------------------------------------------- ranks and lanes */

static uint64_t fingerprint(const lat_field *f, int member)
{
    int64_t n = f->geometry->volume * f->components;
    double *values = lat_alloc(n, sizeof *values);
    uint64_t hash = 1469598103934665603ull;
    lat_field_gather(f, member, values);
    for (size_t i = 0; i < (size_t)n * sizeof *values; i++)
        hash = (hash ^ ((unsigned char *)values)[i]) * 1099511628211ull;
    free(values);
    return hash;
}

static void test_independence(const example *e, const flow_model *model)
{
    enum { PRINTS = 4, MOST = 32 };
    const int count = (int)model->stack.parameter_count;
    uint64_t hash[2][PRINTS];
    double log_det[2][2], gradient[2][MOST] = {{0}};
    for (int alone = 0; alone < 2; alone++) {
        MPI_Comm comm = alone ? MPI_COMM_SELF : MPI_COMM_WORLD;
        bench b = make_bench(comm, e, model, 2, LAT_DOUBLE, !alone);
        lat_action *wilson = lat_action_wilson(e->group, 2.0), *action = flow_pullback(b.map, wilson);
        map_links(&b, log_det[alone]);
        hash[alone][0] = fingerprint(b.u->links, 1);
        flow_inverse(b.map, b.u, b.density);
        hash[alone][1] = fingerprint(b.u->links, 1);
        lat_action_force(action, b.v, 1, b.cotangent);
        hash[alone][2] = fingerprint(b.cotangent, 1);
        lat_field_zero(b.cotangent);
        flow_push(b.map, b.v, b.cotangent, b.density);
        hash[alone][3] = fingerprint(b.cotangent, 1);
        for (int lane = 0; lane < b.g->lanes; lane++) b.weight[lane] = 0.3;
        flow_backward(b.map, b.v, b.cotangent, b.weight, gradient[alone]);
        MPI_Allreduce(MPI_IN_PLACE, gradient[alone], count, MPI_DOUBLE, MPI_SUM, comm);
        lat_action_free(action);
        lat_action_free(wilson);
        free_bench(&b);
    }
    ok_all(memcmp(hash[0], hash[1], sizeof hash[0]) == 0 && memcmp(log_det[0], log_det[1], sizeof log_det[0]) == 0,
           "%s: map, log det, inverse, force and push are the same to the last bit on %d ranks", e->name, tap.ranks);
    ok_all(memcmp(gradient[0], gradient[1], sizeof gradient[0]) == 0, "%s: so is the gradient of the parameters",
           e->name);
}

/* --------------------------------------------------------------------------------------------------------------
 * audit */

/* The largest excess of an audit of all layers, one of which has a fault. */
static double audit(bench *b, int layer, fault what)
{
    const lat_random random = {.seed = 5, .purpose = LAT_RANDOM_AUDIT};
    mc_deviation worst[MC_CHECKS] = {{0}};
    lat_error error = {0};
    mc_auditor auditor;
    double log_det[2], excess = 0;
    flow_layer *planted_in = b->map->model->stack.layer[layer];
    plant_table(&flow_layer_masked_stout, what, false, 0);
    if (what != NONE) planted_in->table = &faulty;
    mc_auditor_create(b->map, &auditor, &error);
    map_links(b, log_det);
    mc_audit(&auditor, &random, true, b->v, b->u, log_det, worst, &error);
    for (int i = 0; i < MC_CHECKS; i++) excess = fmax(excess, worst[i].excess);
    mc_auditor_free(&auditor);
    planted_in->table = &flow_layer_masked_stout;
    return error.status ? INFINITY : excess;
}

static void test_audit(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    double fine = audit(&b, 1, NONE), all = audit(&b, 1, LOG_DET), one = audit(&b, 0, LOG_DET_OF_SITE);
    ok(fine > 0 && fine < 0.6, "%s: audits find nothing (%.2g)", e->name, fine);
    ok(all > 1 && one > 1, "%s: but a log det that is a thousandth too large (%.2g), or wrong at one site (%.2g)",
       e->name, all, one);
    free_bench(&b);
}

/* ------------------------------------------------------------------------------------------------- what it begins
 * with */

/* The identity, or with rho the links of stout smearing, where they are active */
static void test_smearing(lat_group group)
{
    const example e = {"rho", group, 4, {4, 2, 4, 2}, STOUT("rho = [0.1];")};
    const example one = {"none", group, 4, {4, 2, 4, 2}, STOUT("repeat = 8;")};
    flow_model *model = model_of_example(&e, 0), *identity = model_of_example(&one, 0);
    bench b = make_bench(MPI_COMM_WORLD, &e, model, 2, LAT_DOUBLE, true),
          i = make_bench(MPI_COMM_WORLD, &one, identity, 2, LAT_DOUBLE, true);
    double log_det[2], x[18], y[18], worst = 0;
    map_links(&i, log_det);
    ok(distance(i.u, i.v) < 1e-14 && fabs(log_det[1]) < 1e-12, "%s: it begins as the identity", lat_group_names[group]);
    map_links(&b, log_det);
    lat_gauge_copy(b.other, b.v);
    lat_smear(b.other, LAT_SMEARING_STOUT, 1, 0.1, 4);
    const flow_step *step = b.map->steps->step[0];
    for (int64_t link = 0; link < b.g->sites * 4; link++)
        for (int lane = 0; lane < b.g->lanes; lane++) {
            if (!used(b.g, lane)) continue;
            get_link(b.u, link, lane, x);
            get_link(step->layer->table->active(step, link / 4, (int)(link % 4)) ? b.other : b.v, link, lane, y);
            worst = fmax(worst, mc_link_distance(group, x, y));
        }
    ok_all(worst < 1e-13, "%s: links of stout smearing at active sites, and no others change (%.1e)",
           lat_group_names[group], worst);
    free_bench(&b);
    free_bench(&i);
    flow_model_free(model);
    flow_model_free(identity);
}

static void test_refused(const char *keys, const char *word)
{
    lat_error error = {0};
    flow_model *model;
    char *layers = lat_text(STOUT("%s"), keys);
    ok(try_model(layers, LAT_SU3, 4, &model, &error) == LAT_CONFIG && strstr(error.text, word), "%s: %s", keys,
       error.text);
    free(layers);
}

/* The ends of the bound: all loops 1, where the block of a link is 1 - c; and active links anywhere between staples
 * of 1, where X and the roots of ad_X are as long as they get. */
static void test_bound(lat_group group)
{
    const example e = {"bound", group, 4, {4, 2, 2, 2}, STOUT("")};
    flow_model *model = model_of_example(&e, 0);
    lat_error error = {0};
    const double most = lat_algebra_reals(group) * log(1 - FLOW_MASKED_STOUT_BOUND);
    model->parameters[0] = 1e9;
    bench b = make_bench(MPI_COMM_WORLD, &e, model, 2, LAT_DOUBLE, true);
    const flow_step *step = b.map->steps->step[0];
    const lat_random random = stream(9);
    double there[2], back[2], excess;
    lat_gauge_copy(b.v, b.other); /* unit links */
    map_links(&b, there);
    ok_near(there[1], 16 * most, 1e-9 * fabs(most), "log det of unit links");
    lat_field_gaussian(b.cotangent, &random);
    for (int64_t i = 0; i < b.g->sites * b.cotangent->components * b.g->lanes; i++) {
        int64_t link = i / b.g->lanes / lat_algebra_reals(group);
        ((double *)b.cotangent->data)[i] *= step->layer->table->active(step, link / 4, (int)(link % 4)) ? 2 : 0;
    }
    lat_gauge_exp_update(b.v, 1, b.cotangent);
    excess = audit(&b, 0, NONE);
    map_links(&b, there);
    lat_field_zero(b.density);
    flow_inverse(b.map, b.u, b.density);
    lat_sum(b.density, back);
    ok(excess < 0.6 && fabs(there[1] - back[1]) < 1e-10 && distance(b.u, b.v) < 1e-12 &&
           flow_map_failed(b.map, &error) == LAT_DONE,
       "%s: between staples of 1 with the largest coefficient: audit %.2g, inverse %.1e, log det %.1e",
       lat_group_names[group], excess, distance(b.u, b.v), fabs(there[1] - back[1]));
    free_bench(&b);
    flow_model_free(model);
}

/* Links that are no numbers cannot be inverted, and everybody hears of it. */
static void test_failure(void)
{
    lat_error error = {0};
    flow_model *model = model_of_example(&examples[4], 0.5);
    bench b = make_bench(MPI_COMM_WORLD, &examples[4], model, 2, LAT_DOUBLE, true);
    if (tap.rank == 0) ((double *)b.v->links->data)[0] = NAN;
    flow_inverse(b.map, b.v, b.density);
    ok_all(flow_map_failed(b.map, &error) == LAT_NUMERICAL && strstr(error.text, "masked_stout"), "a NaN: %s",
           error.text);
    free_bench(&b);
    flow_model_free(model);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const example *e = &examples[i];
        flow_model *model = model_of_example(e, 0.6), *strong = model_of_example(e, 1e6);
        test_inverse(e, model, LAT_DOUBLE, "");
        test_inverse(e, model, LAT_FLOAT, "");
        test_inverse(e, strong, LAT_DOUBLE, ", huge parameters");
        test_covariance(e, model);
        test_backward(e, model);
        test_push(e, model);
        test_independence(e, model);
        test_audit(e, model);
        flow_model_free(model);
        flow_model_free(strong);
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole && tap.ranks == 1; i++) {
        flow_model *model = model_of_example(&whole[i], 0.6);
        test_log_det(&whole[i], model);
        flow_model_free(model);
    }
    for (int group = 0; group < LAT_GROUPS; group++) {
        test_smearing((lat_group)group);
        test_bound((lat_group)group);
    }
    test_refused("rho = [0.16];", "one to one");
    test_refused("rho = [0.1, 0.1];", "2 numbers");
    test_refused("loops = [\"chair\"];", "chair");
    test_refused("loops = [\"plaquette\", \"plaquette\"];", "twice");
    test_refused("loops = [];", "empty");
    test_failure();
    return tap_end();
}
