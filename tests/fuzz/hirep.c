/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * hirep.c: no file whatsoever makes the reader of files of HiRep do more than refuse it; see matrices.h.
 */
#include "tests/fuzz/matrices.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { return fuzz_matrices("hirep", data, size); }
