/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * golden.h: a field of SU(3) that is exact in any precision, and whose checksums in all formats are known: on 4 x 2 x 6
 * x 10, n = x + 4 (y + 2 (z + 6 t)), h = 4 n + mu, g = (2654435761 h mod 2^32) >> 8, k = g mod 3, a = (g / 3) mod 4, b
 * = (g / 12) mod 4; U[i][(i + k) mod 3] = i^p_i with p = (a, b, -(a + b)), all other entries +0.  Plaquette -1/135,
 * link trace 7/5760; transposed matrices would give -1/160.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "lattice/io/io.h"

#include <string.h>

enum { GOLDEN_SITES = 480, GOLDEN_LINK = 18, GOLDEN_REALS = GOLDEN_SITES * 4 * GOLDEN_LINK };
static const int64_t golden_size[4] = {4, 2, 6, 10};

static inline void golden_link(int64_t h, double u[GOLDEN_LINK])
{
    const double power[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    uint32_t g = ((uint32_t)h * 2654435761u) >> 8, k = g % 3, a = g / 3 % 4, b = g / 12 % 4;
    const uint32_t p[3] = {a, b, (8 - a - b) % 4};
    memset(u, 0, GOLDEN_LINK * sizeof *u);
    for (uint32_t i = 0; i < 3; i++)
        for (int c = 0; c < 2; c++)
            if (power[p[i]][c] != 0) u[2 * (3 * i + (i + k) % 3) + c] = power[p[i]][c];
}

static inline void golden_field(double values[GOLDEN_REALS])
{
    for (int64_t h = 0; h < 4 * GOLDEN_SITES; h++) golden_link(h, values + h * GOLDEN_LINK);
}

/* As the matrices of a file, x running fastest. */
static inline void golden_matrices(lat_bytes *out, int rows, int bits, bool big)
{
    double u[GOLDEN_LINK];
    for (int64_t h = 0; h < 4 * GOLDEN_SITES; h++) {
        golden_link(h, u);
        for (int i = 0; i < 6 * rows; i++) {
            float single = (float)u[i];
            uint8_t bytes[8], turned[8];
            int n = bits / 8;
            memcpy(bytes, bits == 64 ? (void *)&u[i] : (void *)&single, (size_t)n);
            for (int k = 0; k < n; k++) turned[k] = bytes[big ? n - 1 - k : k];
            lat_bytes_add(out, turned, n);
        }
    }
}

/* Header of a NERSC file, with whatever else belongs before END_HEADER. */
static inline void golden_nersc(lat_bytes *out, const char *type, const char *numbers, const char *more)
{
    lat_bytes_print(
        out,
        "BEGIN_HEADER\nHDR_VERSION = 1.0\nDATATYPE = %s\nSTORAGE_FORMAT = 1.0\nDIMENSION_1 = 4\nDIMENSION_2 = 2\n"
        "DIMENSION_3 = 6\nDIMENSION_4 = 10\n%sFLOATING_POINT = %s\nEND_HEADER\n",
        type, more, numbers);
}

/* A LIME record, padded. */
static inline void golden_record(lat_bytes *out, int flags, const char *type, const void *data, int64_t size)
{
    uint8_t header[144] = {0x45, 0x67, 0x89, 0xAB, 0, 1, (uint8_t)flags};
    for (int i = 0; i < 8; i++) header[8 + i] = (uint8_t)(size >> (56 - 8 * i));
    memcpy(header + 16, type, strlen(type));
    lat_bytes_add(out, header, sizeof header);
    lat_bytes_add(out, data, size);
    lat_bytes_add(out, "\0\0\0\0\0\0\0", (8 - size % 8) % 8);
}

static inline void golden_milc(lat_bytes *out, bool big)
{
    uint32_t words[24] = {20103, 4, 2, 6, 10};
    words[22] = 0x58a94366;
    words[23] = 0x831e0bb4;
    for (int i = 0; i < 24; i++) {
        uint32_t word = big ? __builtin_bswap32(words[i]) : words[i];
        lat_bytes_add(out, &word, 4);
    }
    golden_matrices(out, 3, 32, big);
}

/* Time first, z fastest, the odd sites only: U(x,mu), U(x-mu,mu) for t, x, y, z. */
static inline void golden_openqcd(lat_bytes *out)
{
    const int32_t size[4] = {10, 4, 2, 6};
    const double plaquette = -1.0 / 45;
    lat_bytes_add(out, size, sizeof size);
    lat_bytes_add(out, &plaquette, sizeof plaquette);
    for (int t = 0; t < 10; t++)
        for (int x = 0; x < 4; x++)
            for (int y = 0; y < 2; y++)
                for (int z = 0; z < 6; z++) {
                    const int there[4][4] = {{x, y, z, (t + 9) % 10},
                                             {(x + 3) % 4, y, z, t},
                                             {x, (y + 1) % 2, z, t},
                                             {x, y, (z + 5) % 6, t}};
                    const int mu[4] = {3, 0, 1, 2};
                    for (int i = 0; i < 8 && (x + y + z + t) % 2; i++) {
                        const int here[4] = {x, y, z, t}, *c = i % 2 ? there[i / 2] : here;
                        double u[GOLDEN_LINK];
                        golden_link(4 * (c[0] + 4 * (c[1] + 2 * (c[2] + 6 * c[3]))) + mu[i / 2], u);
                        lat_bytes_add(out, u, sizeof u);
                    }
                }
}

#endif
