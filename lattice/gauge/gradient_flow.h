/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow.h: the gradient flow and what is measured along it.
 */
#ifndef LAT_GAUGE_GRADIENT_FLOW_H
#define LAT_GAUGE_GRADIENT_FLOW_H

#include "lattice/gauge/gauge.h"

/* The gradient flow dU/dt = Z U (gradient_flow.c): M. Luescher, JHEP 08 (2010) 071 [arXiv:1006.4518], with
 * Z^a = -d^a 2 sum Re tr(1 - P), and for Zeuthen A. Ramos and S. Sint, Eur. Phys. J. C 76 (2016) 15 [arXiv:1508.05552].
 * (U(1): -d^a sum (1 - cos theta_P).)  Third-order Runge-Kutta method of Luescher. */
typedef enum { LAT_GRADIENT_FLOW_WILSON, LAT_GRADIENT_FLOW_ZEUTHEN } lat_gradient_flow_kind;
extern const char *const lat_gradient_flow_names[]; /* "wilson", "zeuthen", NULL */
typedef struct lat_gradient_flow lat_gradient_flow;
/* For fields like this one.  With couplings of links, every plaquette has its weight.  LAT_CONFIG: the Zeuthen flow needs a halo of two sites and periodic
 * boundaries. */
lat_status lat_gradient_flow_create(const lat_gauge *gauge, lat_gradient_flow_kind kind, lat_gradient_flow **flow, lat_error *error);
void lat_gradient_flow_free(lat_gradient_flow *flow);
/* One step.  Collective.  The halo of links is not filled afterwards. */
void lat_gradient_flow_step(lat_gradient_flow *flow, lat_gauge *gauge, double step);
/* Over the time in steps that keep the distance to the second-order method (P. Fritzsch and A. Ramos, JHEP 10 (2013)
 * 008 [arXiv:1301.4388]), the largest of |U - U'| / N^2, below the tolerance.  *step: where to begin, and on return where to
 * go on; *steps counts those taken.  Collective.  LAT_NUMERICAL if no step is small enough, after a few attempts. */
lat_status lat_gradient_flow_advance(lat_gradient_flow *flow, lat_gauge *gauge, double time, double tolerance, double *step, int64_t *steps,
                            lat_error *error);
/* Sums over each slice orthogonal to the last direction: out[member][3][slices] = W, Y, Q, where W = sum 2 Re tr(1 - P)
 * (time-like plaquettes count half for each of their slices), Y = sum 1/4 F^a_mn F^a_mn over all m, n with the clover
 * tensor, projected to the algebra, Q the charge from that tensor (0 below four dimensions but for U(1) in two).
 * With couplings of links, plaquettes of W and the four of a clover have their weights.  Collective. */
void lat_gradient_flow_slices(lat_gauge *gauge, double *out);
enum { LAT_GRADIENT_FLOW_W, LAT_GRADIENT_FLOW_Y, LAT_GRADIENT_FLOW_Q, LAT_GRADIENT_FLOW_QUANTITIES };

/* Where a flow is measured: after so many steps, 0 or more, ascending.  With a tolerance above 0 the steps between these points are
 * adaptive (lat_gradient_flow_advance), and `step` is the first of them. */
typedef struct {
    double step, tolerance;
    int64_t count, *after;
} lat_gradient_flow_points;
/* Integrates up to the last point, which changes the links: out[member][W, Y, Q][point][slice].  Collective.  LAT_NUMERICAL as
 * lat_gradient_flow_advance; fixed steps do not fail. */
lat_status lat_gradient_flow_integrate(lat_gradient_flow *flow, lat_gauge *gauge, const lat_gradient_flow_points *points, double *out,
                                       lat_error *error);
/* Of a member's values [W, Y, Q][point][slice], at a point: t^2 E with E = Y / volume, and the charge. */
double lat_gradient_flow_t2e(const lat_gradient_flow_points *points, int64_t point, const double *value, int64_t slices, int64_t volume);
double lat_gradient_flow_charge(const lat_gradient_flow_points *points, int64_t point, const double *value, int64_t slices);
/* Of all points: where t^2 E reaches `level`, as lat_gradient_flow_t0. */
double lat_gradient_flow_points_t0(const lat_gradient_flow_points *points, const double *value, int64_t slices, int64_t volume, double level);

/* The time at which t^2 E(t), or t d/dt t^2 E(t) for the second, first reaches `level`, from E at ascending times by linear
 * interpolation; NaN if it does not.  t0 = lat_gradient_flow_t0(0.3), w0 = sqrt(lat_gradient_flow_w0_squared(0.3)). */
double lat_gradient_flow_t0(int64_t count, const double *time, const double *energy, double level);
double lat_gradient_flow_w0_squared(int64_t count, const double *time, const double *energy, double level);

#endif
