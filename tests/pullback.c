/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * pullback.c: actions that a flow makes of actions: the value, the force of each level against finite differences, an action that is
 * no sum over sites, and auxiliary fields, which are drawn for the mapped links.
 */
#include "tests/tap.h"

#include "flows/flows.h"

enum { MEMBERS = 2 };

/* S = 1/2 (W - a)^2 for each member, W a Wilson action, a an auxiliary number that refresh puts `drawn` below the present W. */
typedef struct {
    lat_action base;
    lat_action *wilson;
    double auxiliary[MEMBERS], drawn[MEMBERS];
} squared;

static void squared_total(lat_action *action, lat_gauge *gauge, double *out)
{
    squared *s = (squared *)action;
    double sum[MEMBERS];
    lat_action_total(s->wilson, gauge, sum);
    for (int m = 0; m < MEMBERS; m++) out[m] += 0.5 * (sum[m] - s->auxiliary[m]) * (sum[m] - s->auxiliary[m]);
}

static void squared_force(lat_action *action, int level, lat_gauge *gauge, double scale, lat_field *force)
{
    (void)level;
    squared *s = (squared *)action;
    const lat_geometry *g = gauge->links->geometry;
    double sum[MEMBERS];
    lat_action_total(s->wilson, gauge, sum);
    lat_field *one = lat_field_algebra(g, LAT_U1, LAT_DOUBLE);
    lat_action_force(s->wilson, gauge, scale, one);
    for (int64_t i = 0; i < g->sites * one->components * g->lanes; i++) {
        int m = g->lane_member[i % g->lanes];
        if (m < MEMBERS) ((double *)force->data)[i] += (sum[m] - s->auxiliary[m]) * ((double *)one->data)[i];
    }
    lat_field_free(one);
}

static void squared_refresh(lat_action *action, lat_gauge *gauge, const lat_random *random)
{
    squared *s = (squared *)action;
    lat_action_total(s->wilson, gauge, s->auxiliary);
    for (int m = 0; m < MEMBERS; m++) {
        double u[4];
        lat_uniform4(random, 0, 0, (uint64_t)m, 0, u);
        s->drawn[m] = u[0];
        s->auxiliary[m] -= u[0];
    }
}

static void squared_free(lat_action *action)
{
    lat_action_free(((squared *)action)->wilson);
    free(action);
}

static const lat_action_table squared_table = {.name = "squared",
                                               .total = squared_total,
                                               .force = squared_force,
                                               .refresh = squared_refresh,
                                               .free = squared_free};

static lat_action *squared_action(void)
{
    squared *s = lat_alloc(1, sizeof *s);
    s->base = (lat_action){.table = &squared_table, .group = LAT_U1, .halo = 1, .levels = 1, .auxiliary = true};
    s->wilson = lat_action_wilson(LAT_U1, 0.8);
    return &s->base;
}

/* ---------------------------------------------------------------------------------------------------------- the flow */

typedef struct {
    flow_model *model;
    lat_geometry *g;
    flow_map *map;
    lat_gauge *v, *u;
    lat_field *density, *direction;
} bench;

static lat_settings *parse(const char *text)
{
    lat_error error = {0};
    lat_settings *settings;
    if (lat_settings_parse(text, "test", &settings, &error)) lat_abort(error.status, "%s", error.text);
    return settings;
}

static bench bench_of(void)
{
    lat_error error = {0};
    bench b = {0};
    lat_settings *flow = parse("layers = ( { kind = \"plaquette_coupling\"; repeat = 8; transform = \"tangents\"; "
                               "knots = 2; hidden = [3]; activation = \"tanh\"; } );");
    flow_model_create(flow, flow_layer_kinds, LAT_U1, 2, 3, &b.model, &error);
    lat_random random = {.seed = 8, .purpose = LAT_RANDOM_TEST};
    for (int64_t i = 0; i < b.model->stack.parameter_count; i++) {
        double u[4];
        lat_uniform4(&random, (uint64_t)i, 0, 0, 0, u);
        b.model->parameters[i] += 0.4 * (u[0] - 0.5);
    }
    lat_shape shape = {.dim = 2, .size = {8, 8}, .members = MEMBERS, .period = 4, .halo = 2, .corners = 2};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &b.g, &error) == LAT_DONE)
        flow_map_create(b.model, b.g, LAT_DOUBLE, &b.map, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    b.v = lat_gauge_create(b.g, LAT_U1, LAT_DOUBLE);
    b.u = lat_gauge_create(b.g, LAT_U1, LAT_DOUBLE);
    b.density = lat_field_create(b.g, 1, LAT_DOUBLE);
    b.direction = lat_field_algebra(b.g, LAT_U1, LAT_DOUBLE);
    lat_gauge_haar(b.v, &random);
    lat_field_gaussian(b.direction, &(lat_random){.seed = 9, .purpose = LAT_RANDOM_TEST});
    lat_settings_free(flow);
    return b;
}

static void bench_free(bench *b)
{
    lat_gauge_free(b->v);
    lat_gauge_free(b->u);
    lat_field_free(b->density);
    lat_field_free(b->direction);
    flow_map_free(b->map);
    flow_model_free(b->model);
    lat_geometry_free(b->g);
}

/* sum over the members of action(F(V)) - share log det */
static double by_hand(bench *b, lat_action *action, double share)
{
    double log_det[MEMBERS], sum[MEMBERS], all = 0;
    lat_gauge_copy(b->u, b->v);
    lat_field_zero(b->density);
    flow_forward(b->map, b->u, b->density);
    lat_sum(b->density, log_det);
    lat_action_total(action, b->u, sum);
    for (int m = 0; m < MEMBERS; m++) all += sum[m] - share * log_det[m];
    return all;
}

/* Of that, along the direction. */
static double slope_by_hand(bench *b, lat_action *action, double share)
{
    const double h = 1e-4;
    double value[2];
    for (int side = 0; side < 2; side++) {
        lat_gauge_exp_update(b->v, side ? -2 * h : h, b->direction);
        value[side] = by_hand(b, action, share);
    }
    lat_gauge_exp_update(b->v, h, b->direction);
    return (value[0] - value[1]) / (2 * h);
}

/* 3 force of a level, added to what is there, along the direction, by three. */
static double slope_of_level(bench *b, lat_action *pulled, int level)
{
    lat_field *force = lat_field_algebra(b->g, LAT_U1, LAT_DOUBLE);
    double slope = 0;
    lat_field_copy(force, b->direction);
    pulled->table->force(pulled, level, b->v, 3, force);
    lat_field_axpy(force, -1, b->direction);
    for (int64_t i = 0; i < b->g->sites * force->components * b->g->lanes; i++)
        if (b->g->lane_member[i % b->g->lanes] < MEMBERS)
            slope += ((double *)force->data)[i] * ((double *)b->direction->data)[i] / 3;
    MPI_Allreduce(MPI_IN_PLACE, &slope, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    lat_field_free(force);
    return slope;
}

/* sum over the members of the pulled-back action */
static double value_of(bench *b, lat_action *pulled)
{
    double sum[MEMBERS], all = 0;
    lat_action_total(pulled, b->v, sum);
    for (int m = 0; m < MEMBERS; m++) all += sum[m];
    return all;
}

static void test_levels(bench *b)
{
    lat_error error = {0};
    lat_settings *root = parse(
        "action = ( { kind = \"improved\"; beta = 0.9; c1 = -0.1; }, { kind = \"wilson\"; beta = 0.7; level = 1; } );");
    lat_action *sum = lat_action_create(root, &(lat_action_context){.group = LAT_U1}, lat_action_kinds, &error);
    if (error.status) lat_abort(error.status, "%s", error.text);
    lat_action *part[] = {lat_action_improved(LAT_U1, 0.9, -0.1), lat_action_wilson(LAT_U1, 0.7)},
               *pulled = flow_pullback(b->map, sum);
    ok(pulled->levels == 2 && !pulled->auxiliary, "as many levels as the action has, and no auxiliary fields");
    ok(pulled->halo >= sum->halo && pulled->halo >= b->model->stack.halo && sum->halo == 2,
       "the halo is wide enough for both");
    double value = value_of(b, pulled), hand = by_hand(b, sum, 1);
    ok_near(value, hand, 1e-10 * fabs(hand), "S(F(V)) - log det");
    for (int level = 0; level < 2; level++) {
        double force = slope_of_level(b, pulled, level), numerical = slope_by_hand(b, part[level], level == 0);
        ok(fabs(force - numerical) < 1e-6 * (1 + fabs(numerical)), "force of level %d, %s log det (%.9g, %.9g)", level,
           level ? "without" : "with", force, numerical);
    }
    lat_action_free(pulled);
    lat_action_free(sum);
    lat_action_free(part[0]);
    lat_action_free(part[1]);
    lat_settings_free(root);
}

static void test_auxiliary(bench *b)
{
    lat_action *action = squared_action(), *pulled = flow_pullback(b->map, action);
    const squared *s = (const squared *)action;
    ok(pulled->auxiliary && pulled->levels == 1, "it has the auxiliary fields of the action");
    lat_action_refresh(pulled, b->v, &(lat_random){.seed = 10, .purpose = LAT_RANDOM_TEST});
    double drawn = 0, log_det[MEMBERS], value = value_of(b, pulled);
    by_hand(b, action, 1);
    lat_sum(b->density, log_det);
    for (int m = 0; m < MEMBERS; m++) drawn += 0.5 * s->drawn[m] * s->drawn[m] - log_det[m];
    ok_near(value, drawn, 1e-10 * (1 + fabs(drawn)),
            "they are drawn for the mapped links, and what is no sum over sites is counted");
    double force = slope_of_level(b, pulled, 0), numerical = slope_by_hand(b, action, 1);
    ok(fabs(force - numerical) < 1e-6 * (1 + fabs(numerical)), "its force (%.9g, %.9g)", force, numerical);
    lat_action_free(pulled);
    lat_action_free(action);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    bench b = bench_of();
    test_levels(&b);
    test_auxiliary(&b);
    bench_free(&b);
    return tap_end();
}
