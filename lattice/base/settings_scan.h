/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * settings_scan.h: what is looked at before libconfig reads the text of a configuration.
 */
#ifndef LAT_BASE_SETTINGS_SCAN_H
#define LAT_BASE_SETTINGS_SCAN_H

#include "lattice/base/error.h"

/* The text as libconfig shall see it, without comments and with all integers of 64 bits, to be released with free(); NULL on failure:
 * too long, nested too deeply, with an @include, or with what is no number. */
char *lat_settings_scan(const char *text, const char *source, lat_error *error);

#endif
