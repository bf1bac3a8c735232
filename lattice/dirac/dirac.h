/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dirac.h: Dirac operators of quarks, and fields of spinors.
 *
 *     M = A - kappa H + 2 i kappa mu gamma5,
 *     H psi(x) = sum_mu (1 - gamma_mu) U_mu(x) psi(x+mu) + (1 + gamma_mu) U_mu(x-mu)^+ psi(x-mu)
 *
 * In two dimensions gamma_0, gamma_1 = sigma_1, sigma_2; in four the basis of DeGrand and Rossi; gamma5 is diagonal, 1 for the upper half of
 * the spins and -1 for the lower.  A is 1 without a clover term and commutes with gamma5; A and H are as they are in
 * openQCD, whose operator is M / (2 kappa).  With the sites numbered even and odd, det M = det D_oo det Mhat,
 *
 *     D = A + 2 i kappa mu gamma5,    Mhat = D_ee - kappa^2 H_eo D_oo^-1 H_oe
 */
#ifndef LAT_DIRAC_H
#define LAT_DIRAC_H

#include "lattice/gauge/action.h"

/* Spins: 2 or 4; 0 in a dimension that has no quarks.  Reals of a spinor of N colours: component (spin N + colour) 2, real part before
 * imaginary part. */
int lat_spins(int dim);
int lat_spinor_reals(lat_group group, int dim);
lat_field *lat_field_spinor(const lat_geometry *geometry, lat_group group, lat_precision precision); /* zeroed */
double lat_spinor_memory(const lat_geometry *geometry, lat_group group,
                         lat_precision precision); /* see lat_field_memory */

typedef struct {
    double kappa, csw;
    double mu;                 /* twisted mass */
    double angle[LAT_MAX_DIM]; /* psi(x + size_mu) = exp(i pi angle_mu) psi(x) */
    struct {
        int steps;
        double rho;
    } stout; /* smearing of the links U, in A too; no steps: none */
} lat_dirac_parameters;

/* What is applied: M on all sites, or Mhat on the even ones, where what is at the odd ones is lost; its adjoint; and in addition
 * i mass gamma5 (in the adjoint -i mass gamma5). */
typedef struct {
    bool even, dagger;
    double mass;
} lat_dirac_form;

typedef struct lat_dirac lat_dirac;

/* The table of a kind of operator. */
typedef struct {
    const char *name;
    int halo, corners; /* that its functions need in the geometry; smearing: lat_dirac_corners */
    /* Links are those that are smeared.  Fills blocks(x), the two Hermitian blocks of A(x), from links with filled halo; NULL: A = 1.  Block: the halves of
     * the spins, upper before lower, of n = spins/2 N rows; n diagonal numbers, then the entries above the diagonal, row after row: n^2
     * reals each. */
    void (*fill)(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *blocks);
    /* Fills inverse(x) = A(x)^-1 at odd sites, of kinds with det A = 1 whatever the links are; NULL, and with a twisted mass: by elimination. */
    void (*invert)(const lat_dirac *dirac, const lat_gauge *gauge, lat_field *inverse);
    /* force += d^a sum_x tr(W(x) A(x)), W blocks like those of A; NULL if fill is. */
    void (*force)(const lat_dirac *dirac, lat_gauge *gauge, const lat_field *weights, lat_field *force);
    /* Reals a site of a field in double that `force` takes for the while, and whose halo it fills; NULL: none. */
    int (*force_reals)(lat_group group, int dim);
} lat_dirac_table;
extern const lat_dirac_table lat_dirac_wilson, lat_dirac_clover, lat_dirac_exponential_clover;
extern const lat_dirac_table *const lat_dirac_tables[]; /* all of these, and NULL */

/* Corners that an operator needs in the geometry, for smearing too. */
int lat_dirac_corners(const lat_dirac_table *table, const lat_dirac_parameters *parameters);

/* For fields on a geometry, in double, and in float where it serves that.  LAT_CONFIG where the dimension has no quarks, or an extent is
 * odd.  Collective. */
lat_status lat_dirac_create(const lat_dirac_table *table, const lat_geometry *geometry, lat_group group,
                            const lat_dirac_parameters *parameters, lat_dirac **dirac, lat_error *error);
void lat_dirac_free(lat_dirac *dirac); /* NULL is allowed */
/* Adds the memory of an operator, and of exchanges of spinors, on such a geometry. */
void lat_dirac_needs(const lat_dirac_table *table, const lat_dirac_parameters *parameters, const lat_geometry *geometry,
                     lat_group group, lat_needs *needs);

/* Makes what the operator keeps of the links, unless they are those of the last time.  Collective.  LAT_NUMERICAL where D has no inverse in
 * some member, unless its links are not finite: then nothing is that is made of them. */
lat_status lat_dirac_prepare(lat_dirac *dirac, lat_gauge *gauge, lat_error *error);

/* out = (M or Mhat) in, of one precision.  The halo of `in` is lost.  Collective. */
void lat_dirac_apply(lat_dirac *dirac, lat_dirac_form form, lat_field *in, lat_field *out);

/* Completes x at the odd sites: x_o = kappa D_oo^-1 H_oe x_e (dagger: of the adjoints).  Then x_e^+ dMhat y_e = x^+ dM y, with x
 * extended by the adjoints and y without them, so that a force serves M and Mhat.  Collective. */
void lat_dirac_extend(lat_dirac *dirac, bool dagger, lat_field *x);

/* out_o = D_oo^-1 in_o at the odd sites; the even ones of out stay as they are. */
void lat_dirac_divide_diagonal(lat_dirac *dirac, const lat_field *in, lat_field *out);

/* density(x) += log |det D(x)| at odd sites. */
void lat_dirac_log_det_diagonal(lat_dirac *dirac, lat_field *density);

/* Derivatives, of the links of the last lat_dirac_prepare.  Terms are gathered,
 *     scale 2 Re x^+ M y, of fields on all sites in double, and scale sum_odd log |det D(x)|,
 * as many as there are; then force_mu^a(x) += d^a of their sum, and there are none again.  Collective. */
void lat_dirac_force(lat_dirac *dirac, double scale, lat_field *x, lat_field *y);
void lat_dirac_force_diagonal(lat_dirac *dirac, double scale);
void lat_dirac_force_finish(lat_dirac *dirac, lat_gauge *gauge, lat_field *force);

/* What others ask an operator; "clover, kappa 0.138, csw 1.76, mu 0", for messages. */
enum { LAT_DIRAC_TEXT = 128 };
const char *lat_dirac_text(const lat_dirac *dirac, char text[LAT_DIRAC_TEXT]);
const lat_dirac_parameters *lat_dirac_parameters_of(const lat_dirac *dirac);
lat_group lat_dirac_group(const lat_dirac *dirac);
const lat_geometry *lat_dirac_geometry(const lat_dirac *dirac);
/* Links of the hop, smeared, as of the last lat_dirac_prepare: dim N x N matrices, row after row, 2 N^2 reals each, the boundary's phase in those that
 * cross it. */
const lat_field *lat_dirac_links(const lat_dirac *dirac);

#endif
