/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * text_numbers.c: numbers of a text file, separated by blanks, each of any length.  Where a number lies tells only who has counted those
 * before it: rank 0 goes through the file once and tells every rank where its streams begin; from there on each reads by itself.
 */
#include "lattice/io/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 1 << 16, LONGEST_NUMBER = 255 };

typedef struct {
    int64_t at;         /* place in the file of what comes after the bytes */
    int64_t begin, end; /* of the bytes, what is not used yet */
    char bytes[PIECE_BYTES];
} stream;

struct lat_text_numbers {
    const char *path;
    int descriptor;
    int64_t size; /* of the file */
    stream *stream;
};

/* More bytes; false at the end of the file, or where it cannot be read. */
static bool refill(stream *s, const char *path, int descriptor, int64_t size, lat_error *error)
{
    const int64_t left = size - s->at, wanted = left < PIECE_BYTES ? left : PIECE_BYTES;
    if (error->status || wanted <= 0) return false;
    if (lat_read_at(descriptor, s->bytes, wanted, s->at) != wanted) {
        lat_fail(error, LAT_FILE, "%s: cannot be read: %s: check the disk", path,
                 errno ? strerror(errno) : "it ended early");
        return false;
    }
    s->begin = 0;
    s->end = wanted;
    s->at += wanted;
    return true;
}

static bool is_blank(char c) { return c == '\n' || c == ' ' || c == '\r' || c == '\t'; }

static bool is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

bool lat_text_has(char c) { return is_blank(c) || is_of_number(c); }

/* ------------------------------------------------------------------------------------------------------------ counting */

/* Goes through the file: the number of its numbers, and the places where the wanted ones begin, which ascend. */
static int64_t scan(const char *path, int descriptor, int64_t size, const int64_t *wanted, int64_t count,
                    int64_t *place, lat_error *error)
{
    stream *s = lat_alloc(1, sizeof *s);
    int64_t numbers = 0, next = 0, length = 0;
    while (refill(s, path, descriptor, size, error))
        for (int64_t i = 0; i < s->end && !error->status; i++) {
            const char c = s->bytes[i];
            const int64_t at = s->at - s->end + i;
            if (is_blank(c)) {
                length = 0;
                continue;
            }
            if (!is_of_number(c) || ++length > LONGEST_NUMBER)
                lat_fail(error, LAT_FORMAT, "%s: has no number at byte %lld: it is damaged, or no text of numbers",
                         path, (long long)at);
            if (length > 1) continue;
            while (next < count && wanted[next] == numbers) place[next++] = at;
            numbers++;
        }
    while (next < count) place[next++] = size;
    free(s);
    return numbers;
}

int64_t lat_text_count(const char *path, int descriptor, int64_t size, lat_error *error)
{
    return scan(path, descriptor, size, NULL, 0, NULL, error);
}

/* ------------------------------------------------------------------------------------------------------------- reading */

lat_text_numbers *lat_text_open(MPI_Comm comm, const char *path, int descriptor, int64_t size, const int64_t *first,
                                int streams, lat_error *error)
{
    int rank, ranks;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    lat_text_numbers *t = lat_alloc(1, sizeof *t);
    *t = (lat_text_numbers){path, descriptor, size, lat_alloc(streams, sizeof *t->stream)};
    const int64_t all = rank == 0 ? (int64_t)ranks * streams : 0;
    int64_t *wanted = lat_alloc(all, sizeof *wanted), *place = lat_alloc(all, sizeof *place),
            *mine = lat_alloc(streams, sizeof *mine);
    MPI_Gather(first, streams, MPI_INT64_T, wanted, streams, MPI_INT64_T, 0, comm);
    if (rank == 0) scan(path, descriptor, size, wanted, all, place, error);
    MPI_Scatter(place, streams, MPI_INT64_T, mine, streams, MPI_INT64_T, 0, comm);
    for (int i = 0; i < streams; i++) t->stream[i].at = mine[i];
    free(wanted);
    free(place);
    free(mine);
    return t;
}

void lat_text_close(lat_text_numbers *t)
{
    if (!t) return;
    free(t->stream);
    free(t);
}

/* The next character; 0 at the end. */
static char next_character(const lat_text_numbers *t, stream *s, lat_error *error)
{
    if (s->begin == s->end && !refill(s, t->path, t->descriptor, t->size, error)) return 0;
    return s->bytes[s->begin++];
}

static double next_number(const lat_text_numbers *t, stream *s, lat_error *error)
{
    char word[LONGEST_NUMBER + 1], *end, c = ' ';
    int length = 0;
    while (is_blank(c)) c = next_character(t, s, error);
    for (; c && !is_blank(c) && length < LONGEST_NUMBER; c = next_character(t, s, error)) word[length++] = c;
    word[length] = 0;
    const double value = strtod(word, &end);
    if (length > 0 && !*end) return value;
    lat_fail(error, LAT_FORMAT, "%s: '%.40s' is no number: it is damaged, take another copy", t->path, word);
    return 0;
}

void lat_text_read(lat_text_numbers *t, int stream, int64_t count, void *out, lat_error *error)
{
    double *number = out;
    for (int64_t i = 0; i < count; i++) number[i] = error->status ? 0 : next_number(t, &t->stream[stream], error);
}
