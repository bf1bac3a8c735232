/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_file.h: what the sources of h5.h share: a file while it is open.
 */
#ifndef LAT_IO_H5_FILE_H
#define LAT_IO_H5_FILE_H

#include "lattice/io/io.h"

#include <hdf5.h>

enum { LAT_H5_BLOCK_BYTES = 512 };

/* What this rank wrote at a place of the file, to be compared with what the file holds. */
typedef struct {
    int64_t offset, bytes;
    uint32_t crc;
} lat_h5_record;

/* How HDF5 sees the disk, on rank 0 (h5_driver.c).  Failures are kept here and not told to the library, which does not
 * survive them: it goes on with zeros, or into the void, until we ask. */
typedef struct {
    int descriptor;
    int64_t length; /* of the file, when it was opened for reading */
    int64_t end;    /* of what HDF5 has laid out */
    int failure;    /* error number of the first failure, 0: none */
} lat_h5_disk;

struct lat_h5 {
    MPI_Comm comm;
    int rank, ranks;
    char kind[32];
    char *path, *temporary; /* temporary: NULL when reading */
    lat_error error;
    int descriptor;    /* on every rank; -1: not open */
    bool fresh;        /* takes the place of no other file */
    bool complete;     /* on rank 0: the temporary file has got its name */
    lat_h5_disk disk;  /* rank 0 */
    hid_t hdf, driver; /* rank 0 */
    int64_t bytes;     /* of the whole file */
    int64_t claimed;   /* rank 0, writing: the disk has room up to here */
    lat_h5_record *records;
    int record_count;
};

/* Ends every collective function: all ranks know of the first failure. */
bool lat_h5_settled(lat_h5 *file);
/* LAT_FILE; code: the error number, 0 where HDF5 or the end of the file is the reason. */
void lat_h5_cannot_write(lat_h5 *file, int code);
void lat_h5_cannot_read(lat_h5 *file, int code);
/* Rank 0: what the disk did not do while HDF5 was at work. */
void lat_h5_check_disk(lat_h5 *file);
/* Rank 0: claims the room for so many bytes beyond the present end, and what HDF5 adds to them; false, and a failure, if
 * there is none. */
bool lat_h5_claim(lat_h5 *file, int64_t bytes);

/* Writes and remembers what was written. */
void lat_h5_write(lat_h5 *file, const void *bytes, int64_t size, int64_t offset);
/* Compares all that this rank wrote with what the file holds. */
void lat_h5_compare(lat_h5 *file);

/* h5_driver.c: HDF5 upon a descriptor. */
hid_t lat_h5_driver_register(void);
herr_t lat_h5_driver_use(hid_t access, hid_t driver, lat_h5_disk *disk);

/* h5_checksum.c.  CRC-32 of all that follows the user block, on all ranks; collective. */
uint32_t lat_h5_whole_crc(lat_h5 *file);
/* The user block: plain text, padded with blanks: `head -4 FILE` prints it. */
void lat_h5_block_print(char block[LAT_H5_BLOCK_BYTES + 1], const char *kind, int64_t bytes, uint32_t crc);
/* Rank 0.  The block must be, to the byte, what is printed of its own numbers; returns the checksum. */
uint32_t lat_h5_block_parse(lat_h5 *file, const char block[LAT_H5_BLOCK_BYTES + 1]);

/* Where a data set begins and what its extents are (h5_dataset.c). */
typedef struct {
    int64_t offset;
    int64_t rank;
    int64_t extent[LAT_H5_MAX_RANK];
} lat_h5_layout;
/* False if there are more values than a file can hold. */
bool lat_h5_count(const lat_h5_layout *set, int64_t *count);
/* Rank 0.  Fills in the offset; returns the number of values. */
int64_t lat_h5_dataset_create(lat_h5 *file, const char *name, lat_h5_layout *set);
bool lat_h5_dataset_exists(const lat_h5 *file, const char *name);
/* The same on all ranks; false on refusal.  Collective. */
bool lat_h5_dataset_find(lat_h5 *file, const char *name, lat_h5_layout *set);

#endif
