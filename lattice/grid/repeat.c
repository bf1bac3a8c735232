/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * repeat.c: sequences of kernels that are asked for again and again.  Launches of small lattices take longer than what is
 * launched; a device asks for all of a recorded sequence at one stroke.
 */
#include "lattice/grid/geometry.h"
#include "lattice/grid/kernels.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SEQUENCES = 64 };

typedef struct sequence {
    struct sequence *next;
    void (*run)(const void *arguments);
    void *recording;
    bool plain; /* it cannot be recorded */
    size_t bytes;
    char arguments[];
} sequence;

struct lat_repeats {
    const lat_geometry *geometry;
    sequence *first;
    int count;
};

lat_repeats *lat_repeats_create(const lat_geometry *geometry)
{
    lat_repeats *repeats = lat_alloc(1, sizeof *repeats);
    repeats->geometry = geometry;
    return repeats;
}

void lat_repeats_free(lat_repeats *repeats)
{
    if (!repeats) return;
    for (sequence *s = repeats->first, *next; s; s = next) {
        next = s->next;
        if (s->recording) repeats->geometry->backend->forget(s->recording);
        free(s);
    }
    free(repeats);
}

static sequence *find(const lat_repeats *repeats, void (*run)(const void *), const void *arguments, size_t bytes)
{
    sequence *s = repeats->first;
    while (s && (s->run != run || s->bytes != bytes || memcmp(s->arguments, arguments, bytes) != 0)) s = s->next;
    return s;
}

static void remember(lat_repeats *repeats, void (*run)(const void *), const void *arguments, size_t bytes)
{
    if (repeats->count >= MOST_SEQUENCES) return;
    repeats->count++;
    sequence *s = lat_alloc(1, sizeof *s + bytes);
    *s = (sequence){.next = repeats->first, .run = run, .bytes = bytes};
    memcpy(s->arguments, arguments, bytes);
    repeats->first = s;
}

static void record(const lat_backend *backend, sequence *s)
{
    s->plain = true;
    if (!backend->record()) return;
    s->run(s->arguments);
    s->recording = backend->end_record();
    s->plain = !s->recording;
}

void lat_repeat(lat_repeats *repeats, void (*run)(const void *arguments), const void *arguments, size_t bytes)
{
    const lat_backend *backend = repeats->geometry->backend;
    bool possible = !backend->on_host && repeats->geometry->rank_count == 1 && !backend->recording();
    sequence *s = possible ? find(repeats, run, arguments, bytes) : NULL;
    if (possible && !s) remember(repeats, run, arguments, bytes);
    if (s && !s->recording && !s->plain) record(backend, s);
    if (s && s->recording)
        backend->replay(s->recording);
    else
        run(arguments);
}
