/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Times of Dirac operators and of iterations of their solvers for SU(3) on 8^4, per site of the lattice, beside the
 * peak rate of multiply-adds and the bandwidth of a copy measured in the same run.  Operations and bytes are those that
 * the kernels declare (COST), bytes as if all came from memory.  Best of several repetitions: processor time of a
 * single rank, else wall-clock time of the slowest.
 *
 *     dirac [EXTENT...]      instead of 8
 */
#include "lattice/dirac/operator.h"
#include "lattice/dirac/solver.h"
#include "lattice/gauge/kernels.h"
#include "tests/bench/bench.h"

enum { REPEATS = 15, DIM = 4 };

typedef struct {
    lat_dirac *dirac;
    lat_solver *solver;
    lat_precision precision;
    lat_field *in, *out, *b, *x;
    int64_t iterations; /* of the last call */
} stage;

static const lat_dirac_form whole = {0}, even = {.even = true};

static lat_cost plus(lat_cost a, lat_cost b) { return (lat_cost){a.flops + b.flops, a.bytes + b.bytes}; }
static lat_cost times(double factor, lat_cost cost) { return (lat_cost){factor * cost.flops, factor * cost.bytes}; }

/* Per site of the lattice. */
static lat_cost hop_cost(const stage *s, bool base)
{
    const dirac_fields *f = &s->dirac->of[s->precision];
    hop_args args = {.t = lat_tables_of(s->in->geometry),
                     .base = base ? s->in->data : NULL,
                     .first = f->blocks ? f->blocks->data : NULL};
    return lat_kernels_of(s->in, LAT_SU3)->hop_cost(&args);
}
static lat_cost whole_cost(const stage *s) { return hop_cost(s, true); }
static lat_cost even_cost(const stage *s) { return times(0.5, plus(hop_cost(s, true), hop_cost(s, false))); }
static lat_cost linear_cost(const stage *s)
{
    const lat_field_kernels *kernels = lat_field_kernels_of(s->in);
    cg_residue_args residue = {.components = s->in->components};
    cg_curvature_args curvature = {.components = s->in->components};
    cg_direction_args direction = {.components = s->in->components};
    return times(0.5, plus(kernels->cg_residue_cost(&residue),
                           plus(kernels->cg_curvature_cost(&curvature), kernels->cg_direction_cost(&direction))));
}
static lat_cost iteration_cost(const stage *s) { return plus(times(2, even_cost(s)), linear_cost(s)); }
static lat_cost twice_cost(const stage *s) { return times(2, even_cost(s)); }

static void apply_whole(stage *s) { lat_dirac_apply(s->dirac, whole, s->in, s->out); }
static void apply_even(stage *s) { lat_dirac_apply(s->dirac, even, s->in, s->out); }

static void solve(stage *s)
{
    lat_solver_report report;
    lat_error error = {0};
    const lat_solver_goal goal = {1e-10, 10000};
    if ((s->precision == LAT_FLOAT ? lat_solve_cg_mixed : lat_solve_cg)(s->solver, even, 0, s->b, s->x, &goal, &report,
                                                                        &error))
        lat_abort(error.status, "%s", error.text);
    s->iterations = report.iterations;
}
static void stabilised(stage *s)
{
    lat_solver_report report;
    lat_error error = {0};
    if (lat_solve_bicgstab(s->solver, even, s->b, s->x, &(lat_solver_goal){1e-10, 10000}, &report, &error))
        lat_abort(error.status, "%s", error.text);
    s->iterations = report.iterations;
}

static const struct {
    const char *name;
    void (*call)(stage *s);
    lat_cost (*cost)(const stage *s);
    bool iterates;
} stages[] = {
    {"M", apply_whole, whole_cost, false},
    {"Mhat", apply_even, even_cost, false},
    {"iteration of CG", solve, iteration_cost, true},
    {"iteration of BiCGstab", stabilised, twice_cost, true},
};

/* Adds a row of a stage, in time per site. */
static void add(bench *b, stage *s, size_t which, const bench_times *times_of_calls, const char *operator)
{
    const lat_geometry *g = s->in->geometry;
    double rounds = s->iterations ? (double)s->iterations : 1, volume = (double)g->volume;
    bench_result result = {times_of_calls, 1e6 / volume / rounds, "us per site",
                           times(rounds * volume, stages[which].cost(s)), s->precision};
    bench_rates rates = bench_row(b, &result, "%s, %lld^4, %s, %s", operator,(long long) g->size[0], stages[which].name,
                                  lat_precision_names[s->precision]);
    bench_print(b, "%22s %-6s %8.4f us per site %8.1f GFLOP/s %4.0f %% %8.1f GB/s %4.0f %%", stages[which].name,
                lat_precision_names[s->precision], result.factor * bench_best(times_of_calls), rates.flops,
                100 * rates.of_peak, rates.bytes, 100 * rates.of_copy);
    if (s->iterations) bench_print(b, ", of %lld to 1e-10", (long long)s->iterations);
    bench_print(b, "\n");
}

static void measure(bench *b, stage *s, const char *operator)
{
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        if (stages[i].call == stabilised && s->precision != LAT_DOUBLE) continue;
        bench_times t = {.repeats = REPEATS,
                         .calls = stages[i].iterates ? 1 : 1 + bench_or_brief(50000, 1) / (int)s->in->geometry->volume};
        s->iterations = 0;
        while (bench_again(b, &t))
            for (int call = 0; call < t.calls; call++) stages[i].call(s);
        add(b, s, i, &t, operator);
    }
}

static lat_gauge *rough_links(const lat_geometry *g)
{
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST};
    lat_gauge *gauge = lat_gauge_create(g, LAT_SU3, LAT_DOUBLE);
    lat_field *algebra = lat_field_algebra(g, LAT_SU3, LAT_DOUBLE);
    lat_field_gaussian(algebra, &random);
    lat_gauge_exp_update(gauge, 0.3, algebra);
    lat_field_free(algebra);
    return gauge;
}

static void operators(bench *of, const lat_dirac_table *table, int extent)
{
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = DIM,
                       .size = {extent, extent, extent, extent},
                       .halo = table->halo,
                       .corners = table->corners,
                       .precision = LAT_FLOAT};
    lat_dirac_parameters parameters = {.kappa = 0.13, .csw = table->fill ? 1.769 : 0, .angle = {0, 0, 0, 1}};
    lat_random random = {.seed = 1, .purpose = LAT_RANDOM_TEST, .step = 1};
    lat_dirac *dirac;
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    lat_gauge *gauge = rough_links(g);
    if (lat_dirac_create(table, g, LAT_SU3, &parameters, &dirac, &error) || lat_dirac_prepare(dirac, gauge, &error))
        lat_abort(error.status, "%s", error.text);
    lat_solver *solver = lat_solver_create(dirac);
    lat_field *b = lat_field_spinor(g, LAT_SU3, LAT_DOUBLE), *x = lat_field_spinor(g, LAT_SU3, LAT_DOUBLE);
    lat_field_gaussian(b, &random);
    bench_print(of, "\n%s, %d^4: lanes %d x %d x %d x %d, %lld + %lld sites\n", table->name, extent, g->lane_grid[0],
                g->lane_grid[1], g->lane_grid[2], g->lane_grid[3], (long long)g->sites,
                (long long)(g->all_sites - g->sites));
    for (int precision = 0; precision < LAT_PRECISIONS; precision++) {
        stage s = {dirac,
                   solver,
                   (lat_precision)precision,
                   lat_field_spinor(g, LAT_SU3, (lat_precision)precision),
                   lat_field_spinor(g, LAT_SU3, (lat_precision)precision),
                   b,
                   x,
                   0};
        lat_field_copy(s.in, b);
        measure(of, &s, table->name);
        lat_field_free(s.in);
        lat_field_free(s.out);
    }
    lat_field_free(b);
    lat_field_free(x);
    lat_solver_free(solver);
    lat_dirac_free(dirac);
    lat_gauge_free(gauge);
    lat_geometry_free(g);
}

int main(int argc, char **argv)
{
    lat_start(&argc, &argv);
    bench b = bench_start("dirac", bench_clock());
    bench_measure_ceilings(&b);
    for (int i = 0; i < (argc > 1 ? argc - 1 : 1); i++)
        for (int kind = 0; lat_dirac_tables[kind]; kind++)
            operators(&b, lat_dirac_tables[kind], argc > 1 ? atoi(argv[i + 1]) : bench_or_brief(8, 4));
    return bench_end(&b);
}
