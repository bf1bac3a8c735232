/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5.c: HDF5 files with a checksum, doc/files.md: how they are opened, and how a file comes to its name.
 *
 * Rank 0 alone talks to the HDF5 library: it lays the file out (attributes, and contiguous data sets whose room is
 * taken at once), and asks where each data set begins.  The numbers themselves are then written at those places: arrays
 * by rank 0, fields by all ranks (h5_field.c).  So the bytes cannot depend on the number of ranks, and what is read was
 * checked before it is believed.
 *
 * What holds at every instant, whatever fails and whenever the power goes:
 *
 *  1. PATH is absent, or the complete file that had the name before, or the complete new one.  Nobody writes into PATH.
 *  2. All that is unfinished is in PATH.tmp, which one run has made for itself: what had that name before was removed, and a
 *     link is not followed.  Nobody reads PATH.tmp but the ranks that write it.
 *  3. A file whose first 512 bytes name the checksum of its other bytes is complete.  These bytes are written last, when
 *     all others are on the disk and the checksum was computed of what the disk gives back.
 *  4. Bytes at a place are written once, by one rank, which remembers their checksum.
 *  5. No rank enters a collective call that another one leaves out: the ranks agree on failures between the steps, and
 *     within a step each goes through all of its exchanges, whatever it cannot read or write.
 *  6. The library never sees the disk refuse anything (h5_driver.c), and finds room for all that it writes: whether a file
 *     is whole is for this file to know.
 *
 * The order of a file's life, and what SIGKILL leaves behind between the steps, or within them:
 *
 *     PATH.tmp is made by rank 0, its room claimed; the other ranks open it    PATH as before; an empty PATH.tmp
 *     layout, values, arrays, fields                                           PATH as before; PATH.tmp without user block
 *     the library closes; the length becomes that of the contents              the same
 *     each rank syncs what it wrote                                            the same
 *     the checksum is computed from the disk; user block; sync                 the same, or a PATH.tmp that is complete
 *     each rank reads again what it wrote, and compares                        PATH as before; a PATH.tmp that is complete
 *     PATH.tmp is renamed to PATH                                              one of the two, by the file system's word
 *     the directory is synced                                                  PATH is new; after a power cut, perhaps old
 *
 * A step that fails on any rank is the last one: PATH.tmp is removed, and PATH is what it was.  Only if the sync of the
 * directory fails is PATH the new file all the same, and the failure is told.
 */
#include "lattice/io/h5_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files hold little-endian numbers, copied to and from memory");

/* ------------------------------------------------------------------------------------------------ opening, closing */

/* Old enough for every reader, attributes of any size, no locks (many parallel file systems have none). */
static hid_t access_properties(lat_h5 *file)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    bool good = access >= 0 && H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0 &&
                H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 && H5Pset_file_locking(access, false, true) >= 0 &&
                H5Pset_alignment(access, 1, 8) >= 0 && lat_h5_driver_use(access, file->driver, &file->disk) >= 0;
    if (!good) lat_abort(LAT_FILE, "HDF5: file access properties are refused: use HDF5 1.10.7 or later");
    return access;
}

static hid_t create_properties(void)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE);
    bool good =
        create >= 0 && H5Pset_userblock(create, LAT_H5_BLOCK_BYTES) >= 0 && H5Pset_obj_track_times(create, false) >= 0;
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
    file->hdf = file->driver = H5I_INVALID_HID;
    if (file->rank > 0) return file;
    /* Failures are told by us, in one line. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    file->driver = lat_h5_driver_register();
    return file;
}

/* Rank 0.  Nobody else comes between, as all take their names with the temporary file in their hands. */
static bool name_is_taken(lat_h5 *file)
{
    if (!file->fresh || access(file->path, F_OK) != 0) return false;
    lat_fail(&file->error, LAT_CONFIG, "%s: was made by another process a moment ago: give another name", file->path);
    return true;
}

/* Whoever has that name already writes to it under the same temporary name, which must not be kept from it. */
static void create_on_disk(lat_h5 *file)
{
    file->descriptor = file->disk.descriptor = lat_open_temporary(file->temporary);
    if (file->descriptor < 0) {
        lat_h5_cannot_write(file, errno);
        return;
    }
    if (name_is_taken(file) || !lat_h5_claim(file, 0)) return;
    hid_t access = access_properties(file), create = create_properties();
    file->hdf = H5Fcreate(file->temporary, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    lat_h5_check_disk(file);
    if (file->hdf < 0) lat_h5_cannot_write(file, 0);
}

/* Each rank for itself, before anything depends on all of them. */
static void create_again(lat_h5 *file)
{
    file->descriptor = lat_open_again(file->temporary);
    if (file->descriptor < 0)
        lat_fail(&file->error, LAT_FILE, "%s: is not there for all ranks: %s: use a file system that all share",
                 file->temporary, strerror(errno));
}

static lat_h5 *create(MPI_Comm comm, const char *path, const char *kind, bool fresh)
{
    lat_h5 *file = begin(comm, path, kind);
    file->fresh = fresh;
    file->temporary = lat_text("%s.tmp", path);
    if (file->rank == 0) create_on_disk(file);
    if (!lat_h5_settled(file)) return file;
    if (file->rank > 0) create_again(file);
    lat_h5_settled(file);
    return file;
}

lat_h5 *lat_h5_create(MPI_Comm comm, const char *path, const char *kind) { return create(comm, path, kind, false); }

lat_h5 *lat_h5_create_new(MPI_Comm comm, const char *path, const char *kind) { return create(comm, path, kind, true); }

static void open_on_disk(lat_h5 *file)
{
    file->disk.descriptor = file->descriptor;
    file->disk.length = file->bytes;
    hid_t access = access_properties(file);
    file->hdf = H5Fopen(file->path, H5F_ACC_RDONLY, access);
    H5Pclose(access);
    if (file->hdf < 0) lat_h5_refuse(file, "is no HDF5 file: take another copy");
}

/* Rank 0. */
static uint32_t read_block(lat_h5 *file)
{
    char block[LAT_H5_BLOCK_BYTES + 1] = "";
    if (file->bytes <= LAT_H5_BLOCK_BYTES)
        lat_h5_refuse(file, "has %lld bytes, too few for a %s file: it is cut off, take another copy",
                      (long long)file->bytes, file->kind);
    else if (lat_read_at(file->descriptor, block, LAT_H5_BLOCK_BYTES, 0) != LAT_H5_BLOCK_BYTES)
        lat_h5_cannot_read(file, errno);
    else
        return lat_h5_block_parse(file, block);
    return 0;
}

/* The same file for every rank? */
static void compare_lengths(lat_h5 *file)
{
    int64_t bytes = file->bytes;
    lat_broadcast(file->comm, &bytes, sizeof bytes);
    if (bytes != file->bytes)
        lat_fail(&file->error, LAT_FILE,
                 "%s: has %lld bytes for one rank and %lld for another: use a file system that all share", file->path,
                 (long long)bytes, (long long)file->bytes);
}

lat_h5 *lat_h5_open(MPI_Comm comm, const char *path, const char *kind)
{
    lat_h5 *file = begin(comm, path, kind);
    uint32_t crc = 0;
    file->descriptor = lat_open_input(path, &file->bytes, &file->error);
    if (!lat_h5_settled(file)) return file;
    compare_lengths(file);
    if (file->rank == 0) crc = read_block(file);
    if (!lat_h5_settled(file)) return file;
    lat_broadcast(comm, &crc, sizeof crc);
    uint32_t found = lat_h5_whole_crc(file);
    if (found != crc)
        lat_h5_refuse(file, "has checksum %08x and should have %08x: it is damaged, take another copy", found, crc);
    if (lat_h5_settled(file) && file->rank == 0) open_on_disk(file);
    lat_h5_settled(file);
    return file;
}

/* ------------------------------------------------------------------------------------------------------ finishing */

/* Rank 0: HDF5 writes what it still holds. */
static void close_library(lat_h5 *file)
{
    bool good = file->hdf < 0 || H5Fclose(file->hdf) >= 0;
    file->hdf = H5I_INVALID_HID;
    if (file->driver >= 0) H5FDunregister(file->driver);
    file->driver = H5I_INVALID_HID;
    lat_h5_check_disk(file);
    if (!good && file->temporary) lat_h5_cannot_write(file, 0);
}

/* Rank 0: user block, sync. */
static void seal(lat_h5 *file, uint32_t crc)
{
    char block[LAT_H5_BLOCK_BYTES + 1];
    lat_h5_block_print(block, file->kind, file->bytes - LAT_H5_BLOCK_BYTES, crc);
    int code = lat_write_at(file->descriptor, block, LAT_H5_BLOCK_BYTES, 0) != LAT_H5_BLOCK_BYTES
                   ? errno
                   : lat_sync(file->descriptor);
    if (code) lat_h5_cannot_write(file, code);
}

/* What each rank wrote, before others read it.  A rank by itself syncs all at once, at the end. */
static void sync_parts(lat_h5 *file)
{
    int code = file->ranks > 1 && file->error.status == LAT_DONE ? lat_sync(file->descriptor) : 0;
    if (code) lat_h5_cannot_write(file, code);
}

/* Rank 0: all that HDF5 writes is written; the length on the disk becomes that of the contents. */
static void end_layout(lat_h5 *file)
{
    close_library(file);
    file->bytes = file->disk.end;
    int code = file->error.status == LAT_DONE ? lat_truncate(file->descriptor, file->bytes) : 0;
    if (code) lat_h5_cannot_write(file, code);
}

/* Rank 0. */
static void take_name(lat_h5 *file)
{
    if (!name_is_taken(file)) file->complete = lat_file_commit(file->temporary, file->path, &file->error) == LAT_DONE;
}

static void finish_writing(lat_h5 *file)
{
    if (file->rank == 0) end_layout(file);
    sync_parts(file);
    if (!lat_h5_settled(file)) return;
    lat_broadcast(file->comm, &file->bytes, sizeof file->bytes);
    uint32_t crc = lat_h5_whole_crc(file);
    if (lat_h5_settled(file) && file->rank == 0) seal(file, crc);
    if (!lat_h5_settled(file)) return;
    lat_h5_compare(file);
    if (lat_h5_settled(file) && file->rank == 0) take_name(file);
}

lat_status lat_h5_finish(lat_h5 *file, lat_error *error)
{
    if (lat_h5_settled(file) && file->temporary) finish_writing(file);
    if (file->rank == 0) close_library(file);
    lat_h5_settled(file);
    if (file->rank == 0 && file->temporary && file->descriptor >= 0 && !file->complete) unlink(file->temporary);
    if (file->descriptor >= 0) close(file->descriptor);
    if (file->ranks > 1) MPI_Barrier(file->comm); /* what this leaves on the disk is there when any rank goes on */
    lat_status status = file->error.status;
    if (status != LAT_DONE) lat_fail(error, status, "%s", file->error.text);
    free(file->records);
    free(file->temporary);
    free(file->path);
    free(file);
    return status;
}
