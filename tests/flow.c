/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * flow.c: properties that every flow must have, over transforms, loops, networks, dimensions, lattices and ranks: inverse,
 * covariance, log det against the determinant of the numerical Jacobian, reverse sweep and push against finite
 * differences, and the same bits on any number of ranks.
 */
#include "tests/tap.h"

#include "tests/flow_bench.h"

#include <lapacke.h>

typedef struct {
    const char *name, *layers;
    int dim;
    int64_t size[LAT_MAX_DIM];
    double strength; /* of the random parameters: far from the identity, yet well-conditioned */
    lat_group group;
} example;

static const example examples[] = {
    {"spline", "layers = ( { kind = \"plaquette_coupling\"; repeat = 16; knots = 5; activation = \"tanh\"; } );", 2, {8, 8}, 0.2, LAT_U1},
    {"tangents", "layers = ( { kind = \"plaquette_coupling\"; repeat = 8; transform = \"tangents\"; knots = 2; } );", 2, {8, 12}, 0.5, LAT_U1},
    {"larger loops, silu", "layers = ( { kind = \"plaquette_coupling\"; repeat = 8; knots = 4; activation = \"silu\"; hidden = [5];"
     " loops = [\"1x1\", \"1x2\", \"2x1\", \"2x2\"]; } );", 2, {8, 8}, 0.3, LAT_U1},
    {"dilated, tanh, 5x5", "layers = ( { kind = \"plaquette_coupling\"; repeat = 4; kernel = 5; hidden = [3, 4]; dilation = [1, 2, 1];"
     " activation = \"tanh\"; } );", 2, {16, 16}, 0.2, LAT_U1},
    {"no hidden layer", "layers = ( { kind = \"plaquette_coupling\"; repeat = 8; hidden = []; kernel = 1; } );", 2, {8, 4}, 0.5, LAT_U1},
    {"three dimensions", "layers = ( { kind = \"plaquette_coupling\"; activation = \"silu\"; repeat = 12; hidden = [4]; knots = 3; loops = [\"1x1\", \"1x2\"]; } );", 3, {4, 8, 4}, 0.15, LAT_U1},
    {"multiscale", "layers = ( { kind = \"multiscale\"; levels = 6; split = { hidden = [4]; knots = 4; activation = \"silu\"; harmonics = 3; }; } );", 2, {8, 8}, 0.5, LAT_U1},
    {"multiscale, odd extents, layers at each scale", "layers = ( { kind = \"multiscale\"; levels = 5; split = { hidden = [4]; knots = 3; kernel = 3; };"
     " layers = ( { kind = \"plaquette_coupling\"; repeat = 3; hidden = [3]; knots = 3; } ); }, { kind = \"plaquette_coupling\"; repeat = 2; hidden = [3]; } );",
     2, {8, 12}, 0.3, LAT_U1},
    {"multiscale, even splines", "layers = ( { kind = \"multiscale\"; levels = 6; split = { transform = \"even_spline\"; hidden = [4]; knots = 4;"
     " activation = \"tanh\"; harmonics = 3; }; } );", 2, {8, 8}, 0.5, LAT_U1},
    {"multiscale, even splines, further loops, three dimensions", "layers = ( { kind = \"multiscale\"; levels = 4; split = { transform = \"even_spline\";"
     " hidden = [3]; knots = 3; kernel = 3; loops = [\"1x1\", \"1x2\", \"2x1\", \"2x2\"]; }; } );", 3, {4, 8, 4}, 0.3, LAT_U1},
    {"multiscale, three dimensions", "layers = ( { kind = \"multiscale\"; levels = 4; split = { hidden = [3]; knots = 3; loops = [\"1x1\", \"1x2\", \"2x1\"]; }; } );", 3, {4, 8, 4}, 0.3, LAT_U1},
    {"SU(2), stout", "layers = ( { kind = \"stout\"; repeat = 4; steps = 2; degree = 2; } );", 2, {8, 8}, 0.15, LAT_SU2},
    {"SU(2), multiscale", "layers = ( { kind = \"multiscale\"; levels = 6; split = { kind = \"stout\"; steps = 3; }; } );", 2, {8, 4}, 0.15, LAT_SU2},
    {"SU(2), multiscale, odd extents, three dimensions", "layers = ( { kind = \"multiscale\"; levels = 4; split = { kind = \"stout\"; steps = 1; }; layers = ("
     " { kind = \"stout\"; repeat = 2; steps = 1; } ); } );", 3, {4, 6, 2}, 0.15, LAT_SU2},
    {"SU(3), stout", "layers = ( { kind = \"stout\"; repeat = 4; steps = 2; degree = 2; } );", 2, {4, 4}, 0.1, LAT_SU3},
    {"SU(3), multiscale", "layers = ( { kind = \"multiscale\"; levels = 3; split = { kind = \"stout\"; steps = 2; }; } );", 2, {4, 4}, 0.1, LAT_SU3},
};
enum { EXAMPLES = sizeof examples / sizeof *examples };

static lat_random stream(uint64_t step) { return (lat_random){.seed = 11, .purpose = LAT_RANDOM_TEST, .step = step}; }

static flow_model *make_model(const example *e)
{
    lat_error error = {0};
    lat_settings *settings;
    flow_model *model;
    if (lat_settings_parse(e->layers, e->name, &settings, &error) || flow_model_create(settings, flow_layer_kinds, e->group, e->dim, 3, &model, &error))
        lat_abort(error.status, "%s", error.text);
    lat_settings_free(settings);
    /* far from the identity */
    lat_random random = stream(77);
    for (int64_t i = 0; i < model->stack.parameter_count; i++) {
        double u[4];
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        model->parameters[i] += e->strength * (u[0] - 0.5);
    }
    model->version++;
    return model;
}

static bench make_bench(MPI_Comm comm, const example *e, const flow_model *model, int members, lat_precision precision, bool lanes)
{
    lat_random random = stream(1);
    return bench_of(comm, e->name, e->size, model, members, precision, lanes, &random);
}

static void test_inverse(const example *e, const flow_model *model, lat_precision precision)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 3, precision, true);
    double there[3], back[3], tolerance = precision == LAT_FLOAT ? 2e-3 : 1e-10;
    map_links(&b, there);
    ok(distance(b.u, b.v) > 0.1, "%s: the map does something", e->name);
    lat_field_zero(b.density);
    flow_inverse(b.map, b.u, b.density);
    lat_sum(b.density, back);
    double apart = distance(b.u, b.v);
    ok(apart < tolerance, "%s: inverse of forward is the identity (%s: %.1e)", e->name, lat_precision_names[precision], apart);
    ok(fabs(there[2] - back[2]) < 10 * tolerance, "%s: both give the same log det (%.1e)", e->name, fabs(there[2] - back[2]));
    free_bench(&b);
}

static void test_covariance(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    double before[2], after[2];
    map_links(&b, before);
    lat_field *turn = lat_field_create(b.g, lat_link_reals(e->group), LAT_DOUBLE);
    lat_random random = stream(2);
    lat_field_haar(turn, e->group, &random);
    lat_halo_exchange(turn);
    lat_gauge_transform(b.u, turn);
    lat_gauge_copy(b.other, b.u);
    lat_gauge_transform(b.v, turn);
    map_links(&b, after);
    ok(distance(b.u, b.other) < 1e-10, "%s: gauge covariance", e->name);
    ok(fabs(before[0] - after[0]) < 1e-9, "%s: log det is gauge invariant", e->name);
    lat_field_free(turn);
    free_bench(&b);
}

/* u <- the image of v moved by `step` along component j, of member 0 on one lane */
static void move_component(bench *b, lapack_int j, double step, lat_gauge *u)
{
    double unused;
    lat_field_zero(b->cotangent);
    ((double *)b->cotangent->data)[(int64_t)j * b->g->lanes] = 1;
    lat_gauge_copy(b->other, b->v);
    lat_gauge_exp_update(b->v, step, b->cotangent);
    map_links(b, &unused);
    lat_gauge_copy(b->v, b->other);
    lat_gauge_copy(u, b->u);
}

/* The whole Jacobian of member 0 by central differences, on one rank. */
static void test_log_det(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_SELF, e, model, 1, LAT_DOUBLE, false);
    const int algebra = lat_algebra_reals(e->group);
    lapack_int n = (lapack_int)(b.g->volume * b.g->dim * algebra);
    double log_det = 0, step = 1e-5, unused, *jacobian = lat_alloc((int64_t)n * n, sizeof *jacobian), x[MOST_REALS], y[MOST_REALS], moved[MOST_ALGEBRA];
    lapack_int *pivot = lat_alloc(n, sizeof *pivot);
    lat_gauge *ahead = lat_gauge_create(b.g, e->group, LAT_DOUBLE), *behind = lat_gauge_create(b.g, e->group, LAT_DOUBLE);
    for (lapack_int j = 0; j < n; j++) {
        move_component(&b, j, step, ahead);
        move_component(&b, j, -step, behind);
        for (lapack_int i = 0; i < n; i += algebra) {
            get_link(ahead, i / algebra, 0, x);
            get_link(behind, i / algebra, 0, y);
            mc_link_logarithm(e->group, x, y, moved);
            for (int a = 0; a < algebra; a++) jacobian[(i + a) * n + j] = moved[a] / (2 * step);
        }
    }
    LAPACKE_dgetrf(LAPACK_ROW_MAJOR, n, n, jacobian, n, pivot);
    for (lapack_int i = 0; i < n; i++) log_det += log(fabs(jacobian[i * n + i]));
    double exact = map_links(&b, &unused);
    ok(fabs(exact - log_det) < 1e-5 * (1 + fabs(exact)), "%s: log det is that of the numerical Jacobian (%.9g, %.9g)", e->name, exact, log_det);
    free(jacobian);
    free(pivot);
    lat_gauge_free(ahead);
    lat_gauge_free(behind);
    free_bench(&b);
}

/* The reverse sweep after flow_record gives what it gives without; b->cotangent holds that. */
static void test_recorded(bench *b, const example *e, const lat_field *c, const double *gradient)
{
    int64_t n = b->map->model->stack.parameter_count;
    double *again = lat_alloc(n, sizeof *again), worst = 0, largest = 0;
    lat_field *bar = lat_field_algebra(b->g, e->group, LAT_DOUBLE);
    lat_gauge *image = lat_gauge_create(b->g, e->group, LAT_DOUBLE);
    lat_field_copy(bar, c);
    lat_gauge_copy(image, b->v);
    flow_forward(b->map, image, b->density);
    lat_gauge_copy(b->u, b->v);
    lat_field_zero(b->density);
    flow_record(b->map, b->u, b->density);
    ok(distance(b->u, image) == 0, "%s: recorded, it is the same map", e->name);
    lat_gauge_free(image);
    flow_backward(b->map, b->u, bar, b->weight, again);
    MPI_Allreduce(MPI_IN_PLACE, again, (int)n, MPI_DOUBLE, MPI_SUM, b->g->comm);
    for (int64_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs(again[i] - gradient[i]));
        largest = fmax(largest, fabs(gradient[i]));
    }
    ok(worst < 1e-8 * largest && distance(b->u, b->v) < 1e-10, "%s: so does one that was recorded, with the same gradient", e->name);
    lat_field_axpy(bar, -1, b->cotangent);
    double difference = sqrt(dot_fields(bar, bar) / dot_fields(c, c));
    ok(difference < 1e-8, "%s: and with the same cotangent (%.1e)", e->name, difference);
    lat_field_free(bar);
    free(again);
}

static void test_backward(const example *e, flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    lat_field *c = lat_field_algebra(b.g, e->group, LAT_DOUBLE), *direction = lat_field_algebra(b.g, e->group, LAT_DOUBLE);
    lat_random r = stream(4), s = stream(5), t = stream(6);
    lat_field_gaussian(c, &r);
    lat_field_gaussian(direction, &s);
    const double weight = 0.7, step = 1e-5;
    double unused[2];
    map_links(&b, unused);
    lat_gauge_copy(b.other, b.u); /* the origin of the linear function */
    lat_field_copy(b.cotangent, c);
    for (int lane = 0; lane < b.g->lanes; lane++) b.weight[lane] = weight;
    double *gradient = lat_alloc(model->stack.parameter_count, sizeof *gradient);
    flow_backward(b.map, b.u, b.cotangent, b.weight, gradient);
    MPI_Allreduce(MPI_IN_PLACE, gradient, (int)model->stack.parameter_count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    ok(distance(b.u, b.v) < 1e-10, "%s: the reverse sweep recovers the start", e->name);
    test_recorded(&b, e, c, gradient);

    double slope = dot_fields(b.cotangent, direction);
    lat_gauge_exp_update(b.v, step, direction);
    double ahead = linear_loss(&b, c, weight);
    lat_gauge_exp_update(b.v, -2 * step, direction);
    double behind = linear_loss(&b, c, weight);
    lat_gauge_exp_update(b.v, step, direction);
    double numerical = (ahead - behind) / (2 * step);
    ok(fabs(slope - numerical) < 1e-6 * (1 + fabs(slope)), "%s: cotangent of the field (%.9g, %.9g)", e->name, slope, numerical);

    double *move = lat_alloc(model->stack.parameter_count, sizeof *move), loss[2];
    slope = 0;
    for (int64_t i = 0; i < model->stack.parameter_count; i++) {
        double u[4];
        lat_uniform4(&t, (uint64_t)i, 0, 0, 0, u);
        move[i] = u[0] - 0.5;
        slope += move[i] * gradient[i];
    }
    for (int side = 0; side < 2; side++) {
        for (int64_t i = 0; i < model->stack.parameter_count; i++) model->parameters[i] += (side ? -2 : 1) * step * move[i];
        model->version++;
        loss[side] = linear_loss(&b, c, weight);
    }
    for (int64_t i = 0; i < model->stack.parameter_count; i++) model->parameters[i] += step * move[i];
    model->version++;
    numerical = (loss[0] - loss[1]) / (2 * step);
    ok(fabs(slope - numerical) < 1e-5 * (1 + fabs(slope)), "%s: gradient of the parameters (%.9g, %.9g)", e->name, slope, numerical);
    free(gradient);
    free(move);
    lat_field_free(c);
    lat_field_free(direction);
    free_bench(&b);
}

/* Pushing g to U and pulling it back with weight 1 for log det is the identity: J^T J^-T (g - dlog det) + dlog det = g. */
static void test_push(const example *e, const flow_model *model)
{
    bench b = make_bench(MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, true);
    lat_field *g = lat_field_algebra(b.g, e->group, LAT_DOUBLE);
    lat_random r = stream(7);
    lat_field_gaussian(g, &r);
    lat_field_copy(b.cotangent, g);
    double log_det[2];
    map_links(&b, log_det);
    lat_gauge_copy(b.other, b.u);
    lat_gauge_copy(b.u, b.v);
    lat_field_zero(b.density);
    flow_push(b.map, b.u, b.cotangent, b.density);
    double pushed[2];
    lat_sum(b.density, pushed);
    ok(distance(b.u, b.other) < 1e-12, "%s: push maps the field as forward does", e->name);
    ok(fabs(pushed[0] - log_det[0]) < 1e-10, "%s: with the same log det", e->name);
    for (int lane = 0; lane < b.g->lanes; lane++) b.weight[lane] = 1;
    flow_backward(b.map, b.u, b.cotangent, b.weight, NULL);
    double worst = 0, size = 0;
    for (int64_t i = 0; i < reals(g); i++) {
        if (!used(b.g, i)) continue;
        worst = fmax(worst, fabs(((double *)g->data)[i] - ((double *)b.cotangent->data)[i]));
        size = fmax(size, fabs(((double *)g->data)[i]));
    }
    ok_all(worst < 1e-8 * size, "%s: pulling back what was pushed gives the start", e->name);
    lat_field_free(g);
    free_bench(&b);
}

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

static void test_independence(const example *e, const flow_model *model)
{
    uint64_t hash[2][3];
    int64_t memory[2];
    double log_det[2][2];
    for (int alone = 0; alone < 2; alone++) {
        bench b = make_bench(alone ? MPI_COMM_SELF : MPI_COMM_WORLD, e, model, 2, LAT_DOUBLE, !alone);
        lat_action *action = flow_pullback(b.map, lat_action_wilson(e->group, 2.0));
        memory[alone] = b.map->memory;
        map_links(&b, log_det[alone]);
        hash[alone][0] = fingerprint(b.u->links, 1);
        lat_action_force(action, b.v, 1, b.cotangent);
        hash[alone][1] = fingerprint(b.cotangent, 1);
        lat_field_zero(b.cotangent);
        flow_push(b.map, b.v, b.cotangent, b.density);
        hash[alone][2] = fingerprint(b.cotangent, 1);
        lat_action_free(action);
        free_bench(&b);
    }
    ok_all(memcmp(hash[0], hash[1], sizeof hash[0]) == 0, "%s: map, force and push are the same to the last bit", e->name);
    ok_all(memcmp(log_det[0], log_det[1], sizeof log_det[0]) == 0, "%s: so is log det", e->name);
    ok_all(memory[0] == memory[1] && memory[0] > 0, "%s: as many layers keep what they computed", e->name);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    for (int i = 0; i < EXAMPLES; i++) {
        flow_model *model = make_model(&examples[i]);
        test_inverse(&examples[i], model, LAT_DOUBLE);
        test_inverse(&examples[i], model, LAT_FLOAT);
        test_covariance(&examples[i], model);
        if (tap.ranks == 1) test_log_det(&examples[i], model);
        test_backward(&examples[i], model);
        test_push(&examples[i], model);
        test_independence(&examples[i], model);
        flow_model_free(model);
    }
    return tap_end();
}
