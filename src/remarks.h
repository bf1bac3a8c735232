/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * remarks.h: what a run that is asked for should make its user think again.
 */
#ifndef REMARKS_H
#define REMARKS_H

#include "src/ensemble.h"

/* Warnings in the log: of updates that do not reach every configuration, of models that were trained for another action. */
void remarks_on(const ensemble *ensemble);

#endif
