/* flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
 *
 * lock.h: one process at a time works on a file.  Local.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>

/* Locks an open file for as long as its descriptor lives.  Waits ten seconds for another process that has it: after
 * SIGKILL the ranks of a run may outlive their launcher by a moment.  False: it is still at work.  File systems
 * that know no locks do not keep others out. */
bool lock_file(int descriptor);

#endif
