/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kinds.c: the kinds of layers that a configuration can name.  A new kind is one line here.
 */
#include "flows/layer.h"

const flow_layer_table *const flow_layer_kinds[] = {&flow_layer_plaquette_coupling, &flow_layer_stout,
                                                    &flow_layer_multiscale, &flow_layer_masked_stout, NULL};
