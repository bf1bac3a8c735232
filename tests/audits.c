/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * audits.c: the audit of a flow finds planted faults, each in every audit, in proposals and at the links of a chain, in
 * double and in float; it does not find fault with the shipped models; the updates do audit, and an audit that fails
 * ends a run.
 */
#include "flows/stack.h"
#include "hmc/updates/audit.h"
#include "tests/chain.h"
#include "tests/matrix.h"
#include "tests/planted.h"

enum { AUDITS = 2 };

/* ------------------------------------------------------------------------------------------------ audits of a model */

typedef struct {
    flow_model *model;
    lat_geometry *g;
    flow_map *map;
    mc_auditor auditor;
    lat_gauge *v, *u;
    lat_field *density;
} subject;

static subject begin(MPI_Comm comm, flow_model *model, int64_t extent, lat_precision precision, int members)
{
    lat_error error = {0};
    subject s = {.model = model};
    lat_shape shape = {.dim = 2,
                       .size = {extent, extent},
                       .members = members,
                       .period = model->stack.period,
                       .halo = model->stack.halo,
                       .corners = 2,
                       .precision = precision};
    if (lat_geometry_create(comm, &shape, &s.g, &error) || flow_map_create(model, s.g, precision, &s.map, &error) ||
        mc_auditor_create(s.map, &s.auditor, &error))
        lat_abort(error.status, "%s", error.text);
    s.v = lat_gauge_create(s.g, model->group, precision);
    s.u = lat_gauge_create(s.g, model->group, precision);
    s.density = lat_field_create(s.g, 1, LAT_DOUBLE);
    return s;
}

static void end(subject *s)
{
    lat_gauge_free(s->v);
    lat_gauge_free(s->u);
    lat_field_free(s->density);
    mc_auditor_free(&s->auditor);
    flow_map_free(s->map);
    lat_geometry_free(s->g);
}

/* What a flow is audited at: links of the prior, as for proposals, or those that it maps to the start of a chain. */
typedef enum { PRIOR, HOT, COLD, STARTS } start;
static const char *const start_names[STARTS] = {"proposals", "hot start", "cold start"};

static void set_links(subject *s, start from, const lat_random *random)
{
    lat_gauge *unit = lat_gauge_create(s->g, s->model->group, s->map->precision);
    lat_gauge_haar(s->v, random);
    if (from == COLD) lat_gauge_copy(s->v, unit);
    lat_field_zero(s->density);
    if (from != PRIOR) flow_inverse(s->map, s->v, s->density);
    lat_gauge_free(unit);
}

/* An audit: the largest excess. */
static double audit(subject *s, start from, int number, mc_deviation *worst)
{
    lat_random prior = {.seed = 5, .purpose = LAT_RANDOM_TEST, .step = (uint64_t)number}, random = prior;
    double *log_det = lat_alloc(s->g->members, sizeof *log_det), excess = 0;
    random.purpose = LAT_RANDOM_AUDIT;
    set_links(s, from, &prior);
    lat_gauge_copy(s->u, s->v);
    lat_field_zero(s->density);
    flow_forward(s->map, s->u, s->density);
    lat_sum(s->density, log_det);
    for (int i = 0; i < MC_CHECKS; i++) worst[i] = (mc_deviation){0};
    mc_audit(&s->auditor, &random, true, s->v, s->u, log_det, worst, &(lat_error){0});
    for (int i = 0; i < MC_CHECKS; i++) excess = fmax(excess, worst[i].excess);
    free(log_det);
    return excess;
}

static void change_table(subject *s, const flow_layer *only, const flow_layer_table *from, const flow_layer_table *to)
{
    for (int i = 0; i <= s->auditor.steps; i++) {
        flow_layer *layer = (flow_layer *)(i < s->auditor.steps ? s->auditor.step[i] : s->map->steps->step[0])->layer;
        if (layer->table == from && (!only || layer == only)) layer->table = to;
    }
}

/* In one layer, or in all that are not made of others. */
static void plant(subject *s, const flow_layer *only, fault what, bool float_alone, int64_t site)
{
    plant_table(only ? only->table : &flow_layer_plaquette_coupling, what, float_alone, site);
    change_table(s, only, planted.table, &faulty);
}

static void heal(subject *s) { change_table(s, NULL, &faulty, planted.table); }

static flow_model *read_model(const char *name)
{
    const char *source = getenv("srcdir");
    char *path = lat_text("%s/share/models/%s.h5", source ? source : ".", name);
    flow_model *model;
    lat_error error = {0};
    if (flow_model_read(MPI_COMM_WORLD, path, flow_layer_kinds, &model, NULL, &error))
        lat_abort(error.status, "%s", error.text);
    free(path);
    return model;
}

/* ----------------------------------------------------------------------------------------------------------- tests */

/* Site of the whole lattice where the step has an active link. */
static int64_t active_site(const flow_step *step, int number)
{
    const lat_geometry *g = step->map->geometry;
    int64_t found = INT64_MAX;
    for (int64_t i = 0; i < g->sites && found == INT64_MAX; i++)
        for (int mu = 0; mu < g->dim && found == INT64_MAX; mu++) {
            int64_t site = (i + number * g->sites / 8) % g->sites;
            if (!step->layer->table->active || step->layer->table->active(step, site, mu))
                found = lat_global_site(g, site, 0);
        }
    MPI_Allreduce(MPI_IN_PLACE, &found, 1, MPI_INT64_T, MPI_MIN, g->comm);
    return found;
}

/* In every layer that a walk visits, and in the first of the model as a whole; one audit each, with other links.  A
 * layer may do so little to single links that a thousandth of its log det is no more than a rounding, or to any that it
 * is none of float: then all layers have this fault. */
static void test_faults(const char *name, flow_model *model, lat_precision precision, bool float_alone, int members,
                        start from)
{
    subject s = begin(MPI_COMM_WORLD, model, 8, precision, members);
    mc_deviation worst[MC_CHECKS];
    for (fault what = NONE; what < FAULTS; what++) {
        int found = 0, tried = 0;
        double least = INFINITY, most = 0;
        for (int i = 0; i <= s.auditor.steps; i++) {
            const flow_step *step = i < s.auditor.steps ? s.auditor.step[i] : s.map->steps->step[0];
            const bool everywhere = what == LOG_DET && (float_alone || members == 1);
            plant(&s, everywhere ? NULL : step->layer, what, float_alone, active_site(step, i));
            double excess = audit(&s, from, tried++, worst);
            heal(&s);
            found += excess > 1;
            least = fmin(least, excess);
            most = fmax(most, excess);
        }
        if (what == NONE)
            ok(found == 0, "%s, %s, %d members, %s: nothing is found in %d audits (at most %.2g)", name,
               lat_precision_names[precision], members, start_names[from], tried, most);
        else
            ok(found == tried, "%s, %s%s, %d members, %s: %s, found in %d of %d layers (excess at least %.2g)", name,
               float_alone ? "only in " : "", lat_precision_names[precision], members, start_names[from],
               fault_names[what], found, tried, least);
    }
    end(&s);
}

static void test_models(int64_t extent, lat_precision precision, start from)
{
    static const char *const names[] = {"u1-beta1",    "u1-beta1.75", "u1-beta2",    "u1-beta3",
                                        "u1-beta4",    "u1-beta5",    "u1-beta6",    "u1-beta7",
                                        "u1-beta10",   "u1-beta28",   "su2-beta1.8", "su2-beta2.2",
                                        "su2-beta2.7", "su3-beta5",   "su3-beta6",   "u1-beta112"};
    const int all = sizeof names / sizeof *names, first = extent > 16 ? all - 1 : 0;
    double most = 0;
    for (int i = first; i < all; i++) {
        mc_deviation worst[MC_CHECKS];
        flow_model *model = read_model(names[i]);
        subject s = begin(MPI_COMM_SELF, model, extent, precision, precision == LAT_FLOAT ? 16 : 8);
        for (int number = 0; number < (extent > 16 ? 1 : AUDITS); number++)
            most = fmax(most, audit(&s, from, number, worst));
        end(&s);
        flow_model_free(model);
    }
    ok(most < 0.6, "shipped models, %s, %d x %d, %s: no false alarm, the largest excess is %.2g",
       lat_precision_names[precision], (int)extent, (int)extent, start_names[from], most);
}

/* What is found is the same on any ranks, and on every one of them. */
static void test_ranks(void)
{
    flow_model *model = make_model();
    mc_deviation alone[MC_CHECKS], shared[MC_CHECKS];
    subject one = begin(MPI_COMM_SELF, model, 8, LAT_DOUBLE, 2), all = begin(MPI_COMM_WORLD, model, 8, LAT_DOUBLE, 2);
    audit(&one, PRIOR, 1, alone);
    audit(&all, PRIOR, 1, shared);
    ok_all(memcmp(alone, shared, sizeof alone) == 0, "the same to the last bit on one rank and on %d", tap.ranks);
    end(&one);
    end(&all);
    flow_model_free(model);
}

/* A figure that is no number must not be lost among later ones that are. */
static void test_nan(void)
{
    flow_model *model = read_model("u1-beta2");
    subject s = begin(MPI_COMM_SELF, model, 8, LAT_DOUBLE, 8);
    mc_deviation worst[MC_CHECKS] = {{0}};
    lat_error error = {0};
    double log_det[8] = {0};
    lat_random random = {.seed = 5, .purpose = LAT_RANDOM_AUDIT};
    lat_gauge_haar(s.v, &random);
    ((double *)s.v->links->data)[0] = NAN; /* the first link of many that are compared */
    lat_gauge_copy(s.u, s.v);
    lat_field_zero(s.density);
    flow_forward(s.map, s.u, s.density);
    lat_sum(s.density, log_det);
    mc_audit(&s.auditor, &random, true, s.v, s.u, log_det, worst, &error);
    ok(mc_audit_verdict(worst, &error) == LAT_NUMERICAL, "the audit sees a single NaN: %s", error.text);
    end(&s);
    flow_model_free(model);
}

/* Links of SU(2) and SU(3): exp(x) U against U. */
static void test_logarithm(lat_group group)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {4, 4}, .lane_grid = {1, 1}};
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *u = lat_gauge_create(g, group, LAT_DOUBLE), *v = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *algebra = lat_field_algebra(g, group, LAT_DOUBLE);
    lat_random random = {.seed = 3, .purpose = LAT_RANDOM_TEST};
    const int reals = lat_link_reals(group), components = lat_algebra_reals(group);
    double worst = 0, x[8], a[18], b[18], step = 1e-5;
    lat_gauge_haar(v, &random);
    lat_field_gaussian(algebra, &random);
    lat_gauge_copy(u, v);
    lat_gauge_exp_update(u, step, algebra);
    lat_gauge_exp_update(v, -step, algebra);
    for (int64_t link = 0; link < g->sites * g->dim; link++) {
        for (int c = 0; c < reals; c++) {
            a[c] = ((double *)u->links->data)[(link * reals + c) * g->lanes];
            b[c] = ((double *)v->links->data)[(link * reals + c) * g->lanes];
        }
        mc_link_logarithm(group, a, b, x);
        for (int c = 0; c < components; c++)
            worst =
                fmax(worst, fabs(x[c] / (2 * step) - ((double *)algebra->data)[(link * components + c) * g->lanes]));
    }
    ok(worst < 1e-7, "%s: the components of log(U V^+) are those that U was moved by (%.1e)", lat_group_names[group],
       worst);
    lat_gauge_free(u);
    lat_gauge_free(v);
    lat_field_free(algebra);
    lat_geometry_free(g);
}

/* A layer of any group that squares all links: the Jacobian of a link is 1 + Ad(U), whose determinant is 8 a_0^2 for
 * SU(2) and 4 (|tr U|^2 - 1)^2 for SU(3). */
static double square_factor;

static void square(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    const lat_geometry *g = u->geometry;
    const lat_group group = step->map->model->group;
    const int reals = lat_link_reals(group);
    double *links = u->data, *share = density->data, x[18];
    (void)parameters;
    for (int64_t link = 0; link < g->sites * g->dim; link++)
        for (int lane = 0; lane < g->lanes; lane++) {
            double *at = links + link * reals * g->lanes + lane;
            for (int c = 0; c < reals; c++) x[c] = at[c * g->lanes];
            matrix m = matrix_of(group, x), mm = matrix_product(m, m);
            double complex trace = m.a[0][0] + m.a[1][1] + m.a[2][2];
            double det = group == LAT_SU2 ? 8 * x[0] * x[0] : 4 * pow(creal(trace * conj(trace)) - 1, 2);
            for (int i = 0; i < 9 && group == LAT_SU3; i++) {
                x[2 * i] = creal(mm.a[i / 3][i % 3]);
                x[2 * i + 1] = cimag(mm.a[i / 3][i % 3]);
            }
            if (group == LAT_SU2)
                memcpy(x, (double[]){creal(mm.a[0][0]), cimag(mm.a[0][1]), creal(mm.a[0][1]), cimag(mm.a[0][0])},
                       4 * sizeof *x);
            for (int c = 0; c < reals; c++) at[c * g->lanes] = x[c];
            share[link / g->dim * g->lanes + lane] += square_factor * log(det);
        }
}

static void leave(flow_step *step, const double *parameters, lat_field *u, lat_field *density)
{
    (void)step;
    (void)parameters;
    (void)u;
    (void)density;
}

static bool all_active(const flow_step *step, int64_t site, int mu)
{
    (void)step;
    (void)site;
    (void)mu;
    return true;
}

static void test_group(lat_group group)
{
    static const flow_layer_table table = {.name = "square", .forward = square, .inverse = leave, .active = all_active};
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 2, .size = {4, 4}, .lane_grid = {1, 1}, .members = 4};
    if (lat_geometry_create(MPI_COMM_SELF, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *u = lat_gauge_create(g, group, LAT_DOUBLE);
    lat_field *density = lat_field_create(g, 1, LAT_DOUBLE);
    flow_model model = {.group = group, .dim = 2};
    flow_map map = {.model = &model, .geometry = g, .precision = LAT_DOUBLE};
    flow_layer layer = {.table = &table, .period = 1, .halo = 1};
    flow_step step = {&layer, &map};
    double excess[2];
    for (int wrong = 0; wrong < 2; wrong++) {
        mc_deviation worst[MC_CHECKS] = {{0}};
        lat_random random = {.seed = 4, .purpose = LAT_RANDOM_TEST};
        mc_layer check = {&step, &step, NULL, NULL, group, random};
        square_factor = wrong ? 1.001 : 1;
        lat_gauge_haar(u, &random);
        mc_layer_check(&check, u->links, density, worst);
        excess[wrong] = worst[MC_LOG_DET].excess;
    }
    ok(excess[0] > 0 && excess[0] < 0.5 && excess[1] > 100,
       "%s: blocks of the Jacobian of %d components a site: excess %.2g, log det times 1.001: %.2g",
       lat_group_names[group], 2 * lat_algebra_reals(group), excess[0], excess[1]);
    lat_gauge_free(u);
    lat_field_free(density);
    lat_geometry_free(g);
}

/* The updates audit their flows at once, say so, and a model whose slopes no number holds ends the run. */
static void test_updates(const char *kind)
{
    char *path = lat_text("audits-%d.h5", tap.ranks);
    char *text =
        lat_text("lattice = { group = \"u1\"; size = [8, 8]; }; action = ( { kind = \"wilson\"; beta = 1.0; } );"
                 "chain = { seed = 5; }; updates = ( { kind = \"%s\"; model = \"%s\"; %s } );",
                 kind, path, strcmp(kind, "flow") == 0 ? "batch = 64;" : "steps = 20;");
    for (int stiff = 0; stiff < 2; stiff++) {
        lat_error error = {0};
        flow_model *model = make_model();
        for (int64_t i = 0; i < model->stack.parameter_count && stiff; i++) model->parameters[i] *= 1e4;
        if (flow_model_write(MPI_COMM_WORLD, path, model, NULL, &error)) lat_abort(error.status, "%s", error.text);
        flow_model_free(model);
        test_chain t = chain_begin(MPI_COMM_WORLD, text);
        lat_status status = mc_chain_step(t.chain, t.updates, t.count, &error);
        json_t *report = json_object();
        t.updates[0]->table->report(t.updates[0], report);
        json_t *figures = json_object_get(report, "audit");
        double count = json_number_value(json_object_get(figures, "count")),
               worst = json_number_value(json_object_get(figures, "worst"));
        if (stiff)
            ok(status == LAT_NUMERICAL && strstr(error.text, "audit"), "%s: a broken model ends the run: %s", kind,
               error.text);
        else
            ok(status == LAT_DONE && count >= 1 && worst > 0 && worst < 1,
               "%s: %g audits after the first step, excess %.2g %s", kind, count, worst, error.text);
        json_decref(report);
        chain_end(&t);
    }
    if (tap.rank == 0) remove(path);
    free(text);
    free(path);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    flow_model *made = make_model(), *shipped = read_model("u1-beta2");
    test_faults("couplings", made, LAT_DOUBLE, false, 8, PRIOR);
    test_faults("couplings", made, LAT_FLOAT, false, 16, PRIOR);
    test_faults("couplings", made, LAT_FLOAT, true, 16, PRIOR);
    test_faults("beta 2", shipped, LAT_FLOAT, true, 16, PRIOR);
    test_faults("beta 2", shipped, LAT_DOUBLE, false, 1, PRIOR);
    test_faults("beta 2", shipped, LAT_DOUBLE, false, 1, HOT);
    test_faults("beta 2", shipped, LAT_DOUBLE, false, 1, COLD);
    flow_model_free(made);
    flow_model_free(shipped);
    test_ranks();
    test_updates("flow");
    test_updates("fthmc");
    if (tap.ranks == 1) {
        for (lat_precision precision = LAT_DOUBLE; precision < LAT_PRECISIONS; precision++)
            for (int64_t extent = 8; extent <= 64; extent *= extent > 8 ? 4 : 2) test_models(extent, precision, PRIOR);
        test_models(16, LAT_DOUBLE, HOT);
        test_models(16, LAT_DOUBLE, COLD);
        test_nan();
        test_logarithm(LAT_U1);
        test_logarithm(LAT_SU2);
        test_logarithm(LAT_SU3);
        test_group(LAT_SU2);
        test_group(LAT_SU3);
    }
    return tap_end();
}
