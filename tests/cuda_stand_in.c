/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_stand_in.c: the tests of the backend for GPUs on a stand-in for a device, which every machine has.
 * # ranks: 1 2 4
 */
#include "tests/cuda.c"
