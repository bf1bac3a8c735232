/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 2
 *
 * tempering.c: two-dimensional U(1) at beta = 7 on a 16x16 torus, where the charge is frozen: parallel tempering in the boundary condition
 * takes at least a hundred times fewer steps from charge to charge than the same trajectories alone, has the exact plaquette and the exact
 * charge, and <exp(-Delta)> = 1.  Five comparisons at 5.7 standard deviations: false by chance with a probability of 6e-8; the
 * times are known to 15 % and are a factor of 470 apart.
 */
#include "tests/chain.h"
#include "tests/observe.h"

static const double most_sigmas = 5.7;
enum { PLAQUETTE, CHARGE, SQUARE, COLUMNS };

static test_chain begin(const char *defect, int replicas, int thermalise, const char *more)
{
    char *text =
        lat_text("lattice = { group = \"u1\"; size = [16, 16]; %s }; action = ( { kind = \"wilson\"; beta = 7.0; } );"
                 "chain = { seed = 7; replicas = %d; thermalise = %d; };"
                 "updates = ( { kind = \"hmc\"; trajectory = 2.27; steps = 12; } %s );",
                 defect, replicas, thermalise, more);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    free(text);
    return t;
}

/* Runs it, with as many measurements, `every` steps apart. */
static void measure(test_chain *t, int64_t count, int64_t every, mc_estimate estimate[COLUMNS])
{
    const int replicas = mc_replicas(t->chain->state);
    double *series[COLUMNS], *plaquette = lat_alloc(replicas, sizeof *plaquette),
                             *charge = lat_alloc(2 * (int64_t)replicas, sizeof *charge);
    for (int i = 0; i < COLUMNS; i++) series[i] = lat_alloc(replicas * count, sizeof *series[i]);
    chain_run(t, (int64_t)t->chain->thermalise);
    for (int64_t i = 0; i < count; i++) {
        chain_run(t, every);
        lat_gauge *sample = mc_chain_sample(t->chain);
        observe("plaquette", sample, plaquette);
        observe("charge", sample, charge);
        for (int r = 0; r < replicas; r++) {
            series[PLAQUETTE][r * count + i] = plaquette[r];
            series[CHARGE][r * count + i] = charge[2 * r];
            series[SQUARE][r * count + i] = charge[2 * r + 1];
        }
    }
    for (int i = 0; i < COLUMNS; i++) {
        estimate[i] = mc_gamma(series[i], replicas, count);
        estimate[i].tau_int *= (double)every;
        estimate[i].tau_int_error *= (double)every;
        free(series[i]);
    }
    free(plaquette);
    free(charge);
}

static void check(const char *what, const mc_estimate *e, double exact)
{
    ok(fabs(e->mean - exact) < most_sigmas * e->error, "%s %.6f +- %.6f, exact %.6f", what, e->mean, e->error, exact);
}

int main(int argc, char **argv)
{
    tap_start(&argc, &argv);
    mc_estimate tempered[COLUMNS], plain[COLUMNS];
    test_chain t = begin("defect = { size = [6]; couplings = [1.0, 0.8, 0.6, 0.5, 0.4, 0.25, 0.1, 0.0]; };", 4, 1000,
                         ", { kind = \"tempering\"; adapt = true; }");
    measure(&t, 8000, 1, tempered);
    double mean = chain_figure(&t, 1, "exp_minus_delta"), error = chain_figure(&t, 1, "exp_minus_delta_error");
    check("tempered: plaquette", &tempered[PLAQUETTE], lat_exact2d("plaquette", LAT_U1, 7, 256));
    check("tempered: charge", &tempered[CHARGE], 0);
    check("tempered: squared charge", &tempered[SQUARE], lat_exact2d("charge_squared", LAT_U1, 7, 256));
    ok(fabs(mean - 1) < most_sigmas * error, "tempered: <exp(-Delta)> = %.4f +- %.4f, %.0f round trips", mean, error,
       chain_figure(&t, 1, "round_trips"));
    chain_end(&t);
    t = begin("", 32, 20000, "");
    measure(&t, 3000, 20, plain);
    check("plain: plaquette", &plain[PLAQUETTE], lat_exact2d("plaquette", LAT_U1, 7, 256));
    chain_end(&t);
    ok(plain[CHARGE].tau_int > 100 * tempered[CHARGE].tau_int,
       "tau_int of the charge: %.0f +- %.0f steps, tempered %.2f +- %.2f", plain[CHARGE].tau_int,
       plain[CHARGE].tau_int_error, tempered[CHARGE].tau_int, tempered[CHARGE].tau_int_error);
    return tap_end();
}
