/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * kinds.c: the terms of an action that a configuration can name.
 */
#include "lattice/dirac/pseudofermions.h"

const lat_action_kind *const lat_action_kinds[] = {
    &lat_action_kind_wilson, &lat_action_kind_improved,    &lat_action_kind_luescher_weisz, &lat_action_kind_iwasaki,
    &lat_action_kind_dbw2,   &lat_action_kind_determinant, &lat_action_kind_two_flavours,   &lat_action_kind_rational,
    NULL,
};
