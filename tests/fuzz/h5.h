/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * h5.h: HDF5 files for fuzzing.  The first byte of the input chooses: even, the rest is the file as it is; odd, the
 * rest chooses what is in an HDF5 file, item by item, and the file gets a good checksum, so that what is tried are the
 * checks behind the checksum.  An item is as it should be, or absent, of another type, shape, layout or value.
 */
#ifndef FUZZ_H5_H
#define FUZZ_H5_H

#include "lattice/lattice.h"

#include <fcntl.h>
#include <hdf5.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { FUZZ_BLOCK = 512, FUZZ_MOST_VALUES = 4096 };

typedef struct {
    const uint8_t *data;
    size_t left;
} fuzz_input;

static inline uint8_t fuzz_byte(fuzz_input *in)
{
    if (in->left == 0) return 0;
    in->left--;
    return *in->data++;
}

static inline uint64_t fuzz_number(fuzz_input *in)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | fuzz_byte(in);
    return number;
}

static inline double fuzz_real(fuzz_input *in)
{
    uint64_t bits = fuzz_number(in);
    double real;
    memcpy(&real, &bits, sizeof real);
    return real;
}

/* A text whose length is the next byte; free() it. */
static inline char *fuzz_text(fuzz_input *in)
{
    size_t length = fuzz_byte(in);
    if (length > in->left) length = in->left;
    char *text = lat_alloc((int64_t)length + 1, 1);
    memcpy(text, in->data, length);
    in->data += length;
    in->left -= length;
    return text;
}

/* What this program should accept. */
typedef enum { FUZZ_TEXT, FUZZ_INT, FUZZ_REAL, FUZZ_REALS } fuzz_kind;
typedef struct {
    const char *name;
    fuzz_kind kind;
    const char *text;
    int64_t integer;
    double real;
    int rank;
    hsize_t extent[6];
    const double *reals;
} fuzz_item;

static inline void fuzz_attribute(hid_t file, const char *name, hid_t type, hid_t space, const void *value)
{
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) return;
    H5Awrite(attribute, type, value);
    H5Aclose(attribute);
}

static inline void fuzz_put_text(hid_t file, const char *name, const char *text, bool variable)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, variable ? H5T_VARIABLE : strlen(text) + 1);
    fuzz_attribute(file, name, type, space, variable ? (const void *)&text : (const void *)text);
    H5Sclose(space);
    H5Tclose(type);
}

static inline void fuzz_put_number(hid_t file, const char *name, hid_t type, hid_t space, const void *value)
{
    fuzz_attribute(file, name, type, space, value);
    H5Sclose(space);
}

static inline void fuzz_put_reals(hid_t file, const char *name, hid_t type, hid_t create, int rank,
                                  const hsize_t *extent, const double *values)
{
    hid_t space = rank > 0 ? H5Screate_simple(rank, extent, NULL) : H5Screate(rank == 0 ? H5S_SCALAR : H5S_NULL);
    hid_t data = H5Dcreate2(file, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    if (data >= 0 && values) H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    if (data >= 0) H5Dclose(data);
    if (space >= 0) H5Sclose(space);
}

/* Another layout, type or shape: large extents are stored without numbers. */
static inline void fuzz_put_odd_reals(hid_t file, fuzz_input *in, const char *name)
{
    const hid_t types[] = {H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_IEEE_F32LE, H5T_STD_I64LE, H5T_C_S1, H5T_IEEE_F64LE};
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t extent[6] = {0}, chunk[6], count = 1;
    int rank = fuzz_byte(in) % 8 - 1, layout = fuzz_byte(in) % 5;
    hid_t type = types[fuzz_byte(in) % 6];
    bool small = true;
    for (int i = 0; i < rank; i++) {
        uint8_t size = fuzz_byte(in);
        extent[i] = size < 240 ? size % 20 : (hsize_t)1 << (size - 240) * 4;
        chunk[i] = 2;
        small = small && extent[i] <= FUZZ_MOST_VALUES && (count *= extent[i]) <= FUZZ_MOST_VALUES;
    }
    H5Pset_alloc_time(create, layout == 1 ? H5D_ALLOC_TIME_LATE : H5D_ALLOC_TIME_DEFAULT);
    H5Pset_fill_time(create, H5D_FILL_TIME_NEVER);
    if (layout == 2 && rank > 0 && small) H5Pset_chunk(create, rank, chunk);
    if (layout == 3) H5Pset_layout(create, H5D_COMPACT);
    if (layout == 4) H5Pset_external(create, "/dev/null", 0, H5F_UNLIMITED);
    double *values = lat_alloc(FUZZ_MOST_VALUES, sizeof *values);
    for (int i = 0; i < 4; i++) values[i] = fuzz_real(in);
    bool write = small && count > 0 && rank >= 0 && layout != 1 && layout != 4 && type != types[4];
    fuzz_put_reals(file, name, type, create, rank, extent, write ? values : NULL);
    free(values);
    H5Pclose(create);
}

static inline void fuzz_put_good(hid_t file, const fuzz_item *item)
{
    switch (item->kind) {
    case FUZZ_TEXT: fuzz_put_text(file, item->name, item->text, false); break;
    case FUZZ_INT: fuzz_put_number(file, item->name, H5T_STD_I64LE, H5Screate(H5S_SCALAR), &item->integer); break;
    case FUZZ_REAL: fuzz_put_number(file, item->name, H5T_IEEE_F64LE, H5Screate(H5S_SCALAR), &item->real); break;
    case FUZZ_REALS:
        fuzz_put_reals(file, item->name, H5T_IEEE_F64LE, H5P_DEFAULT, item->rank, item->extent, item->reals);
        break;
    }
}

static inline void fuzz_put(hid_t file, fuzz_input *in, const fuzz_item *item)
{
    char *text;
    uint64_t number[2];
    switch (fuzz_byte(in)) {
    case 1: break;
    case 2:
    case 3:
    case 4:
        text = fuzz_text(in);
        fuzz_put_text(file, item->name, text, in->left % 8 == 7);
        free(text);
        break;
    case 5:
        number[0] = fuzz_number(in);
        fuzz_put_number(file, item->name, H5T_STD_I64LE, H5Screate(H5S_SCALAR), number);
        break;
    case 6:
        number[0] = fuzz_number(in);
        fuzz_put_number(file, item->name, H5T_IEEE_F64LE, H5Screate(H5S_SCALAR), number);
        break;
    case 7:
        number[0] = number[1] = fuzz_number(in);
        fuzz_put_number(file, item->name, H5T_STD_I64LE, H5Screate_simple(1, (hsize_t[]){2}, NULL), number);
        break;
    case 8:
        number[0] = fuzz_number(in);
        fuzz_put_number(file, item->name, H5T_STD_I32BE, H5Screate(H5S_SCALAR), number);
        break;
    case 9: fuzz_put_number(file, item->name, H5T_STD_I64LE, H5Screate(H5S_NULL), number); break;
    case 10: H5Gclose(H5Gcreate2(file, item->name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT)); break;
    case 11: H5Lcreate_soft("/group", file, item->name, H5P_DEFAULT, H5P_DEFAULT); break;
    case 12: H5Lcreate_external("/dev/null", "/x", file, item->name, H5P_DEFAULT, H5P_DEFAULT); break;
    case 13:
    case 14:
    case 15: fuzz_put_odd_reals(file, in, item->name); break;
    default: fuzz_put_good(file, item);
    }
}

/* Gives a file of HDF5 its user block. */
static inline void fuzz_seal(const char *path, const char *kind)
{
    char block[FUZZ_BLOCK + 1], chunk[1 << 16];
    int descriptor = open(path, O_RDWR);
    uLong crc = crc32(0, NULL, 0);
    int64_t bytes = 0;
    ssize_t n;
    if (descriptor < 0) abort();
    while ((n = pread(descriptor, chunk, sizeof chunk, FUZZ_BLOCK + bytes)) > 0) {
        crc = crc32(crc, (const Bytef *)chunk, (uInt)n);
        bytes += n;
    }
    memset(block, ' ', sizeof block);
    n = sprintf(block, "flowhmc %s\nformat 1\nbytes %" PRId64 "\ncrc32 %08lx\n", kind, bytes, crc);
    block[n] = ' ';
    block[FUZZ_BLOCK - 1] = '\n';
    if (pwrite(descriptor, block, FUZZ_BLOCK, 0) != FUZZ_BLOCK) abort();
    close(descriptor);
}

/* Writes the file that the input stands for. */
static inline void fuzz_write(const char *path, const char *kind, const uint8_t *data, size_t size,
                              const fuzz_item *item, int items)
{
    fuzz_input in = {data, size};
    unlink(path);
    if (fuzz_byte(&in) % 2 == 0) {
        int descriptor = open(path, O_WRONLY | O_CREAT, 0666);
        if (descriptor < 0 || write(descriptor, in.data, in.left) != (ssize_t)in.left) abort();
        close(descriptor);
        return;
    }
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_userblock(create, FUZZ_BLOCK);
    if (fuzz_byte(&in) % 2) H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    for (int i = 0; i < items; i++) fuzz_put(file, &in, &item[i]);
    if (H5Fclose(file) < 0) abort();
    H5Pclose(access);
    H5Pclose(create);
    fuzz_seal(path, kind);
}

/* Open MPI must leave signals to the fuzzer, or crashes are seen but the inputs are not kept. */
static inline void fuzz_start(int *argc, char ***argv)
{
    setenv("OMPI_MCA_opal_signal", "", 1);
    lat_start(argc, argv);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

#endif
