/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * gradient_flow_data.c: files of the gradient flow.  Little-endian, without padding: int32 steps between measurements,
 * int32 measurements but one, int32 time slices, real64 step; then for each configuration int32 number and W, Y and Q,
 * each real64 [measurement][slice].
 */
#include "src/gradient_flow_data.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 20, NUMBER_BYTES = 4, VALUE_BYTES = 8 };

int64_t gradient_flow_data_values(const gradient_flow_header *h)
{
    return (int64_t)LAT_GRADIENT_FLOW_QUANTITIES * (h->last + 1) * h->slices;
}

static int64_t record_bytes(const gradient_flow_header *h)
{
    return NUMBER_BYTES + VALUE_BYTES * gradient_flow_data_values(h);
}

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

/* Whether the bytes are of the same flow; what of them is whole. */
static lat_status take(gradient_flow_data *data, const char *bytes, lat_error *error)
{
    const gradient_flow_header *h = &data->header;
    const char *path = data->file.path;
    int64_t size = data->file.size, rest = (size - HEADER_BYTES) % record_bytes(h);
    gradient_flow_header found = {get_int(bytes), get_int(bytes + 4), get_int(bytes + 8), get_real(bytes + 12)};
    if (found.every != h->every || found.last != h->last || found.slices != h->slices || found.step != h->step)
        return lat_fail(
            error, LAT_CONFIG,
            "%s: holds %d + 1 measurements every %d steps of %.17g on %d time slices: name another with flow.output",
            path, found.last, found.every, found.step, found.slices);
    for (const char *from = bytes + HEADER_BYTES; from < bytes + size - rest; from += record_bytes(h)) {
        int32_t number = get_int(from);
        if (number < 0 || (data->count > 0 && number <= data->number[data->count - 1]))
            return lat_fail(error, LAT_FORMAT,
                            "%s: configuration %" PRId32 " comes after %" PRId32 ": it is damaged, remove it", path,
                            number, data->count > 0 ? data->number[data->count - 1] : 0);
        double *value = add(data, number);
        for (int64_t i = 0; i < gradient_flow_data_values(h); i++)
            value[i] = get_real(from + NUMBER_BYTES + VALUE_BYTES * i);
    }
    append_file_cut(&data->file, size - rest, error);
    return error->status;
}

lat_status gradient_flow_data_open(const char *path, const gradient_flow_header *h, gradient_flow_data **out,
                                   lat_error *error)
{
    gradient_flow_data *data = lat_alloc(1, sizeof *data);
    data->header = *h;
    *out = data;
    char head[HEADER_BYTES], *bytes;
    put_real(put_int(put_int(put_int(head, h->every), h->last), h->slices), h->step);
    if (append_file_open(path, &data->file, &bytes, error)) return error->status;
    int64_t size = data->file.size;
    if (size >= HEADER_BYTES)
        take(data, bytes, error);
    else if (memcmp(bytes, head, (size_t)size) != 0)
        lat_fail(error, LAT_FORMAT, "%s: is too short for its header: remove it", path);
    else {
        append_file_cut(&data->file, 0, error);
        append_file_add(&data->file, head, HEADER_BYTES, error);
    }
    free(bytes);
    return error->status;
}

const double *gradient_flow_data_find(const gradient_flow_data *data, int64_t number)
{
    for (int64_t i = 0; i < data->count; i++)
        if (data->number[i] == number) return data->value + i * gradient_flow_data_values(&data->header);
    return NULL;
}

void gradient_flow_data_append(gradient_flow_data *data, int64_t number, const double *value, lat_error *error)
{
    int64_t values = gradient_flow_data_values(&data->header);
    char *bytes = lat_alloc(record_bytes(&data->header), 1), *to = put_int(bytes, (int32_t)number);
    for (int64_t i = 0; i < values; i++) to = put_real(to, value[i]);
    append_file_add(&data->file, bytes, record_bytes(&data->header), error);
    free(bytes);
    if (!error->status) memcpy(add(data, (int32_t)number), value, (size_t)values * sizeof *value);
}

static double time_of(const gradient_flow_header *h, int64_t i) { return (double)(i * h->every) * h->step; }

lat_status gradient_flow_data_write(const char *path, const gradient_flow_data *data, const char *kind,
                                    const int64_t *size, int dim, lat_error *error)
{
    static const char *const names[LAT_GRADIENT_FLOW_QUANTITIES] = {"W", "Y", "Q"};
    const gradient_flow_header *h = &data->header;
    int64_t one = (int64_t)(h->last + 1) * h->slices, count = data->count, measurements = h->last + 1, dims = dim;
    double *buffer = lat_alloc(count * one + measurements + count + dim, sizeof *buffer);
    lat_h5 *file = lat_h5_create(MPI_COMM_SELF, path, "measurement");
    lat_h5_put_text(file, "flow", kind);
    lat_h5_put_real(file, "step", h->step);
    lat_h5_put_int(file, "every", h->every);
    for (int i = 0; i < dim; i++) buffer[i] = (double)size[i];
    lat_h5_put_reals(file, "size", 1, &dims, buffer);
    for (int64_t i = 0; i < measurements; i++) buffer[i] = time_of(h, i);
    lat_h5_put_reals(file, "time", 1, &measurements, buffer);
    for (int64_t i = 0; i < count; i++) buffer[i] = data->number[i];
    lat_h5_put_reals(file, "number", 1, &count, buffer);
    for (int q = 0; q < LAT_GRADIENT_FLOW_QUANTITIES; q++) {
        for (int64_t i = 0; i < count; i++)
            memcpy(buffer + i * one, data->value + (i * LAT_GRADIENT_FLOW_QUANTITIES + q) * one, (size_t)one * sizeof *buffer);
        lat_h5_put_reals(file, names[q], 3, (int64_t[]){count, measurements, h->slices}, buffer);
    }
    free(buffer);
    return lat_h5_finish(file, error);
}

void gradient_flow_data_free(gradient_flow_data *data)
{
    if (!data) return;
    append_file_close(&data->file);
    free(data->number);
    free(data->value);
    free(data);
}

double *gradient_flow_data_energies(const gradient_flow_data *const *chain, int chains, int quantity, int64_t volume)
{
    const int64_t measurements = chain[0]->header.last + 1, slices = chain[0]->header.slices;
    int64_t count = 0;
    for (int c = 0; c < chains; c++) count += chain[c]->count;
    double *energies = lat_alloc(count * measurements, sizeof *energies), *energy = energies;
    for (int c = 0; c < chains; c++)
        for (int64_t n = 0; n < chain[c]->count; n++) {
            const double *value = chain[c]->value + (n * LAT_GRADIENT_FLOW_QUANTITIES + quantity) * measurements * slices;
            for (int64_t i = 0; i < measurements; i++, energy++)
                for (int64_t t = 0; t < slices; t++) *energy += *value++ / (double)volume;
        }
    return energies;
}

void gradient_flow_data_scales(const gradient_flow_header *h, const double *energy, double *t0, double *w0)
{
    const int64_t measurements = h->last + 1;
    double *time = lat_alloc(measurements, sizeof *time);
    for (int64_t i = 0; i < measurements; i++) time[i] = time_of(h, i);
    *t0 = lat_gradient_flow_t0(measurements, time, energy, 0.3);
    *w0 = sqrt(lat_gradient_flow_w0_squared(measurements, time, energy, 0.3));
    free(time);
}
