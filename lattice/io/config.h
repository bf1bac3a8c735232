/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * config.h: gauge configurations in files.
 */
#ifndef LAT_IO_CONFIG_H
#define LAT_IO_CONFIG_H

#include "lattice/gauge/gauge.h"

/* Gauge configurations with their provenance, in the formats of doc/files.md.  Files are read by their contents and written
 * in the format that the ending of their name stands for (.h5, .nersc, .ildg, .openqcd).  All ranks take part; no rank
 * holds the whole field; the bytes do not depend on the number of ranks.  NERSC, ILDG, openQCD, MILC and HiRep hold SU(3)
 * (NERSC, ILDG and HiRep also SU(2)) in four dimensions: other fields are LAT_CONFIG when written, LAT_FORMAT when read. */
typedef struct {
    const char *key, *value;
} lat_provenance;

/* Zero means: what the file says, or the default. */
typedef struct {
    const char *format;        /* "h5", "nersc", "ildg", "openqcd"; only read: "milc", "hirep", "bridge" */
    const char *endian;        /* reading: "big" or "little", against what the file says */
    int bits;                  /* of a number: 32 or 64.  Writing: 32 in NERSC and ILDG only */
    int64_t size[LAT_MAX_DIM]; /* reading: extents of an ILDG file that does not name them, or of Bridge++ */
    bool two_rows;             /* writing: NERSC files that leave out the last row of each matrix */
    bool lenient;              /* reading: what differs from what the file says, or may be missing, is only a warning */
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
/* Prints the warnings, and that the file's lattice had another boundary than this one, on stderr; for one rank to call. */
void lat_config_report_warn(const lat_config_report *report, const char *path, const lat_gauge *gauge);

/* Fills the halo of links.  LAT_CONFIG if the format cannot hold the field, or the ending is unknown. */
lat_status lat_config_write(const char *path, lat_gauge *gauge, int member, const lat_provenance *provenance, int count,
                            lat_error *error);
/* Into every member of links.  LAT_FORMAT if group or extents differ.  Warnings go to stderr. */
lat_status lat_config_read(const char *path, lat_gauge *gauge, lat_error *error);
/* What the file says of itself, without the links: for programs that take the lattice from the file. */
lat_status lat_config_shape(MPI_Comm comm, const char *path, lat_group *group, lat_shape *shape, lat_error *error);

/* The same with options; NULL: none.  The report, which begins as {0}, is filled in as far as reading came. */
lat_status lat_config_write_as(const char *path, lat_gauge *gauge, int member, const lat_config_options *options,
                               const lat_provenance *provenance, int count, lat_error *error);
lat_status lat_config_read_as(const char *path, lat_gauge *gauge, const lat_config_options *options,
                              lat_config_report *report, lat_error *error);
lat_status lat_config_shape_as(MPI_Comm comm, const char *path, const lat_config_options *options, lat_group *group, lat_shape *shape,
                               lat_error *error);
/* The same into a report that begins as {0}, with the provenance: format, group, dim, size. */
lat_status lat_config_header(MPI_Comm comm, const char *path, const lat_config_options *options, lat_config_report *report,
                             lat_error *error);
/* Why a file could not be written under this name with these options, before any work is done: LAT_CONFIG. */
lat_status lat_config_writable(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                               lat_error *error);

#endif
