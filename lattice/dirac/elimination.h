/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * elimination.h: what log |det M| is made of by elimination, and its derivatives, which have the same shape.
 */
#ifndef LAT_DIRAC_ELIMINATION_H
#define LAT_DIRAC_ELIMINATION_H

#include "lattice/dirac/dirac.h"

/* Fields of the host, in double, with whole lattices in lanes.
 *     of M          links: those of lat_dirac_links; blocks: those of A (dirac.h), NULL: A = 1
 *     derivatives   links: N x N matrices Z_mu(x), blocks: W(x), with which d log |det M| / dt = Re tr(T_a Z_mu(x)) along exp(t T_a) U_mu(x) in the
 *                   hop, and = sum_x tr(W(x) dA(x) / dt) */
typedef struct {
    lat_field *links, *blocks;
} lat_elimination;

/* The first of the numbers of a block of A with so many rows that are its entry i, j >= i. */
static inline int lat_block_number(int rows, int i, int j)
{
    return i == j ? i : rows + 2 * (i * rows - i * (i + 1) / 2 + j - i - 1);
}

/* The numbers of both for code of the host; NULL where there are none. */
typedef struct {
    double *links, *blocks;
} lat_elimination_numbers;

static inline lat_elimination_numbers lat_elimination_map(const lat_elimination *of, lat_access access)
{
    if (!of) return (lat_elimination_numbers){0};
    return (lat_elimination_numbers){lat_field_map(of->links, access),
                                     of->blocks ? lat_field_map(of->blocks, access) : NULL};
}
static inline void lat_elimination_unmap(const lat_elimination *of, lat_elimination_numbers numbers, lat_access access)
{
    if (numbers.links) lat_field_unmap(of->links, numbers.links, access);
    if (numbers.blocks) lat_field_unmap(of->blocks, numbers.blocks, access);
}

#endif
