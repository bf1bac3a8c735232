/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * # ranks: 1 2
 *
 * geometry_memory.c: what a lattice of 32^4 takes beside its fields: tables, and what an exchange of links keeps.
 */
#include "tests/tap.h"

#include <malloc.h>

static double mebibytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)(info.uordblks + info.hblkhd) / (1 << 20);
}

int main(int argc, char **argv)
{
    /* Tables are those of one lane's sites, so they grow as vectors become shorter. */
    const double most = 20.0 * (lat_vector_lanes(LAT_DOUBLE) < 8 ? 8 / lat_vector_lanes(LAT_DOUBLE) : 1);
    tap_start(&argc, &argv);
    if (mebibytes() == 0) return tap_skip("the allocator gives no account of itself, as with sanitizers");
    lat_error error = {0};
    lat_geometry *g;
    lat_shape shape = {.dim = 4, .size = {32, 32, 32, 32}};
    double before = mebibytes();
    if (lat_geometry_create(MPI_COMM_WORLD, &shape, &g, &error)) lat_abort(error.status, "%s", error.text);
    double tables = mebibytes() - before;
    lat_field *links = lat_field_create(g, 4 * lat_link_reals(LAT_SU3), LAT_DOUBLE);
    before = mebibytes();
    lat_halo_exchange(links);
    lat_halo_finish(lat_halo_start(links, lat_halo_staples()));
    double kept = mebibytes() - before;
    ok_all(tables > 1 && tables + kept < most, "32^4, SU(3), double, halo 1: less than %.0f MiB beside the links", most);
    if (tap.rank == 0) printf("# tables %.2f MiB, exchanges of links %.2f MiB\n", tables, kept);
    lat_field_free(links);
    lat_geometry_free(g);
    return tap_end();
}
