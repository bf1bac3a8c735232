/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dirac_kernels.h: the kernels on spinors: arguments, and their list.  Pointers are to arrays of the precision; densities and
 * coefficients of lanes are double.
 */
#ifndef DIRAC_KERNELS_H
#define DIRAC_KERNELS_H

#include "lattice/backend/field_kernels.h"

/* Links of a group as entries of matrices, those that cross the boundary of direction mu times phase[mu]. */
typedef struct { double re, im; } lat_phase;
typedef struct { lat_tables t; const void *u; void *entries; lat_phase phase[4]; } hop_links_args;

/* force_mu^a(x) += weight Re tr(T_a Z_mu(x)), Z matrices of N^2 entries. */
typedef struct { lat_tables t; const void *entries; void *force; double weight; } entries_force_args;

/* D = (first + i mass gamma5), then second: each two Hermitian blocks; NULL: diagonal, and 1.
 *     base NULL:  out = scale D H in        else: out = D base + scale H in
 * H with links u, or in hop_dagger its adjoint.  The halo of in has the upper halves of (1 -+ gamma) in.  fetch: memory is slow; then a fence must follow. */
typedef struct {
    lat_tables t;
    const void *u, *in, *base, *first, *second;
    void *out;
    double scale, diagonal, mass;
    int fetch;
} hop_args;
typedef hop_args hop_dagger_args;
/* out = D in */
typedef struct { lat_tables t; const void *in, *first, *second; void *out; double diagonal, mass; } block_multiply_args;

/* blocks = those of 1 - kappa csw sum_{mu<nu} gamma_mu gamma_nu F_mn, weight = -kappa csw */
typedef struct { lat_tables t; const void *u; void *blocks; double weight; } clover_args;
/* inverse = blocks^-1, or with a mass (blocks^2 + mass^2)^-1; density += log |det(blocks + i mass gamma5)|, NULL: is not asked for. */
typedef struct { lat_tables t; const void *blocks; void *inverse; double *density, mass; } block_invert_args;

/* With blocks 1 + E: out = exp(sign E), |E| <= 2^halvings / 4; out = int_0^1 exp(s E) weights exp((1 - s) E) ds, with which tr(weights d exp(E)) =
 * tr(out dE).  out may be blocks. */
typedef struct { lat_tables t; const void *blocks; void *out; double sign; int halvings; } block_exponential_args;
typedef struct { lat_tables t; const void *blocks, *weights; void *out; int halvings; } block_exponential_force_args;

/* out += weight a b, of blocks that commute */
typedef struct { lat_tables t; const void *a, *b; void *out; double weight; } block_commuting_args;

/* force_mu^a(x) += weight Re tr T_a [V_mu(x) (1 - gamma_mu) y(x+mu) x(x)^+ - (1 + gamma_mu) y(x) (V_mu(x) x(x+mu))^+] */
typedef struct { lat_tables t; const void *u, *x, *y; void *force; double weight; } hop_force_args;
/* blocks += weight (y x^+ + x y^+) / 2, the diagonal blocks of these matrices */
typedef struct { lat_tables t; const void *x, *y; void *blocks; double weight; } block_outer_args;
/* insertions_mn(x), mu < nu, N^2 entries = sum over spins of (gamma_mu gamma_nu) W(x), as a matrix of colours; anti-Hermitian. */
typedef struct { lat_tables t; const void *blocks; void *insertions; } clover_insert_args;
/* force_mu^a(x) += weight d^a sum Re tr(insertion_mn(x) F_mn(x)), F as in clover */
typedef struct { lat_tables t; const void *u, *insertions; void *force; double weight; } clover_force_args;

/* Every kernel, once; X(name). */
#define LAT_DIRAC_KERNELS(X)                                                                                           \
    X(hop_links) X(entries_force) X(hop) X(hop_dagger) X(block_multiply) X(clover) X(block_invert) X(block_commuting) X(hop_force) X(block_outer) \
    X(clover_insert) X(clover_force) X(block_exponential) X(block_exponential_force)

#endif
