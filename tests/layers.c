/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * layers.c: the table of kinds of layers, by kinds of the test's own: what cannot be inverted says so to whoever asked, what has no
 * push is refused where it is needed, and programs choose the kinds that there are; and the classes of sites that masks are made of.
 */
#include "hmc/updates/audit.h"
#include "tests/chain.h"

#include "flows/layout.h"

#include <unistd.h>

/* ---------------------------------------------------------------------------------------------------- kinds of the test */

typedef struct {
    flow_layer base;
    int64_t below; /* it fails on lattices of less sites than this, if at all */
} toy;

static flow_layer *create(const flow_layer_table *table, lat_settings *settings, lat_error *error)
{
    toy *layer = lat_alloc(1, sizeof *layer);
    *layer = (toy){{.table = table, .period = 1, .halo = 1},
                   lat_settings_int(settings, "below", 1 << 20, 0, 1 << 20, error)};
    return &layer->base;
}

static const flow_layer_table stubborn, one_way;

static flow_layer *create_stubborn(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    (void)context, (void)index;
    return create(&stubborn, settings, error);
}

static flow_layer *create_one_way(lat_settings *settings, const flow_context *context, int index, lat_error *error)
{
    (void)context, (void)index;
    return create(&one_way, settings, error);
}

static void release(flow_layer *layer) { free(layer); }

static int64_t no_parameters(const flow_layer *layer)
{
    (void)layer;
    return 0;
}

static void initialise(const flow_layer *layer, const lat_random *random, double *parameters)
{
    (void)layer, (void)random, (void)parameters;
}

static flow_step *layout(const flow_layer *layer, flow_map *map, lat_error *error)
{
    (void)error;
    flow_step *step = lat_alloc(1, sizeof *step);
    *step = (flow_step){layer, map};
    return step;
}

static void free_step(flow_step *step) { free(step); }

static void identity(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    (void)step, (void)parameters, (void)u, (void)density;
}

static void fail(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    (void)parameters, (void)u, (void)density;
    if (step->map->geometry->volume < ((const toy *)step->layer)->below)
        lat_fail(&step->map->error, LAT_NUMERICAL, "stubborn: does not converge on %lld sites: bend it less",
                 (long long)step->map->geometry->volume);
}

static void pull(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, const double *weight,
                 double *gradient)
{
    (void)step, (void)parameters, (void)u, (void)cotangent, (void)weight, (void)gradient;
}

static void push(flow_step *step, const double *parameters, lat_field *u, lat_field *cotangent, lat_field *density)
{
    (void)step, (void)parameters, (void)u, (void)cotangent, (void)density;
}

static bool active(const flow_step *step, int64_t site, int mu)
{
    (void)step, (void)site, (void)mu;
    return true;
}

/* The identity; its inverse fails. */
static const flow_layer_table stubborn = {
    .name = "stubborn",
    .create = create_stubborn,
    .free = release,
    .parameters = no_parameters,
    .initialise = initialise,
    .layout = layout,
    .free_step = free_step,
    .forward = identity,
    .inverse = fail,
    .backward = pull,
    .active = active,
    .push = push,
};

/* The identity; without push. */
static const flow_layer_table one_way = {
    .name = "one_way",
    .create = create_one_way,
    .free = release,
    .parameters = no_parameters,
    .initialise = initialise,
    .layout = layout,
    .free_step = free_step,
    .forward = identity,
    .inverse = identity,
    .backward = pull,
    .active = active,
};

static const flow_layer_table *const kinds[] = {&stubborn, &flow_layer_plaquette_coupling, &one_way,
                                                &flow_layer_multiscale, NULL};

static const char coupling[] = "{ kind = \"plaquette_coupling\"; hidden = [2]; knots = 3; }";
/* One of these on every scale of a multiscale layer; what fails, fails on the coarse ones alone. */
static const char inside[] = "{ kind = \"multiscale\"; levels = 3; split = { hidden = [2]; knots = 3; }; layers = ( { "
                             "kind = \"%s\"; below = 64; } ); }";

static lat_status try_model(const char *layers, const flow_layer_table *const *known, lat_group group,
                            flow_model **model, lat_error *error)
{
    char *text = lat_text("layers = ( %s, %s );", coupling, layers);
    lat_settings *settings;
    lat_settings_parse(text, "test", &settings, error);
    flow_model_create(settings, known, group, 2, 3, model, error);
    lat_settings_free(settings);
    free(text);
    return error->status;
}

static void require(const lat_error *error)
{
    if (error->status) lat_abort(error->status, "%s", error->text);
}

static flow_model *model_with(const char *kind, bool deep)
{
    lat_error error = {0};
    flow_model *model;
    char *layers = deep ? lat_text(inside, kind) : lat_text("{ kind = \"%s\"; }", kind);
    try_model(layers, kinds, LAT_U1, &model, &error);
    require(&error);
    free(layers);
    return model;
}

/* ------------------------------------------------------------------------------------------------------ what is refused */

static void test_kinds(void)
{
    static const flow_layer_table *const few[] = {&one_way, &flow_layer_plaquette_coupling, NULL};
    lat_error error = {0};
    flow_model *model;
    ok(try_model("{ kind = \"stubborn\"; }", few, LAT_U1, &model, &error) == LAT_CONFIG && !model &&
           strstr(error.text, "one_way"),
       "a kind that the program does not have: %s", error.text);
    error = (lat_error){0};
    ok(try_model("{ kind = \"one_way\"; }", kinds, LAT_SU2, &model, &error) == LAT_CONFIG && strstr(error.text, "u1") &&
           strstr(error.text, "su2"),
       "a group that a kind does not have: %s", error.text);
    error = (lat_error){0};
    ok(try_model("{ kind = \"multiscale\"; levels = 2; split = { kind = \"one_way\"; }; }", kinds, LAT_U1, &model,
                 &error) == LAT_CONFIG &&
           strstr(error.text, "one_way"),
       "a kind that cannot refine: %s", error.text);
}

static lat_status try_training(flow_model *model, const char *objective, lat_error *error)
{
    char *text = lat_text("objective = \"%s\"; batch = 64; %s", objective,
                          strcmp(objective, "forward") == 0 ? "ensemble = [\"none.h5\"];" : "");
    lat_settings *settings;
    flow_train_settings train;
    flow_training training = {0};
    flow_trainer *trainer = NULL;
    lat_action *action = lat_action_wilson(LAT_U1, 1);
    lat_settings_parse(text, "train", &settings, error);
    flow_train_read(settings, &train, error);
    require(error);
    flow_trainer_create(MPI_COMM_WORLD, model, action, &(lat_shape){.dim = 2, .size = {8, 8}}, LAT_DOUBLE, &train,
                        &training, &trainer, error);
    flow_trainer_free(trainer);
    flow_training_free(&training);
    flow_train_release(&train);
    lat_settings_free(settings);
    lat_action_free(action);
    free(text);
    return error->status;
}

static void test_push(bool deep)
{
    flow_model *model = model_with("one_way", deep);
    for (int i = 0; flow_objective_names[i]; i++) {
        lat_error error = {0};
        const char *name = flow_objective_names[i];
        if (strcmp(name, "reparametrise") == 0)
            ok_all(try_training(model, name, &error) == LAT_DONE, "%s needs no push", name);
        else
            ok_all(try_training(model, name, &error) == LAT_CONFIG && strstr(error.text, name) &&
                       strstr(error.text, "one_way"),
                   "%s: %s", name, error.text);
    }
    flow_model_free(model);
}

/* ---------------------------------------------------------------------------------------------------- what cannot be inverted */

static void test_map(bool deep)
{
    lat_error error = {0}, none = {0};
    flow_model *model = model_with("stubborn", deep);
    lat_geometry *g;
    flow_map *map;
    lat_shape shape = {
        .dim = 2, .size = {8, 8}, .members = 2, .period = model->stack.period, .halo = model->stack.halo, .corners = 2};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error) == LAT_DONE)
        flow_map_create(model, g, LAT_DOUBLE, &map, &error);
    require(&error);
    lat_gauge *u = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    flow_forward(map, u, density);
    ok_all(flow_map_failed(map, &none) == LAT_DONE, "forwards it goes");
    flow_inverse(map, u, density);
    flow_inverse(map, u, density);
    ok_all(flow_map_failed(map, &error) == LAT_NUMERICAL && strstr(error.text, "stubborn"), "backwards not%s: %s",
           deep ? ", deep inside" : "", error.text);
    ok_all(flow_map_failed(map, &none) == LAT_DONE, "which is told once");
    lat_gauge_free(u);
    lat_field_free(density);
    flow_map_free(map);
    lat_geometry_free(g);
    flow_model_free(model);
}

/* Each step of a chain whose update inverts the flow. */
static void test_update(const char *kind, const char *path)
{
    lat_error error = {0};
    mc_update **updates;
    int count;
    char *text = lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = 1.0; } "
                          "); chain = { seed = 5; };"
                          " updates = ( { kind = \"%s\"; model = \"%s\"; } );",
                          kind, path);
    lat_settings *root;
    mc_chain *chain;
    if (lat_settings_parse(text, "test", &root, &error) == LAT_DONE &&
        mc_chain_create(MPI_COMM_WORLD, root, lat_action_kinds, lat_dirac_tables, ".", &chain, &error) == LAT_DONE)
        mc_chain_start(chain, &error);
    require(&error);
    const mc_context context = mc_chain_context(chain, kinds);
    mc_updates_create(root, mc_update_tables, &context, &updates, &count, &error);
    require(&error);
    mc_chain_step(chain, updates, count, &error);
    ok_all(error.status == LAT_NUMERICAL && strstr(error.text, "stubborn"), "%s: %s", kind, error.text);
    mc_updates_free(updates, count);
    mc_chain_free(chain);
    lat_settings_free(root);
    free(text);
}

static void test_updates(void)
{
    lat_error error = {0};
    flow_model *model = model_with("stubborn", false);
    char *path = lat_text("layers-%d.h5", tap.ranks);
    flow_model_write(MPI_COMM_WORLD, path, model, NULL, &error);
    require(&error);
    test_update("flow", path);
    test_update("fthmc", path);
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) unlink(path);
    free(path);
    flow_model_free(model);
}

/* Stored configurations of one file. */
static void test_training(void)
{
    lat_error error = {0};
    lat_geometry *g;
    flow_model *model = model_with("stubborn", false);
    char *path = lat_text("layers-%d.config.h5", tap.ranks),
         *text = lat_text("objective = \"forward\"; batch = 64; ensemble = [\"%s\"];", path);
    lat_geometry_create(MPI_COMM_WORLD, &(lat_shape){.dim = 2, .size = {8, 8}, .lane_grid = {1, 1}, .members = 1}, &g,
                        &error);
    require(&error);
    lat_gauge *unit = lat_gauge_create(g, LAT_U1, LAT_DOUBLE);
    lat_config_write(path, unit, 0, NULL, 0, &error);
    lat_settings *settings;
    flow_train_settings train;
    flow_training training = {0};
    flow_trainer *trainer = NULL;
    flow_progress progress;
    lat_action *action = lat_action_wilson(LAT_U1, 1);
    lat_settings_parse(text, "train", &settings, &error);
    flow_train_read(settings, &train, &error);
    flow_trainer_create(MPI_COMM_WORLD, model, action, &(lat_shape){.dim = 2, .size = {8, 8}}, LAT_DOUBLE, &train,
                        &training, &trainer, &error);
    require(&error);
    double before = model->parameters[0];
    ok_all(flow_trainer_step(trainer, &progress, &error) == LAT_NUMERICAL && strstr(error.text, "stubborn"),
           "training on stored configurations: %s", error.text);
    ok_all(training.step == 0 && model->parameters[0] == before, "and nothing has changed");
    flow_trainer_free(trainer);
    flow_training_free(&training);
    flow_train_release(&train);
    lat_settings_free(settings);
    lat_action_free(action);
    lat_gauge_free(unit);
    lat_geometry_free(g);
    flow_model_free(model);
    MPI_Barrier(MPI_COMM_WORLD);
    if (tap.rank == 0) unlink(path);
    free(path);
    free(text);
}

/* ------------------------------------------------------------------------------------------------------------- masks */

static void test_classes(const char *name, flow_classes classes)
{
    lat_error error = {0};
    flow_model *model = model_with("one_way", false);
    lat_geometry *g;
    flow_map *map;
    lat_shape shape = {.dim = 2, .size = {8, 12}, .members = 2, .period = 4, .halo = model->stack.halo, .corners = 2};
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error) == LAT_DONE)
        flow_map_create(model, g, LAT_DOUBLE, &map, &error);
    require(&error);
    const lat_sites *list = flow_sites_of(map, classes);
    int64_t found = 0, wrong = 0;
    for (int c = 0; c < classes.period; c++)
        for (int64_t i = 0; i < list[c].count; i++, found++) {
            wrong += i > 0 && list[c].site[i] <= list[c].site[i - 1];
            for (int lane = 0; lane < g->lanes; lane++) {
                int64_t global = lat_global_site(g, list[c].site[i], lane), x = global % 8, y = global / 8;
                wrong += (classes.step[0] * x + classes.step[1] * y) % classes.period != c;
            }
        }
    ok_all(found == g->sites && wrong == 0 && flow_sites_of(map, classes) == list,
           "%s: each site once, in order, in its class in all lanes", name);
    flow_map_free(map);
    lat_geometry_free(g);
    flow_model_free(model);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    test_kinds();
    for (int deep = 0; deep < 2; deep++) {
        test_push(deep);
        test_map(deep);
    }
    test_updates();
    test_training();
    test_classes("stripes", flow_stripes_along(1, 4));
    test_classes("parities", (flow_classes){.period = 2, .step = {1, 1}});
    test_classes("slanted stripes", (flow_classes){.period = 4, .step = {1, 3}});
    return tap_end();
}
