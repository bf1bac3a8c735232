/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * io.h: what the files of this folder share.
 */
#ifndef IO_H
#define IO_H

#include "lattice/io/config.h"
#include "lattice/io/h5.h"

#include <stdarg.h>

/* Number of dimensions of a data set and its extents; 0 on refusal.  Collective. */
enum { LAT_H5_MAX_RANK = LAT_MAX_DIM + 2 };
int lat_h5_extent(lat_h5 *file, const char *name, int64_t extent[LAT_H5_MAX_RANK]);

/* Provenance as bytes that can be sent to other ranks: key, NUL, value, NUL, and so on.  Values that are no text of at
 * most 1 MiB are left out. */
void lat_bytes_add_pair(lat_bytes *bytes, const char *key, const char *value, int64_t value_size);

/* ------------------------------------------------------------------------------------------------- formats of files */

/* What one kind of configuration file can do. */
typedef struct lat_matrix_format lat_matrix_format;
typedef struct lat_config_format lat_config_format;
struct lat_config_format {
    const char *name; /* as in --format; behind a dot, the ending of such files */
    const lat_matrix_format *matrices; /* for shape and read of matrices.c; NULL: they are others */
    /* Does a file of so many bytes begin like one of these?  head: its first bytes.  NULL: nothing tells, the format must be named. */
    bool (*probe)(const uint8_t *head, int64_t head_size, int64_t file_size);
    /* Collective, as are their callers of lattice.h.  Options are never NULL.  report->format is filled in before. */
    lat_status (*shape)(const lat_config_format *format, MPI_Comm comm, const char *path, const lat_config_options *options,
                        lat_group *group, lat_shape *shape, lat_config_report *report, lat_error *error); /* report: the provenance alone */
    lat_status (*read)(const lat_config_format *format, const char *path, lat_gauge *gauge, const lat_config_options *options,
                       lat_config_report *report, lat_error *error);
    /* NULL: files of this format are only read. */
    lat_status (*writable)(const char *path, lat_group group, const lat_shape *shape, const lat_config_options *options,
                           lat_error *error);
    lat_status (*write)(const char *path, lat_gauge *gauge, int member,
                        const lat_config_options *options, const lat_provenance *provenance, int count,
                        lat_error *error);
};

extern const lat_config_format lat_config_hdf5, lat_config_nersc, lat_config_ildg, lat_config_openqcd, lat_config_milc,
    lat_config_hirep, lat_config_bridge;

/* The provenance of a file, into the report. */
void lat_report_pairs(lat_config_report *report, lat_bytes *pairs);

/* ----------------------------------------------------------------------------- formats of header, matrices, trailer */

/* What the header says (matrix.c).  Nothing in here is a pointer: rank 0 fills it in and sends it to the others. */
typedef struct {
    lat_group group;
    int64_t size[LAT_MAX_DIM];
    int64_t offset; /* of the first matrix */
    int64_t bytes;  /* from there to the end of the matrices, as the file has it */
    int64_t text;   /* bytes of a file whose numbers are text; offset, bits and bytes are then those of doubles in their place; 0: it is binary */
    int bits;       /* of a number: 32 or 64 */
    bool big;       /* big-endian */
    bool guess;     /* `big` is not known: the first matrix tells */
    int rows;       /* stored of each matrix */
    bool quaternions; /* of SU(2), 1 row: q0 to q3 stand for (q0 + i q3, -q2 + i q1; q2 + i q1, q0 - i q3) */
    bool has_plaquette, has_trace, has_checksum;
    double plaquette, trace; /* mean of Re tr / N */
    double plaquette_tolerance, trace_tolerance;
    double plaquette_digit, trace_digit; /* what one in the last digit is worth, where there are few */
    uint32_t checksum[2];
    char detail[96]; /* variant of the format, for the report */
    char warning[256];
} lat_matrices;

/* Appends to the warnings in a text of so many bytes; what has no room is cut off. */
void lat_append_warning(char *text, size_t size, const char *format, va_list list)
    __attribute__((format(printf, 3, 0)));
/* Something that could not be verified, though nothing is wrong with it; more than one are joined. */
void lat_matrices_warn(lat_matrices *matrices, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Rank 0: the first bytes of a file that has file_bytes of them, as the header of this program's files.  LAT_FORMAT if
 * there are fewer, LAT_FILE if they cannot be read. */
void lat_matrices_head(const char *path, int descriptor, int64_t file_bytes, const char *program, uint8_t *head,
                       int64_t head_size, lat_error *error);

/* Rank 0: is there nothing but NULs and blanks from one place of a file to another, 16 MiB at most? */
bool lat_only_padding(int descriptor, int64_t begin, int64_t end);

typedef struct {
    int64_t coordinate[LAT_MAX_DIM];
    int direction;
} lat_place;
enum { LAT_MOST_UNIT = 8 };

/* Files whose links are matrices, in units of unit_links. */
struct lat_matrix_format {
    const char *name;
    int unit_links;
    bool any_colours;    /* SU(2) too */
    bool even;           /* all extents must be even */
    bool cut;            /* links across an open boundary in t are zero in such files */
    bool with_plaquette; /* what stands before the matrices names plaquette and link trace */
    bool site_units;     /* all links of a unit are of one site, in the order of directions */
    /* Rank 0: reads the header.  descriptor is open, the file has so many bytes. */
    void (*parse)(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options,
                  lat_matrices *out, lat_bytes *pairs, lat_error *error);
    /* Where the links of a unit belong. */
    void (*locate)(const int64_t size[LAT_MAX_DIM], int64_t unit, lat_place place[LAT_MOST_UNIT]);
    /* Adds to the checksums what the bytes of some units, from the first on, contribute. */
    int checksums;
    const char *checksum_name[2];
    /* Not NULL: whether sums so far from those in the file tell of a writer that sums in another way, not of damage. */
    bool (*sums_are_foreign)(const uint32_t sum[2], const uint32_t stored[2]);
    bool add; /* contributions are added mod 2^32; else combined by exclusive or */
    void (*checksum)(const lat_matrices *matrices, const uint8_t *bytes, int64_t first, int64_t units, uint32_t sum[2]);
    /* What stands before and after the matrices.  The size of `before` depends neither on the checksums nor on
     * plaquette and link trace, which are found while the matrices are on their way to the disk. */
    void (*frame)(const char *path, const lat_matrices *matrices, const lat_provenance *provenance, int count,
                  lat_bytes *before, lat_bytes *after);
};

/* matrix.c.
 * Bytes of a unit of the file, and number of units; false if the number of bytes is beyond 2^62. */
int64_t lat_unit_bytes(const lat_matrix_format *format, const lat_matrices *matrices);
bool lat_unit_count(const lat_matrix_format *format, const lat_matrices *matrices, int64_t *units);

/* Sites with x fastest: the unit is the site, its links are those in x, y, z, t. */
void lat_locate_site(const int64_t size[LAT_MAX_DIM], int64_t unit, lat_place place[LAT_MOST_UNIT]);

/* One matrix of a file as a link, whose rows that are left out are completed, and back. */
void lat_link_of_bytes(const lat_matrices *matrices, const uint8_t *bytes, double *link);
void lat_bytes_of_link(const lat_matrices *matrices, const double *link, uint8_t *bytes);
/* Do these bytes, as the file has them, stand for an element of the group? */
bool lat_matrix_is_link(const lat_matrices *matrices, const uint8_t *bytes);

/* matrices.c
 * What lat_config_format asks for, of files of format->matrices. */
lat_status lat_matrices_shape(const lat_config_format *format, MPI_Comm comm, const char *path,
                              const lat_config_options *options, lat_group *group, lat_shape *shape, lat_config_report *report,
                              lat_error *error);
lat_status lat_matrices_read(const lat_config_format *format, const char *path, lat_gauge *gauge,
                             const lat_config_options *options, lat_config_report *report, lat_error *error);
/* LAT_CONFIG if files of the format cannot hold such a field. */
lat_status lat_matrices_writable(const lat_matrix_format *format, const char *path, lat_group group,
                                 const lat_shape *shape, lat_error *error);
/* variant: bits, big and (of three) rows are given, the rest is filled in. */
lat_status lat_matrices_write(const lat_matrix_format *format, const char *path, lat_gauge *gauge,
                              int member, const lat_matrices *variant, const lat_provenance *provenance, int count,
                              lat_error *error);

/* The value of a provenance key; NULL if it is not there. */
const char *lat_provenance_find(const lat_provenance *provenance, int count, const char *key);

/* The boundary that a value of the key `boundary` stands for, on a lattice of these extents.  LAT_FORMAT, without the
 * path, if it stands for none. */
lat_status lat_provenance_boundary(const char *value, int dim, const int64_t *size, lat_boundary *boundary, lat_error *error);

/* A field moved to or from such a file (transfer.c).  Collective, in pieces: memory does not grow with the lattice.
 * sum: the checksums of all bytes, on all ranks.  Reading: into every member.  Writing: `check` reads back what was
 * written once before and fails where it differs. */
typedef struct lat_transfer lat_transfer;
lat_transfer *lat_transfer_create(const lat_matrix_format *format, const lat_matrices *matrices, lat_gauge *gauge);
void lat_transfer_free(lat_transfer *transfer);
void lat_transfer_read(lat_transfer *transfer, const char *path, int descriptor, uint32_t sum[2], lat_error *error);
void lat_transfer_write(lat_transfer *transfer, const char *path, int descriptor, int member, uint32_t sum[2],
                        lat_error *error);
void lat_transfer_check(lat_transfer *transfer, const char *path, int descriptor, lat_error *error);

/* ----------------------------------------------------------------------------------------------- text_numbers.c */

/* Whether such a text may have this character: a digit, sign, point, exponent or blank. */
bool lat_text_has(char c);
/* Rank 0: numbers in a text of so many bytes.  LAT_FORMAT where something else is among them, or one is longer than 255 characters. */
int64_t lat_text_count(const char *path, int descriptor, int64_t size, lat_error *error);
/* Some streams of numbers on each rank, as many on all, that begin with these numbers of the file; they ascend from stream to stream and rank to
 * rank.  Collective; path must stay. */
typedef struct lat_text_numbers lat_text_numbers;
lat_text_numbers *lat_text_open(MPI_Comm comm, const char *path, int descriptor, int64_t size, const int64_t *first, int streams, lat_error *error);
/* The next numbers of a stream, doubles.  Local; zeros on failure: LAT_FORMAT, LAT_FILE. */
void lat_text_read(lat_text_numbers *text, int stream, int64_t count, void *out, lat_error *error);
void lat_text_close(lat_text_numbers *text); /* NULL is allowed */

/* ------------------------------------------------------------------------------------------------------ links.c */

/* Means over the lattice of Re tr P / N and Re tr U / N, and the largest deviation of a link from the group:
 * elements of |U U^+ - 1|, and |det U - 1|; infinite where a number is not finite. */
typedef struct {
    double plaquette, trace, violation;
    int64_t bad; /* links that are further from the group than 1e-4 */
} lat_links_summary;
/* Of one member.  Collective; fills the halo if the plaquette is wanted, which is NaN if not. */
lat_links_summary lat_links_summarise(lat_gauge *gauge, int member, bool with_plaquette);


/* Where exactly the links in t that leave the last slice are zero: sets them to 1, in all members.  Collective. */
bool lat_links_mend_open(lat_gauge *gauge);
/* Sets them to zero in one member; returns their number. */
int64_t lat_links_cut_open(lat_gauge *gauge, int member);

#endif
