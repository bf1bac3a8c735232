/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5_values.c: what all ranks have alike: texts and numbers, which are attributes, and arrays.
 */
#include "lattice/io/h5_file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------------- attributes, rank 0 */

static void attribute_write(lat_h5 *file, const char *name, hid_t type, const void *value)
{
    if (!lat_h5_claim(file, (int64_t)H5Tget_size(type))) return;
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(file->hdf, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
    if (attribute >= 0) good = H5Aclose(attribute) >= 0 && good;
    H5Sclose(space);
    lat_h5_check_disk(file);
    if (!good) lat_h5_cannot_write(file, 0);
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

/* ---------------------------------------------------------------------------------------------------- small things */

void lat_h5_put_text(lat_h5 *file, const char *name, const char *text)
{
    if (file->error.status != LAT_DONE) return;
    if (file->rank == 0) {
        hid_t type = text_type(strlen(text) + 1);
        attribute_write(file, name, type, text);
        H5Tclose(type);
    }
    lat_h5_settled(file);
}

void lat_h5_put_int(lat_h5 *file, const char *name, int64_t value)
{
    if (file->error.status != LAT_DONE) return;
    if (file->rank == 0) attribute_write(file, name, H5T_STD_I64LE, &value);
    lat_h5_settled(file);
}

void lat_h5_put_real(lat_h5 *file, const char *name, double value)
{
    if (file->error.status != LAT_DONE) return;
    if (!isfinite(value))
        lat_fail(&file->error, LAT_NUMERICAL, "%s: '%s' is %g: not written", file->path, name, value);
    else if (file->rank == 0)
        attribute_write(file, name, H5T_IEEE_F64LE, &value);
    lat_h5_settled(file);
}

char *lat_h5_get_text(lat_h5 *file, const char *name, int64_t limit)
{
    char *text = NULL;
    int64_t size = 0;
    if (file->error.status != LAT_DONE) return NULL;
    if (file->rank == 0) text = text_read(file, name, limit);
    if (!lat_h5_settled(file)) {
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
    if (!lat_h5_settled(file)) return low;
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
    if (!lat_h5_settled(file)) return 0;
    lat_broadcast(file->comm, &value, sizeof value);
    return value;
}

bool lat_h5_has(lat_h5 *file, const char *name)
{
    int found = 0;
    if (file->error.status != LAT_DONE) return false;
    if (file->rank == 0) found = H5Aexists(file->hdf, name) > 0 || lat_h5_dataset_exists(file, name);
    lat_broadcast(file->comm, &found, sizeof found);
    return found;
}

/* ----------------------------------------------------------------------------------------------- replicated arrays */

void lat_h5_put_reals(lat_h5 *file, const char *name, int rank, const int64_t *extent, const double *values)
{
    lat_h5_layout set = {.rank = rank};
    if (file->error.status != LAT_DONE) return;
    memcpy(set.extent, extent, (size_t)rank * sizeof *extent);
    if (file->rank == 0) {
        int64_t bytes = lat_h5_dataset_create(file, name, &set) * (int64_t)sizeof(double);
        lat_h5_write(file, values, bytes, set.offset);
    }
    lat_h5_settled(file);
}

int lat_h5_extent(lat_h5 *file, const char *name, int64_t extent[LAT_H5_MAX_RANK])
{
    lat_h5_layout set;
    if (!lat_h5_dataset_find(file, name, &set)) return 0;
    memcpy(extent, set.extent, sizeof set.extent);
    return (int)set.rank;
}

double *lat_h5_get_reals(lat_h5 *file, const char *name, int rank, int64_t *extent, int64_t limit)
{
    lat_h5_layout set;
    int64_t count;
    if (!lat_h5_dataset_find(file, name, &set)) return NULL;
    if (set.rank != rank) lat_h5_refuse(file, "'%s' has %d dimensions and should have %d", name, (int)set.rank, rank);
    for (int i = 0; i < set.rank; i++)
        if (set.extent[i] > limit)
            lat_h5_refuse(file, "'%s' has extent %lld, the most is %lld", name, (long long)set.extent[i],
                          (long long)limit);
    if (!lat_h5_settled(file) || !lat_h5_count(&set, &count)) return NULL;
    int64_t bytes = count * (int64_t)sizeof(double);
    double *values = lat_alloc(count ? count : 1, sizeof *values);
    if (file->rank == 0 && lat_read_at(file->descriptor, values, bytes, set.offset) != bytes) lat_h5_cannot_read(file, errno);
    if (!lat_h5_settled(file)) {
        free(values);
        return NULL;
    }
    lat_broadcast(file->comm, values, bytes);
    memcpy(extent, set.extent, (size_t)rank * sizeof *extent);
    return values;
}
