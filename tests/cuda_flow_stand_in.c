/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * cuda_flow_stand_in.c: the same on a stand-in for a device, which every machine has.
 * # ranks: 1
 */
#include "cuda_flow.c"
