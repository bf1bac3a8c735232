/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow_data.c: files of the gradient flow.  Little-endian, without padding: int32 steps between measurements, int32
 * measurements but one, int32 time slices, real64 step; then for each configuration int32 number and W, Y and Q, each
 * real64 [measurement][slice].
 */
#include "src/gradient_flow_data.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEADER_BYTES = 20, NUMBER_BYTES = 4, VALUE_BYTES = 8 };

int64_t gradient_flow_data_values(const gradient_flow_header *h) { return (int64_t)FLOW_QUANTITIES * (h->last + 1) * h->slices; }

static int64_t record_bytes(const gradient_flow_header *h) { return NUMBER_BYTES + VALUE_BYTES * gradient_flow_data_values(h); }

static char *put_bytes(char *to, uint64_t bits, int count)
{
    for (int i = 0; i < count; i++) *to++ = (char)(bits >> (8 * i) & 0xff);
    return to;
}
static uint64_t get_bytes(const char *from, int count)
{
    uint64_t bits = 0;
    for (int i = 0; i < count; i++) bits |= (uint64_t)(unsigned char)from[i] << (8 * i);
    return bits;
}
static char *put_int(char *to, int32_t value) { return put_bytes(to, (uint32_t)value, 4); }
static int32_t get_int(const char *from) { return (int32_t)get_bytes(from, 4); }
static char *put_real(char *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return put_bytes(to, bits, 8);
}
static double get_real(const char *from)
{
    uint64_t bits = get_bytes(from, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A place for one more configuration. */
static double *add(gradient_flow_data *data, int32_t number)
{
    int64_t values = gradient_flow_data_values(&data->header);
    if (data->count == data->room) {
        int64_t room = 2 * data->room + 1;
        int32_t *numbers = lat_alloc(room, sizeof *numbers);
        double *value = lat_alloc(room * values, sizeof *value);
        if (data->count > 0) {
            memcpy(numbers, data->number, (size_t)data->count * sizeof *numbers);
            memcpy(value, data->value, (size_t)(data->count * values) * sizeof *value);
        }
        free(data->number);
        free(data->value);
        data->number = numbers;
        data->value = value;
        data->room = room;
    }
    data->number[data->count] = number;
    return data->value + data->count++ * values;
}

static lat_status take(gradient_flow_data *data, const char *path, const char *bytes, int64_t size, lat_error *error)
{
    const gradient_flow_header *h = &data->header;
    if (size < HEADER_BYTES) return lat_fail(error, LAT_FORMAT, "%s: is too short for its header: remove it", path);
    gradient_flow_header found = {get_int(bytes), get_int(bytes + 4), get_int(bytes + 8), get_real(bytes + 12)};
    if (found.every != h->every || found.last != h->last || found.slices != h->slices || found.step != h->step)
        return lat_fail(
            error, LAT_CONFIG,
            "%s: holds %d + 1 measurements every %d steps of %.17g on %d time slices: name another with flow.output",
            path, found.last, found.every, found.step, found.slices);
    if ((size - HEADER_BYTES) % record_bytes(h) != 0)
        return lat_fail(error, LAT_FORMAT, "%s: ends within a configuration: cut it to %" PRId64 " bytes or remove it",
                        path, size - (size - HEADER_BYTES) % record_bytes(h));
    for (const char *from = bytes + HEADER_BYTES; from < bytes + size; from += record_bytes(h)) {
        double *value = add(data, get_int(from));
        for (int64_t i = 0; i < gradient_flow_data_values(h); i++) value[i] = get_real(from + NUMBER_BYTES + VALUE_BYTES * i);
    }
    return LAT_DONE;
}

static lat_status begin(MPI_Comm comm, const char *path, const gradient_flow_header *h, lat_error *error)
{
    char bytes[HEADER_BYTES], *to = bytes;
    to = put_int(put_int(put_int(to, h->every), h->last), h->slices);
    put_real(to, h->step);
    return lat_file_write(comm, path, bytes, HEADER_BYTES, error);
}

lat_status gradient_flow_data_open(MPI_Comm comm, const char *path, const gradient_flow_header *header, gradient_flow_data **out, lat_error *error)
{
    const int64_t limit = INT64_C(1) << 40;
    gradient_flow_data *data = lat_alloc(1, sizeof *data);
    data->header = *header;
    *out = data;
    int rank, there = 0;
    MPI_Comm_rank(comm, &rank);
    if (rank == 0) there = access(path, F_OK) == 0;
    MPI_Bcast(&there, 1, MPI_INT, 0, comm);
    if (!there) return begin(comm, path, header, error);
    char *bytes;
    int64_t size;
    if (lat_file_read(comm, path, limit, &bytes, &size, error)) return error->status;
    take(data, path, bytes, size, error);
    free(bytes);
    return error->status;
}

static void append_bytes(const char *path, const char *bytes, size_t size, lat_error *error)
{
    FILE *file = fopen(path, "ab");
    bool good = file && fwrite(bytes, 1, size, file) == size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int reason = errno;
    if (file && fclose(file) != 0) good = false;
    if (!good) lat_fail(error, LAT_FILE, "%s: cannot be written: %s", path, strerror(reason));
}

lat_status gradient_flow_data_append(MPI_Comm comm, const char *path, gradient_flow_data *data, int64_t number, const double *value,
                            lat_error *error)
{
    int64_t values = gradient_flow_data_values(&data->header);
    if (number < 0 || number > INT32_MAX)
        return lat_fail(error, LAT_CONFIG, "%s: configuration %" PRId64 ": numbers have 32 bits in this format", path,
                        number);
    if (data->count > 0 && number <= data->number[data->count - 1])
        return lat_fail(error, LAT_CONFIG,
                        "%s: configuration %" PRId64 " comes after %" PRId32
                        ": give the files in ascending order, once each",
                        path, number, data->number[data->count - 1]);
    memcpy(add(data, (int32_t)number), value, (size_t)values * sizeof *value);
    int rank;
    MPI_Comm_rank(comm, &rank);
    if (rank == 0) {
        char *bytes = lat_alloc(record_bytes(&data->header), 1), *to = put_int(bytes, (int32_t)number);
        for (int64_t i = 0; i < values; i++) to = put_real(to, value[i]);
        append_bytes(path, bytes, (size_t)record_bytes(&data->header), error);
        free(bytes);
    }
    return lat_agree(comm, error);
}

static double time_of(const gradient_flow_header *h, int64_t i) { return (double)(i * h->every) * h->step; }

lat_status gradient_flow_data_write(MPI_Comm comm, const char *path, const gradient_flow_data *data, const char *kind,
                           const int64_t *size, int dim, lat_error *error)
{
    static const char *const names[FLOW_QUANTITIES] = {"W", "Y", "Q"};
    const gradient_flow_header *h = &data->header;
    int64_t one = (int64_t)(h->last + 1) * h->slices, count = data->count, measurements = h->last + 1, dims = dim;
    double *buffer = lat_alloc(count * one + measurements + count + dim, sizeof *buffer);
    lat_h5 *file = lat_h5_create(comm, path, "measurement");
    lat_h5_put_text(file, "flow", kind);
    lat_h5_put_real(file, "step", h->step);
    lat_h5_put_int(file, "every", h->every);
    for (int i = 0; i < dim; i++) buffer[i] = (double)size[i];
    lat_h5_put_reals(file, "size", 1, &dims, buffer);
    for (int64_t i = 0; i < measurements; i++) buffer[i] = time_of(h, i);
    lat_h5_put_reals(file, "time", 1, &measurements, buffer);
    for (int64_t i = 0; i < count; i++) buffer[i] = data->number[i];
    lat_h5_put_reals(file, "number", 1, &count, buffer);
    for (int q = 0; q < FLOW_QUANTITIES; q++) {
        for (int64_t i = 0; i < count; i++)
            memcpy(buffer + i * one, data->value + (i * FLOW_QUANTITIES + q) * one, (size_t)one * sizeof *buffer);
        lat_h5_put_reals(file, names[q], 3, (int64_t[]){count, measurements, h->slices}, buffer);
    }
    free(buffer);
    return lat_h5_finish(file, error);
}

void gradient_flow_data_free(gradient_flow_data *data)
{
    if (!data) return;
    free(data->number);
    free(data->value);
    free(data);
}

void gradient_flow_data_scales(const gradient_flow_data *data, int quantity, int64_t volume, int64_t without, double *t0, double *w0)
{
    const gradient_flow_header *h = &data->header;
    int64_t measurements = h->last + 1;
    double *time = lat_alloc(measurements, sizeof *time), *energy = lat_alloc(measurements, sizeof *energy);
    double parts = (double)(data->count - (without >= 0)) * (double)volume;
    for (int64_t i = 0; i < measurements; i++) {
        time[i] = time_of(h, i);
        for (int64_t n = 0; n < data->count; n++) {
            const double *value = data->value + ((n * FLOW_QUANTITIES + quantity) * measurements + i) * h->slices;
            for (int t = 0; t < h->slices && n != without; t++) energy[i] += value[t] / parts;
        }
    }
    *t0 = lat_gradient_flow_t0(measurements, time, energy, 0.3);
    *w0 = sqrt(lat_gradient_flow_w0_squared(measurements, time, energy, 0.3));
    free(time);
    free(energy);
}
