/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * orbits.c: orbits of loops under the symmetries of a cube, from strings.
 */
#include "lattice/gauge/orbits.h"

#include <stdlib.h>
#include <string.h>

static const char letters[] = "xyzt";

typedef struct {
    int links, step[LAT_LOOP_LINKS];
} loop;

/* Where a loop is: the last entry is the site it began with. */
typedef struct {
    int at[LAT_LOOP_LINKS + 1][LAT_MAX_DIM];
} track;

static int direction_of(int step) { return abs(step) - 1; }

static track follow(const loop *l)
{
    track t = {{{0}}};
    for (int i = 0; i < l->links; i++) {
        memcpy(t.at[i + 1], t.at[i], sizeof t.at[i]);
        t.at[i + 1][direction_of(l->step[i])] += l->step[i] > 0 ? 1 : -1;
    }
    return t;
}

/* The lowest and the highest coordinate. */
static void bounds(const track *t, int links, int mu, int *low, int *high)
{
    *low = *high = 0;
    for (int i = 0; i < links; i++) {
        if (t->at[i][mu] < *low) *low = t->at[i][mu];
        if (t->at[i][mu] > *high) *high = t->at[i][mu];
    }
}

static int extent_of(const loop *l, int mu)
{
    int low, high;
    track t = follow(l);
    bounds(&t, l->links, mu, &low, &high);
    return high - low;
}

/* ------------------------------------------------------------------------------------------------------- from strings */

static bool repeats_a_link(const loop *l)
{
    track t = follow(l);
    for (int i = 0; i < l->links; i++)
        for (int j = 0; j < i; j++) {
            const int *a = t.at[l->step[i] > 0 ? i : i + 1], *b = t.at[l->step[j] > 0 ? j : j + 1];
            if (direction_of(l->step[i]) == direction_of(l->step[j]) && memcmp(a, b, sizeof t.at[0]) == 0) return true;
        }
    return false;
}

static lat_status parse(const char *text, int dim, loop *l, lat_error *error)
{
    *l = (loop){0};
    for (const char *c = text; *c; c++) {
        const bool down = *c == '-';
        const char *letter = strchr(letters, c[down]);
        if (!c[down] || !letter || letter - letters >= dim)
            return lat_fail(error, LAT_CONFIG,
                            "'%.40s' is no loop: write steps in directions %.*s, with - before those that lead down",
                            text, dim, letters);
        if (l->links == LAT_LOOP_LINKS)
            return lat_fail(error, LAT_CONFIG, "'%.40s' has more than %d links", text, LAT_LOOP_LINKS);
        const int step = (int)(letter - letters) + 1;
        l->step[l->links++] = down ? -step : step;
        c += down;
    }
    track t = follow(l);
    for (int mu = 0; mu < dim; mu++)
        if (l->links == 0 || t.at[l->links][mu] != 0)
            return lat_fail(error, LAT_CONFIG, "'%.40s' does not end where it begins", text);
    if (repeats_a_link(l))
        return lat_fail(error, LAT_CONFIG, "'%.40s' has a link twice: its divergence is not known", text);
    return LAT_DONE;
}

/* The place of a step in the order x, y, z, t, -x, ... */
static int rank_of(int step) { return direction_of(step) + (step > 0 ? 0 : LAT_MAX_DIM); }

static int compare(const loop *a, const loop *b)
{
    for (int i = 0; i < a->links; i++)
        if (a->step[i] != b->step[i]) return rank_of(a->step[i]) - rank_of(b->step[i]);
    return 0;
}

/* The same loop from another site: begins with step number `first`, or, in the other sense, with its opposite. */
static loop turn(const loop *l, int first, bool back)
{
    loop out = {.links = l->links};
    for (int i = 0; i < l->links; i++) {
        const int j = (back ? first + l->links - i : first + i) % l->links;
        out.step[i] = back ? -l->step[j] : l->step[j];
    }
    return out;
}

/* Of all strings that stand for a loop the first. */
static loop first_string(const loop *l)
{
    loop first = *l;
    for (int i = 0; i < 2 * l->links; i++) {
        loop other = turn(l, i / 2, i % 2);
        if (compare(&other, &first) < 0) first = other;
    }
    return first;
}

static void print(const loop *l, char *text)
{
    for (int i = 0; i < l->links; i++) {
        if (l->step[i] < 0) *text++ = '-';
        *text++ = letters[direction_of(l->step[i])];
    }
    *text = '\0';
}

/* ------------------------------------------------------------------------------------------------------------ orbits */

/* How far sites are from that of step number `from`, and in how many directions at most. */
static int reach_of(const track *t, int links, int from, int *corners)
{
    int most = 0;
    *corners = 0;
    for (int i = 0; i < links; i++) {
        int directions = 0;
        for (int mu = 0; mu < LAT_MAX_DIM; mu++) {
            const int far = abs(t->at[i][mu] - t->at[from][mu]);
            directions += far != 0;
            if (far > most) most = far;
        }
        if (directions > *corners) *corners = directions;
    }
    return most;
}

/* The loop from that of its sites in its slice from which it reaches the least far: one of all strings that stand for it. */
static loop standard(const loop *l, int dim)
{
    loop best = {0};
    int least = 0, low, high, corners;
    track t = follow(l);
    bounds(&t, l->links, dim - 1, &low, &high);
    for (int i = 0; i < 2 * l->links; i++) {
        const int site = i / 2, reach = reach_of(&t, l->links, site, &corners);
        if (t.at[site][dim - 1] != low + (high - low) / 2 || (best.links && reach > least)) continue;
        loop other = turn(l, i % 2 ? site + l->links - 1 : site, i % 2);
        if (!best.links || reach < least || compare(&other, &best) < 0) best = other;
        least = reach;
    }
    return best;
}

/* Permutations of the first `dim` directions times reflections of all. */
enum { LARGEST_GROUP = 24 * 16 };
static int elements(int permuted, int dim)
{
    int count = 1 << dim;
    for (int i = 2; i <= permuted; i++) count *= i;
    return count;
}

/* The image of a loop under one of them. */
static loop image(const loop *l, int element, int permuted, int dim)
{
    int to[LAT_MAX_DIM] = {0, 1, 2, 3}, rest = element >> dim;
    for (int i = permuted <= LAT_MAX_DIM ? permuted : LAT_MAX_DIM; i > 1; rest /= i--) { /* any of those left comes to place i - 1 */
        const int from = rest % i, moved = to[from];
        to[from] = to[i - 1];
        to[i - 1] = moved;
    }
    loop out = {.links = l->links};
    for (int i = 0; i < l->links; i++) {
        const int mu = direction_of(l->step[i]);
        const bool up = (l->step[i] > 0) != (element >> mu & 1);
        out.step[i] = up ? to[mu] + 1 : -(to[mu] + 1);
    }
    return standard(&out, dim);
}

static bool holds(const lat_orbit *orbit, const loop *l)
{
    for (int i = 0; i < orbit->loops && orbit->links == l->links; i++)
        if (memcmp(orbit->step + i * l->links, l->step, (size_t)l->links * sizeof(int)) == 0) return true;
    return false;
}

static lat_orbit orbit_of(const loop *l, int shape, int dim)
{
    const int count = elements(dim - 1, dim);
    lat_orbit orbit = {.shape = shape, .links = l->links, .extent = extent_of(l, dim - 1)};
    orbit.step = lat_alloc((int64_t)count * l->links, sizeof *orbit.step);
    orbit.name = lat_alloc(2 * LAT_LOOP_LINKS + 1, 1);
    loop first = first_string(l);
    for (int i = 0; i < count; i++) {
        loop other = image(l, i, dim - 1, dim), string = first_string(&other);
        if (compare(&string, &first) < 0) first = string;
        if (!holds(&orbit, &other))
            memcpy(orbit.step + orbit.loops++ * l->links, other.step, (size_t)l->links * sizeof(int));
    }
    print(&first, orbit.name);
    return orbit;
}

static void add(lat_orbits *all, const loop *l, int shape)
{
    track t = follow(l);
    int corners, reach = reach_of(&t, l->links, 0, &corners);
    for (int i = 0; i < all->count; i++)
        if (holds(&all->orbit[i], l)) return;
    lat_orbit *more = lat_alloc(all->count + 1, sizeof *more);
    if (all->count > 0) memcpy(more, all->orbit, (size_t)all->count * sizeof *more);
    free(all->orbit);
    all->orbit = more;
    all->orbit[all->count++] = orbit_of(l, shape, all->dim);
    if (reach > all->reach) all->reach = reach;
    if (corners > all->corners) all->corners = corners;
    for (int mu = 0; mu < all->dim; mu++)
        if (extent_of(l, mu) > all->extent) all->extent = extent_of(l, mu);
}

lat_status lat_orbits_create(const char *const *shape, int shapes, int dim, lat_orbits **orbits, lat_error *error)
{
    lat_orbits *all = lat_alloc(1, sizeof *all);
    all->dim = dim;
    for (int s = 0; s < shapes && !error->status; s++) {
        loop l;
        const int before = all->count;
        if (parse(shape[s], dim, &l, error)) break;
        for (int i = 0; i < elements(dim, dim); i++) {
            loop other = image(&l, i, dim, dim);
            add(all, &other, s);
        }
        if (all->count == before) lat_fail(error, LAT_CONFIG, "'%.40s' has the shape of one before", shape[s]);
    }
    *orbits = all;
    if (!error->status) return LAT_DONE;
    lat_orbits_free(all);
    *orbits = NULL;
    return error->status;
}

void lat_orbits_free(lat_orbits *orbits)
{
    if (!orbits) return;
    for (int i = 0; i < orbits->count; i++) {
        free(orbits->orbit[i].name);
        free(orbits->orbit[i].step);
    }
    free(orbits->orbit);
    free(orbits);
}

void lat_orbits_shape(const lat_orbits *orbits, lat_shape *shape)
{
    if (orbits->reach > shape->halo) shape->halo = orbits->reach;
    if (orbits->corners > shape->corners) shape->corners = orbits->corners;
}

bool lat_orbits_fit(const lat_orbits *orbits, const lat_geometry *g)
{
    for (int mu = 0; mu < g->dim; mu++)
        if (g->size[mu] <= orbits->extent) return false;
    return true;
}
