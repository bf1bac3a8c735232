/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * observable.h: what is measured of configurations, by name: one or more columns of numbers.
 */
#ifndef LAT_OBSERVE_OBSERVABLE_H
#define LAT_OBSERVE_OBSERVABLE_H

#include "lattice/dirac/action.h"

/* What an observable is created for: fields like this one. */
typedef struct {
    const lat_gauge *gauge;
    const lat_geometry *lattice;    /* that is asked for: the field may be a small piece of it, of which nothing is measured */
    lat_settings *measure;          /* the group of the configuration where its keys are; NULL: there is none */
    const lat_operators *operators; /* that its keys can name; NULL: there are none */
} lat_observe_context;

typedef struct lat_observable lat_observable;
typedef struct {
    const char *names; /* those it knows, as a message has them: "wilson_loop_RxT" */
    /* NULL: the name is none of its own, or cannot be had here, which is then left in error (LAT_CONFIG). */
    lat_observable *(*create)(const char *name, const lat_observe_context *context, lat_error *error);
    /* out[member][column], of the one member alone where it measures one.  random: a stream of this configuration, of which it chooses `update`; where
     * it measures one member, that of this member too.  Collective; fills the halo of the links as far as it is needed. */
    lat_status (*measure)(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error);
    void (*free)(lat_observable *observable); /* what the kind has added; NULL: nothing */
    /* Adds the memory that measuring takes, on the lattice of the field that it was created for, beyond what is held; NULL: next to nothing. */
    void (*needs)(const lat_observable *observable, lat_needs *needs);
} lat_observable_kind;

typedef struct {
    char *name;       /* as in histories: "charge", "charge_squared" */
    const char *unit; /* in powers of the lattice spacing: "a^-4"; "": a pure number */
} lat_column;

/* Every kind embeds this as its first member. */
struct lat_observable {
    const lat_observable_kind *kind;
    char *name; /* as in configurations */
    int columns;
    lat_column *column;
    int64_t every; /* steps of a chain between measurements; 0: those of the group `measure` */
    int member;    /* the only one that is measured; -1: all are */
};

/* plaquette: mean of Re tr P / N over the plaquettes whose coupling is not 0; the others know no such plaquettes and are
 * refused.  rectangle: mean of Re tr R / N, both orientations.  charge: Q = sum arg P / 2 pi and Q^2 (2D U(1)).  polyakov: mean of tr L / N
 * along the last direction, real and imaginary part.  wilson_loop_RxT: mean of Re tr W / N over sites and planes (R along the lower
 * direction).  gradient_flow: at the times that its group in `measure` names, t^2 E of the clover tensor, and its charge Q and Q^2
 * in four dimensions and for U(1) in two; and t0, which is the last time where it is not reached.  mesons: correlators and the condensate of the
 * operator that its group in `measure` names (meson_columns.h). */
extern const lat_observable_kind lat_observable_plaquette, lat_observable_rectangle, lat_observable_charge, lat_observable_polyakov,
    lat_observable_wilson_loop, lat_observable_gradient_flow, lat_observable_mesons;
extern const lat_observable_kind *const lat_observable_kinds[]; /* all of these, and NULL */

/* The observable of this name among the kinds; NULL: LAT_CONFIG. */
lat_observable *lat_observable_create(const char *name, const lat_observable_kind *const *kinds, const lat_observe_context *context,
                                      lat_error *error);
/* As `measure` of the kind; the failure names the observable and the step of the stream. */
lat_status lat_observable_measure(lat_observable *observable, lat_gauge *gauge, const lat_random *random, double *out, lat_error *error);
void lat_observable_free(lat_observable *observable); /* NULL is allowed */

/* For kinds: takes `size` bytes, whose first member is the observable, of all members at the steps of the group `measure`, with columns
 * named after it: name + suffix, all of this unit. */
lat_observable *lat_observable_new(const lat_observable_kind *kind, size_t size, const char *name, int columns,
                                   const char *const *suffix, const char *unit);
/* The same with columns that have no names yet, and what gives them one. */
lat_observable *lat_observable_blank(const lat_observable_kind *kind, size_t size, const char *name, int columns);
void lat_observable_name(lat_observable *observable, int column, const char *unit, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The keys `every` and `replica` of a group of its own in `measure`, which are when and of which member it measures. */
void lat_observable_read_when(lat_observable *observable, lat_settings *group, int members, lat_error *error);
/* LAT_CONFIG: the observable needs a lattice without gaps. */
lat_status lat_observable_needs_all_loops(const char *name, const lat_gauge *gauge, lat_error *error);

#endif
