/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * take_lanes.c: moving members between fields of the host whose sites have the same numbers, lane by lane, without a way through site
 * order.
 */
#include "lattice/grid/members.h"

#include "lattice/kernels/vector.h"

#include <string.h>

/* Rows of lanes, and which lane of one each lane of the other takes. */
typedef struct {
    void *to;
    const void *from;
    int64_t rows, to_lanes, from_lanes;
    const int *member;
    int count;
} move;

/* How far apart the lanes lie that the lanes first ... first + LAT_VECTOR - 1 take, if all of them are alike and there. */
static bool shift_of(const move *m, int first, int64_t *shift)
{
    bool found = false;
    *shift = 0;
    for (int lane = first; lane < first + LAT_VECTOR; lane++) {
        if (lane >= m->count) return false;
        if (m->member[lane] < 0) continue;
        if (found && *shift != m->member[lane] - lane) return false;
        found = true;
        *shift = m->member[lane] - lane;
    }
    return found && first + *shift >= 0 && first + *shift + LAT_VECTOR <= m->from_lanes && first + LAT_VECTOR <= m->to_lanes;
}

#define TAKE(name, to_real, to_reals, mask, from_real, from_reals)                                                     \
    static void name##_vector(const move *m, int first, int64_t shift)                                                 \
    {                                                                                                                  \
        to_real *to = (to_real *)m->to + first;                                                                        \
        const from_real *from = (const from_real *)m->from + first + shift;                                            \
        mask mine = {0};                                                                                               \
        for (int i = 0; i < LAT_VECTOR; i++) mine[i] = m->member[first + i] < 0 ? 0 : -1;                                  \
        for (int64_t row = 0; row < m->rows; row++, to += m->to_lanes, from += m->from_lanes) {                        \
            from_reals value;                                                                                          \
            mask old;                                                                                                  \
            memcpy(&value, from, sizeof value);                                                                        \
            memcpy(&old, to, sizeof old);                                                                              \
            old = (mine & (mask) __builtin_convertvector(value, to_reals)) | (~mine & old);                            \
            memcpy(to, &old, sizeof old);                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void name##_lane(const move *m, int lane)                                                                   \
    {                                                                                                                  \
        to_real *to = (to_real *)m->to + lane;                                                                         \
        const from_real *from = (const from_real *)m->from + m->member[lane];                                          \
        for (int64_t row = 0; row < m->rows; row++, to += m->to_lanes, from += m->from_lanes) *to = (to_real)*from;    \
    }                                                                                                                  \
    static void name(const move *m)                                                                                    \
    {                                                                                                                  \
        for (int first = 0; first < m->count; first += LAT_VECTOR) {                                                       \
            int64_t shift;                                                                                             \
            bool together = shift_of(m, first, &shift);                                                                \
            if (together) name##_vector(m, first, shift);                                                              \
            for (int lane = first; !together && lane < m->count && lane < first + LAT_VECTOR; lane++)                      \
                if (m->member[lane] >= 0) name##_lane(m, lane);                                                        \
        }                                                                                                              \
    }

TAKE(doubles_of_doubles, double, lat_doubles, lat_integers, double, lat_doubles)
TAKE(doubles_of_floats, double, lat_doubles, lat_integers, float, lat_floats)
TAKE(floats_of_doubles, float, lat_floats, lat_short_integers, double, lat_doubles)
TAKE(floats_of_floats, float, lat_floats, lat_short_integers, float, lat_floats)

void lat_take_lanes(lat_field *to, const lat_field *from, const int *member)
{
    const lat_geometry *g = to->geometry;
    move m = {to->data, from->data, g->sites * to->components, g->lanes, from->geometry->lanes, member, g->members};
    if (to->precision == LAT_DOUBLE)
        (from->precision == LAT_DOUBLE ? doubles_of_doubles : doubles_of_floats)(&m);
    else
        (from->precision == LAT_DOUBLE ? floats_of_doubles : floats_of_floats)(&m);
}
