/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5.c: HDF5 files with a checksum, doc/files.md.
 *
 * Rank 0 alone talks to the HDF5 library: it lays the file out (attributes, and contiguous data sets whose room is
 * taken at once), and asks where each data set begins.  The numbers themselves are then written at those places: arrays
 * by rank 0, fields by all ranks, each by itself where its part is made of long pieces of the file, else together
 * through MPI-IO.  So the bytes cannot depend on the number of ranks, no HDF5 call can leave ranks waiting for each other
 * when a disk is full, and what is read was checked before it is believed.
 *
 * The checksum of the whole file is the CRC-32 of zlib: each rank takes a range of bytes, and the parts are combined.
 */
#define _GNU_SOURCE
#include "lattice/io/io.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <hdf5.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files hold little-endian numbers, copied to and from memory");
_Static_assert(sizeof(z_off_t) == 8, "crc32_combine with 64-bit lengths");

enum {
    BLOCK_BYTES = 512, /* user block */
    FORMAT_VERSION = 1,
    PIECE_BYTES = 1 << 30, /* of one MPI-IO call: ROMIO stops at 2 GiB */
    CHUNK_BYTES = 1 << 20, /* of one read for the checksum */
    LONG_BYTES = 1 << 20,  /* of a piece that is worth a call of its own */
    PART_BYTES = 1 << 23,  /* written before they are sent on their way to the disk */
    SPARE_BYTES = 1 << 18, /* more than HDF5 adds to a value of ours */
};

/* The part of a field that a rank holds, as the file sees it: [dim-1] ... [0][component]. */
typedef struct {
    int dim, components;
    int64_t size[LAT_MAX_DIM], first[LAT_MAX_DIM], count[LAT_MAX_DIM];
} box;

/* What this rank wrote, to be compared with what the file holds. */
typedef struct {
    bool field; /* a box per member; otherwise values of rank 0 */
    box part;
    int64_t offset, bytes; /* bytes: of this rank, all members */
    int members;
    uint32_t crc;
} record;

struct lat_h5 {
    MPI_Comm comm;
    int rank, ranks;
    char kind[32];
    char *path, *temporary; /* temporary: NULL when reading */
    lat_error error;
    int descriptor;   /* of the file beside HDF5; other ranks than 0 open it with the first field */
    hid_t hdf;        /* rank 0 */
    int64_t bytes;    /* of the whole file */
    int64_t reserved; /* rank 0, writing: the disk has room up to here */
    MPI_File shared;  /* opened with the first field that goes through MPI-IO */
    record *records;
    int record_count;
};

/* ------------------------------------------------------------------------------------------------------- failures */

/* Ends every collective function: all ranks know of the first failure. */
static bool settled(lat_h5 *file) { return lat_agree(file->comm, &file->error) == LAT_DONE; }

void lat_h5_refuse(lat_h5 *file, const char *format, ...)
{
    char text[sizeof file->error.text];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    lat_fail(&file->error, LAT_FORMAT, "%s: %s", file->path, text);
}

/* errno tells why, where the failing call left it. */
static void cannot_write(lat_h5 *file)
{
    lat_fail(&file->error, LAT_FILE,
             "%s: cannot be written: %s: check the path, its permissions and the room on the disk", file->path,
             errno ? strerror(errno) : "HDF5 failed");
}

static void cannot_read(lat_h5 *file)
{
    lat_fail(&file->error, LAT_FILE, "%s: cannot be read: %s: check the path and its permissions", file->path,
             errno ? strerror(errno) : "it ended early");
}

static void check_mpi(lat_h5 *file, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (code == MPI_SUCCESS) return;
    MPI_Error_string(code, text, &length);
    lat_fail(&file->error, LAT_FILE, "%s: %s: check the disk", file->path, text);
}

lat_status lat_h5_status(const lat_h5 *file) { return file->error.status; }

/* ------------------------------------------------------------------------------------------ checksum and user block */

static const char *name_on_disk(const lat_h5 *file) { return file->temporary ? file->temporary : file->path; }

/* CRC-32 of bytes [first, first + size) of the file on disk. */
static uint32_t range_crc(lat_h5 *file, int64_t first, int64_t size)
{
    uLong crc = crc32(0, NULL, 0);
    if (size == 0) return (uint32_t)crc;
    int descriptor = open(name_on_disk(file), O_RDONLY | O_CLOEXEC);
    char *chunk = lat_alloc(CHUNK_BYTES, 1);
    bool good = descriptor >= 0;
    for (int64_t done = 0; good && done < size; done += CHUNK_BYTES) {
        int64_t n = size - done < CHUNK_BYTES ? size - done : CHUNK_BYTES;
        good = lat_read_at(descriptor, chunk, n, first + done) == n;
        if (good) crc = crc32_z(crc, (const Bytef *)chunk, (size_t)n);
    }
    if (!good) cannot_read(file);
    if (descriptor >= 0) close(descriptor);
    free(chunk);
    return (uint32_t)crc;
}

/* The checksum of all that follows the user block, on all ranks.  Collective. */
static uint32_t whole_crc(lat_h5 *file, int64_t size)
{
    int64_t share = (size + file->ranks - 1) / file->ranks;
    if (share < CHUNK_BYTES) share = CHUNK_BYTES;
    int64_t first = file->rank * share < size ? file->rank * share : size;
    int64_t mine = size - first < share ? size - first : share;
    uint32_t crc = range_crc(file, BLOCK_BYTES + first, mine);
    if (file->ranks == 1) return crc;
    uint32_t *all = lat_alloc(file->ranks, sizeof *all);
    MPI_Allgather(&crc, 1, MPI_UINT32_T, all, 1, MPI_UINT32_T, file->comm);
    uLong sum = all[0];
    for (int rank = 1; rank < file->ranks && rank * share < size; rank++) {
        int64_t length = size - rank * share < share ? size - rank * share : share;
        sum = crc32_combine(sum, all[rank], length);
    }
    free(all);
    return (uint32_t)sum;
}

/* Plain text, padded with blanks: `head -4 FILE` prints it. */
static void block_print(char block[BLOCK_BYTES + 1], const char *kind, int64_t bytes, uint32_t crc)
{
    int n = snprintf(block, BLOCK_BYTES, "flowhmc %.31s\nformat %d\nbytes %" PRId64 "\ncrc32 %08" PRIx32 "\n", kind,
                     (int)FORMAT_VERSION, bytes, crc);
    memset(block + n, ' ', (size_t)(BLOCK_BYTES - n));
    block[BLOCK_BYTES - 1] = '\n';
    block[BLOCK_BYTES] = 0;
}

/* The number behind a key of the user block; 0 if it is not there. */
static unsigned long long block_number(const char *block, const char *key, int base)
{
    const char *line = strstr(block, key);
    return line ? strtoull(line + strlen(key), NULL, base) : 0;
}

/* Rank 0.  The block must be, to the byte, what block_print makes of its own numbers. */
static uint32_t block_parse(lat_h5 *file, const char block[BLOCK_BYTES + 1])
{
    char kind[32] = "", copy[BLOCK_BYTES + 1];
    unsigned long long version = block_number(block, "\nformat ", 10), bytes = block_number(block, "\nbytes ", 10);
    uint32_t crc = (uint32_t)block_number(block, "\ncrc32 ", 16);
    block_print(copy, file->kind, (int64_t)bytes, crc);
    if (sscanf(block, "flowhmc %31[a-z]\n", kind) != 1)
        lat_h5_refuse(file, "is not a %s file of this program", file->kind);
    else if (strcmp(kind, file->kind) != 0)
        lat_h5_refuse(file, "is a %s file, and a %s file is needed: check the path", kind, file->kind);
    else if (version != FORMAT_VERSION)
        lat_h5_refuse(file, "has format version %llu, this program reads version %d: use the program that wrote it",
                      version, (int)FORMAT_VERSION);
    else if (memcmp(block, copy, BLOCK_BYTES) != 0)
        lat_h5_refuse(file, "is damaged in its first 512 bytes: take another copy");
    else if ((int64_t)bytes != file->bytes - BLOCK_BYTES)
        lat_h5_refuse(file, "has %lld bytes and should have %llu: it is cut off or damaged, take another copy",
                      (long long)file->bytes, bytes + BLOCK_BYTES);
    return crc;
}

/* ------------------------------------------------------------------------------------------------ opening, closing */

/* Old enough for every reader, attributes of any size, no locks (many parallel file systems have none). */
static hid_t access_properties(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool good = access >= 0 && H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
                H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
                H5Pset_alignment(access, 1, 8) >= 0;
    if (!good) lat_abort(LAT_FILE, "HDF5: file access properties are refused: use HDF5 1.10.7 or later");
    return access;
}

static hid_t create_properties(void)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    bool good = create >= 0 && H5Pset_userblock(create, BLOCK_BYTES) >= 0 && H5Pset_obj_track_times(create, false) >= 0;
    if (!good) lat_abort(LAT_FILE, "HDF5: file creation properties are refused: use HDF5 1.10.7 or later");
    return create;
}

static lat_h5 *begin(MPI_Comm comm, const char *path, const char *kind)
{
    lat_h5 *file = lat_alloc(1, sizeof *file);
    file->comm = comm;
    file->rank = lat_rank(comm);
    file->ranks = 1;
    if (comm != MPI_COMM_NULL) MPI_Comm_size(comm, &file->ranks);
    snprintf(file->kind, sizeof file->kind, "%s", kind);
    file->path = lat_text("%s", path);
    file->descriptor = -1;
    file->hdf = H5I_INVALID_HID;
    file->shared = MPI_FILE_NULL;
    /* Failures are told by us, in one line. */
    if (file->rank == 0) H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return file;
}

/* Claims the room on the disk for so many bytes beyond the present end before HDF5 is asked to use it: HDF5 1.10 does
 * not survive a full disk (a file whose closing failed crashes the library when it ends). */
static bool reserve(lat_h5 *file, int64_t bytes)
{
    haddr_t end = 0;
    int64_t wanted = SPARE_BYTES;
    int code = 0;
    if (file->hdf >= 0 && H5Fget_eoa(file->hdf, &end) < 0) code = EIO;
    if (__builtin_add_overflow(wanted + (int64_t)end, bytes, &wanted)) code = EFBIG;
    if (code == 0 && wanted > file->reserved) {
        do code = posix_fallocate(file->descriptor, file->reserved, wanted - file->reserved);
        while (code == EINTR);
        if (code == EOPNOTSUPP) code = 0;
        if (code == 0) file->reserved = wanted;
    }
    errno = code;
    if (code) cannot_write(file);
    return code == 0;
}

static void create_on_disk(lat_h5 *file)
{
    file->descriptor = open(file->temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file->descriptor < 0) {
        cannot_write(file);
        return;
    }
    if (!reserve(file, 0)) return;
    hid_t access = access_properties(), create = create_properties();
    errno = 0;
    file->hdf = H5Fcreate(file->temporary, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    if (file->hdf < 0) cannot_write(file);
    file->reserved = 0;
    reserve(file, 0);
}

lat_h5 *lat_h5_create(MPI_Comm comm, const char *path, const char *kind)
{
    lat_h5 *file = begin(comm, path, kind);
    file->temporary = lat_text("%s.tmp", path);
    if (file->rank == 0) create_on_disk(file);
    settled(file);
    return file;
}

static uint32_t read_block(lat_h5 *file)
{
    struct stat status;
    char block[BLOCK_BYTES + 1] = "";
    file->descriptor = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file->descriptor < 0 || fstat(file->descriptor, &status) != 0) {
        cannot_read(file);
        return 0;
    }
    if (!S_ISREG(status.st_mode)) {
        lat_fail(&file->error, LAT_FILE, "%s: is no regular file: check the path", file->path);
        return 0;
    }
    file->bytes = status.st_size;
    if (file->bytes <= BLOCK_BYTES) {
        lat_h5_refuse(file, "has %lld bytes, too few for a %s file: it is cut off, take another copy",
                      (long long)file->bytes, file->kind);
        return 0;
    }
    if (lat_read_at(file->descriptor, block, BLOCK_BYTES, 0) != BLOCK_BYTES) {
        cannot_read(file);
        return 0;
    }
    return block_parse(file, block);
}

static void open_on_disk(lat_h5 *file)
{
    hid_t access = access_properties();
    file->hdf = H5Fopen(file->path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file->hdf < 0) lat_h5_refuse(file, "is no HDF5 file: take another copy");
}

lat_h5 *lat_h5_open(MPI_Comm comm, const char *path, const char *kind)
{
    lat_h5 *file = begin(comm, path, kind);
    uint32_t crc = 0, found;
    if (file->rank == 0) crc = read_block(file);
    if (!settled(file)) return file;
    lat_broadcast(comm, &file->bytes, sizeof file->bytes);
    lat_broadcast(comm, &crc, sizeof crc);
    found = whole_crc(file, file->bytes - BLOCK_BYTES);
    if (found != crc)
        lat_h5_refuse(file,
                      "has checksum %08" PRIx32 " and should have %08" PRIx32 ": it is damaged, take another copy",
                      found, crc);
    if (settled(file) && file->rank == 0) open_on_disk(file);
    settled(file);
    return file;
}

/* ----------------------------------------------------------------------------------------------- attributes, rank 0 */

static void attribute_write(lat_h5 *file, const char *name, hid_t type, const void *value)
{
    if (!reserve(file, (int64_t)H5Tget_size(type))) return;
    errno = 0;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(file->hdf, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
    if (attribute >= 0) good = H5Aclose(attribute) >= 0 && good;
    H5Sclose(space);
    if (!good) cannot_write(file);
}

static hid_t text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_size(type, size) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
        lat_abort(LAT_FILE, "HDF5: a text of %zu bytes is refused: use HDF5 1.10.7 or later", size);
    return type;
}

/* A scalar attribute and its type; false, and a refusal, if there is none. */
static bool attribute_open(lat_h5 *file, const char *name, hid_t *attribute, hid_t *type)
{
    *attribute = H5Aexists(file->hdf, name) > 0 ? H5Aopen(file->hdf, name, H5P_DEFAULT) : H5I_INVALID_HID;
    *type = *attribute >= 0 ? H5Aget_type(*attribute) : H5I_INVALID_HID;
    hid_t space = *attribute >= 0 ? H5Aget_space(*attribute) : H5I_INVALID_HID;
    bool good = *type >= 0 && space >= 0 && H5Sget_simple_extent_type(space) == H5S_SCALAR;
    if (space >= 0) H5Sclose(space);
    if (!good) lat_h5_refuse(file, "has no single value '%s': was it written by another version?", name);
    return good;
}

static void attribute_close(hid_t attribute, hid_t type)
{
    if (type >= 0) H5Tclose(type);
    if (attribute >= 0) H5Aclose(attribute);
}

static char *text_read(lat_h5 *file, const char *name, int64_t limit)
{
    hid_t attribute, type;
    char *text = NULL;
    if (attribute_open(file, name, &attribute, &type)) {
        int64_t size = (int64_t)H5Tget_size(type);
        if (H5Tget_class(type) != H5T_STRING || H5Tis_variable_str(type) != 0)
            lat_h5_refuse(file, "'%s' is no text of fixed length", name);
        else if (size < 1 || size > limit + 1)
            lat_h5_refuse(file, "'%s' has %lld characters, the most is %lld", name, (long long)size, (long long)limit);
        else {
            text = lat_alloc(size + 1, 1);
            if (H5Aread(attribute, type, text) < 0) lat_h5_refuse(file, "'%s' cannot be read", name);
        }
    }
    attribute_close(attribute, type);
    return text;
}

static void number_read(lat_h5 *file, const char *name, hid_t expected, void *value)
{
    hid_t attribute, type;
    if (attribute_open(file, name, &attribute, &type)) {
        if (H5Tequal(type, expected) <= 0)
            lat_h5_refuse(file, "'%s' is no %s of 64 bits", name,
                          expected == H5T_STD_I64LE ? "integer" : "real number");
        else if (H5Aread(attribute, type, value) < 0)
            lat_h5_refuse(file, "'%s' cannot be read", name);
    }
    attribute_close(attribute, type);
}

/* ------------------------------------------------------------------------------------------------ data sets, rank 0 */

/* Where a data set begins and what its extents are. */
typedef struct {
    int64_t offset;
    int64_t rank;
    int64_t extent[LAT_H5_MAX_RANK];
} layout;

static bool count_values(const layout *set, int64_t *count)
{
    *count = 1;
    for (int i = 0; i < set->rank; i++)
        if (set->extent[i] < 0 || __builtin_mul_overflow(*count, set->extent[i], count)) return false;
    return *count <= INT64_MAX / (int64_t)sizeof(double);
}

/* Room is taken at once and nothing is filled in: the values come by other ways. */
static hid_t dataset_properties(void)
{
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    bool good = create >= 0 && H5Pset_layout(create, H5D_CONTIGUOUS) >= 0 &&
                H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY) >= 0 &&
                H5Pset_fill_time(create, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times(create, false) >= 0;
    if (!good) lat_abort(LAT_FILE, "HDF5: data set properties are refused: use HDF5 1.10.7 or later");
    return create;
}

/* Fills in the offset; returns the number of values. */
static int64_t dataset_create(lat_h5 *file, const char *name, layout *set)
{
    int64_t count = 0;
    hsize_t extent[LAT_H5_MAX_RANK];
    for (int i = 0; i < set->rank; i++) extent[i] = (hsize_t)set->extent[i];
    errno = 0;
    if (!count_values(set, &count)) {
        lat_fail(&file->error, LAT_CONFIG, "%s: '%s' would have more than 2^63 bytes: ask for less", file->path, name);
        return 0;
    }
    if (!reserve(file, count * (int64_t)sizeof(double))) return 0;
    errno = 0;
    hid_t space = H5Screate_simple((int)set->rank, extent, NULL), create = dataset_properties();
    hid_t data = H5Dcreate2(file->hdf, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    haddr_t offset = data >= 0 && count > 0 ? H5Dget_offset(data) : 0;
    if (data < 0 || offset == HADDR_UNDEF) cannot_write(file);
    set->offset = (int64_t)offset;
    if (data >= 0 && H5Dclose(data) < 0) cannot_write(file);
    H5Pclose(create);
    H5Sclose(space);
    return count;
}

/* Little-endian doubles, contiguous, in this file and nowhere else. */
static bool plain(hid_t data)
{
    hid_t type = H5Dget_type(data), create = H5Dget_create_plist(data);
    bool good = type >= 0 && create >= 0 && H5Tequal(type, H5T_IEEE_F64LE) > 0 &&
                H5Pget_layout(create) == H5D_CONTIGUOUS && H5Pget_external_count(create) == 0 &&
                H5Pget_nfilters(create) == 0;
    if (type >= 0) H5Tclose(type);
    if (create >= 0) H5Pclose(create);
    return good;
}

static bool extents(hid_t data, layout *set)
{
    hsize_t extent[H5S_MAX_RANK];
    hid_t space = H5Dget_space(data);
    int rank = space >= 0 && H5Sget_simple_extent_type(space) == H5S_SIMPLE
                   ? H5Sget_simple_extent_dims(space, extent, NULL)
                   : 0;
    if (space >= 0) H5Sclose(space);
    if (rank < 1 || rank > LAT_H5_MAX_RANK) return false;
    set->rank = rank;
    for (int i = 0; i < rank; i++) set->extent[i] = (int64_t)extent[i];
    return true;
}

/* The values must lie inside the file, so that its length bounds all memory taken for them. */
static bool inside(const lat_h5 *file, hid_t data, layout *set)
{
    int64_t count;
    if (!count_values(set, &count)) return false;
    if (count == 0) return true;
    haddr_t offset = H5Dget_offset(data);
    int64_t bytes = count * (int64_t)sizeof(double);
    set->offset = (int64_t)offset;
    return offset != HADDR_UNDEF && offset >= BLOCK_BYTES && offset <= (haddr_t)file->bytes &&
           bytes <= file->bytes - set->offset && H5Dget_storage_size(data) == (hsize_t)bytes;
}

static bool dataset_exists(const lat_h5 *file, const char *name)
{
    H5L_info_t link;
    return H5Lexists(file->hdf, name, H5P_DEFAULT) > 0 && H5Lget_info(file->hdf, name, &link, H5P_DEFAULT) >= 0 &&
           link.type == H5L_TYPE_HARD;
}

static void dataset_find(lat_h5 *file, const char *name, layout *set)
{
    hid_t data = dataset_exists(file, name) ? H5Dopen2(file->hdf, name, H5P_DEFAULT) : H5I_INVALID_HID;
    if (data < 0)
        lat_h5_refuse(file, "has no data set '%s': was it written by another version?", name);
    else if (!plain(data))
        lat_h5_refuse(file, "'%s' is no contiguous array of little-endian doubles: copy the original file", name);
    else if (!extents(data, set))
        lat_h5_refuse(file, "'%s' does not have 1 to %d dimensions", name, (int)LAT_H5_MAX_RANK);
    else if (!inside(file, data, set))
        lat_h5_refuse(file, "'%s' does not lie inside the file", name);
    if (data >= 0) H5Dclose(data);
}

/* The same on all ranks.  Collective. */
static bool dataset_find_all(lat_h5 *file, const char *name, layout *set)
{
    *set = (layout){0};
    if (file->error.status != LAT_DONE) return false;
    if (file->rank == 0) dataset_find(file, name, set);
    if (!settled(file)) return false;
    lat_broadcast(file->comm, set, sizeof *set);
    return true;
}

/* ---------------------------------------------------------------------------------------------------- small things */

void lat_h5_put_text(lat_h5 *file, const char *name, const char *text)
{
    if (file->error.status != LAT_DONE) return;
    if (file->rank == 0) {
        hid_t type = text_type(strlen(text) + 1);
        attribute_write(file, name, type, text);
        H5Tclose(type);
    }
    settled(file);
}

void lat_h5_put_int(lat_h5 *file, const char *name, int64_t value)
{
    if (file->error.status != LAT_DONE) return;
    if (file->rank == 0) attribute_write(file, name, H5T_STD_I64LE, &value);
    settled(file);
}

void lat_h5_put_real(lat_h5 *file, const char *name, double value)
{
    if (file->error.status != LAT_DONE) return;
    if (!isfinite(value))
        lat_fail(&file->error, LAT_NUMERICAL, "%s: '%s' is %g: not written", file->path, name, value);
    else if (file->rank == 0)
        attribute_write(file, name, H5T_IEEE_F64LE, &value);
    settled(file);
}

char *lat_h5_get_text(lat_h5 *file, const char *name, int64_t limit)
{
    char *text = NULL;
    int64_t size = 0;
    if (file->error.status != LAT_DONE) return NULL;
    if (file->rank == 0) text = text_read(file, name, limit);
    if (!settled(file)) {
        free(text);
        return NULL;
    }
    if (file->rank == 0) size = (int64_t)strlen(text);
    lat_broadcast(file->comm, &size, sizeof size);
    if (file->rank > 0) text = lat_alloc(size + 1, 1);
    lat_broadcast(file->comm, text, size);
    return text;
}

int64_t lat_h5_get_int(lat_h5 *file, const char *name, int64_t low, int64_t high)
{
    int64_t value = low;
    if (file->error.status != LAT_DONE) return low;
    if (file->rank == 0) {
        number_read(file, name, H5T_STD_I64LE, &value);
        if (value < low || value > high)
            lat_h5_refuse(file, "'%s' is %lld, allowed are %lld to %lld", name, (long long)value, (long long)low,
                          (long long)high);
    }
    if (!settled(file)) return low;
    lat_broadcast(file->comm, &value, sizeof value);
    return value;
}

double lat_h5_get_real(lat_h5 *file, const char *name)
{
    double value = 0;
    if (file->error.status != LAT_DONE) return 0;
    if (file->rank == 0) {
        number_read(file, name, H5T_IEEE_F64LE, &value);
        if (!isfinite(value)) lat_h5_refuse(file, "'%s' is %g", name, value);
    }
    if (!settled(file)) return 0;
    lat_broadcast(file->comm, &value, sizeof value);
    return value;
}

bool lat_h5_has(lat_h5 *file, const char *name)
{
    int found = 0;
    if (file->error.status != LAT_DONE) return false;
    if (file->rank == 0) found = H5Aexists(file->hdf, name) > 0 || dataset_exists(file, name);
    lat_broadcast(file->comm, &found, sizeof found);
    return found;
}

/* ----------------------------------------------------------------------------------------------- replicated arrays */

static record *record_add(lat_h5 *file)
{
    record *more = lat_alloc(file->record_count + 1, sizeof *more);
    if (file->record_count) memcpy(more, file->records, (size_t)file->record_count * sizeof *more);
    free(file->records);
    file->records = more;
    return &more[file->record_count++];
}

void lat_h5_put_reals(lat_h5 *file, const char *name, int rank, const int64_t *extent, const double *values)
{
    layout set = {.rank = rank};
    if (file->error.status != LAT_DONE) return;
    memcpy(set.extent, extent, (size_t)rank * sizeof *extent);
    if (file->rank == 0) {
        int64_t bytes = dataset_create(file, name, &set) * (int64_t)sizeof(double);
        if (file->error.status == LAT_DONE && bytes > 0) {
            if (lat_write_at(file->descriptor, values, bytes, set.offset) != bytes) cannot_write(file);
            *record_add(file) = (record){.offset = set.offset,
                                         .bytes = bytes,
                                         .crc = (uint32_t)crc32_z(0, (const Bytef *)values, (size_t)bytes)};
        }
    }
    settled(file);
}

int lat_h5_extent(lat_h5 *file, const char *name, int64_t extent[LAT_H5_MAX_RANK])
{
    layout set;
    if (!dataset_find_all(file, name, &set)) return 0;
    memcpy(extent, set.extent, sizeof set.extent);
    return (int)set.rank;
}

double *lat_h5_get_reals(lat_h5 *file, const char *name, int rank, int64_t *extent, int64_t limit)
{
    layout set;
    int64_t count;
    if (!dataset_find_all(file, name, &set)) return NULL;
    if (set.rank != rank) lat_h5_refuse(file, "'%s' has %d dimensions and should have %d", name, (int)set.rank, rank);
    for (int i = 0; i < set.rank; i++)
        if (set.extent[i] > limit)
            lat_h5_refuse(file, "'%s' has extent %lld, the most is %lld", name, (long long)set.extent[i],
                          (long long)limit);
    if (!settled(file) || !count_values(&set, &count)) return NULL;
    int64_t bytes = count * (int64_t)sizeof(double);
    double *values = lat_alloc(count ? count : 1, sizeof *values);
    if (file->rank == 0 && lat_read_at(file->descriptor, values, bytes, set.offset) != bytes) cannot_read(file);
    if (!settled(file)) {
        free(values);
        return NULL;
    }
    lat_broadcast(file->comm, values, bytes);
    memcpy(extent, set.extent, (size_t)rank * sizeof *extent);
    return values;
}

/* ---------------------------------------------------------------------------------------------------------- fields */

static box box_of(const lat_field *field)
{
    const lat_geometry *g = field->geometry;
    box part = {.dim = g->dim, .components = field->components};
    for (int mu = 0; mu < g->dim; mu++) {
        part.size[mu] = g->size[mu];
        part.count[mu] = g->local[mu];
        part.first[mu] = g->position[mu] * g->local[mu];
    }
    return part;
}

static int64_t box_values(const box *part)
{
    int64_t count = part->components;
    for (int mu = 0; mu < part->dim; mu++) count *= part->count[mu];
    return count;
}

/* Bytes of one member in the file. */
static int64_t member_bytes(const box *part)
{
    int64_t bytes = part->components * (int64_t)sizeof(double);
    for (int mu = 0; mu < part->dim; mu++) bytes *= part->size[mu];
    return bytes;
}

/* One box, in one collective call.  The values are contiguous in memory. */
static void transfer_box(lat_h5 *file, const box *part, int64_t offset, double *values, bool write)
{
    MPI_Datatype type, row;
    MPI_Status status;
    int done = -1, count = (int)box_values(part);
    int64_t stride = part->components * (int64_t)sizeof(double);
    offset += part->first[0] * stride;
    MPI_Type_contiguous((int)(part->count[0] * part->components), MPI_DOUBLE, &type);
    for (int mu = 1; mu < part->dim; mu++) {
        stride *= part->size[mu - 1];
        offset += part->first[mu] * stride;
        row = type;
        MPI_Type_create_hvector((int)part->count[mu], 1, stride, row, &type);
        MPI_Type_free(&row);
    }
    MPI_Type_commit(&type);
    check_mpi(file, MPI_File_set_view(file->shared, offset, MPI_DOUBLE, type, "native", MPI_INFO_NULL));
    check_mpi(file, write ? MPI_File_write_at_all(file->shared, 0, values, count, MPI_DOUBLE, &status)
                          : MPI_File_read_at_all(file->shared, 0, values, count, MPI_DOUBLE, &status));
    MPI_Type_free(&type);
    if (file->error.status == LAT_DONE) MPI_Get_count(&status, MPI_DOUBLE, &done);
    if (done != count)
        lat_fail(&file->error, LAT_FILE, "%s: %d of %d numbers were %s: check the disk", file->path, done, count,
                 write ? "written" : "read");
}

/* This rank's part of one member that begins at offset, in boxes of at most PIECE_BYTES, in the order of memory.  All
 * ranks have parts of the same extents, and so make the same number of calls, whatever fails. */
static void transfer_together(lat_h5 *file, const box *part, int64_t offset, double *values, bool write)
{
    const int64_t most = PIECE_BYTES / (int64_t)sizeof(double);
    int64_t at[LAT_MAX_DIM] = {0};
    box piece = *part;
    for (int mu = part->dim - 1; mu >= 0 && box_values(&piece) > most; mu--) {
        piece.count[mu] = 1;
        if (box_values(&piece) < most) piece.count[mu] = most / box_values(&piece);
    }
    for (int mu = 0; mu < part->dim;) {
        box now = piece;
        for (int nu = 0; nu < part->dim; nu++) {
            now.first[nu] = part->first[nu] + at[nu];
            if (now.count[nu] > part->count[nu] - at[nu]) now.count[nu] = part->count[nu] - at[nu];
        }
        transfer_box(file, &now, offset, values, write);
        values += box_values(&now);
        for (mu = 0; mu < part->dim && (at[mu] += piece.count[mu]) >= part->count[mu]; mu++) at[mu] = 0;
    }
}

/* Values of a part that follow each other in the file as they do in memory. */
static int64_t run_values(const box *part)
{
    int64_t values = part->components;
    for (int mu = 0; mu < part->dim; mu++) {
        values *= part->count[mu];
        if (part->count[mu] < part->size[mu]) break;
    }
    return values;
}

/* The same on all ranks, whose parts have the same extents. */
static bool has_long_runs(const box *part)
{
    int64_t run = run_values(part);
    return run == box_values(part) || run >= LONG_BYTES / (int64_t)sizeof(double);
}

/* Where in a member the values begin that are number `value` and following of the part. */
static int64_t run_offset(const box *part, int64_t value)
{
    int64_t offset = 0, stride = part->components * (int64_t)sizeof(double), rest = value / part->components;
    for (int mu = 0; mu < part->dim; mu++) {
        offset += (part->first[mu] + rest % part->count[mu]) * stride;
        rest /= part->count[mu];
        stride *= part->size[mu];
    }
    return offset;
}

/* Only a hint, so failures do not matter. */
static void send_to_disk(int descriptor, int64_t offset, int64_t bytes)
{
#ifdef SYNC_FILE_RANGE_WRITE
    (void)sync_file_range(descriptor, offset, bytes, SYNC_FILE_RANGE_WRITE);
#else
    (void)descriptor, (void)offset, (void)bytes;
#endif
}

static void write_run(lat_h5 *file, int64_t offset, const double *values, int64_t bytes)
{
    for (int64_t done = 0; done < bytes && file->error.status == LAT_DONE; done += PART_BYTES) {
        int64_t n = bytes - done < PART_BYTES ? bytes - done : PART_BYTES;
        if (lat_write_at(file->descriptor, (const char *)values + done, n, offset + done) != n) cannot_write(file);
        send_to_disk(file->descriptor, offset + done, n);
    }
}

/* As transfer_together, by this rank alone. */
static void transfer_alone(lat_h5 *file, const box *part, int64_t offset, double *values, bool write)
{
    const int64_t run = run_values(part), bytes = run * (int64_t)sizeof(double), all = box_values(part);
    for (int64_t value = 0; value < all && file->error.status == LAT_DONE; value += run) {
        int64_t at = offset + run_offset(part, value);
        if (write)
            write_run(file, at, values + value, bytes);
        else if (lat_read_at(file->descriptor, values + value, bytes, at) != bytes)
            cannot_read(file);
    }
}

static void transfer(lat_h5 *file, const box *part, int64_t offset, double *values, bool write)
{
    if (has_long_runs(part))
        transfer_alone(file, part, offset, values, write);
    else
        transfer_together(file, part, offset, values, write);
}

/* The file as all ranks see it.  Collective. */
static bool share(lat_h5 *file, const box *part)
{
    int mode = file->temporary ? MPI_MODE_RDWR : MPI_MODE_RDONLY;
    if (has_long_runs(part)) {
        if (file->descriptor < 0)
            file->descriptor = open(name_on_disk(file), (file->temporary ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        if (file->descriptor < 0) cannot_read(file);
        return settled(file);
    }
    if (file->shared == MPI_FILE_NULL)
        check_mpi(file, MPI_File_open(file->comm, name_on_disk(file), mode, MPI_INFO_NULL, &file->shared));
    if (settled(file)) return true;
    file->shared = MPI_FILE_NULL;
    return false;
}

/* Extents of a field in the file, slowest first. */
static layout layout_of(const lat_field *field, int member)
{
    const lat_geometry *g = field->geometry;
    layout set = {0};
    if (member < 0) set.extent[set.rank++] = g->members;
    for (int mu = g->dim - 1; mu >= 0; mu--) set.extent[set.rank++] = g->size[mu];
    set.extent[set.rank++] = field->components;
    return set;
}

static bool all_finite(const double *values, int64_t count)
{
    int64_t bad = 0;
    for (int64_t i = 0; i < count; i++) bad += !(fabs(values[i]) <= DBL_MAX);
    return bad == 0;
}

void lat_h5_put_field(lat_h5 *file, const char *name, const lat_field *field, int member)
{
    if (file->error.status != LAT_DONE) return;
    layout set = layout_of(field, member);
    record written = {.field = true, .part = box_of(field), .members = member < 0 ? field->geometry->members : 1};
    int64_t count = box_values(&written.part);
    if (file->rank == 0) dataset_create(file, name, &set);
    if (!settled(file) || !share(file, &written.part)) return;
    MPI_Bcast(&set.offset, 1, MPI_INT64_T, 0, file->comm);
    written.offset = set.offset;
    double *values = lat_alloc(count, sizeof *values);
    for (int m = 0; m < written.members; m++) {
        lat_field_get_local(field, member < 0 ? m : member, values);
        if (!all_finite(values, count))
            lat_fail(&file->error, LAT_NUMERICAL, "%s: '%s' holds numbers that are not finite: not written", file->path,
                     name);
        written.crc = (uint32_t)crc32_z(written.crc, (const Bytef *)values, (size_t)count * sizeof *values);
        transfer(file, &written.part, written.offset + m * member_bytes(&written.part), values, true);
    }
    free(values);
    *record_add(file) = written;
    settled(file);
}

static void print_extents(char *text, size_t size, const layout *set)
{
    size_t n = 0;
    text[0] = 0;
    for (int i = 0; i < set->rank && n < size; i++)
        n += (size_t)snprintf(text + n, size - n, "%s%lld", i ? " x " : "", (long long)set->extent[i]);
}

static bool same_extents(lat_h5 *file, const char *name, const layout *found, const layout *needed)
{
    char there[160], here[160];
    if (found->rank == needed->rank && memcmp(found->extent, needed->extent, sizeof found->extent) == 0) return true;
    print_extents(there, sizeof there, found);
    print_extents(here, sizeof here, needed);
    lat_h5_refuse(file,
                  "'%s' is %s and %s is needed ([member] [t] [z] y x number): it belongs to another lattice or group",
                  name, there, here);
    return false;
}

void lat_h5_get_field(lat_h5 *file, const char *name, lat_field *field, int member)
{
    layout set, needed = layout_of(field, member);
    box part = box_of(field);
    if (!dataset_find_all(file, name, &set) || !same_extents(file, name, &set, &needed) || !share(file, &part)) return;
    int members = member < 0 ? field->geometry->members : 1;
    int64_t count = box_values(&part);
    double *values = lat_alloc(count, sizeof *values);
    for (int m = 0; m < members; m++) {
        transfer(file, &part, set.offset + m * member_bytes(&part), values, false);
        if (file->error.status == LAT_DONE && !all_finite(values, count))
            lat_h5_refuse(file, "'%s' holds numbers that are not finite", name);
        if (file->error.status == LAT_DONE) lat_field_set_local(field, member < 0 ? m : member, values);
    }
    free(values);
    settled(file);
}

/* ------------------------------------------------------------------------------------------------------ finishing */

/* The checksum crc goes on with bytes [first, first + size) of the file. */
static uint32_t append_crc(lat_h5 *file, uint32_t crc, int64_t first, int64_t size)
{
    return (uint32_t)crc32_combine(crc, range_crc(file, first, size), size);
}

static uint32_t stored_runs_crc(lat_h5 *file, const record *written)
{
    const int64_t run = run_values(&written->part), all = box_values(&written->part);
    uint32_t crc = 0;
    for (int m = 0; m < written->members; m++)
        for (int64_t value = 0; value < all; value += run)
            crc = append_crc(file, crc, written->offset + m * member_bytes(&written->part) + run_offset(&written->part, value),
                             run * (int64_t)sizeof(double));
    return crc;
}

/* What the disk holds for a record, by the way that fields, or arrays, are read. */
static uint32_t stored_crc(lat_h5 *file, const record *written)
{
    if (!written->field) return range_crc(file, written->offset, written->bytes);
    if (has_long_runs(&written->part)) return stored_runs_crc(file, written);
    int64_t count = box_values(&written->part);
    double *values = lat_alloc(count, sizeof *values);
    uint32_t crc = 0;
    for (int m = 0; m < written->members; m++) {
        transfer(file, &written->part, written->offset + m * member_bytes(&written->part), values, false);
        crc = (uint32_t)crc32_z(crc, (const Bytef *)values, (size_t)count * sizeof *values);
    }
    free(values);
    return crc;
}

static void verify(lat_h5 *file)
{
    for (int i = 0; i < file->record_count; i++)
        if (stored_crc(file, &file->records[i]) != file->records[i].crc)
            lat_fail(&file->error, LAT_FILE, "%s: reads back other than it was written: check the disk", file->path);
}

/* Rank 0: user block, sync. */
static void seal(lat_h5 *file, uint32_t crc)
{
    char block[BLOCK_BYTES + 1];
    block_print(block, file->kind, file->bytes - BLOCK_BYTES, crc);
    errno = 0;
    if (lat_write_at(file->descriptor, block, BLOCK_BYTES, 0) != BLOCK_BYTES || fsync(file->descriptor) != 0)
        cannot_write(file);
}

/* Rank 0.  A file that HDF5 could not close would crash it later: the run ends here. */
static void close_hdf(lat_h5 *file)
{
    errno = 0;
    if (H5Fclose(file->hdf) < 0) {
        if (file->temporary) unlink(file->temporary);
        lat_abort(LAT_FILE, "%s: HDF5 cannot close it: %s: check the disk", file->path, strerror(errno));
    }
    file->hdf = H5I_INVALID_HID;
}

/* Rank 0: HDF5 writes what it still holds.  The length on the disk becomes that of the contents. */
static void close_library(lat_h5 *file)
{
    haddr_t end = 0;
    close_hdf(file);
    hid_t access = access_properties();
    file->hdf = H5Fopen(file->temporary, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file->hdf < 0 || H5Fget_eoa(file->hdf, &end) < 0 || ftruncate(file->descriptor, (off_t)end) != 0)
        cannot_write(file);
    file->bytes = (int64_t)end;
}

/* What each rank wrote, before others read it.  A rank by itself syncs all at once, at the end. */
static void sync_parts(lat_h5 *file)
{
    if (file->ranks > 1 && file->descriptor >= 0 && fsync(file->descriptor) != 0) cannot_write(file);
    if (file->shared != MPI_FILE_NULL) check_mpi(file, MPI_File_sync(file->shared));
}

/* Everything is on the disk before it is compared with what was meant, and only then gets its name. */
static void finish_writing(lat_h5 *file)
{
    if (file->rank == 0) close_library(file);
    sync_parts(file);
    if (!settled(file)) return;
    MPI_Bcast(&file->bytes, 1, MPI_INT64_T, 0, file->comm);
    uint32_t crc = whole_crc(file, file->bytes - BLOCK_BYTES);
    if (settled(file) && file->rank == 0) seal(file, crc);
    if (!settled(file)) return;
    verify(file);
    if (file->shared != MPI_FILE_NULL) check_mpi(file, MPI_File_close(&file->shared));
    if (settled(file) && file->rank == 0) lat_file_commit(file->temporary, file->path, &file->error);
}

lat_status lat_h5_finish(lat_h5 *file, lat_error *error)
{
    if (settled(file) && file->temporary) finish_writing(file);
    if (file->shared != MPI_FILE_NULL) MPI_File_close(&file->shared);
    if (file->hdf >= 0) close_hdf(file);
    settled(file);
    if (file->descriptor >= 0) {
        close(file->descriptor);
        if (file->rank == 0 && file->temporary && file->error.status != LAT_DONE) unlink(file->temporary);
    }
    if (file->ranks > 1) MPI_Barrier(file->comm); /* what this leaves on the disk is there when any rank goes on */
    lat_status status = file->error.status;
    if (status != LAT_DONE) lat_fail(error, status, "%s", file->error.text);
    free(file->records);
    free(file->temporary);
    free(file->path);
    free(file);
    return status;
}
