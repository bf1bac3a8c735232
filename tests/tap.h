/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * tap.h: what a TAP test program needs.  Only rank 0 prints; conditions are those of rank 0 unless ok_all is used.
 *
 *     int main(int argc, char **argv)
 *     {
 *         tap_start(&argc, &argv);
 *         ok(1 + 1 == 2, "sums of %d", 1);
 *         return tap_end();
 *     }
 */
#ifndef TAP_H
#define TAP_H

#include "lattice/lattice.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    int rank, ranks, count, failed;
} tap;

static inline void tap_start(int *argc, char ***argv)
{
    lat_start(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &tap.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &tap.ranks);
}

__attribute__((format(printf, 2, 3))) static inline void ok(int condition, const char *format, ...)
{
    tap.count++;
    tap.failed += !condition;
    if (tap.rank > 0) return;
    char name[512];
    va_list list;
    va_start(list, format);
    vsnprintf(name, sizeof name, format, list);
    va_end(list);
    printf("%sok %d - %s\n", condition ? "" : "not ", tap.count, name);
    fflush(stdout);
}

/* True only if the condition holds on every rank. */
#define ok_all(condition, ...)                                                                                         \
    do {                                                                                                               \
        int tap_all = !!(condition);                                                                                   \
        MPI_Allreduce(MPI_IN_PLACE, &tap_all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);                                    \
        ok(tap_all, __VA_ARGS__);                                                                                      \
    } while (0)

/* |value - expected| <= tolerance, printing both on failure. */
__attribute__((unused)) static inline void ok_near(double value, double expected, double tolerance, const char *name)
{
    int good = fabs(value - expected) <= tolerance;
    ok(good, "%s", name);
    if (!good && tap.rank == 0) printf("# %s: %.17g, expected %.17g +- %.3g\n", name, value, expected, tolerance);
}

static inline int tap_end(void)
{
    if (tap.rank == 0) printf("1..%d\n", tap.count);
    MPI_Finalize();
    return tap.failed > 0;
}

/* Instead of tests: the whole program is skipped. */
__attribute__((unused)) static inline int tap_skip(const char *reason)
{
    if (tap.rank == 0) printf("1..0 # SKIP %s\n", reason);
    MPI_Finalize();
    return 0;
}

#endif
