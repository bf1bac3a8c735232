/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_driver.c: how HDF5 gets at a file: through a descriptor that is open already, so that no name is looked up twice, and
 * never seeing a failure.  A library that was refused a byte while it closes a file crashes when the program ends; so
 * writes that fail go nowhere, reads that fail are zeros, and both are remembered for who asks.  What is laid out is the
 * same as by the library's own driver.
 */
#include "lattice/io/h5_file.h"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DRIVER_VALUE = 400 }; /* of those that are free for everybody */

typedef struct {
    H5FD_t base; /* the library's; first */
    lat_h5_disk *disk;
    haddr_t end;
} view;

static lat_h5_disk *disk_of(H5FD_t *file) { return ((view *)file)->disk; }

static H5FD_t *open_view(const char *name, unsigned flags, hid_t access, haddr_t most)
{
    (void)name, (void)most, (void)flags;
    lat_h5_disk *const *disk = H5Pget_driver_info(access);
    if (!disk) return NULL;
    view *view = lat_alloc(1, sizeof *view);
    view->disk = *disk;
    return &view->base;
}

static herr_t close_view(H5FD_t *file)
{
    free(file);
    return 0;
}

static herr_t query(const H5FD_t *file, unsigned long *flags)
{
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t get_end(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    return ((const view *)file)->end;
}

static herr_t set_end(H5FD_t *file, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((view *)file)->end = end;
    disk_of(file)->end = (int64_t)end;
    return 0;
}

static haddr_t get_length(const H5FD_t *file, H5FD_mem_t type)
{
    (void)type;
    const view *v = (const view *)file;
    return v->disk->length > 0 ? (haddr_t)v->disk->length : v->end;
}

static herr_t read_bytes(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t offset, size_t size, void *bytes)
{
    (void)type, (void)transfer;
    lat_h5_disk *disk = disk_of(file);
    errno = 0;
    int64_t done = offset > INT64_MAX ? 0 : lat_read_at(disk->descriptor, bytes, (int64_t)size, (int64_t)offset);
    if (done < (int64_t)size && errno && !disk->failure) disk->failure = errno;
    memset((char *)bytes + done, 0, size - (size_t)done);
    return 0;
}

static herr_t write_bytes(H5FD_t *file, H5FD_mem_t type, hid_t transfer, haddr_t offset, size_t size, const void *bytes)
{
    (void)type, (void)transfer;
    lat_h5_disk *disk = disk_of(file);
    if (!disk->failure && lat_write_at(disk->descriptor, bytes, (int64_t)size, (int64_t)offset) != (int64_t)size)
        disk->failure = errno;
    return 0;
}

/* The length on the disk becomes that of the contents when all is written; see finish_writing. */
static herr_t truncate_view(H5FD_t *file, hid_t transfer, hbool_t closing)
{
    (void)file, (void)transfer, (void)closing;
    return 0;
}

static const H5FD_class_t class = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = DRIVER_VALUE,
#endif
    .name = "flowhmc",
    .maxaddr = INT64_MAX,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(lat_h5_disk *),
    .open = open_view,
    .close = close_view,
    .query = query,
    .get_eoa = get_end,
    .set_eoa = set_end,
    .get_eof = get_length,
    .read = read_bytes,
    .write = write_bytes,
    .truncate = truncate_view,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

hid_t lat_h5_driver_register(void) { return H5FDregister(&class); }

herr_t lat_h5_driver_use(hid_t access, hid_t driver, lat_h5_disk *disk) { return H5Pset_driver(access, driver, &disk); }
