/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_dataset.c: where the numbers of a data set lie in the file, as HDF5 has it.
 */
#include "lattice/io/h5_file.h"

#include <stdlib.h>
#include <string.h>

bool lat_h5_count(const lat_h5_layout *set, int64_t *count)
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

/* Makes GROUP of a name GROUP/NAME, without a time stamp, unless it is there. */
static void make_group(lat_h5 *file, const char *name)
{
    const char *end = strchr(name, '/');
    char *group = lat_text("%.*s", end ? (int)(end - name) : 0, name);
    if (end && H5Lexists(file->hdf, group, H5P_DEFAULT) <= 0) {
        hid_t create = H5Pcreate(H5P_GROUP_CREATE);
        if (create < 0 || H5Pset_obj_track_times(create, false) < 0) lat_abort(LAT_FILE, "HDF5: group properties are refused: use HDF5 1.10.7 or later");
        hid_t made = H5Gcreate2(file->hdf, group, H5P_DEFAULT, create, H5P_DEFAULT);
        if (made < 0 || H5Gclose(made) < 0) lat_h5_cannot_write(file, file->disk.failure);
        H5Pclose(create);
    }
    free(group);
}

int64_t lat_h5_dataset_create(lat_h5 *file, const char *name, lat_h5_layout *set)
{
    int64_t count = 0;
    hsize_t extent[LAT_H5_MAX_RANK];
    for (int i = 0; i < set->rank; i++) extent[i] = (hsize_t)set->extent[i];
    if (!lat_h5_count(set, &count)) {
        lat_fail(&file->error, LAT_CONFIG, "%s: '%s' would have more than 2^63 bytes: ask for less", file->path, name);
        return 0;
    }
    if (!lat_h5_claim(file, count * (int64_t)sizeof(double))) return 0;
    make_group(file, name);
    hid_t space = H5Screate_simple((int)set->rank, extent, NULL), create = dataset_properties();
    hid_t data = H5Dcreate2(file->hdf, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    haddr_t offset = data >= 0 && count > 0 ? H5Dget_offset(data) : 0;
    if (data < 0 || offset == HADDR_UNDEF) lat_h5_cannot_write(file, file->disk.failure);
    set->offset = (int64_t)offset;
    if (data >= 0 && H5Dclose(data) < 0) lat_h5_cannot_write(file, 0);
    H5Pclose(create);
    H5Sclose(space);
    lat_h5_check_disk(file);
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

static bool extents(hid_t data, lat_h5_layout *set)
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
static bool inside(const lat_h5 *file, hid_t data, lat_h5_layout *set)
{
    int64_t count;
    if (!lat_h5_count(set, &count)) return false;
    if (count == 0) return true;
    haddr_t offset = H5Dget_offset(data);
    int64_t bytes = count * (int64_t)sizeof(double);
    set->offset = (int64_t)offset;
    return offset != HADDR_UNDEF && offset >= LAT_H5_BLOCK_BYTES && offset <= (haddr_t)file->bytes &&
           bytes <= file->bytes - set->offset && H5Dget_storage_size(data) == (hsize_t)bytes;
}

bool lat_h5_dataset_exists(const lat_h5 *file, const char *name)
{
    H5L_info_t link;
    return H5Lexists(file->hdf, name, H5P_DEFAULT) > 0 && H5Lget_info(file->hdf, name, &link, H5P_DEFAULT) >= 0 &&
           link.type == H5L_TYPE_HARD;
}

static void find(lat_h5 *file, const char *name, lat_h5_layout *set)
{
    hid_t data = lat_h5_dataset_exists(file, name) ? H5Dopen2(file->hdf, name, H5P_DEFAULT) : H5I_INVALID_HID;
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

bool lat_h5_dataset_find(lat_h5 *file, const char *name, lat_h5_layout *set)
{
    *set = (lat_h5_layout){0};
    if (file->error.status != LAT_DONE) return false;
    if (file->rank == 0) find(file, name, set);
    if (!lat_h5_settled(file)) return false;
    lat_broadcast(file->comm, set, sizeof *set);
    return true;
}
