/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2 4
 *
 * nonequilibrium.c: evolutions between betas and between couplings of a defect have <exp(-W)> = Z_1 / Z_0, exactly known in two dimensions,
 * and reweighted plaquettes that are those of their end; they dissipate what the variances foretell, and less once their protocol is adapted;
 * on all ranks and lanes alike, and from a checkpoint; errors of weighted means are those of many series.
 * The 10 statistical comparisons fail by chance with a probability of 6e-6 all together; their random numbers are fixed.
 */
#include "tests/chain.h"
#include "tests/observe.h"

/* --------------------------------------------------------------------------------------------------------------- exact */

/* c_r of the expansion in lattice/observe/exact2d.c, r = n of U(1), r = 2j + 1 of SU(2), as a sum over angles. */
static double coefficient(lat_group group, int r, double beta)
{
    enum { ANGLES = 1024 };
    double sum = 0;
    for (int i = 0; i < ANGLES; i++) {
        const double angle = 2 * M_PI * i / ANGLES;
        sum += exp(beta * (cos(angle) - 1)) * (group == LAT_U1 ? cos(r * angle) : 2 * sin(angle) * sin(r * angle) / r);
    }
    return sum / ANGLES;
}

/* ln Z where a defect of this extent, shorter than the lattice, has this coupling: two plaquettes have one of its links, those between two. */
static double log_z(lat_group group, double beta, int volume, int extent, double coupling)
{
    double z = 0;
    for (int r = group == LAT_U1 ? -40 : 1; r <= 40; r++)
        z += pow(coefficient(group, r, beta), volume - extent - 1) *
             pow(coefficient(group, r, beta * coupling * coupling), extent - 1) *
             pow(coefficient(group, r, beta * coupling), 2);
    return log(z);
}

enum { EXTENT = 3, VOLUME = 64, REPLICAS = 16 };

typedef struct {
    double beta, coupling;
} point;

/* An evolution from one point to another, on 8x8. */
static char *configuration(const char *group, point from, point to, int thermalise, const char *more)
{
    return lat_text(
        "lattice = { group = \"%s\"; size = [8, 8]; defect = { direction = 0; size = [%d]; coupling = %g; }; };"
        "action = ( { kind = \"wilson\"; beta = %g; } ); chain = { seed = 3; replicas = %d; thermalise = %d; };"
        "updates = ( { kind = \"heatbath\"; count = 2; }, { kind = \"nonequilibrium\"; beta = %g; %s %s } );",
        group, EXTENT, from.coupling, from.beta, REPLICAS, thermalise, to.beta,
        to.coupling != from.coupling ? (to.coupling == 1 ? "coupling = 1.0;" : "coupling = 0.0;") : "", more);
}

static test_chain begin(const char *group, point from, point to, int thermalise, const char *more)
{
    char *text = configuration(group, from, to, thermalise, more);
    test_chain t = chain_begin(MPI_COMM_WORLD, text);
    free(text);
    return t;
}

static void test_exact(const char *group, lat_group number, point from, point to, const char *more)
{
    enum { STEPS = 250 };
    test_chain t = begin(group, from, to, 50, more);
    const mc_weighted *weighted = t.updates[1]->weighted;
    double *plaquette = lat_alloc(REPLICAS * STEPS, sizeof *plaquette),
           *log_weight = lat_alloc(REPLICAS * STEPS, sizeof *log_weight), now[REPLICAS];
    int64_t length[REPLICAS];
    chain_run(&t, (int64_t)t.chain->thermalise);
    for (int i = 0; i < STEPS; i++) {
        chain_run(&t, 1);
        observe("plaquette", weighted->gauge, now);
        for (int r = 0; r < REPLICAS; r++) {
            plaquette[r * STEPS + i] = now[r];
            log_weight[r * STEPS + i] = weighted->log_weight[r];
        }
    }
    for (int r = 0; r < REPLICAS; r++) length[r] = STEPS;
    mc_estimate p = mc_gamma_weighted(plaquette, log_weight, REPLICAS, length),
                f = mc_free_energy(log_weight, REPLICAS, length);
    const double exact = log_z(number, from.beta, VOLUME, EXTENT, from.coupling) -
                         log_z(number, to.beta, VOLUME, EXTENT, to.coupling),
                 told = chain_figure(&t, 1, "delta_f"), ess = chain_figure(&t, 1, "ess"),
                 dissipated = chain_figure(&t, 1, "dissipated_work"),
                 predicted = chain_figure(&t, 1, "predicted_dissipated_work");
    ok(fabs(f.mean - exact) < 5 * f.error && f.error < 0.05, "%s, %s: Delta F %.4f +- %.4f, exact %.4f", group, more,
       f.mean, f.error, exact);
    ok(fabs(told - f.mean) < 1e-9 * (1 + fabs(f.mean)) &&
           fabs(ess - mc_weights_ess(log_weight, REPLICAS * STEPS)) < 1e-9 && ess > 0.3,
       "%s: told alike, ESS %.3f", group, ess);
    ok(dissipated > 0.7 * predicted && dissipated < 2.5 * predicted, "%s: dissipated work %.4f, foretold %.4f or more",
       group, dissipated, predicted);
    if (to.coupling == 1) {
        const double known = lat_exact2d("plaquette", number, to.beta, VOLUME);
        ok(fabs(p.mean - known) < 5 * p.error && p.error < 0.01, "%s: reweighted plaquette %.5f +- %.5f, exact %.5f",
           group, p.mean, p.error, known);
    }
    free(plaquette);
    free(log_weight);
    chain_end(&t);
}

/* Between betas so far apart that the variance of the action is 20 times smaller at the end. */
static void test_adapted(void)
{
    enum { STEPS = 30 };
    double dissipated[2], foretold[2], length = 0;
    for (int i = 0; i < 2; i++) {
        test_chain t = begin("u1", (point){1, 1}, (point){6, 1}, 100,
                             i ? "steps = 30; adapt = true; updates = ( { kind = \"heatbath\"; } );"
                               : "steps = 30; updates = ( { kind = \"heatbath\"; } );");
        chain_run(&t, 260);
        dissipated[i] = chain_figure(&t, 1, "dissipated_work");
        foretold[i] = chain_figure(&t, 1, "predicted_dissipated_work");
        length = chain_figure(&t, 1, "length");
        chain_end(&t);
    }
    const double least = 0.5 * length * length / STEPS;
    ok(fabs(foretold[1] / least - 1) < 0.05, "an adapted protocol dissipates %.4f, Lambda^2 / 2n is %.4f", foretold[1],
       least);
    ok(foretold[1] < 0.85 * foretold[0] && dissipated[1] < 0.92 * dissipated[0],
       "it dissipates %.4f, a linear one %.4f (foretold %.4f, %.4f)", dissipated[1], dissipated[0], foretold[1],
       foretold[0]);
}

/* --------------------------------------------------------------------------------------------------------- ranks, files */

/* While the protocol is being adapted. */
static void test_ranks(const char *group, const char *lattice, const char *lanes, const char *alone,
                       const char *evolution)
{
    static const char text[] =
        "lattice = { group = \"%s\"; %s %s }; action = ( { kind = \"wilson\"; beta = 2.0; } );"
        "chain = { seed = 3; replicas = 2; thermalise = 40; };"
        "updates = ( { kind = \"hmc\"; steps = 4; }, { kind = \"nonequilibrium\"; adapt = true; %s } );";
    char *here = lat_text(text, group, lattice, lanes, evolution),
         *one = lat_text(text, group, lattice, alone, evolution),
         *what = lat_text("%s, %s %s, %s", group, lattice, lanes, evolution);
    chain_everywhere(here, one, 20, 30, what);
    free(here);
    free(one);
    free(what);
}

/* ------------------------------------------------------------------------------------------------------ weighted means */

/* Of x with weight exp(shift x), x a Gaussian process of variance 1: mean `shift`, ESS exp(-shift^2). */
static void test_weights(double rho, double shift)
{
    enum { ROWS = 4000, SERIES = 200 };
    const int64_t length[2] = {1500, 2500};
    double *x = lat_alloc(ROWS + 1, sizeof *x), *log_weight = lat_alloc(ROWS, sizeof *log_weight), squares = 0,
           free_squares = 0, ess = 0;
    const lat_random random = {.seed = 5, .purpose = LAT_RANDOM_TEST};
    for (int k = 0; k < SERIES; k++) {
        for (int i = 0; i < ROWS; i++) {
            double u[4];
            lat_uniform4(&random, (uint64_t)i, 0, (uint64_t)k, 0, u);
            const double noise = sqrt(-2 * log(u[0])) * cos(2 * M_PI * u[1]);
            x[i] = i == 0 || i == length[0] ? noise : rho * x[i - 1] + sqrt(1 - rho * rho) * noise;
            log_weight[i] = 1000 + shift * x[i];
        }
        mc_estimate e = mc_gamma_weighted(x, log_weight, 2, length), f = mc_free_energy(log_weight, 2, length);
        squares += pow((e.mean - shift) / e.error, 2) / SERIES;
        free_squares += pow((f.mean + 1000 + shift * shift / 2) / f.error, 2) / SERIES;
        ess += mc_weights_ess(log_weight, ROWS) / SERIES;
    }
    ok(fabs(squares - 1) < 0.4 && fabs(free_squares - 1) < 0.4,
       "rho %.1f: weighted means are off by their errors, to %.2f, free energies to %.2f", rho, squares, free_squares);
    ok(fabs(ess - exp(-shift * shift)) < 0.02, "their ESS is %.3f, exact %.3f", ess, exp(-shift * shift));
    free(x);
    free(log_weight);
}

/* ------------------------------------------------------------------------------------------------------------ refusals */

static void refused(const char *lattice, const char *action, const char *evolution, const char *why)
{
    char *text = lat_text("lattice = { group = \"u1\"; size = [8, 8]; %s }; action = ( { %s } ); updates = ( { kind = "
                          "\"nonequilibrium\"; %s } );",
                          lattice, action, evolution);
    chain_refused(text, why);
    free(text);
}

static void test_refusals(void)
{
    static const char wilson[] = "kind = \"wilson\"; beta = 1.0;", open[] = "defect = { coupling = 0.0; };",
                      heatbath[] = "updates = ( { kind = \"heatbath\"; } );";
    char *none = lat_text("%s", heatbath), *same = lat_text("coupling = 0.0; %s", heatbath),
         *one = lat_text("coupling = 1.0; %s", heatbath),
         *beta = lat_text("beta = 2.0; updates = ( { kind = \"hmc\"; } );");
    refused(open, wilson, none, "nothing changes");
    refused(open, wilson, same, "nothing would change");
    refused("", wilson, one, "lattice.defect");
    refused("defect = { couplings = [1.0, 0.0]; };", wilson, one, "no list");
    refused("", "kind = \"iwasaki\"; beta = 1.0;", beta, "Wilson action alone");
    refused(open, wilson, "coupling = 1.0;", "updates");
    refused(open, wilson, "coupling = 1.0; updates = ( { kind = \"instanton\"; } );", "instanton");
    free(none);
    free(same);
    free(one);
    free(beta);
}

static void test_statistics(void)
{
    test_weights(0, 0.5);
    test_weights(0.7, 0.7);
    test_exact("u1", LAT_U1, (point){2, 1}, (point){3, 1}, "steps = 16; updates = ( { kind = \"heatbath\"; } );");
    test_exact("u1", LAT_U1, (point){3, 0}, (point){3, 1},
               "steps = 16; updates = ( { kind = \"heatbath\"; }, { kind = \"overrelax\"; } );");
    test_exact("su2", LAT_SU2, (point){2.5, 0}, (point){3, 1}, "steps = 16; updates = ( { kind = \"heatbath\"; } );");
    test_exact("su2", LAT_SU2, (point){3, 1}, (point){3, 0},
               "steps = 16; updates = ( { kind = \"hmc\"; steps = 3; } );");
    test_adapted();
}

/* Statistics are the same to the last bit on more ranks, and only take longer. */
int main(int argc, char **argv)
{
    int ranks;
    tap_start(&argc, &argv);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (ranks == 1) test_statistics();
    test_ranks("u1", "size = [8, 8]; defect = { size = [3]; coupling = 0.0; };", "", "lanes = [1, 1];",
               "coupling = 1.0; steps = 7; updates = ( { kind = \"heatbath\"; } );");
    test_ranks("su2", "size = [8, 4, 16]; defect = { size = [3, 2]; coupling = 0.2; };", "lanes = [1, 1, 2];", "",
               "coupling = 1.0; beta = 2.5; steps = 3; updates = ( { kind = \"hmc\"; steps = 3; } );");
    test_ranks("su3", "size = [4, 4, 4, 4];", "", "lanes = [1, 1, 1, 1];",
               "beta = 2.5; steps = 3; updates = ( { kind = \"heatbath\"; }, { kind = \"overrelax\"; } );");
    test_refusals();
    return tap_end();
}
