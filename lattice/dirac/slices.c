/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * slices.c: log |det M| by elimination of time slices, of as many members at once as a vector has lanes.
 *
 * Spins are taken in the basis in which gamma_t = diag(1, -1) and gamma_x = sigma_2.  With psi(t) = (a, b), and B the rest of M within the slice,
 *
 *     (M psi)(t) = B(t) (a(t), b(t)) - (2 kappa U(t-1)^+ a(t-1), 2 kappa U(t) b(t+1)),
 *
 * U: the links in time.  So a goes only upwards and b only downwards, and a run of slices 0 ... t is known by what comes out at its ends
 * when alpha goes in below and beta above:
 *
 *     (a(t), b(0)) = S(t) (alpha, beta).
 *
 * With one more slice, whose P = 2 kappa U^+ S_11, Q = S_22 2 kappa U, V = 4 kappa^2 U^+ S_12 U are made from the S of those below it,
 *
 *     K = B - [0 V; 0 0],    I = K^-1,    J = I [1; 0] P,    H = Q [0 1] I,
 *     S_11 = J_+,   S_12 = I_+-,   S_21 <- S_21 + H_+ P,   S_22 = H_-.
 *
 * Below slice 0 is nothing: P = Q = 1, V = S_21 = 0.  At the end both ends are joined, (alpha, beta) = C (a, b), C = diag(2 kappa U^+, 2 kappa U):
 *
 *     det M = prod_t det K(t) det(1 - S C).
 *
 * Back again, X = C (1 - S C)^-1 is what goes into the run when a and b come out of it by themselves.  With Y = X [I_+; H]
 *
 *     M^-1(t, t) = I + J Y_alpha + I [0; 1] Y_beta,
 *
 * and the X of the run without this slice has the rows
 *
 *     (Y_alpha+ 2 kappa U^+, X_alpha,b),    2 kappa U (M^-1_-+ 2 kappa U^+, J_- X_alpha,b + I_-- X_beta,b).
 *
 * gamma5 = sigma_1, so that the blocks A_1, A_2 of A for gamma5 = 1, -1 are (A_1 + A_2) / 2 + sigma_1 (A_1 - A_2) / 2 here.
 *
 * Nothing grows along the way, as products of transfer matrices do.  The links in time need M^-1 between slices; but those parts follow from
 * M M^-1 = M^-1 M = 1 and M^-1(t, t): U P_- M^-1(t+1, t) P_- = P_- (B M^-1(t, t) - 1) P_- / 2 kappa, and likewise for P_+.
 */
#include "lattice/dirac/slices.h"

#include "lattice/dirac/lane_matrix.h"

#include <stdlib.h>
#include <string.h>

enum { TIME = 1, HALVES = 2 };

/* What is kept of a slice on the way forth. */
typedef struct {
    lane_matrix inverse, up, down; /* I, J, H */
} slice;

struct lat_slices {
    int colours, extent, count, half; /* N, sites of a slice, slices, N sites */
    double kappa, mu;
    lane_complex *room;
    real *order;
    slice *slice;
    lane_matrix block;                /* B */
    lane_matrix p, q, v, through;     /* P, Q, V, S_21 */
    lane_matrix between;              /* products on their way to a place */
    lane_matrix outside, next;        /* X, and that of the run without the slice */
    lane_matrix response, propagator; /* Y, M^-1(t, t) */
    const double *links, *blocks;     /* from the first lane of those at work; blocks NULL: A = 1 */
    int lanes;                        /* of the geometry */
};

/* ---------------------------------------------------------------------------------------------------------- memory */

/* Squares of `half` rows and, with what is between rows, as many columns and one: of a slice, and of all. */
enum { OF_SLICE = 4 + 2 + 2, OF_ALL = 5 * 4 + 5 };

double lat_slices_bytes(const int64_t *size, lat_group group)
{
    double half = (double)size[0] * ((int)group + 1);
    return half * (half + 1) * (OF_SLICE * (double)size[TIME] + OF_ALL) * (double)sizeof(lane_complex);
}

/* Rows are not a power of two apart, which caches dislike. */
static lane_matrix take(lane_complex **room, int rows, int columns)
{
    lane_matrix m = {*room, rows, columns, columns + 1};
    *room += (int64_t)rows * (columns + 1);
    return m;
}

lat_slices *lat_slices_create(const lat_geometry *g, lat_group group, const lat_dirac_parameters *parameters)
{
    lat_slices *s = lat_alloc(1, sizeof *s);
    const int colours = (int)group + 1, extent = (int)g->size[0], count = (int)g->size[TIME], half = colours * extent,
              n = HALVES * half;
    *s = (lat_slices){.colours = colours,
                      .extent = extent,
                      .count = count,
                      .half = half,
                      .kappa = parameters->kappa,
                      .mu = parameters->mu};
    lane_complex *room = s->room = lat_alloc((int64_t)half * (half + 1) * (OF_SLICE * count + OF_ALL), sizeof *room);
    s->order = lat_alloc(n, sizeof *s->order);
    s->slice = lat_alloc(count, sizeof *s->slice);
    for (int t = 0; t < count; t++)
        s->slice[t] = (slice){take(&room, n, n), take(&room, n, half), take(&room, half, n)};
    lane_matrix *const whole[] = {&s->block, &s->outside, &s->next, &s->response, &s->propagator};
    lane_matrix *const parts[] = {&s->p, &s->q, &s->v, &s->through, &s->between};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) *whole[i] = take(&room, n, n);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) *parts[i] = take(&room, half, half);
    return s;
}

void lat_slices_free(lat_slices *s)
{
    if (!s) return;
    free(s->room);
    free(s->order);
    free(s->slice);
    free(s);
}

/* ----------------------------------------------------------------------------------------------------------- links */

/* Of a matrix of n rows and columns, the block of halves of spins i, j; of a narrower one, row i or column j. */
static lane_matrix part(const lat_slices *s, lane_matrix a, int i, int j)
{
    return lane_block(a, i * s->half, j * s->half, s->half, s->half);
}
static lane_matrix upper_rows(const lat_slices *s, lane_matrix a) { return lane_block(a, 0, 0, s->half, a.columns); }
static lane_matrix lower_rows(const lat_slices *s, lane_matrix a)
{
    return lane_block(a, s->half, 0, s->half, a.columns);
}
static lane_matrix left_columns(const lat_slices *s, lane_matrix a) { return lane_block(a, 0, 0, a.rows, s->half); }
static lane_matrix right_columns(const lat_slices *s, lane_matrix a)
{
    return lane_block(a, 0, s->half, a.rows, s->half);
}

static lane_complex scaled(double factor, lane_complex a) { return (lane_complex){factor * a.re, factor * a.im}; }
static lane_complex conjugate(lane_complex a) { return (lane_complex){a.re, -a.im}; }
static lane_complex times(lane_complex a, lane_complex b)
{
    return (lane_complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
static void add(lane_complex *to, lane_complex a)
{
    to->re += a.re;
    to->im += a.im;
}

/* Where in a field of matrices the entry i, j is. */
static int64_t place(const lat_slices *s, int64_t site, int mu, int i, int j)
{
    return (((site * 2 + mu) * s->colours + i) * s->colours + j) * 2 * s->lanes;
}

/* U or U^+ */
static lane_complex link_of(const lat_slices *s, int64_t site, int mu, bool dagger, int i, int j)
{
    const double *from = s->links + (dagger ? place(s, site, mu, j, i) : place(s, site, mu, i, j));
    lane_complex u = {real_load(from), real_load(from + s->lanes)};
    return dagger ? conjugate(u) : u;
}

/* out = 2 kappa U a of the links from slice t upwards, or 2 kappa U^+ a */
static void hop_left(const lat_slices *s, int t, bool dagger, lane_matrix a, lane_matrix out)
{
    for (int row = 0; row < s->half; row++) {
        const int first = row / s->colours * s->colours;
        for (int j = 0; j < a.columns; j++) *lane_entry(out, row, j) = (lane_complex){0};
        for (int k = 0; k < s->colours; k++) {
            lane_complex u = link_of(s, (int64_t)t * s->extent + row / s->colours, TIME, dagger, row % s->colours, k);
            u = scaled(2 * s->kappa, u);
            for (int j = 0; j < a.columns; j++) add(lane_entry(out, row, j), times(u, *lane_entry(a, first + k, j)));
        }
    }
}

/* out = a 2 kappa U, or a 2 kappa U^+ */
static void hop_right(const lat_slices *s, int t, lane_matrix a, bool dagger, lane_matrix out)
{
    for (int column = 0; column < s->half; column++) {
        const int first = column / s->colours * s->colours;
        for (int i = 0; i < a.rows; i++) *lane_entry(out, i, column) = (lane_complex){0};
        for (int k = 0; k < s->colours; k++) {
            lane_complex u =
                link_of(s, (int64_t)t * s->extent + column / s->colours, TIME, dagger, k, column % s->colours);
            u = scaled(2 * s->kappa, u);
            for (int i = 0; i < a.rows; i++) add(lane_entry(out, i, column), times(*lane_entry(a, i, first + k), u));
        }
    }
}

/* The entry of a hop in space, -kappa (1 -+ gamma_x) u, gamma_x = sigma_2: sign = 1 forwards, -1 backwards. */
static void add_hop(const lat_slices *s, lane_matrix block, int row, int column, double sign, lane_complex u)
{
    const lane_complex hop = scaled(-s->kappa, u), turned = {-sign * hop.im, sign * hop.re}; /* sign i hop */
    add(lane_entry(part(s, block, 0, 0), row, column), hop);
    add(lane_entry(part(s, block, 1, 1), row, column), hop);
    add(lane_entry(part(s, block, 0, 1), row, column), turned);
    add(lane_entry(part(s, block, 1, 0), row, column), scaled(-1, turned));
}

/* Where in a field of blocks of A the entry i, j >= i is. */
static int64_t block_place(const lat_slices *s, int64_t site, int chirality, int i, int j)
{
    const int n = s->colours;
    return ((site * HALVES + chirality) * n * n + lat_block_number(n, i, j)) * s->lanes;
}

static lane_complex block_entry(const lat_slices *s, int64_t site, int chirality, int i, int j)
{
    const double *from = s->blocks + block_place(s, site, chirality, i < j ? i : j, i < j ? j : i);
    if (i == j) return (lane_complex){real_load(from), real_of(0)};
    lane_complex a = {real_load(from), real_load(from + s->lanes)};
    return i < j ? a : conjugate(a);
}

static void add_diagonal(const lat_slices *s, int t, int x, lane_matrix block)
{
    const int n = s->colours;
    const int64_t site = (int64_t)t * s->extent + x;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            lane_complex upper = block_entry(s, site, 0, i, j), lower = block_entry(s, site, 1, i, j);
            lane_complex sum = scaled(0.5, upper), difference = sum;
            add(&sum, scaled(0.5, lower));
            add(&difference, scaled(-0.5, lower));
            for (int half = 0; half < HALVES; half++) {
                add(lane_entry(part(s, block, half, half), x * n + i, x * n + j), sum);
                add(lane_entry(part(s, block, half, 1 - half), x * n + i, x * n + j), difference);
            }
        }
}

/* block = B(t) */
static void fill_block(const lat_slices *s, int t, lane_matrix block)
{
    lane_fill(block, s->blocks ? 0 : 1);
    for (int x = 0; x < s->extent && s->blocks; x++) add_diagonal(s, t, x, block);
    for (int i = 0; i < s->half; i++) {
        const lane_complex twist = {real_of(0), real_of(2 * s->kappa * s->mu)};
        add(lane_entry(part(s, block, 0, 1), i, i), twist);
        add(lane_entry(part(s, block, 1, 0), i, i), twist);
    }
    for (int x = 0; x < s->extent; x++)
        for (int i = 0; i < s->colours; i++)
            for (int j = 0; j < s->colours; j++) {
                const int next = (x + 1) % s->extent, row = x * s->colours + i, column = next * s->colours + j;
                const lane_complex u = link_of(s, (int64_t)t * s->extent + x, 0, false, i, j);
                add_hop(s, block, row, column, 1, u);
                add_hop(s, block, column, row, -1, conjugate(u));
            }
}

/* ----------------------------------------------------------------------------------------------------- the way forth */

/* P, Q and V of the slice above t. */
static void prepare_next(const lat_slices *s, int t)
{
    const slice *below = &s->slice[t];
    hop_left(s, t, true, upper_rows(s, below->up), s->p);
    hop_right(s, t, right_columns(s, below->down), false, s->q);
    hop_left(s, t, true, part(s, below->inverse, 0, 1), s->between);
    hop_right(s, t, s->between, false, s->v);
}

static void add_slice(const lat_slices *s, int t, real *log_det)
{
    const slice *now = &s->slice[t];
    fill_block(s, t, now->inverse);
    for (int i = 0; i < s->half; i++)
        for (int j = 0; j < s->half; j++)
            add(lane_entry(part(s, now->inverse, 0, 1), i, j), scaled(-1, *lane_entry(s->v, i, j)));
    lane_invert(now->inverse, log_det, s->order);
    lane_product(now->up, left_columns(s, now->inverse), s->p);
    lane_product(now->down, s->q, lower_rows(s, now->inverse));
    lane_add_product(s->through, left_columns(s, now->down), s->p);
}

/* X of all slices, and det(1 - S C). */
static void join_ends(const lat_slices *s, real *log_det)
{
    const int last = s->count - 1;
    const slice *top = &s->slice[last];
    lane_matrix joined = s->response; /* (1 - S C)^-1 */
    hop_right(s, last, upper_rows(s, top->up), true, part(s, joined, 0, 0));
    hop_right(s, last, part(s, top->inverse, 0, 1), false, part(s, joined, 0, 1));
    hop_right(s, last, s->through, true, part(s, joined, 1, 0));
    hop_right(s, last, right_columns(s, top->down), false, part(s, joined, 1, 1));
    for (int i = 0; i < joined.rows; i++)
        for (int j = 0; j < joined.columns; j++) {
            lane_complex *entry = lane_entry(joined, i, j);
            *entry = (lane_complex){(i == j) - entry->re, -entry->im};
        }
    lane_invert(joined, log_det, s->order);
    hop_left(s, last, true, upper_rows(s, joined), upper_rows(s, s->outside));
    hop_left(s, last, false, lower_rows(s, joined), lower_rows(s, s->outside));
}

static real go_forth(const lat_slices *s)
{
    real log_det = real_of(0);
    lane_fill(s->p, 1);
    lane_fill(s->q, 1);
    lane_fill(s->v, 0);
    lane_fill(s->through, 0);
    for (int t = 0; t < s->count; t++) {
        if (t > 0) prepare_next(s, t - 1);
        add_slice(s, t, &log_det);
    }
    join_ends(s, &log_det);
    return log_det;
}

/* ---------------------------------------------------------------------------------------------------- the way back */

/* Y and M^-1(t, t) */
static void propagate(const lat_slices *s, const slice *now)
{
    lane_product(s->response, left_columns(s, s->outside), upper_rows(s, now->inverse));
    lane_add_product(s->response, right_columns(s, s->outside), now->down);
    lane_copy(s->propagator, now->inverse);
    lane_add_product(s->propagator, now->up, upper_rows(s, s->response));
    lane_add_product(s->propagator, right_columns(s, now->inverse), lower_rows(s, s->response));
}

/* X of the slices below t. */
static void remove_slice(lat_slices *s, int t)
{
    const slice *now = &s->slice[t];
    hop_right(s, t - 1, part(s, s->response, 0, 0), true, part(s, s->next, 0, 0));
    lane_copy(part(s, s->next, 0, 1), part(s, s->outside, 0, 1));
    hop_right(s, t - 1, part(s, s->propagator, 1, 0), true, s->between);
    hop_left(s, t - 1, false, s->between, part(s, s->next, 1, 0));
    lane_product(s->between, lower_rows(s, now->up), part(s, s->outside, 0, 1));
    lane_add_product(s->between, part(s, now->inverse, 1, 1), part(s, s->outside, 1, 1));
    hop_left(s, t - 1, false, s->between, part(s, s->next, 1, 1));
    lane_matrix old = s->outside;
    s->outside = s->next;
    s->next = old;
}

/* --------------------------------------------------------------------------------------------------------- gradient */

static void put(const lat_slices *s, double *to, lane_complex a)
{
    real_store(to, a.re);
    real_store(to + s->lanes, a.im);
}

/* tr_spin M^-1(row, column) (1 -+ gamma_x), of one pair of sites and colours. */
static lane_complex trace_hop(const lat_slices *s, int row, int column, double sign)
{
    const lane_complex *a = lane_entry(part(s, s->propagator, 0, 0), row, column),
                       *b = lane_entry(part(s, s->propagator, 1, 1), row, column);
    const lane_complex *c = lane_entry(part(s, s->propagator, 1, 0), row, column),
                       *d = lane_entry(part(s, s->propagator, 0, 1), row, column);
    return (lane_complex){a->re + b->re - sign * (c->im - d->im), a->im + b->im + sign * (c->re - d->re)};
}

/* Z_x = -kappa (U tr M^-1(x+1, x) (1 - gamma_x) - tr M^-1(x, x+1) (1 + gamma_x) U^+) */
static lane_complex along_space(const lat_slices *s, int t, int x, int i, int j)
{
    const int64_t site = (int64_t)t * s->extent + x;
    const int here = x * s->colours, next = (x + 1) % s->extent * s->colours;
    lane_complex sum = {0};
    for (int k = 0; k < s->colours; k++) {
        add(&sum, times(link_of(s, site, 0, false, i, k), trace_hop(s, next + k, here + j, 1)));
        add(&sum, scaled(-1, times(trace_hop(s, here + i, next + k, -1), link_of(s, site, 0, true, k, j))));
    }
    return scaled(-s->kappa, sum);
}

/* Z_t = (M^-1 B)_++ - (B M^-1)_--, of one site */
static lane_complex along_time(const lat_slices *s, int x, int i, int j)
{
    const int row = x * s->colours + i, column = x * s->colours + j;
    lane_complex sum = {0};
    for (int k = 0; k < s->block.rows; k++) {
        add(&sum, times(*lane_entry(s->propagator, row, k), *lane_entry(s->block, k, column)));
        add(&sum, scaled(-1, times(*lane_entry(s->block, s->half + row, k),
                                   *lane_entry(s->propagator, k, s->half + column))));
    }
    return sum;
}

/* The part of M^-1(x, x) in one chirality, made Hermitian */
static lane_complex local_entry(const lat_slices *s, int x, int chirality, int i, int j)
{
    const int row = x * s->colours + i, column = x * s->colours + j;
    const double sign = chirality == 0 ? 0.5 : -0.5;
    lane_complex sum = {0};
    for (int half = 0; half < HALVES; half++) {
        add(&sum, scaled(0.5, *lane_entry(part(s, s->propagator, half, half), row, column)));
        add(&sum, scaled(sign, *lane_entry(part(s, s->propagator, half, 1 - half), row, column)));
    }
    return sum;
}

static void put_weights(const lat_slices *s, int t, double *weights)
{
    for (int64_t x = 0; x < s->extent; x++)
        for (int chirality = 0; chirality < HALVES; chirality++)
            for (int i = 0; i < s->colours; i++)
                for (int j = i; j < s->colours; j++) {
                    double *to = weights + block_place(s, (int64_t)t * s->extent + x, chirality, i, j);
                    lane_complex w = scaled(0.5, local_entry(s, (int)x, chirality, i, j));
                    add(&w, scaled(0.5, conjugate(local_entry(s, (int)x, chirality, j, i))));
                    real_store(to, w.re);
                    if (i != j) real_store(to + s->lanes, w.im);
                }
}

static void put_gradient(const lat_slices *s, int t, double *gradient)
{
    fill_block(s, t, s->block);
    for (int x = 0; x < s->extent; x++)
        for (int i = 0; i < s->colours; i++)
            for (int j = 0; j < s->colours; j++) {
                const int64_t site = (int64_t)t * s->extent + x;
                put(s, gradient + place(s, site, 0, i, j), along_space(s, t, x, i, j));
                put(s, gradient + place(s, site, TIME, i, j), along_time(s, x, i, j));
            }
}

static void go_back(lat_slices *s, double *gradient, double *weights)
{
    for (int t = s->count - 1; t >= 0; t--) {
        propagate(s, &s->slice[t]);
        put_gradient(s, t, gradient);
        if (weights) put_weights(s, t, weights);
        if (t > 0) remove_slice(s, t);
    }
}

void lat_slices_log_det(lat_slices *s, const lat_elimination *of, double *log_det, const lat_elimination *derivatives)
{
    s->lanes = of->links->geometry->lanes;
    const lat_elimination_numbers in = lat_elimination_map(of, LAT_READ),
                                  out = lat_elimination_map(derivatives, LAT_WRITE);
    for (int lane = 0; lane < s->lanes; lane += REAL_LANES) {
        s->links = in.links + lane;
        s->blocks = in.blocks ? in.blocks + lane : NULL;
        real_store(log_det + lane, go_forth(s));
        if (derivatives) go_back(s, out.links + lane, out.blocks ? out.blocks + lane : NULL);
    }
    lat_elimination_unmap(derivatives, out, LAT_WRITE);
    lat_elimination_unmap(of, in, LAT_READ);
}
