/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * base.h: what knows no lattice: failures, settings, files and bytes, exact sums, random numbers.
 */
#ifndef LAT_BASE_H
#define LAT_BASE_H

#include "lattice/base/collective.h"
#include "lattice/base/error.h"
#include "lattice/base/file.h"
#include "lattice/base/random.h"
#include "lattice/base/settings.h"
#include "lattice/base/sum.h"
#include "lattice/base/words.h"

#endif
