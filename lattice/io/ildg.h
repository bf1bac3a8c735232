/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ildg.h: what the sources of ILDG files share.
 */
#ifndef LAT_IO_ILDG_H
#define LAT_IO_ILDG_H

#include "lattice/io/lime.h"

enum { ILDG_DIM = 4 };
#define ILDG_PROVENANCE "flowhmc-provenance" /* the record of lines `key = value` of this program */

/* See lat_matrix_format.parse. */
void ildg_parse(const char *path, int descriptor, int64_t file_bytes, const lat_config_options *options, lat_matrices *m,
                lat_bytes *pairs, lat_error *error);

#endif
