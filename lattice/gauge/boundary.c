/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * boundary.c: open boundaries and defects, as couplings of the links that lead from the last slice of a direction to the first.
 */
#include "lattice/gauge/boundary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool lat_boundary_is_periodic(const lat_boundary *boundary)
{
    for (int mu = 0; mu < LAT_MAX_DIM; mu++)
        if (boundary->open[mu]) return false;
    return !boundary->defect || boundary->coupling == 1;
}

bool lat_boundary_has_gaps(const lat_boundary *boundary)
{
    for (int mu = 0; mu < LAT_MAX_DIM; mu++)
        if (boundary->open[mu]) return true;
    return boundary->defect && boundary->coupling == 0;
}

/* -------------------------------------------------------------------------------------------------------- settings */

static void read_directions(lat_settings *lattice, int dim, lat_boundary *boundary, lat_error *error)
{
    static const char *const names[] = {"periodic", "open", NULL};
    const char *word[LAT_MAX_DIM] = {"periodic", "periodic", "periodic", "periodic"};
    int count = lat_settings_strings(lattice, "boundary", word, dim, LAT_MAX_DIM, error);
    if (count != dim && !error->status)
        lat_settings_fail(lattice, "boundary", error, "%d words for a lattice of %d directions: give one for each", count, dim);
    for (int mu = 0; mu < dim && !error->status; mu++) {
        boundary->open[mu] = strcmp(word[mu], "open") == 0;
        if (!boundary->open[mu] && strcmp(word[mu], "periodic") != 0)
            lat_settings_fail(lattice, "boundary", error, "'%.40s' is not known: did you mean \"%s\"?", word[mu], lat_nearest(word[mu], names));
    }
}

/* A word in place of the list: equal steps from 1 to 0, until better ones are found. */
static bool read_automatic(lat_settings *defect, lat_rungs *ladder, lat_error *error)
{
    static const char *const names[] = {"auto", NULL};
    lat_error no_word = {0};
    lat_settings_string(defect, "couplings", "", &no_word);
    if (no_word.status) return false;
    enum { FIRST = 8 }; /* as many as a vector has lanes */
    lat_settings_choice(defect, "couplings", NULL, names, error);
    ladder->acceptance = lat_settings_real(defect, "acceptance", 0.25, 0.01, 0.9, error);
    ladder->rungs = FIRST;
    for (int i = 0; i < FIRST; i++) ladder->coupling[i] = 1 - i / (FIRST - 1.0);
    return true;
}

static void read_rungs(lat_settings *defect, lat_rungs *ladder, lat_error *error)
{
    if (read_automatic(defect, ladder, error)) return;
    double *coupling = ladder->coupling;
    ladder->rungs = lat_settings_reals(defect, "couplings", coupling, -1, LAT_MOST_RUNGS, 0, 1, error);
    bool descend = ladder->rungs > 1 && coupling[0] == 1;
    for (int i = 1; i < ladder->rungs; i++) descend = descend && coupling[i] < coupling[i - 1];
    if (!descend && !error->status)
        lat_settings_fail(
            defect, "couplings", error,
            "a ladder descends from 1, which is the lattice that is measured: write [1.0, 0.5, 0.0], or \"auto\"");
}

/* ladder NULL: none is known here. */
static void read_defect(lat_settings *lattice, int dim, const int64_t *size, lat_boundary *boundary, lat_rungs *ladder,
                        lat_error *error)
{
    lat_settings *defect = lat_settings_group(lattice, "defect", error);
    int64_t extent[LAT_MAX_DIM] = {0};
    int others = 0;
    int mu = (int)lat_settings_int(defect, "direction", dim - 1, 0, dim - 1, error);
    if (error->status) return;
    for (int nu = 0; nu < dim; nu++)
        if (nu != mu) extent[others++] = size[nu];
    int count = lat_settings_ints(defect, "size", extent, dim - 1, LAT_MAX_DIM, 1, INT32_MAX, error);
    if (count != dim - 1 && !error->status)
        lat_settings_fail(defect, "size", error, "%d numbers: give one for each of the %d directions but direction %d", count, dim - 1, mu);
    boundary->defect = true;
    boundary->direction = mu;
    const bool has_rungs = ladder && lat_settings_has(defect, "couplings");
    if (has_rungs) read_rungs(defect, ladder, error);
    boundary->coupling = has_rungs ? 1 : lat_settings_real(defect, "coupling", NAN, 0, 1, error);
    for (int nu = 0, i = 0; nu < dim && !error->status; nu++) {
        if (nu == mu) continue;
        boundary->extent[nu] = extent[i++];
        if (boundary->extent[nu] > size[nu])
            lat_settings_fail(defect, "size", error, "%lld sites in direction %d, where the lattice has %lld: take fewer",
                              (long long)boundary->extent[nu], nu, (long long)size[nu]);
    }
}

void lat_boundary_read(lat_settings *lattice, int dim, const int64_t *size, lat_boundary *boundary, lat_error *error)
{
    read_directions(lattice, dim, boundary, error);
    if (lat_settings_has(lattice, "defect") && !error->status) read_defect(lattice, dim, size, boundary, NULL, error);
}

void lat_boundary_read_ladder(lat_settings *lattice, int dim, const int64_t *size, lat_boundary *boundary,
                              lat_rungs *rungs, lat_error *error)
{
    read_directions(lattice, dim, boundary, error);
    if (lat_settings_has(lattice, "defect") && !error->status) read_defect(lattice, dim, size, boundary, rungs, error);
}

char *lat_boundary_print(const lat_boundary *b, int dim)
{
    char words[LAT_MAX_DIM * 16] = "", numbers[LAT_MAX_DIM * 24] = "";
    if (lat_boundary_is_periodic(b)) return NULL;
    for (int mu = 0; mu < dim; mu++) {
        size_t w = strlen(words), n = strlen(numbers);
        snprintf(words + w, sizeof words - w, "%s\"%s\"", w ? ", " : "", b->open[mu] ? "open" : "periodic");
        if (mu == b->direction) continue;
        snprintf(numbers + n, sizeof numbers - n, "%s%lld", n ? ", " : "", (long long)b->extent[mu]);
    }
    if (!b->defect) return lat_text("boundary = [%s];", words);
    return lat_text("boundary = [%s]; defect = { direction = %d; size = [%s]; coupling = %.17g; };", words, b->direction, numbers,
                    b->coupling);
}

double lat_boundary_coupling(const lat_boundary *b, const lat_geometry *g, const int64_t *coordinate, int mu)
{
    bool inside = b->defect && b->direction == mu;
    for (int nu = 0; nu < g->dim && inside; nu++) {
        int64_t there = (coordinate[nu] - b->origin[nu] + g->size[nu]) % g->size[nu];
        inside = nu == mu ? there == g->size[nu] - 1 : there < b->extent[nu];
    }
    if (b->open[mu] && coordinate[mu] == g->size[mu] - 1) return 0;
    return inside ? b->coupling : 1;
}

int64_t lat_boundary_box(const lat_boundary *b, const lat_geometry *g, int64_t reach, int64_t *first, int64_t *extent)
{
    int64_t volume = b->defect;
    for (int mu = 0; mu < g->dim; mu++) {
        const int64_t defect = mu == b->direction ? 1 : b->extent[mu], start = b->origin[mu] + (mu == b->direction ? g->size[mu] - 1 : 0);
        extent[mu] = defect + reach < g->size[mu] ? defect + reach : g->size[mu];
        first[mu] = (start + defect - extent[mu] + g->size[mu]) % g->size[mu];
        volume *= extent[mu];
    }
    return volume;
}
