/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * backend.h: who runs the kernels of the field library: arguments, the table of kernels, and the backends.  Pointers are
 * to arrays of the precision of the table that is called; densities are double.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "lattice/kernels/range.h"
#include "lattice/backend/choice.h"
#include "lattice/group/group.h"

typedef struct { lat_tables t; const void *u; double *density; double constant, weight; } plaquette_sum_args;
typedef struct { lat_tables t; const void *u; void *force; double weight; } plaquette_force_args;
typedef struct { lat_tables t; const void *u; const double *couplings; double *density; double constant, weight; } weighted_plaquette_sum_args, rectangle_sum_args;
typedef struct { lat_tables t; const void *u; const double *couplings; void *force; double weight; } weighted_plaquette_force_args, rectangle_force_args;
typedef struct { lat_tables t; void *u; const void *algebra; double step; } exp_update_args;
typedef struct { lat_tables t; void *u; const void *g; } gauge_transform_args;
typedef struct { lat_tables t; void *u; int links; random_key key; } haar_args;
typedef struct { lat_tables t; const void *u, *in; void *out; int mu; } extend_line_args;
typedef struct { lat_tables t; const void *in; void *out; int mu; } shift_args;
typedef struct { lat_tables t; const void *a, *b, *c, *d; double *density; } loop_trace_args;
typedef struct { lat_tables t; const void *a; double *re, *im; } trace_args;
typedef struct { lat_tables t; const void *u; void *algebra; double old, fresh; } gradient_flow_force_args;
typedef struct { lat_tables t; const void *u; void *z; double plaquette, rectangle; } gradient_flow_improved_args;
typedef struct { lat_tables t; gradient_flow_force_args sum; const void *z; } gradient_flow_smooth_args;
typedef struct { lat_tables t; const void *u, *start, *algebra; double *distance; double step; } gradient_flow_distance_args;
typedef struct { lat_tables t; const void *u; const double *couplings; double *density; } gradient_flow_density_args, weighted_gradient_flow_density_args;
typedef struct { lat_tables t; const void *u; void *out; double weight; int directions; } smear_stout_args;
typedef smear_stout_args smear_ape_args;
typedef struct { lat_tables t; void *y; const void *x; double a; int components; } axpy_args;
typedef struct { lat_tables t; void *to; const void *from; const int *choose; int components; } select_args;
typedef struct { lat_tables t; void *to; const void *from; int components; } convert_args;
typedef convert_args to_float_args, to_double_args;
typedef struct { lat_tables t; void *field; const double *factor; int components; } scale_lanes_args;
typedef struct { lat_tables t; void *to; const void *from; const int64_t *target, *source; const int *lane; int components, to_components, from_components, stream; } halo_copy_args;
/* One end of a copy: site i of the range is site[i] there, or i; lane l is lane[l], or l. */
typedef struct { void *data; const int64_t *site; const int *lane; int components, lanes; } halo_end;
typedef struct { lat_tables t; halo_end to, from; int components; bool add; } halo_move_args;
typedef struct { lat_tables t; const double *data; int64_t rows, *sums; } sum_rows_args;
/* values[which][place][component]; which[lane] negative: not this lane.  stride: of `which`. */
typedef struct { lat_tables t; void *field; double *values; const int *which; int64_t stride; int components; } to_site_order_args;
typedef to_site_order_args from_site_order_args;
typedef struct { lat_tables t; const void *p; double *density; int components; } half_square_args;
typedef struct { lat_tables t; void *p; int components; random_key key; } gaussian_args;
typedef struct { lat_tables t; void *u; double beta; int mu; random_key key; } heatbath_args;
typedef struct { lat_tables t; void *u; int mu; } overrelax_args;
typedef struct { lat_tables t; void *u; const double *couplings; double beta; int mu; random_key key; } weighted_heatbath_args;
typedef struct { lat_tables t; void *u; const double *couplings; int mu; } weighted_overrelax_args;
typedef struct { lat_tables t; const void *u; double *density; } charge_args;
typedef struct { lat_tables t; void *u; const double *charge; } instanton_args;

/* Every kernel of the field library, once; X(name).  First those of all groups; then the updates of one link, which
 * are NULL where a group has none; last those that only U(1) has. */
#define LAT_KERNELS(X)                                                                                                 \
    X(plaquette_sum) X(plaquette_force) X(weighted_plaquette_sum) X(weighted_plaquette_force) X(rectangle_sum)          \
    X(rectangle_force) X(exp_update) X(gauge_transform) X(haar) X(extend_line) X(shift) X(loop_trace) X(trace)            \
    X(gradient_flow_force) X(gradient_flow_improved) X(gradient_flow_smooth) X(gradient_flow_distance) X(gradient_flow_density) X(weighted_gradient_flow_density) X(smear_stout) X(smear_ape) X(axpy)    \
    X(select) X(to_float) X(to_double) X(scale_lanes) X(halo_copy) X(half_square) X(gaussian)
/* For memory that the host does not see; NULL on the CPU. */
#define LAT_DEVICE_KERNELS(X) X(halo_move) X(sum_rows) X(to_site_order) X(from_site_order)
#define LAT_UPDATE_KERNELS(X) X(heatbath) X(overrelax) X(weighted_heatbath) X(weighted_overrelax)
#define LAT_U1_KERNELS(X) X(charge) X(instanton)

/* A kernel, and its cost for a site and lane, which only the tables of the host have. */
#define LAT_KERNEL_POINTER(name) void (*name)(const name##_args *args, const lat_range *range); lat_cost (*name##_cost)(const name##_args *args);
typedef struct {
    int lanes; /* vector length: lanes of a geometry are a multiple of it */
    LAT_KERNELS(LAT_KERNEL_POINTER)
    LAT_UPDATE_KERNELS(LAT_KERNEL_POINTER)
    LAT_U1_KERNELS(LAT_KERNEL_POINTER)
    LAT_DEVICE_KERNELS(LAT_KERNEL_POINTER)
} lat_kernels;

/* What is counted in lat_copies. */
typedef enum { LAT_OF_FIELD, LAT_OF_ARRAY } lat_copied;

/* Who runs kernels, in which memory.  Kernels and everything below but `download` and `wait` may return before they are
 * done: what is asked of one stream is done in that order, and of the main one where no stream is named. */
typedef struct lat_backend {
    const char *name;
    bool on_host;  /* its memory is that of the host, and what it is asked for is done at once */
    bool messages; /* MPI takes addresses in its memory */
    const lat_kernels *kernels[LAT_GROUPS][LAT_PRECISIONS]; /* NULL: the group is not there */
    void *(*allocate)(int64_t bytes); /* zeroed; ends the run with one line if there is no room */
    void (*release)(void *memory);    /* NULL is allowed */
    void (*zero)(void *to, int64_t bytes);
    void (*copy)(void *to, const void *from, int64_t bytes);
    /* From the host, whose bytes may change once this returns; and to the host, which then has them. */
    void (*upload)(void *to, const void *from, int64_t bytes, lat_copied what);
    void (*download)(void *to, const void *from, int64_t bytes, lat_copied what);
    /* Memory of the host for messages.  The bytes are there, or may change, once the stream has been waited for. */
    void *(*allocate_staging)(int64_t bytes);
    void (*release_staging)(void *memory);
    void (*send_staging)(void *to, const void *from, int64_t bytes, lat_stream stream);
    void (*receive_staging)(void *to, const void *from, int64_t bytes, lat_stream stream);
    void (*follow)(lat_stream stream, lat_stream before); /* what comes in `stream` waits for what `before` holds now */
    void (*wait)(lat_stream stream);
    lat_copies (*copies)(void); /* NULL: none are ever made */
    /* What is asked for between record and end_record is not done but noted, and replay asks for all of it.  record: false if
     * that cannot be begun.  end_record: NULL if something was asked for that cannot be noted.  NULL on the host. */
    bool (*record)(void);
    bool (*recording)(void);
    void *(*end_record)(void);
    void (*replay)(void *recording);
    void (*forget)(void *recording);
} lat_backend;

/* The backend of the GPU of this process, shared with every n-th rank of the machine where there are n of them; NULL, and
 * a few words why, where there is none (cuda.c, no_cuda.c: no words). */
const lat_backend *lat_cuda_open(int local_rank, char why[LAT_BACKEND_TEXT]);

extern const lat_backend lat_backend_cpu;
extern const lat_kernels lat_cpu_u1_double, lat_cpu_u1_float, lat_cpu_su2_double, lat_cpu_su2_float, lat_cpu_su3_double,
    lat_cpu_su3_float;
extern const lat_kernels lat_cuda_u1_double, lat_cuda_u1_float, lat_cuda_su2_double, lat_cuda_su2_float, lat_cuda_su3_double,
    lat_cuda_su3_float;

#endif
