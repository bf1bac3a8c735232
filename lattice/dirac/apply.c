/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * apply.c: a Dirac operator applied to spinors: hops over faces that are under way while the inner sites are done.
 */
#include "lattice/dirac/operator.h"

#include "lattice/gauge/kernels.h"

#include <stdatomic.h>

enum { EVEN, ODD, ALL };

static const void *data_of(const lat_field *field) { return field ? field->data : NULL; }

static double sign(bool dagger) { return dagger ? -1 : 1; }

/* Then what the next site needs is fetched in time and results are written past the caches, which costs more than it saves where all
 * stays near. */
static bool outgrows_caches(const lat_field *links)
{
    const int64_t cached = 1 << 20; /* numbers */
    return links->geometry->sites * links->geometry->lanes * links->components > cached;
}

/* D with this mass, or its adjoint */
static hop_args diagonal(const lat_dirac *dirac, lat_precision precision, double mass, bool dagger)
{
    const dirac_fields *f = &dirac->of[precision];
    return (hop_args){.t = lat_tables_of(dirac->geometry),
                      .u = f->links->data,
                      .first = data_of(f->blocks),
                      .diagonal = 1,
                      .mass = sign(dagger) * mass,
                      .fetch = outgrows_caches(f->links)};
}

/* D^-1 = (A - i m gamma5) (A^2 + m^2)^-1, m = 2 kappa mu, or its adjoint */
static hop_args inverse_diagonal(const lat_dirac *dirac, lat_precision precision, bool dagger)
{
    const dirac_fields *f = &dirac->of[precision];
    double mass = lat_dirac_twist(dirac), square = 1 + mass * mass;
    hop_args args = diagonal(dirac, precision, -mass, dagger);
    if (!f->blocks) {
        args.diagonal = 1 / square;
        args.mass /= square;
    } else if (mass == 0) {
        args.first = f->inverse->data;
    } else {
        args.second = f->inverse->data;
    }
    return args;
}

/* To the sites of a parity, by H or its adjoint */
typedef struct {
    int parity;
    bool dagger;
} hop_kind;

static void hop(const lat_dirac *dirac, hop_kind kind, hop_args args, double scale, lat_field *in,
                const lat_field *base, lat_field *out)
{
    const lat_geometry *g = dirac->geometry;
    const lat_kernels *kernels = lat_kernels_of(in, dirac->group);
    const int parity = kind.parity;
    lat_range inner = lat_range_of(g, parity == ALL ? &g->inner : &dirac->sites[parity][0]);
    lat_range outer = lat_range_of(g, parity == ALL ? &g->outer : &dirac->sites[parity][1]);
    lat_exchange *exchange = lat_halo_start(in, lat_dirac_halves(parity == ALL ? -1 : 1 - parity, kind.dagger));
    args.in = in->data;
    args.base = data_of(base);
    args.out = out->data;
    args.scale = scale;
    (kind.dagger ? kernels->hop_dagger : kernels->hop)(&args, &inner);
    lat_halo_finish(exchange);
    (kind.dagger ? kernels->hop_dagger : kernels->hop)(&args, &outer);
    if (args.fetch) atomic_thread_fence(memory_order_seq_cst);
}

void lat_dirac_apply(lat_dirac *dirac, lat_dirac_form form, lat_field *in, lat_field *out)
{
    double kappa = dirac->parameters.kappa;
    lat_field *hopped = dirac->of[in->precision].hopped;
    hop_args args = diagonal(dirac, in->precision, lat_dirac_twist(dirac) + form.mass, form.dagger);
    if (!form.even) {
        hop(dirac, (hop_kind){ALL, form.dagger}, args, -kappa, in, in, out);
        return;
    }
    hop(dirac, (hop_kind){ODD, form.dagger}, inverse_diagonal(dirac, in->precision, form.dagger), 1, in, NULL, hopped);
    hop(dirac, (hop_kind){EVEN, form.dagger}, args, -kappa * kappa, hopped, in, out);
}

void lat_dirac_extend(lat_dirac *dirac, bool dagger, lat_field *x)
{
    hop(dirac, (hop_kind){ODD, dagger}, inverse_diagonal(dirac, x->precision, dagger), dirac->parameters.kappa, x, NULL,
        x);
}

void lat_dirac_divide_diagonal(lat_dirac *dirac, const lat_field *in, lat_field *out)
{
    hop_args i = inverse_diagonal(dirac, in->precision, false);
    block_multiply_args args = {i.t, in->data, i.first, i.second, out->data, i.diagonal, i.mass};
    lat_range odd = lat_range_of(dirac->geometry, &dirac->geometry->parity[ODD]);
    lat_kernels_of(in, dirac->group)->block_multiply(&args, &odd);
}
