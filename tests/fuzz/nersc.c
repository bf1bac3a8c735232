/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * nersc.c: no file whatsoever makes the reader of archive files of NERSC do more than refuse it; see matrices.h.
 */
#include "tests/fuzz/matrices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_matrices("nersc", data, size); }
