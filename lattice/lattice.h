/* flowhmc: sampling lattice gauge fields with flows and Hybrid Monte Carlo
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lattice.h: the public contract of the field library, the ground floor of the program.
 *
 * Conventions.  Links U_mu(x) lead from x to x+mu.  Directions are 0, 1, 2, 3 = x, y, z, t and site indices run x
 * fastest.  P_mn(x) = U_m(x) U_n(x+m) U_m(x+n)^+ U_n(x)^+.  A U(1) link is stored as its angle in [-pi, pi].
 * Algebra fields hold the components of the basis T_a with tr T_a T_b = -delta_ab / 2 (U(1): T = i, one component).
 * "Collective" means: every rank of the communicator calls the function with the same arguments; all others are local.
 * Functions that can fail return a lat_status and describe the failure in a lat_error.
 */
#ifndef LATTICE_H
#define LATTICE_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------ failure (error.c) */

/* The values are the exit codes of the programs. */
typedef enum {
    LAT_DONE = 0,
    LAT_USAGE = 2,     /* command line */
    LAT_CONFIG = 3,    /* configuration file, or a request that cannot be met */
    LAT_FILE = 4,      /* file system */
    LAT_FORMAT = 5,    /* checksum or format of a file */
    LAT_NUMERICAL = 6, /* NaN, failed audit */
    LAT_STOPPED = 7,   /* signal, stop file or wall-clock limit, with a good checkpoint */
} lat_status;

/* One line: what, where, what to do.  Start from lat_error e = {0}. */
typedef struct {
    lat_status status;
    char text[512];
} lat_error;

/* Records a failure and returns its status.  The first failure is kept, later ones are ignored. */
lat_status lat_fail(lat_error *error, lat_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Collective.  All ranks leave with the status and text of the lowest rank that failed (LAT_DONE if none did). */
lat_status lat_agree(MPI_Comm comm, lat_error *error);

/* Prints "flowhmc: text" once on stderr and ends the run on all ranks.  For failures that no caller can handle. */
_Noreturn void lat_abort(lat_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* MPI_Init with an error handler that ends the run with one line; MPI calls need no further check. */
void lat_start(int *argc, char ***argv);

/* Zeroed, 64-byte aligned host memory for count elements; ends the run with one line, naming the bytes, if there is
 * none.  Release with free(). */
void *lat_alloc(int64_t count, size_t element_size);

/* printf into new memory, to be released with free(). */
char *lat_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -------------------------------------------------------------------------------------------- settings (settings.c) */

/* A group of a configuration (libconfig syntax) together with the record of what was asked of it.  Reading a key
 * declares it: keys that nobody asked for are reported by lat_settings_finish, and lat_settings_print writes the
 * complete configuration with every default that was taken.  All functions are local and deterministic. */
typedef struct lat_settings lat_settings;

/* Parses text; name is what error messages call it (a file name).  LAT_CONFIG with line number on a syntax error. */
lat_status lat_settings_parse(const char *text, const char *name, lat_settings **root, lat_error *error);
/* Sets one value from "path.to.key=value" (list elements: "updates.[0].steps=20"); the value is in libconfig syntax,
 * an unquoted word is taken as a string.  Missing groups are created.  Call before any key is read. */
lat_status lat_settings_override(lat_settings *root, const char *assignment, lat_error *error);
void lat_settings_free(lat_settings *root);

/* Values with default and inclusive range.  On failure (type, range) the error names file, line and key, the default
 * is returned, and the error's status says so; callers may read many keys and look at error->status once.  A default
 * outside the range means "not set" and is not printed; the default NaN means that the key is required. */
int64_t lat_settings_int(lat_settings *group, const char *key, int64_t standard, int64_t low, int64_t high, lat_error *error);
double lat_settings_real(lat_settings *group, const char *key, double standard, double low, double high, lat_error *error);
bool lat_settings_bool(lat_settings *group, const char *key, bool standard, lat_error *error);
/* standard NULL: the key is required.  The string lives as long as the settings. */
const char *lat_settings_string(lat_settings *group, const char *key, const char *standard, lat_error *error);
/* Index into the NULL-terminated list of names; a word that is not in it is an error naming the nearest one. */
int lat_settings_choice(lat_settings *group, const char *key, const char *standard, const char *const *names, lat_error *error);
/* Array or list of integers, reals or strings: fills up to max values and returns their number; 0 if absent and a
 * default of standard_count values is given (copied to values); standard_count < 0: the key is required. */
int lat_settings_ints(lat_settings *group, const char *key, int64_t *values, int standard_count, int max, int64_t low, int64_t high, lat_error *error);
int lat_settings_strings(lat_settings *group, const char *key, const char **values, int standard_count, int max, lat_error *error);
/* A subgroup; an absent one is created empty, so that its defaults are recorded. */
lat_settings *lat_settings_group(lat_settings *group, const char *key, lat_error *error);
/* A list of groups: its length (0 if absent), and its elements. */
int lat_settings_list(lat_settings *group, const char *key, lat_error *error);
lat_settings *lat_settings_item(lat_settings *group, const char *key, int index, lat_error *error);
bool lat_settings_has(const lat_settings *group, const char *key);
/* Fails with LAT_CONFIG on the first key nobody read, naming file, line and the nearest key that is known there. */
lat_status lat_settings_finish(lat_settings *root, lat_error *error);
/* A failure at this key: "FILE:LINE: key: " followed by the message.  Returns LAT_CONFIG. */
lat_status lat_settings_fail(lat_settings *group, const char *key, lat_error *error, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The group as text in libconfig syntax, complete with defaults, in a fixed order; free() it. */
char *lat_settings_print(const lat_settings *group);
/* The entry of a NULL-terminated list with the least edit distance to word; NULL if the list is empty. */
const char *lat_nearest(const char *word, const char *const *names);

/* ---------------------------------------------------------------------------------- geometry and lanes (geometry.c) */

enum { LAT_MAX_DIM = 4 };

typedef enum { LAT_U1, LAT_SU2, LAT_SU3, LAT_GROUPS } lat_group;
typedef enum { LAT_DOUBLE, LAT_FLOAT, LAT_PRECISIONS } lat_precision;

extern const char *const lat_group_names[];     /* "u1", "su2", "su3", NULL */
extern const char *const lat_precision_names[]; /* "double", "float", NULL */
int lat_link_reals(lat_group group);            /* reals stored per link: 1, 4, 18 */
int lat_algebra_reals(lat_group group);         /* dim of the algebra: 1, 3, 8 */

/* Boundary conditions; zero: periodic (boundary.c).  They are couplings of links: a plaquette or rectangle is weighted
 * with the product of the couplings of its links, as in arXiv:2012.14000.  All are 1 but those of links that lead from
 * the last slice of a direction to the first: 0 where the direction is open, so that the loops which would leave the lattice
 * vanish, all others having weight 1, those within the first and the last slice too; and `coupling`, 0 to 1, on the
 * links of a defect, which start at 0 <= x_nu < extent[nu] for all nu other than its direction.  A defect of coupling 0 on
 * a whole slice is an open boundary.  Links of coupling 0 are stored all the same, and take any value. */
typedef struct {
    bool open[LAT_MAX_DIM];
    bool defect;
    int direction;
    int64_t extent[LAT_MAX_DIM];
    double coupling;
} lat_boundary;

/* What is asked of a geometry.  Zero means: choose. */
typedef struct {
    int dim;
    int64_t size[LAT_MAX_DIM];  /* global extents */
    int ranks[LAT_MAX_DIM];     /* rank grid; its product is the size of the communicator */
    int lane_grid[LAT_MAX_DIM]; /* blocks of this rank's lattice held in lanes */
    int members;                /* independent lattices held side by side in lanes (at least 1) */
    int period;                 /* in directions split over lanes, a lane's block is a multiple of this (default 2) */
    int halo;                   /* width of the halo (default 1) */
    int corners;                /* a halo site lies outside in at most this many directions (default 2) */
    lat_precision precision;    /* the lanes are a multiple of the vector length of this precision */
    lat_boundary boundary;
    const struct lat_backend *backend; /* who runs the kernels, and where fields are kept; NULL: the host */
} lat_shape;

/* A list of sites of a lane's block. */
typedef struct {
    int64_t count;
    int64_t *site;
    int64_t *shared; /* the same where kernels find it */
} lat_sites;

/* Every rank holds an equal part of the lattice; the part is cut in equal blocks, one per lane and member.  All lanes
 * share one table of sites: sites 0 ... sites-1 are the block (x fastest), sites ... all_sites-1 its halo (by regions).  Directions
 * that are split over neither ranks nor lanes have no halo: their neighbour table wraps around.
 * Lane = block * members + member; lanes beyond blocks * members are idle: they compute, and nobody looks.
 * Read-only for everybody but geometry.c and halo.c. */
typedef struct lat_geometry {
    MPI_Comm comm;
    int rank, rank_count;
    int dim;
    int64_t size[LAT_MAX_DIM]; /* 1 in directions >= dim, as are all arrays below (positions: 0) */
    int64_t volume;            /* global number of sites */
    int ranks[LAT_MAX_DIM], position[LAT_MAX_DIM];
    int64_t local[LAT_MAX_DIM]; /* extents of this rank's part */
    int lane_grid[LAT_MAX_DIM];
    int64_t block[LAT_MAX_DIM]; /* extents of one lane's block */
    int members, blocks, lanes;
    int halo, corners;
    bool split[LAT_MAX_DIM]; /* over ranks or lanes: this direction has a halo */
    int64_t sites, all_sites;
    int64_t *up[LAT_MAX_DIM], *down[LAT_MAX_DIM]; /* [all_sites]; -1 where the neighbour is not stored */
    int64_t *box_site;                            /* site number of every point of block and halo, x fastest */
    int32_t *coordinate;                          /* [all_sites][dim]: within the block, negative in a lower halo */
    int64_t *origin;                              /* [lanes][dim]: global coordinates of the lane's block */
    int64_t *global_site;                         /* [sites][lanes]: lexicographic global site index */
    int64_t *lane_member;                         /* [lanes]; idle lanes carry members, members+1, ... */
    lat_sites parity[2];                          /* sites of the block with even, odd sum of global coordinates */
    lat_sites inner, outer;                       /* sites that need no halo from other ranks, and those that do */
    lat_boundary boundary;
    const struct lat_backend *backend;
    struct lat_tables *tables; /* what kernels read of all this, where they find it */
    struct lat_halo *halos; /* exchanges set up so far, by the number of bytes per site */
    struct lat_paths *paths; /* room for what kernels keep from site to site (paths.c) */
} lat_geometry;

/* The key `backend` of a configuration: "auto" (the GPUs, if every rank has one, else the CPU), "cpu" or "cuda".  The ranks of a
 * machine take turns with its GPUs.  why: a few words where "auto" did not get a GPU; empty if it did, or if the program is
 * built without.  Collective. */
enum { LAT_BACKEND_TEXT = 256 };
lat_status lat_backend_read(MPI_Comm comm, lat_settings *root, const struct lat_backend **backend, char why[LAT_BACKEND_TEXT],
                            lat_error *error);
const char *lat_backend_name(const struct lat_backend *backend);

/* Lanes of one vector on the host: the smallest number of members that leaves none idle there. */
int lat_vector_lanes(lat_precision precision);
/* The same for a backend; NULL: the host. */
int lat_backend_lanes(const struct lat_backend *backend, lat_precision precision);

/* Collective over comm, which is duplicated.  LAT_CONFIG if the shape cannot be met (the message says which extent
 * does not divide by what). */
lat_status lat_geometry_create(MPI_Comm comm, const lat_shape *shape, lat_geometry **geometry, lat_error *error);
void lat_geometry_free(lat_geometry *geometry); /* collective */

/* Reads the keys `boundary` and `defect` of a lattice, whose size is known, into its shape. */
void lat_boundary_read(lat_settings *lattice, lat_shape *shape, lat_error *error);
/* The same keys as one line of text, to be released with free(); NULL: all couplings are 1. */
char *lat_boundary_print(const lat_boundary *boundary, int dim);
bool lat_boundary_is_periodic(const lat_boundary *boundary); /* all couplings are 1 */
bool lat_boundary_has_gaps(const lat_boundary *boundary);    /* some are 0 */

/* Site index of the coordinates relative to the block of the lanes (halo coordinates included); -1 if not stored. */
int64_t lat_site(const lat_geometry *geometry, const int64_t *coordinate);

/* -------------------------------------------------------------------------------------------------- fields (field.c) */

/* data[(site * components + component) * lanes + lane], all_sites sites, real = double or float.
 * A gauge field has components = dim * lat_link_reals, component = mu * lat_link_reals + real. */
typedef struct {
    const lat_geometry *geometry;
    int components;
    lat_precision precision;
    void *data; /* in the memory of the backend: for kernels, not for the host */
} lat_field;

/* The numbers of a field for code of the host: they themselves, or a copy where the backend has its own memory.  Nobody
 * else may use the field until they are given back. */
typedef enum {
    LAT_READ,
    LAT_WRITE, /* all of them; what they were is lost */
    LAT_CHANGE,
} lat_access;
void *lat_field_map(const lat_field *field, lat_access access);
void lat_field_unmap(const lat_field *field, void *numbers, lat_access access);
double lat_real_at(const lat_field *field, const void *numbers, int64_t i); /* number i, of those that were mapped */

/* What has been copied between the memory of a geometry's backend and that of the host, in both directions: fields by
 * lat_field_map, small arrays and sums, and messages; and how often kernels were asked for all at once. */
typedef struct {
    int64_t fields, field_bytes, arrays, array_bytes, messages, message_bytes;
    int64_t replays; /* of recorded sequences of kernels */
} lat_copies;
lat_copies lat_copies_of(const lat_geometry *geometry);

lat_field *lat_field_create(const lat_geometry *geometry, int components, lat_precision precision); /* zeroed */
lat_field *lat_field_gauge(const lat_geometry *geometry, lat_group group, lat_precision precision); /* unit links */
lat_field *lat_field_algebra(const lat_geometry *geometry, lat_group group, lat_precision precision);
/* The couplings of links that follow from the boundary: dim components in double, halo filled; NULL if all are 1.  Collective. */
lat_field *lat_couplings_create(const lat_geometry *geometry);
void lat_field_free(lat_field *field); /* NULL is allowed, as in free() */
void lat_field_zero(lat_field *field);
void lat_field_copy(lat_field *to, const lat_field *from);    /* halo included; converts the precision */
/* Copies the members m with choose[m] true; the others keep their values. */
void lat_field_copy_members(lat_field *to, const lat_field *from, const bool *choose);
/* Whether the sites of both geometries have the same numbers: alike over ranks, and not cut over lanes, which a device does
 * not mind. */
bool lat_same_sites(const lat_geometry *a, const lat_geometry *b);
/* Member m of `to` becomes the member member[m] of `from`, and stays as it is where that is negative.  The geometries may
 * differ in members and halo (members.c); converts the precision.  Halo not filled. */
void lat_field_take_members(lat_field *to, const lat_field *from, const int *member);
void lat_field_axpy(lat_field *y, double a, const lat_field *x); /* y += a x on the block */

/* One member of a field, whole, in site order: values[global_site * components + component], as double.
 * Collective; every rank receives it all, so this is for small lattices, tests and the batch of proposals. */
void lat_field_gather(const lat_field *field, int member, double *values);
/* The inverse: local; each rank picks its part of values.  Halo not filled. */
void lat_field_scatter(lat_field *field, int member, const double *values);
/* This rank's part of one member in site order (x fastest within geometry->local): values[local site][component]. */
void lat_field_get_local(const lat_field *field, int member, double *values);
void lat_field_set_local(lat_field *field, int member, const double *values);

/* ---------------------------------------------------------------------------------------------- halo exchange (halo.c) */

/* Fills the halo of a field from the owners of its sites.  Collective.  Between the two halves the halo of the inner sites
 * is filled already (what comes from lanes of the same rank), so that work on them overlaps with the messages; the
 * outer sites must not change.  A geometry has one exchange of a given number of components under way at a time. */
void lat_halo_start(lat_field *field);
void lat_halo_finish(lat_field *field);
void lat_halo_exchange(lat_field *field);
/* The same for no more than the links in direction mu at the sites of one parity, and where staples need them: after an
 * update of these links, when the rest of the halo is filled. */
void lat_halo_start_links(lat_field *links, int mu, int parity);
void lat_halo_finish_links(lat_field *links, int mu, int parity);
/* The same for the links in all directions, where staples and plaquettes need them: the rest of the halo is left alone. */
void lat_halo_start_staples(lat_field *links);
void lat_halo_finish_staples(lat_field *links);
/* Bytes that this rank sends in an exchange of the whole halo, and in one for staples. */
int64_t lat_halo_bytes(const lat_field *field);
int64_t lat_halo_staple_bytes(const lat_field *links);
/* The adjoint: adds every halo value to the site it is a copy of and zeroes the halo.  Collective. */
void lat_halo_adjoint(lat_field *field);

/* -------------------------------------------------------------------------------------------------- sums (sum.c) */

/* Exact, order-independent sum of doubles: a fixed-point number that spans the whole range of double.  Start from
 * {0}; up to 2^31 additions between reductions. */
enum { LAT_ACCUMULATOR_DIGITS = 67 };
typedef struct {
    int64_t digit[LAT_ACCUMULATOR_DIGITS]; /* value = sum_i digit[i] 2^(32 i - 1074) */
    int64_t not_finite;                    /* number of infinities and NaNs added */
} lat_accumulator;

void lat_accumulator_add(lat_accumulator *sum, double value);
/* integer times unit, a power of two */
void lat_accumulator_add_integer(lat_accumulator *sum, int64_t integer, double unit);
double lat_accumulator_value(const lat_accumulator *sum); /* correctly rounded; NaN if a term was not finite */
void lat_accumulator_reduce(MPI_Comm comm, lat_accumulator *sums, int count); /* collective; all ranks get the sum */

/* Sum over all sites and components of a double field, per member: out[members].  Collective, exact, independent of
 * ranks and lanes. */
void lat_sum(const lat_field *field, double *out);

/* ---------------------------------------------------------------------------------------- random numbers (random.c) */

/* Counter-based: Philox4x64-10 with key (seed, purpose + update << 16) and counter (step, site, direction + member <<
 * 8, index).  The same on any number of ranks and lanes. */
typedef enum {
    LAT_RANDOM_START = 1,
    LAT_RANDOM_MOMENTA,
    LAT_RANDOM_ACCEPT,
    LAT_RANDOM_HEATBATH,
    LAT_RANDOM_OVERRELAX,
    LAT_RANDOM_INSTANTON,
    LAT_RANDOM_PRIOR,
    LAT_RANDOM_AUDIT,
    LAT_RANDOM_PARAMETERS,
    LAT_RANDOM_TEST,
    LAT_RANDOM_AUXILIARY, /* fields that an action draws at the start of a trajectory */
} lat_purpose;

typedef struct {
    uint64_t seed;
    lat_purpose purpose;
    uint32_t update; /* which of the updates of a step, so that equal updates draw different numbers */
    uint64_t step;
    uint64_t member; /* added to the member of the lane */
} lat_random;

/* Four uniform deviates in (0, 1) for one (site, direction, member, index). */
void lat_uniform4(const lat_random *random, uint64_t site, uint32_t direction, uint64_t member, uint64_t index, double out[4]);
/* A field of independent Gaussians (mean 0, variance 1); four components share the key of the first as direction. */
void lat_field_gaussian(lat_field *field, const lat_random *random);
/* Links with Haar measure.  Halo not filled. */
void lat_field_haar(lat_field *links, lat_group group, const lat_random *random);

/* --------------------------------------------------------------------------------------- gauge fields (gauge.c) */

/* U_mu(x) <- exp(step * A_mu(x)) U_mu(x), A an algebra field.  Halo of U not filled. */
void lat_gauge_exp_update(lat_field *links, lat_group group, double step, const lat_field *algebra);
/* U_mu(x) <- g(x) U_mu(x) g(x+mu)^+; g has lat_link_reals components and a filled halo. */
void lat_gauge_transform(lat_field *links, lat_group group, const lat_field *g);

/* ------------------------------------------------------------------------------------------------ actions (action/) */

/* The table of an action: S(U) = sum_x s(x).  Both functions are collective (they fill the halo of the links as far as
 * they need it). */
typedef struct lat_action lat_action;
typedef struct {
    const char *name;
    /* density(x) += s(x); density: one double component. */
    void (*value)(lat_action *action, lat_field *links, lat_field *density);
    /* force_mu^a(x) += scale * d^a_{x,mu} S, the left derivative d/dt S(exp(t T_a) U_mu(x)) at t = 0. */
    void (*force)(lat_action *action, lat_field *links, double scale, lat_field *force);
    /* Draws auxiliary fields at the start of a trajectory; NULL if there are none. */
    void (*refresh)(lat_action *action, lat_field *links, const lat_random *random);
    void (*free)(lat_action *action);
} lat_action_table;
struct lat_action {
    const lat_action_table *table;
    lat_group group;
    int halo;                   /* width that its functions need in the geometry of the links; 0: 1 */
    const lat_field *couplings; /* of the links, dim components; NULL: all are 1.  See lat_action_couple */
};

/* S = beta sum_{x, m<n} (1 - Re tr P / N); U(1): beta sum (1 - cos theta_P). */
lat_action *lat_action_wilson(lat_group group, double beta);
/* S = beta sum [c0 (1 - Re tr P / N) + c1 (1 - Re tr R / N)], R all loops of 2 x 1 links, c0 = 1 - 8 c1. */
lat_action *lat_action_improved(lat_group group, double beta, double c1);
/* From the list `action` of a configuration: a sum of terms. */
lat_action *lat_action_create(lat_settings *root, lat_group group, lat_error *error);
/* Gives the action, and the terms of a sum, couplings of links, which stay the caller's; NULL: all are 1.  From then on
 * its functions are for links of the geometry of the couplings. */
void lat_action_couple(lat_action *action, const lat_field *couplings);
/* If the action is a single Wilson term, its beta, whatever the couplings; otherwise NaN. */
double lat_action_beta(const lat_action *action);
void lat_action_free(lat_action *action);
/* Nested time scales: terms of a sum have levels 0 (the innermost, the default) to levels - 1, none of them empty.  The
 * force of the terms of one level, as in the table; an action of one level is its level 0. */
enum { LAT_MAX_LEVELS = 4 };
int lat_action_levels(const lat_action *action);
void lat_action_force(lat_action *action, int level, lat_field *links, double scale, lat_field *force);
/* Total action per member (collective). */
void lat_action_total(lat_action *action, lat_field *links, double *out);

/* -------------------------------------------------------------------------------------------- observables (observe/) */

/* The table of an observable: one or more numbers per member.  Collective. */
typedef struct lat_observable lat_observable;
struct lat_observable {
    char name[32];        /* as in the configuration: "wilson_loop_2x2" */
    int columns;          /* numbers per member */
    const char *column[2];/* suffix of each column's name: "", "_squared", "_im" ... */
    int extent[2];        /* R and T of a Wilson loop */
    void (*measure)(const lat_observable *observable, lat_field *links, lat_group group, double *out /* [members][columns] */);
};
/* plaquette: mean of Re tr P / N over the plaquettes whose coupling is not 0; the others know no such plaquettes and are
 * refused.  rectangle: mean of Re tr R / N, both orientations.  charge: Q = sum arg P / 2 pi and Q^2 (2D U(1)).  polyakov: mean of tr L / N along the
 * last direction, real and imaginary part.  wilson_loop_RxT: mean of Re tr W / N over sites and planes (R along the lower
 * direction). */
lat_status lat_observable_find(const char *name, lat_group group, const lat_shape *shape, lat_observable *out, lat_error *error);

/* Exact values in two dimensions, periodic Lx x Ly (exact2d.c): NaN where none is known.
 * Name: "plaquette", "charge_squared" (U(1)), "charge" (0), "wilson_loop_RxT" (R < Lx, T < Ly). */
double lat_exact2d(const char *name, lat_group group, double beta, int64_t volume);
/* ln Z = ln of the integral of exp(-S) over the normalised Haar measure of all links. */
double lat_exact2d_log_z(lat_group group, double beta, int64_t volume);

/* Smearing and Wilson loops (observe/loops.c).  Links of the first `directions` directions, by staples within them: dim for
 * all, dim - 1 for the space-like ones.  weight: alpha of APE smearing, (1 - alpha) U + alpha times the mean staple, projected
 * to the group (SU(3): unitary factor over the cube root of its determinant); rho of stout smearing.  Collective. */
typedef enum { LAT_SMEARING_NONE, LAT_SMEARING_APE, LAT_SMEARING_STOUT } lat_smearing;
extern const char *const lat_smearing_names[]; /* "none", "ape", "stout", NULL */
void lat_smear(lat_field *links, lat_group group, lat_smearing kind, int steps, double weight, int directions);
/* Means of Re tr W / N of the loops of R = 1 ... r_count links in any direction but the last and T = 1 ... t_count links in
 * the last: out[member][R-1][T-1].  Collective. */
void lat_wilson_loops(lat_field *links, lat_group group, int r_count, int t_count, double *out);

/* The gradient flow dU/dt = Z U (observe/gradient_flow.c): M. Luescher, JHEP 08 (2010) 071 [arXiv:1006.4518], with
 * Z^a = -d^a 2 sum Re tr(1 - P), and for Zeuthen A. Ramos and S. Sint, Eur. Phys. J. C 76 (2016) 15 [arXiv:1508.05552].
 * (U(1): -d^a sum (1 - cos theta_P).)  Third-order Runge-Kutta method of Luescher. */
typedef enum { LAT_FLOW_WILSON, LAT_FLOW_ZEUTHEN } lat_flow_kind;
extern const char *const lat_flow_names[]; /* "wilson", "zeuthen", NULL */
typedef struct lat_flow lat_flow;
/* With couplings of links, every plaquette has its weight.  LAT_CONFIG: the Zeuthen flow needs a halo of two sites and periodic
 * boundaries. */
lat_status lat_flow_create(const lat_geometry *geometry, lat_group group, lat_precision precision, lat_flow_kind kind, lat_flow **flow,
                           lat_error *error);
void lat_flow_free(lat_flow *flow);
/* One step.  Collective.  The halo of links is not filled afterwards. */
void lat_flow_step(lat_flow *flow, lat_field *links, double step);
/* Over the time in steps that keep the distance to the second-order method (P. Fritzsch and A. Ramos, JHEP 10 (2013)
 * 008 [arXiv:1301.4388]), the largest of |U - U'| / N^2, below the tolerance.  *step: where to begin, and on return where to
 * go on; *steps counts those taken.  Collective.  LAT_NUMERICAL if no step is small enough, after a few attempts. */
lat_status lat_flow_advance(lat_flow *flow, lat_field *links, double time, double tolerance, double *step, int64_t *steps,
                            lat_error *error);
/* Sums over each slice orthogonal to the last direction: out[member][3][slices] = W, Y, Q, where W = sum 2 Re tr(1 - P)
 * (time-like plaquettes count half for each of their slices), Y = sum 1/4 F^a_mn F^a_mn over all m, n with the clover
 * tensor, projected to the algebra, Q the charge from that tensor (0 below four dimensions but for U(1) in two).
 * With couplings of links, plaquettes of W and the four of a clover have their weights.  Collective. */
void lat_flow_slices(lat_field *links, lat_group group, double *out);
/* The time at which t^2 E(t), or t d/dt t^2 E(t) for the second, first reaches `level`, from E at ascending times by linear
 * interpolation; NaN if it does not.  t0 = lat_flow_t0(0.3), w0 = sqrt(lat_flow_w0_squared(0.3)). */
double lat_flow_t0(int64_t count, const double *time, const double *energy, double level);
double lat_flow_w0_squared(int64_t count, const double *time, const double *energy, double level);

/* ------------------------------------------------------------------------------------------------------ files (io/) */

/* Whole small file, read by rank 0 and given to all; at most limit bytes.  bytes[size] = 0 is added; free() it.
 * Collective.  LAT_FILE if it cannot be read or is too large. */
lat_status lat_file_read(MPI_Comm comm, const char *path, int64_t limit, char **bytes, int64_t *size, lat_error *error);
/* Writes by rank 0 to a temporary name in the same directory, syncs, re-reads and compares, renames, syncs the
 * directory.  Collective. */
lat_status lat_file_write(MPI_Comm comm, const char *path, const void *bytes, int64_t size, lat_error *error);

/* HDF5 files of this program begin with a user block of 512 bytes in plain text: "flowhmc KIND", format version, number
 * of bytes and CRC-32 of all that follows.  It is verified before the HDF5 library sees the file, so a truncated or
 * damaged file is LAT_FORMAT and nothing worse.  h5py and h5dump read the files as they are.  Files are written to
 * PATH.tmp, synced, re-read, verified and renamed; the bytes are a function of the contents (no time stamps). */
typedef struct lat_h5 lat_h5;

/* Collective over comm, as are all functions of a lat_h5.  The first failure is kept inside: later calls do nothing,
 * and lat_h5_finish reports it.  kind: "model", "configuration", "history", "checkpoint". */
lat_h5 *lat_h5_create(MPI_Comm comm, const char *path, const char *kind);
lat_h5 *lat_h5_open(MPI_Comm comm, const char *path, const char *kind);
/* Closes; a created file gets its final name only here.  Returns the first failure of all calls since opening. */
lat_status lat_h5_finish(lat_h5 *file, lat_error *error);
/* The failure so far, to leave loops early. */
lat_status lat_h5_status(const lat_h5 *file);
/* Records a failure of the contents (LAT_FORMAT, "PATH: ..."). */
void lat_h5_refuse(lat_h5 *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

void lat_h5_put_text(lat_h5 *file, const char *name, const char *text);
void lat_h5_put_int(lat_h5 *file, const char *name, int64_t value);
void lat_h5_put_real(lat_h5 *file, const char *name, double value);
/* Replicated array: rank 0 writes its values. */
void lat_h5_put_reals(lat_h5 *file, const char *name, int rank, const int64_t *extent, const double *values);
/* One member (or all: member < 0) of a gauge field; each rank writes its part: [member]([t][z])[y][x][component]. */
void lat_h5_put_field(lat_h5 *file, const char *name, const lat_field *field, int member);

/* Reading: absent, of another type, or out of range is a refusal.  Texts at most limit bytes; free() them. */
char *lat_h5_get_text(lat_h5 *file, const char *name, int64_t limit);
int64_t lat_h5_get_int(lat_h5 *file, const char *name, int64_t low, int64_t high);
/* The group that the text `group` names; LAT_GROUPS on refusal. */
lat_group lat_h5_get_group(lat_h5 *file);
double lat_h5_get_real(lat_h5 *file, const char *name);
bool lat_h5_has(lat_h5 *file, const char *name);
/* Extent must have `rank` dimensions, each at most limit; fills extent and returns new memory, NULL on refusal. */
double *lat_h5_get_reals(lat_h5 *file, const char *name, int rank, int64_t *extent, int64_t limit);
/* Extents and components must match the field; values must be finite. */
void lat_h5_get_field(lat_h5 *file, const char *name, lat_field *field, int member);

/* Gauge configurations with their provenance, in the formats of doc/files.md.  Files are read by their contents and written
 * in the format that the ending of their name stands for (.h5, .nersc, .ildg, .openqcd).  All ranks take part; no rank
 * holds the whole field; the bytes do not depend on the number of ranks.  NERSC, ILDG, openQCD and MILC hold SU(3) (NERSC
 * and ILDG also SU(2)) in four dimensions: other fields are LAT_CONFIG when written, LAT_FORMAT when read. */
typedef struct {
    const char *key, *value;
} lat_provenance;

/* Zero means: what the file says, or the default. */
typedef struct {
    const char *format;        /* "h5", "nersc", "ildg", "openqcd", "milc" (only read) */
    const char *endian;        /* reading: "big" or "little", against what the file says */
    int bits;                  /* of a number: 32 or 64.  Writing: 32 in NERSC and ILDG only */
    int64_t size[LAT_MAX_DIM]; /* reading: extents of an ILDG file that does not name them */
    bool two_rows;             /* writing: NERSC files that leave out the last row of each matrix */
    bool lenient;              /* reading: checksums, plaquettes and link traces that differ are only warnings */
} lat_config_options;

/* What a file said and what was found in it.  Release it with lat_config_report_free. */
typedef struct {
    bool wanted;        /* set by lat_config_read_as: the plaquette is computed even if there is none to compare with */
    const char *format; /* NULL: not known */
    char detail[96];    /* variant of the format */
    lat_group group;
    int dim;            /* 0: the header could not be read, and nothing below is there */
    int64_t size[LAT_MAX_DIM];
    bool links;         /* the links were read, and what follows is there */
    double plaquette, trace, violation;     /* means of Re tr P / N and Re tr U / N; largest deviation from the group */
    double stored_plaquette, stored_trace;  /* NaN: none */
    int checksums;                          /* computed */
    bool has_checksums;                     /* stored */
    const char *checksum_name[2];
    uint32_t checksum[2], stored_checksum[2];
    char warning[512];                      /* empty: none */
    int provenance_count;
    lat_provenance *provenance;
    char *memory;
} lat_config_report;
void lat_config_report_free(lat_config_report *report);

/* Fills the halo of links.  LAT_CONFIG if the format cannot hold the field, or the ending is unknown. */
lat_status lat_config_write(const char *path, lat_field *links, lat_group group, int member, const lat_provenance *provenance, int count,
                            lat_error *error);
/* Into every member of links.  LAT_FORMAT if group or extents differ.  Warnings go to stderr. */
lat_status lat_config_read(const char *path, lat_field *links, lat_group group, lat_error *error);
/* What the file says of itself, without the links: for programs that take the lattice from the file. */
lat_status lat_config_shape(MPI_Comm comm, const char *path, lat_group *group, lat_shape *shape, lat_error *error);

/* The same with options; NULL: none.  The report, which begins as {0}, is filled in as far as reading came. */
lat_status lat_config_write_as(const char *path, lat_field *links, lat_group group, int member, const lat_config_options *options,
                               const lat_provenance *provenance, int count, lat_error *error);
lat_status lat_config_read_as(const char *path, lat_field *links, lat_group group, const lat_config_options *options,
                              lat_config_report *report, lat_error *error);
lat_status lat_config_shape_as(MPI_Comm comm, const char *path, const lat_config_options *options, lat_group *group, lat_shape *shape,
                               lat_error *error);
/* Why a file could not be written under this name with these options, before any work is done: LAT_CONFIG. */
lat_status lat_config_writable(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                               lat_error *error);

#endif
